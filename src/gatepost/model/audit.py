"""One audit, gathered and judged: what every report is made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gatepost.model.architecture import Architecture
from gatepost.model.finding import Finding
from gatepost.model.observation import Run


@dataclass(frozen=True, slots=True)
class Audit:
    """`findings` holds every verdict, not only failures. `targets` are the names asked for."""

    generated_at: datetime
    profile: str
    targets: tuple[str, ...]
    findings: tuple[Finding, ...]
    run: Run
    architecture: Architecture
    notes: tuple[str, ...] = ()  # sentences about the run itself: vantage, limits, what was left out
    compared_with: str = ""  # vantage label of the other run, with --compare
    since: str = ""  # the earlier run, with --since
