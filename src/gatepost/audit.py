"""The audit story: what to look at, and what to make of what came back.

    errands   targets and declaration -> one errand per address and port
    plans     domains and hosts -> what DNS is to be asked about each
    conclude  observations -> findings -> Audit

All are pure. Between them `edge.prober` runs the errands and `edge.questions` asks DNS.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from ipaddress import ip_network

from gatepost import catalogue
from gatepost.catalogue import Profile
from gatepost.catalogue.presumption import presumed
from gatepost.checks.judge import judge
from gatepost.model.architecture import Architecture, Endpoint, Host, Service
from gatepost.model.audit import Audit
from gatepost.model.dns import Answer, Security
from gatepost.model.errand import Errand
from gatepost.model.finding import Finding
from gatepost.model.observation import Identified, Listening, Observation, Run, Unobserved, Vantage, of
from gatepost.model.words import Mode, Outcome, Reason, Role
from gatepost.records.plans import DomainPlan, HostPlan


def errands(hosts: Iterable[Host], *, only: frozenset[int] = frozenset(), sweep: bool = True) -> tuple[Errand, ...]:
    """Every address of every host, IPv4 and IPv6 each on its own.

    Services of the host are surveyed in full, every other TCP port of the catalogue is swept (unless told not to).
    `only` limits the look to these ports, and makes an unknown number a sweep errand too.
    """
    return tuple(
        errand
        for host in hosts
        for address in host.addresses
        for errand in _at(host, address, only, sweep=sweep)
    )  # fmt: skip


def _at(host: Host, address: str, only: frozenset[int], *, sweep: bool) -> Iterable[Errand]:
    known = {service.port: service for service in host.services}
    wanted = only or frozenset(known) | (_catalogue_ports() if sweep else frozenset())
    for port in sorted(wanted):
        at = Endpoint(host.name, address, port)
        if port in known:
            yield Errand(at, known[port])
        else:
            yield Errand(at, presumed(port), sweep=True)


def _catalogue_ports() -> frozenset[int]:
    return frozenset(p.number for p in catalogue.ports() if "tcp" in p.transport)


def plans(
    domains: Iterable[str], hosts: Iterable[Host], architecture: Architecture, *, mine: bool
) -> tuple[tuple[DomainPlan, ...], tuple[HostPlan, ...]]:
    """SPF is tried for senders that are known: declared ones, and one's own exchangers. A stranger's exchanger may
    never send.
    """
    looked_at = tuple(hosts)
    return (
        tuple(_domain_plan(name, looked_at, architecture, mine=mine) for name in dict.fromkeys(domains)),
        tuple(HostPlan(h.name, _pinned(h), h.addresses) for h in looked_at),
    )


def _domain_plan(name: str, hosts: tuple[Host, ...], architecture: Architecture, *, mine: bool) -> DomainPlan:
    declared = architecture.domain(name)
    if declared is None:
        return DomainPlan(name, senders=_addresses(hosts) if mine else ())
    if not declared.sends:
        return DomainPlan(name, tuple(s.name for s in declared.dkim))
    own = tuple(h for h in architecture.hosts if h.name in declared.mx)
    senders = tuple(a for one in declared.senders for a in _sender(one, architecture)) or _addresses(own)
    known = {address for host in hosts for address in host.addresses}
    return DomainPlan(
        name,
        tuple(s.name for s in declared.dkim),
        tuple(dict.fromkeys(senders)),
        tuple(a for a in dict.fromkeys(senders) if a not in known),
    )


def _sender(text: str, architecture: Architecture) -> tuple[str, ...]:
    """An address, the ends of a network, or the addresses of a declared host."""
    if host := architecture.host(text):
        return host.addresses
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return ()
    return tuple(dict.fromkeys((str(network[0]), str(network[-1]))))


def _addresses(hosts: Iterable[Host]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(address for host in hosts for address in host.addresses))


def _pinned(host: Host) -> tuple[int, ...]:
    """Ports whose certificate a TLSA record could speak of."""
    return tuple(sorted({s.port for s in host.services if s.mode is not Mode.NONE and s.role in _SERVES_CLIENTS}))


_SERVES_CLIENTS = frozenset({Role.ACCESS, Role.MX, Role.SIEVE, Role.SUBMISSION})


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
        replace(finding, first_seen=known.get(finding.id, now)) if finding.outcome is Outcome.FAIL else finding
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


def _silent(one: Observation) -> bool:
    return isinstance(one, Identified) and one.protocol == "silent"


def nothing_seen(run: Run, errands_: Iterable[Errand]) -> bool:
    """No endpoint gave any answer, not even a refusal; to accept a connection and fall silent is none."""
    answered = {o.at for o in run.seen if not isinstance(o, Unobserved | Vantage | Listening) and not _silent(o)}
    return not any(errand.at in answered for errand in errands_)


def nothing_but_failures(told: Iterable[Observation]) -> bool:
    """DNS gave no answer at all, not even that something does not exist. That signatures are bogus is an answer."""
    return all(isinstance(one, Unobserved) or (isinstance(one, Answer) and _unanswered(one)) for one in told)


def _unanswered(one: Answer) -> bool:
    return one.failed and one.security is not Security.BOGUS


def doubtful(told: Iterable[Observation], domains: Iterable[str]) -> bool:
    """Some answer about these domains has no DNSSEC state, although it came."""
    names = tuple(domains)
    return any(
        isinstance(one, Answer)
        and one.security is Security.UNKNOWN
        and not one.failed
        and any(f".{one.name}".endswith(f".{name}") for name in names)
        for one in told
    )
