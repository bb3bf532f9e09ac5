"""From the words on the command line to a finished run: which hosts, which way, what came back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from gatepost import catalogue
from gatepost.audit import errands, nothing_seen
from gatepost.catalogue import Profile
from gatepost.certs.chain import Roots
from gatepost.cli.telling import progress
from gatepost.declare import overdue, presume, read
from gatepost.edge.prober import Looking, Probed, probe
from gatepost.edge.trust import roots
from gatepost.errors import CannotLook, UsageError
from gatepost.model.architecture import Architecture, Endpoint, Host, Service
from gatepost.model.observation import Advertised, Observation, Run, Seen, Unobserved, of
from gatepost.wire.survey import Depth

if TYPE_CHECKING:
    from gatepost.edge.resolve import Resolver

DEFAULT_DECLARATION = Path("gatepost.toml")
MAX_DECLARATION = 262_144  # octets


@dataclass(frozen=True, slots=True)
class Request:
    """One look, as asked for."""

    targets: tuple[str, ...] = ()
    declaration: Path | None = None
    undeclared: bool = False  # look as a stranger, even where a gatepost.toml lies about
    profile: str | None = None
    addresses: tuple[str, ...] = ()
    ports: str | None = None
    resolver: str | None = None
    ca: Path | None = None
    mine: bool = False
    recipient: str | None = None
    depth: Depth = Depth.CONFORMANCE
    vantage: str = ""
    source: str | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look gave: the run, and everything needed to judge it."""

    run: Run
    architecture: Architecture
    profile: Profile
    services: dict[Endpoint, Service]
    targets: tuple[str, ...]
    mine: bool
    notes: tuple[str, ...] = ()  # what is overdue in the declaration, and what DNS said that no observation carries


Progress = Callable[[int, int, str], None]


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
    if request.resolver:
        _resolver(request.resolver)  # a wrong address is told before anything is looked at
    trusted = roots(request.ca)
    aims = await aim(request, architecture, trusted)
    todo = errands(aims.hosts, only=only)
    if not todo:
        raise CannotLook(aims.complaint or "there is nothing to look at")
    declared = frozenset(h.name for h in architecture.hosts)
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
    probed = await probe(todo, looking, progress)
    run = _run(probed, aims, looking, request.vantage)
    if nothing_seen(run, todo):
        raise CannotLook(_complaint(run, aims))
    late = tuple(f"{architecture.source}: {problem}" for problem in overdue(architecture, looking.now.date()))
    notes = (*aims.notes, *late)
    return Looked(run, architecture, profile, probed.services, aims.targets, mine=bool(looking.mine), notes=notes)


def _domains(aims: Aims, architecture: Architecture) -> dict[str, str]:
    """A domain each host takes mail for: declared, or the one whose MX led to it."""
    found = {o.target: o.at.host for o in of(Advertised, aims.observations) if o.via == "mx"}
    return found | {mx: domain.name for domain in architecture.domains for mx in domain.mx}


def _run(probed: Probed, aims: Aims, looking: Looking, vantage: str) -> Run:
    seen = Seen((*probed.seen, *aims.observations))
    return Run(seen, looking.now, vantage, probed.connections)


def _complaint(run: Run, aims: Aims) -> str:
    """One line for a look that saw nothing: the commonest reason, and at how many endpoints."""
    failed = of(Unobserved, run.seen)
    if not failed:
        return aims.complaint or "nothing could be observed"
    first = failed[0]
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    return f"{first.at}: {first.detail}{more}"


@dataclass(frozen=True, slots=True)
class Aims:
    """Hosts to look at, and what finding them already told us."""

    hosts: tuple[Host, ...]
    targets: tuple[str, ...]
    observations: tuple[Observation, ...] = field(default=())
    complaint: str = ""
    notes: tuple[str, ...] = ()


async def aim(request: Request, architecture: Architecture, trusted: Roots) -> Aims:
    """Which hosts the targets mean: declared ones as declared, the rest as DNS tells."""
    if not request.targets:
        if not architecture.hosts:
            raise UsageError("name a host or domain, or declare one in gatepost.toml (see: gatepost init --help)")
        aims = Aims(architecture.hosts, tuple(h.name for h in architecture.hosts))
        return replace(aims, hosts=tuple([await _with_addresses(h, request) for h in aims.hosts]))
    found = [await _one(target, request, architecture, trusted) for target in request.targets]
    hosts = {h.name: h for aims in reversed(found) for h in aims.hosts}
    ordered = [h.name for aims in found for h in aims.hosts]
    return Aims(
        tuple(hosts[name] for name in dict.fromkeys(ordered)),
        request.targets,
        tuple(o for aims in found for o in aims.observations),
        next((aims.complaint for aims in found if aims.complaint), ""),
        tuple(note for aims in found for note in aims.notes),
    )


async def _one(target: str, request: Request, architecture: Architecture, trusted: Roots) -> Aims:
    from gatepost.edge.discover import discover

    name = target.strip().rstrip(".").lower()
    if host := architecture.host(name):
        return Aims((await _with_addresses(host, request),), (target,))
    if request.addresses:
        return Aims((presume(name, request.addresses),), (target,))
    domain = next((d for d in architecture.domains if d.name == name), None)
    declared = [h for h in architecture.hosts if domain and h.name in domain.mx]
    found = await discover(name, _resolver(request.resolver), roots=trusted)
    hosts = {h.name: h for h in declared}
    for host_name, addresses in found.hosts:
        if host_name not in hosts and addresses:
            hosts[host_name] = architecture.host(host_name) or presume(host_name, addresses)
    complaint = found.unobserved[0].detail if found.unobserved and not hosts else ""
    return Aims(tuple(hosts.values()), (target,), (*found.advertised, *found.unobserved), complaint, found.notes)


async def _with_addresses(host: Host, request: Request) -> Host:
    if request.addresses:
        return replace(host, addresses=request.addresses)
    if host.addresses:
        return host
    return replace(host, addresses=await _resolver(request.resolver).addresses(host.name))


@cache
def _resolver(where: str | None) -> Resolver:
    """Made when first needed: its library is the slowest to load, and an address needs none."""
    from gatepost.edge.resolve import resolver_at

    return resolver_at(where)


def load(path: Path | None) -> Architecture:
    """The declaration named, or the one in this directory, or an empty one."""
    if path is None:
        if not DEFAULT_DECLARATION.is_file():
            return Architecture()
        path = DEFAULT_DECLARATION
    try:
        if path.stat().st_size > MAX_DECLARATION:
            raise UsageError(f"{path}: larger than {MAX_DECLARATION} octets, this is no declaration")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8 text") from None
    return read(text, str(path), today=today())


def today() -> date:
    return datetime.now(UTC).date()


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
