"""One cause, one finding, with every place it was found."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gatepost.model.architecture import Endpoint, Waiver
from gatepost.model.finding import Finding, Verdict
from gatepost.model.words import Role, Severity


@dataclass(frozen=True, slots=True)
class Judged:
    """One check at one place."""

    control: str
    check: str
    at: Endpoint
    role: Role
    verdict: Verdict
    severity: Severity
    remedy: str
    waiver: Waiver | None

    @property
    def cause(self) -> tuple[object, ...]:
        return (
            self.control, self.check, self.at.host, self.verdict.outcome, self.severity, self.verdict.because,
            self.waiver,
        )  # fmt: skip


def findings(judged: Iterable[Judged]) -> tuple[Finding, ...]:
    """Same control, judge, host, outcome, severity and words: the same cause, whatever the roles of its ports."""
    groups: dict[tuple[object, ...], list[Judged]] = defaultdict(list)
    for one in judged:
        groups[one.cause].append(one)
    return _told_apart([(_finding(group), sorted({j.at for j in group})) for group in groups.values()])


def _finding(group: list[Judged]) -> Finding:
    first = group[0]
    ats = sorted({j.at for j in group})
    return Finding(
        control=first.control,
        check=first.check,
        subject=subject(ats),
        role=first.role,
        outcome=first.verdict.outcome,
        severity=first.severity,
        because=first.verdict.because,
        evidence=tuple(dict.fromkeys(o for j in group for o in j.verdict.evidence)),
        remedy="\n".join(dict.fromkeys(line for j in group for line in j.remedy.splitlines())),
        places=tuple(str(at) for at in ats),
        waiver=first.waiver,
    )


def subject(ats: list[Endpoint]) -> str:
    """`mx1.example.org:25`; `mx1.example.org: 465, 587`; the bare host where no port is meant."""
    ports = sorted({at.port for at in ats if at.port})
    host = ats[0].host
    if not ports:
        return host
    return f"{host}:{ports[0]}" if len(ports) == 1 else f"{host}: {', '.join(map(str, ports))}"


def _told_apart(found: list[tuple[Finding, list[Endpoint]]]) -> tuple[Finding, ...]:
    """Where IPv4 and IPv6 of a port differ, the address belongs to the subject: it is half of a finding's id."""
    for name in (_with_addresses, _with_places, _with_role):
        twice = {ident for ident, count in Counter(f.id for f, _ in found).items() if count > 1}
        found = [(replace(f, subject=name(f, ats)) if f.id in twice else f, ats) for f, ats in found]
    return tuple(f for f, _ in found)


def _with_addresses(finding: Finding, ats: list[Endpoint]) -> str:
    addresses = sorted({at.address for at in ats if at.address})
    return f"{subject(ats)} ({', '.join(addresses)})" if addresses else finding.subject


def _with_places(finding: Finding, _ats: list[Endpoint]) -> str:
    return ", ".join(finding.places)


def _with_role(finding: Finding, ats: list[Endpoint]) -> str:
    return f"{subject(ats)} as {finding.role.value}"
