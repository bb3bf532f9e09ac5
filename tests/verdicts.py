"""Audits a lab through the product and says which controls failed where."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from gatepost.audit import conclude
from gatepost.cli.looking import Request, look
from gatepost.model.audit import Audit
from gatepost.model.words import Outcome


def audited(declaration: Path, ca: Path, targets: tuple[str, ...] = (), ports: str | None = None) -> Audit:
    looked = look(Request(targets=targets, declaration=declaration, ca=ca, ports=ports))
    return conclude(
        looked.run,
        looked.architecture,
        looked.profile,
        looked.services,
        looked.targets,
        now=looked.run.started,
        mine=looked.mine,
    )


def by_host(audit: Audit, outcome: Outcome) -> dict[str, dict[str, list[str]]]:
    """Host -> control -> what was said, for one outcome."""
    told: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for finding in audit.findings:
        if finding.outcome is outcome:
            host = finding.subject.partition(":")[0]
            told[host][finding.control].append(f"{finding.check} {finding.subject}: {finding.because}")
    return told
