"""From the words on the command line to a finished run: which hosts, which way, what came back."""

from __future__ import annotations

import asyncio
from asyncio import gather
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from gatepost import catalogue
from gatepost.audit import doubtful, errands, nothing_but_failures, nothing_seen, plans
from gatepost.catalogue import Profile
from gatepost.certs.chain import Roots
from gatepost.cli.aiming import Aims, aim
from gatepost.cli.declared import load
from gatepost.cli.inside import inside
from gatepost.cli.names import Names
from gatepost.cli.request import Request
from gatepost.cli.telling import progress
from gatepost.declare import overdue
from gatepost.edge.prober import Looking, Probed, probe
from gatepost.edge.trust import roots
from gatepost.errors import CannotLook, UsageError
from gatepost.model.architecture import Architecture, Endpoint, Service
from gatepost.model.bundle import Bundle
from gatepost.model.observation import Advertised, Observation, Run, Seen, Unobserved, of
from gatepost.model.rules import ReachSeen
from gatepost.records.plans import DomainPlan, HostPlan


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look gave: the run, and everything needed to judge it."""

    run: Run
    architecture: Architecture
    profile: Profile
    services: dict[Endpoint, Service]
    targets: tuple[str, ...]
    domains: tuple[str, ...]
    mine: bool
    notes: tuple[str, ...] = ()  # what is overdue in the declaration, and what DNS said that no observation carries
    bundles: tuple[Bundle, ...] = ()  # what was taken from the hosts themselves


Progress = Callable[[int, int, str], None]
STALE = timedelta(days=7)


def watched(request: Request, *, quiet: bool) -> Looked:
    """`look`, with a progress bar for whoever watches."""
    with progress(quiet=quiet) as moved:
        return look(request, moved)


def look(request: Request, progress: Progress = lambda _done, _total, _what: None) -> Looked:
    """Raises UsageError for a wrong request and CannotLook when nothing could be observed."""
    architecture = Architecture() if request.undeclared else load(request.declaration)
    profile = catalogue.profile(request.profile or architecture.profile)
    only = port_numbers(request.ports, architecture)
    check_addresses((*request.addresses, *([request.source] if request.source else [])))
    return asyncio.run(_look(request, architecture, profile, only, progress))


async def _look(
    request: Request, architecture: Architecture, profile: Profile, only: frozenset[int], progress: Progress
) -> Looked:
    names = Names(request, architecture)
    if request.resolver:
        names.resolver()  # a wrong address is told before anything is looked at
    trusted = roots(request.ca)
    try:
        return await _looked(request, architecture, profile, only, progress, names, trusted)
    finally:
        await names.close()


async def _looked(
    request: Request,
    architecture: Architecture,
    profile: Profile,
    only: frozenset[int],
    progress: Progress,
    names: Names,
    trusted: Roots,
) -> Looked:
    aims = await aim(request, architecture, trusted, names)
    todo = errands(aims.hosts, only=only, sweep=request.sweep)
    declared = frozenset(h.name for h in architecture.hosts)
    domains, hosts = _plans(request, architecture, aims, names)
    if not todo and not domains:
        raise CannotLook(aims.complaint or "there is nothing to look at")
    looking = Looking(
        profile=profile,
        roots=trusted,
        depth=request.depth,
        mine=frozenset(h.name for h in aims.hosts if request.mine or h.name in declared),
        recipient=request.recipient,
        source=request.source,
        rate=request.rate,
        now=datetime.now(UTC),
        domains=_domains(aims, architecture),
    )
    probed, told, within = await gather(
        probe(todo, looking, progress),
        names.ask(domains, hosts, trusted, https=request.https),
        inside(request, architecture, aims.hosts, looking.now),
    )
    run = _run(probed, (*told, *within.seen), aims, looking, request.vantage)
    if nothing_seen(run, todo) and (not domains or nothing_but_failures(told)):
        raise CannotLook(_complaint(run, aims))
    late = tuple(f"{architecture.source}: {problem}" for problem in overdue(architecture, looking.now.date()))
    notes = (
        *aims.notes,
        *late,
        *stale(run.seen, looking.now),
        *([names.doubt] if doubtful(told, (d.name for d in domains)) else []),
    )
    return Looked(
        run,
        architecture,
        profile,
        probed.services,
        aims.targets,
        aims.domains,
        mine=bool(looking.mine),
        notes=notes,
        bundles=within.bundles,
    )


def stale(seen: Iterable[Observation], now: datetime) -> tuple[str, ...]:
    """Vantages whose results are so old that the network may be another."""
    taken = {one.vantage: one.taken_at for one in of(ReachSeen, seen) if one.taken_at}
    ages = {name: now - (at if at.tzinfo else at.replace(tzinfo=UTC)) for name, at in taken.items()}
    return tuple(
        f"what {name} reached was tried {age.days} days ago: gatepost probe tries again"
        for name, age in sorted(ages.items())
        if age > STALE
    )


def _domains(aims: Aims, architecture: Architecture) -> dict[str, str]:
    """A domain each host takes mail for: declared, or the one whose MX led to it."""
    found = {o.target: o.at.host for o in of(Advertised, aims.observations) if o.via == "mx"}
    return found | {mx: domain.name for domain in architecture.domains for mx in domain.mx}


def _plans(
    request: Request, architecture: Architecture, aims: Aims, names: Names
) -> tuple[tuple[DomainPlan, ...], tuple[HostPlan, ...]]:
    if not request.dns:
        return (), ()
    domains, hosts = plans(aims.domains, aims.hosts, architecture, mine=request.mine)
    return tuple(d for d in domains if names.worth(d.name)), tuple(h for h in hosts if names.worth(h.name))


def _run(probed: Probed, told: tuple[Observation, ...], aims: Aims, looking: Looking, vantage: str) -> Run:
    seen = Seen((*probed.seen, *aims.observations, *told))
    return Run(seen, looking.now, vantage, probed.connections)


def _complaint(run: Run, aims: Aims) -> str:
    """One line for a look that saw nothing: the commonest reason, and at how many endpoints."""
    failed = of(Unobserved, run.seen)
    if not failed:
        return aims.complaint or "nothing could be observed"
    first = failed[0]
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    return f"{first.at}: {first.detail}{more}"


def port_numbers(listed: str | None, architecture: Architecture) -> frozenset[int]:
    """`25,imaps,8025-8027` to numbers; a name means what the declaration calls so, else the catalogue's port."""
    if not listed:
        return frozenset()
    named = {p.id: {p.number} for p in catalogue.ports()}
    declared = [s for h in architecture.hosts for s in h.services]
    named |= {s.name: {o.port for o in declared if o.name == s.name} for s in declared}
    numbers: set[int] = set()
    for word in (w.strip() for w in listed.split(",")):
        low, _, high = word.partition("-")
        if word in named:
            numbers |= named[word]
        elif low.isdecimal() and (not high or high.isdecimal()):
            span = range(int(low), int(high or low) + 1)
            if not span or span[0] < 1 or span[-1] > 65535:
                raise UsageError(f"--ports: {word!r} is not between 1 and 65535")
            numbers.update(span)
        else:
            raise UsageError(f"--ports: no port is named {word!r}")
    return frozenset(numbers)


def check_addresses(addresses: tuple[str, ...]) -> None:
    for address in addresses:
        try:
            ip_address(address)
        except ValueError:
            raise UsageError(f"{address!r} is not an IP address") from None
