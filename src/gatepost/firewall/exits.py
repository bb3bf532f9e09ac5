"""Where a host may connect to, and what it is kept from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from gatepost import catalogue
from gatepost.firewall.spans import Spans, holds, spans
from gatepost.firewall.whom import EVERYBODY, FAMILIES, Directory, Party, internal
from gatepost.model.architecture import Architecture, Egress, Host
from gatepost.model.flows import Exit, Flow, Network
from gatepost.model.words import Role

RELAYS = frozenset({Role.MX, Role.SUBMISSION})
BOTH = ("tcp", "udp")


@dataclass(frozen=True, slots=True)
class _Target:
    """A port of a declared host. `inner`: in an internal zone."""

    host: str
    network: Network
    port: int
    inner: bool


Doors = tuple[tuple[Spans, tuple[_Target, ...]], ...]  # who reaches which ports of declared hosts


def exits(architecture: Architecture, flows: Iterable[Flow], directory: Directory) -> tuple[Exit, ...]:
    """Without a declared egress: to declared hosts as their services permit, to resolvers, and mail from a relay.

    A relay delivers wherever the exchangers of a domain are, an internal zone included.
    """
    world = _World(_doors(flows, internal(architecture)), architecture.resolver)
    return tuple(
        one
        for host in architecture.hosts
        for one in (_implied(host, world) if host.egress is None else _declared(host, host.egress, directory))
    )


def kept_from(architecture: Architecture) -> tuple[tuple[str, tuple[Network, ...]], ...]:
    inner = internal(architecture)
    zones, whole = (*inner.v4, *inner.v6), (*EVERYBODY.v4, *EVERYBODY.v6)
    kept = ((host.name, zones if host.egress is None else whole) for host in architecture.hosts)
    return tuple((name, networks) for name, networks in kept if networks)


def relays(host: Host) -> bool:
    """It exchanges mail with other sites, so it may connect to their port for mail (GP-FW-003)."""
    return any(service.role in RELAYS for service in host.services)


@dataclass(frozen=True, slots=True)
class _World:
    doors: Mapping[int, Doors]  # by family
    resolver: str


def _doors(flows: Iterable[Flow], inner: Party) -> Mapping[int, Doors]:
    """By family. Within one declaration the same names mean the same sources, and there are few such lists."""
    zones = {family: spans(inner.of(family)) for family in FAMILIES}
    sources: dict[tuple[int, tuple[str, ...]], Spans] = {}
    targets: dict[tuple[int, tuple[str, ...]], list[_Target]] = defaultdict(list)
    for flow in flows:
        key, network = (flow.family, flow.zones), ip_network(flow.address)
        if key not in sources:
            sources[key] = spans(flow.sources)
        hidden = holds(zones[flow.family], int(network.network_address))
        targets[key].append(_Target(flow.host, network, flow.port, hidden))
    return {
        family: tuple((sources[key], tuple(targets[key])) for key in sources if key[0] == family) for family in FAMILIES
    }


def _implied(host: Host, world: _World) -> Iterator[Exit]:
    for family in FAMILIES:
        yield from _to_declared(host, family, world)
    if relays(host):
        yield from _anywhere(host, "smtp", "tcp")
    for transport in BOTH:
        yield from _anywhere(host, "dns", transport)
        yield from _to_resolver(host, world.resolver, transport)


def _to_declared(host: Host, family: int, world: _World) -> Iterator[Exit]:
    """Only what is not open to it anyway: targets in internal zones, and declared relays for a host that is none."""
    own = [int(ip_address(a)) for a in host.addresses if (6 if ":" in a else 4) == family]
    mail = catalogue.number("smtp") if not relays(host) else None
    targets: dict[int, dict[Network, None]] = defaultdict(dict)
    for sources, reached in world.doors[family]:
        if any(holds(sources, address) for address in own):
            for one in reached:
                if (one.inner or one.port == mail) and one.host != host.name:
                    targets[one.port][one.network] = None
    for port, networks in sorted(targets.items()):
        yield Exit(f"{host.name}/to-declared-{port}", host.name, tuple(networks), port, line=host.line)


def _anywhere(host: Host, name: str, transport: str) -> Iterator[Exit]:
    for family in FAMILIES:
        targets = EVERYBODY.of(family)
        yield Exit(f"{host.name}/to-{name}", host.name, targets, catalogue.number(name), transport, host.line)


def _to_resolver(host: Host, resolver: str, transport: str) -> Iterator[Exit]:
    """One on another port than that of DNS; one on this machine needs no exit."""
    written, _, port = resolver.partition("#")
    if port and port != str(catalogue.number("dns")):
        address = ip_address(written.partition("%")[0])  # without the interface of a link-local one
        if not address.is_loopback:
            yield Exit(f"{host.name}/to-resolver", host.name, (ip_network(address),), int(port), transport, host.line)


def _declared(host: Host, egress: tuple[Egress, ...], directory: Directory) -> Iterator[Exit]:
    for n, one in enumerate(egress, 1):
        party = directory.party(one.to)
        for targets in filter(None, map(party.of, FAMILIES)):
            for port in one.ports or (0,):
                yield Exit(f"{host.name}/egress-{n}", host.name, targets, port, one.transport, one.line)
