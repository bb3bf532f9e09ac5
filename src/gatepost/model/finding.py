"""What a check concludes: controls, verdicts, findings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from gatepost.model.architecture import Endpoint, Waiver
from gatepost.model.observation import Observation
from gatepost.model.words import Outcome, Role, Severity


@dataclass(frozen=True, slots=True)
class Reference:
    standard: str
    title: str
    sections: tuple[str, ...]
    verified: bool


@dataclass(frozen=True, slots=True)
class Control:
    """A row of the control catalogue."""

    id: str
    title: str
    area: str
    severity: Severity
    roles: tuple[Role, ...]
    witnesses: tuple[str, ...]  # probe, dns, config, firewall, logs, declaration: strongest first
    rationale: str
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`because` is one line an operator reads; `evidence` is what decided it."""

    outcome: Outcome
    because: str
    evidence: tuple[Observation, ...] = ()
    remedy: str = ""  # overrides the catalogue's remedy for this control
    severity: Severity | None = None  # overrides the control's severity for this case
    ports: tuple[int, ...] = ()  # of a host, where it is about some and the evidence is about the whole
    places: tuple[Endpoint, ...] = ()  # the same where single addresses are meant


@dataclass(frozen=True, slots=True)
class Finding:
    """One control judged, with every place the same cause was found.

    `check` is the judge's name: several judges may share a control. `subject` reads `mx1.example.org:465`
    or, for several ports of a host, `mx1.example.org: 465, 587`. `places` are endpoints in words
    (`mx1.example.org:465 (192.0.2.5)`).
    """

    control: str
    check: str
    subject: str
    role: Role
    outcome: Outcome
    severity: Severity
    because: str
    evidence: tuple[Observation, ...]
    remedy: str
    places: tuple[str, ...]
    first_seen: datetime | None = None
    waiver: Waiver | None = None

    @property
    def id(self) -> str:
        """Stable across runs: control, judge and subject."""
        return f"{self.control}/{self.check}@{self.subject}"

    @property
    def open(self) -> bool:
        """A failure that no running waiver covers."""
        return self.outcome is Outcome.FAIL and self.waiver is None

    def waived(self, waiver: Waiver) -> Finding:
        return replace(self, waiver=waiver)
