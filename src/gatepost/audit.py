"""The audit story: what to look at, and what to make of what came back.

    errands   targets and declaration -> one errand per address and port
    conclude  observations -> findings -> Audit

Both are pure. Between them `edge.prober` runs the errands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from gatepost import catalogue
from gatepost.catalogue import Profile
from gatepost.catalogue.presumption import presumed
from gatepost.checks.judge import judge
from gatepost.model.architecture import Architecture, Endpoint, Host, Service
from gatepost.model.audit import Audit
from gatepost.model.errand import Errand
from gatepost.model.finding import Finding
from gatepost.model.observation import Identified, Listening, Observation, Run, Unobserved, Vantage, of
from gatepost.model.words import Outcome, Reason


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
