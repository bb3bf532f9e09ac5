"""What could not be seen, gathered by reason: a closed path is one fact, not thirty verdicts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from gatepost.model.audit import Audit
from gatepost.model.finding import Finding
from gatepost.model.observation import Unobserved
from gatepost.model.words import Outcome
from gatepost.report import standards
from gatepost.report.escape import printable

_NOT_SEEN = "not seen: "  # how a judge says that the run has no observation of a kind
_PORTS = re.compile(r"([^: ]+): ?(\d{1,5}(?:, \d{1,5})*)")
_MOST = 5


@dataclass(frozen=True, slots=True)
class Blind:
    """One reason with all verdicts it cost. `wanted` is what a judge looked for and did not find."""

    reason: str
    wanted: tuple[str, ...]
    controls: tuple[str, ...]
    where: str

    @property
    def told(self) -> str:
        if not self.wanted:
            return self.reason
        more = f" and {len(self.wanted) - _MOST} more" if len(self.wanted) > _MOST else ""
        return f"{self.reason}: {', '.join(self.wanted[:_MOST])}{more}"


def blind(audit: Audit) -> tuple[Blind, ...]:
    """The reasons that cost most controls first. What was not judged at all is not among them."""
    unknown = [f for f in audit.findings if f.outcome is Outcome.UNKNOWN and not standards.unjudged(f)]
    unlooked = [f for f in unknown if _wanted(f)]
    told = [*_by_reason(f for f in unknown if not _wanted(f)), *_by_place(unlooked)]
    return tuple(sorted(told, key=lambda b: (-len(b.controls), b.reason, b.where)))


def unjudged(audit: Audit) -> dict[str, tuple[str, ...]]:
    """Controls that nobody judged in this run, by what they need first; what most of them need comes first."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for finding in audit.findings:
        if finding.outcome is Outcome.UNKNOWN and standards.unjudged(finding):
            wanted[finding.because.partition(" or ")[0]].add(finding.control)
    ordered = sorted(wanted, key=lambda need: (-len(wanted[need]), need))
    return {need: tuple(sorted(wanted[need])) for need in ordered}


def _wanted(finding: Finding) -> str:
    if finding.evidence or not finding.because.startswith(_NOT_SEEN):
        return ""
    return printable(finding.because.removeprefix(_NOT_SEEN))


def _by_reason(findings: Iterable[Finding]) -> Iterable[Blind]:
    grouped: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        found = next((o for o in finding.evidence if isinstance(o, Unobserved)), None)
        grouped[f"{found.reason.value}: {found.detail}" if found else finding.because].append(finding)
    for reason, same in grouped.items():
        controls = tuple(sorted({printable(f.control) for f in same}))
        yield Blind(printable(reason) or "no reason given", (), controls, gathered(f.subject for f in same))


def _by_place(findings: Iterable[Finding]) -> Iterable[Blind]:
    """A port without TLS misses twenty things for one reason; ports that miss the same share a line."""
    missing: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for finding in findings:
        for place in finding.places or (finding.subject,):
            missing[place.partition(" ")[0]].add((_wanted(finding), printable(finding.control)))
    alike: dict[frozenset[tuple[str, str]], list[str]] = defaultdict(list)
    for place, pairs in missing.items():
        alike[frozenset(pairs)].append(place)
    for same, places in alike.items():
        wanted = tuple(sorted({one for one, _ in same}))
        yield Blind("not seen", wanted, tuple(sorted({control for _, control in same})), gathered(places))


def gathered(subjects: Iterable[str]) -> str:
    """`mx.test:25` and `mx.test: 465, 587` become `mx.test: 25, 465, 587`; anything else stays as it is."""
    ports: dict[str, set[int]] = defaultdict(set)
    others: dict[str, None] = {}
    for subject in subjects:
        if match := _PORTS.fullmatch(subject):
            ports[match[1]].update(int(port) for port in match[2].split(", "))
        else:
            others[printable(subject)] = None
    listed = [f"{printable(host)}{_ports(found)}" for host, found in sorted(ports.items())]
    return "; ".join([*listed, *sorted(others)])


def _ports(found: set[int]) -> str:
    return f":{next(iter(found))}" if len(found) == 1 else f": {', '.join(str(port) for port in sorted(found))}"
