"""The audit story: what to look at, and what to make of what came back.

    errands   targets and declaration -> one errand per address and port
    conclude  observations -> findings -> Audit

Both are pure. Between them `edge.prober` runs the errands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gatepost import catalogue
from gatepost.catalogue import Profile
from gatepost.checks.judge import judge
from gatepost.model.architecture import Architecture, Endpoint, Host, Service
from gatepost.model.audit import Audit
from gatepost.model.finding import Finding
from gatepost.model.observation import Closed, Identified, Run, Unobserved, Vantage, of
from gatepost.model.words import Mode, Reason, Role

CONVERSED = frozenset({"smtp", "lmtp", "imap", "pop3", "managesieve"})  # protocols with a dialogue of their own


@dataclass(frozen=True, slots=True)
class Errand:
    """One endpoint to look at. `service` is what is declared or presumed there.

    A `sweep` errand only knocks and asks who is there; what it finds is then surveyed like any other.
    """

    at: Endpoint
    service: Service
    sweep: bool = False


def errands(hosts: Iterable[Host], *, only: frozenset[int] = frozenset()) -> tuple[Errand, ...]:
    """Every address of every host, IPv4 and IPv6 each on its own.

    Services of the host are surveyed in full, every other TCP port of the catalogue is swept. `only` limits
    the look to these ports, and makes an unknown number a sweep errand too.
    """
    return tuple(
        errand
        for host in hosts
        for address in host.addresses
        for errand in _at(host, address, only)
    )  # fmt: skip


def _at(host: Host, address: str, only: frozenset[int]) -> Iterable[Errand]:
    known = {service.port: service for service in host.services}
    wanted = only or frozenset(known) | _catalogue_ports()
    for port in sorted(wanted):
        at = Endpoint(host.name, address, port)
        if port in known:
            yield Errand(at, known[port])
        else:
            yield Errand(at, presumed(port), sweep=True)


def _catalogue_ports() -> frozenset[int]:
    return frozenset(p.number for p in catalogue.ports() if "tcp" in p.transport)


def presumed(port: int, found: Identified | None = None) -> Service:
    """What to hold a listener against that nobody declared: the catalogue's row, corrected by what it speaks."""
    row = catalogue.port_numbered(port)
    if found is None or (row and row.protocol == found.protocol):
        if row is None:
            return Service(f"port-{port}", port, "unknown", Role.HOST, Mode.NONE, declared=False)
        mode = Mode(row.mode) if found is None else found.mode
        return Service(row.id, port, row.protocol, Role(row.duty), mode, row.exposure, declared=False)
    role = {"smtp": Role.SUBMISSION, "lmtp": Role.FILTER, "imap": Role.ACCESS, "pop3": Role.ACCESS}
    duty = Role.SIEVE if found.protocol == "managesieve" else role.get(found.protocol, Role.HOST)
    return Service(f"port-{port}", port, found.protocol, duty, found.mode, declared=False)


def conclude(
    run: Run,
    architecture: Architecture,
    profile: Profile,
    services: Mapping[Endpoint, Service],
    targets: tuple[str, ...],
    *,
    now: datetime,
    mine: bool,
    extra: tuple[Finding, ...] = (),
    first_seen: Mapping[str, datetime] | None = None,
) -> Audit:
    """Judge a run. `first_seen` remembers failures of earlier runs by finding id."""
    known = first_seen or {}
    findings = tuple(
        replace(finding, first_seen=known.get(finding.id, now)) if finding.outcome.value == "fail" else finding
        for finding in (*extra, *judge(run, architecture, profile, services=services, now=now, mine=mine))
    )
    return Audit(now, profile.name, targets, findings, run, architecture, notes=notes(run))


def notes(run: Run) -> tuple[str, ...]:
    """Sentences about the run itself that a reader must know before believing it."""
    said: list[str] = []
    near = sorted({v.at.address for v in of(Vantage, run.seen) if v.same_host})
    if near:
        said.append(
            f"Looked at {', '.join(near)} from that same address: Dovecot calls such a session secured and "
            "Postfix exempts its own networks, so answers about clear text, limits and relaying may be wrong "
            "in both directions. Repeat the audit from another machine (or with --source)."
        )
    limited = sorted({u.at.place for u in of(Unobserved, run.seen) if u.reason is Reason.LIMITED})
    if limited:
        said.append(
            f"Limited by the server at {', '.join(limited)}: what was not answered is unknown, not refused. "
            "Try --rate below its limit, or exempt this address."
        )
    return tuple(said)


def nothing_seen(run: Run, errands_: Iterable[Errand]) -> bool:
    """No endpoint gave any answer, not even a refusal."""
    answered = {o.at for o in run.seen if not isinstance(o, Unobserved | Vantage)}
    return not any(errand.at in answered for errand in errands_)


def closed_ports(run: Run) -> int:
    return len(of(Closed, run.seen))
