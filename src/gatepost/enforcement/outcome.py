"""Whether a plan kept its promise: what it said is gone, nothing new is wrong, and whoever answered still answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gatepost.enforcement.causes import places
from gatepost.firewall.vantages import permitted
from gatepost.model.architecture import Architecture
from gatepost.model.audit import Audit
from gatepost.model.finding import Finding
from gatepost.model.observation import Listening, Vantage, of
from gatepost.model.plan import Plan
from gatepost.model.rules import Reach, ReachSeen
from gatepost.model.words import Outcome, Severity

Atom = tuple[str, str, str, int]  # control, check, host, port: what a finding says of one place
_LONGEST = 3  # sentences that are told
UNDECLARED = frozenset(
    {
        "configured-services-declared",
        "listener-declared",
        "nothing-hides-behind-the-firewall",
        "sockets-declared",
    }
)  # judges of one question, each from another side


def kept(plan: Plan, before: Audit, after: Audit) -> str:
    """Empty when it did, else why it must be taken back.

    Findings are compared place by place: one that named two ports and now names one is half mended, not new. What was
    unknown before and fails now was not seen before, and is not held against the plan; nor is what is seen on a
    declared port that nobody could reach before, nor a listener that was known to be undeclared: once the firewall
    hides it, another judge says so. Nor is what is only told (severity info): a server that is under load greets late,
    and another time early.
    """
    troubles = [*_silent(before, after, plan), *_unkept(plan, before, after), *_new(before, after)]
    more = f"; and {len(troubles) - _LONGEST} more" if len(troubles) > _LONGEST else ""
    return "; ".join(troubles[:_LONGEST]) + more


def _unkept(plan: Plan, before: Audit, after: Audit) -> Iterator[str]:
    were = {f.id: f for f in before.findings}
    now = _outcomes(after)
    for name in dict.fromkeys(one for step in plan.doing for one in step.promises):
        if (finding := were.get(name)) is None:
            if still := next((f for f in after.findings if f.id == name and f.open), None):
                yield f"promised to be gone and still there: {name} ({still.because})"
            continue
        for atom in _atoms(finding):
            found = now.get(atom) or _lost(now, atom)
            if found is None or found.outcome in {Outcome.PASS, Outcome.NOT_APPLICABLE}:
                continue
            if found.open:
                yield f"promised to be gone and still there: {found.id} ({found.because})"
                break
            if found.outcome is Outcome.UNKNOWN:
                yield f"promised to be gone and no longer to be seen: {found.id} ({found.because})"
                break


def _lost(now: Mapping[Atom, Finding], atom: Atom) -> Finding | None:
    """The same question about the host as a whole, when it found no answer: that is no pass."""
    control, check, host, _ = atom
    found = now.get((control, check, host, 0))
    return found if found is not None and found.outcome is Outcome.UNKNOWN else None


def _new(before: Audit, after: Audit) -> Iterator[str]:
    were = _outcomes(before)
    known = _answering(before)
    strays = {place for f in before.findings if f.open and f.check in UNDECLARED for place in places(f)}
    for finding in after.findings:
        new = (
            atom
            for atom in _atoms(finding)
            if not (finding.check in UNDECLARED and atom[2:] in strays)
            and _appeared(atom, were, known, after.architecture)
        )
        if finding.open and finding.severity is not Severity.INFO and any(True for _ in new):
            yield f"not there before: {finding.id} ({finding.because})"


def _appeared(
    atom: Atom, were: Mapping[Atom, Finding], known: set[tuple[str, int]], architecture: Architecture
) -> bool:
    if (old := were.get(atom)) is not None:
        return old.outcome in {Outcome.NOT_APPLICABLE, Outcome.PASS}
    control, check, name, port = atom
    if (whole := were.get((control, check, name, 0))) is not None and whole.outcome is Outcome.UNKNOWN:
        return False
    if (name, port) in known or not port:
        return True
    host = architecture.host(name)
    return host is None or host.service(port) is None


def _silent(before: Audit, after: Audit, plan: Plan) -> Iterator[str]:
    """A declared port that answered and does not any more: mail may have stopped."""
    hosts = frozenset(plan.hosts)
    gone = _answering(before) - _answering(after)
    for name, port in sorted(gone):
        host = before.architecture.host(name)
        service = host.service(port) if host else None
        late = service is not None and service.until is not None and service.until < before.generated_at.date()
        if service and not late and name in hosts and not _kept_out(before, name, port):
            yield f"{name}:{port} ({service.name}) answered before, and does not now"


def _kept_out(before: Audit, name: str, port: int) -> bool:
    """Where we look from may not reach it: that it answered was the fault."""
    ours = [v for v in of(Vantage, before.run.seen) if (v.at.host, v.at.port) == (name, port) and v.source]
    tries = (ReachSeen(v.at, "", "", v.source, Reach.REACHED) for v in ours)
    return bool(ours) and all(permitted(one, before.architecture) is False for one in tries)


def _answering(audit: Audit) -> set[tuple[str, int]]:
    return {(one.at.host, one.at.port) for one in of(Listening, audit.run.seen)}


def _atoms(finding: Finding) -> Iterator[Atom]:
    for host, port in sorted(places(finding)):
        yield finding.control, finding.check, host, port


def _outcomes(audit: Audit) -> dict[Atom, Finding]:
    """The worst word on each place: IPv4 and IPv6 may differ."""
    worst = (Outcome.NOT_APPLICABLE, Outcome.PASS, Outcome.UNKNOWN, Outcome.FAIL)
    found: dict[Atom, Finding] = {}
    for finding in audit.findings:
        for atom in _atoms(finding):
            if atom not in found or worst.index(finding.outcome) > worst.index(found[atom].outcome):
                found[atom] = finding
    return found
