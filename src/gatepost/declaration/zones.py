"""Zones: named networks, nested or apart.

An address must belong to one zone, or to one inside another, so that "who may reach this" has one answer.
`internet` with 0.0.0.0/0 holds every other zone. Two zones that share a part only, or are the same, are refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from operator import itemgetter

from gatepost.declaration.paper import Paper
from gatepost.declaration.positions import Path
from gatepost.declaration.wording import clipped, shown
from gatepost.model.architecture import Zone

Network = IPv4Network | IPv6Network

MAX_ZONES = 100
MAX_NETWORKS = 2000  # in all zones together


def zone_names(page: Paper) -> frozenset[str]:
    """Every name written under [zones], well formed or not: a bad zone is not also an unknown one."""
    written = page.tables.get("zones")
    return frozenset(written) if isinstance(written, dict) else frozenset()


def read_zones(page: Paper) -> tuple[Zone, ...]:
    written = page.table(page.tables, "zones")
    if len(written) > MAX_ZONES or sum(len(z) for z in written.values() if isinstance(z, list)) > MAX_NETWORKS:
        page.problem(("zones",), f"more than {MAX_ZONES} zones or {MAX_NETWORKS} networks")
        return ()
    zones = [Zone(name, _networks(page, raw, ("zones", name))) for name, raw in written.items()]
    for (one, other), networks in sorted(_meetings(zones).items(), key=itemgetter(0)):
        page.problem(
            ("zones", zones[other].name),
            f"shares {max(networks, key=lambda n: n.prefixlen)} with zone {clipped(zones[one].name)}, "
            "and neither zone lies inside the other",
        )
    return tuple(zones)


def _networks(page: Paper, raw: object, path: Path) -> tuple[Network, ...]:
    if not isinstance(raw, list):
        page.problem(path, f"expected an array of networks, got {shown(raw)}")
        return ()
    if not raw:
        page.problem(path, "is empty: no address would belong to it")
    found: dict[Network, None] = {}
    for n, one in enumerate(raw):
        network = _network(page, one, (*path, n))
        if network in found:
            page.problem((*path, n), f"{network} is listed twice")
        elif network is not None:
            found[network] = None
    return tuple(found)


def _network(page: Paper, raw: object, path: Path) -> Network | None:
    if not isinstance(raw, str):
        page.problem(path, f"expected a network like 192.0.2.0/24, got {shown(raw)}")
        return None
    try:
        return ip_network(raw)
    except ValueError:
        pass
    try:
        meant = ip_network(raw, strict=False)
    except ValueError:
        page.problem(path, f"{shown(raw)} is no network like 192.0.2.0/24 or 2001:db8::/32")
    else:
        page.problem(path, f"{shown(raw)} has bits set behind the prefix; did you mean {meant}?")
    return None


def _meetings(zones: list[Zone]) -> dict[tuple[int, int], tuple[Network, Network]]:
    """Pairs of zones that share addresses without one lying inside the other, each with two networks that do.

    Networks are nested or apart, like brackets: in order of their first address, those around the current one
    are the ones still open.
    """
    met: dict[tuple[int, int], tuple[Network, Network]] = {}
    inside: dict[tuple[int, int], set[Network]] = defaultdict(set)
    around: list[tuple[Network, int]] = []
    for network, zone in sorted(((n, z) for z, one in enumerate(zones) for n in one.networks), key=_place):
        while around and not _holds(around[-1][0], network):
            around.pop()
        for outer, other in around:
            if other != zone:
                met.setdefault((min(zone, other), max(zone, other)), (outer, network))
                inside[zone, other].add(network)
                if outer == network:
                    inside[other, zone].add(outer)
        around.append((network, zone))
    return {
        (one, other): networks
        for (one, other), networks in met.items()
        if _whole(zones, one, other, inside) == _whole(zones, other, one, inside)
    }


def _place(row: tuple[Network, int]) -> tuple[int, int, int]:
    network, _ = row
    return network.version, int(network.network_address), network.prefixlen


def _holds(outer: Network, inner: Network) -> bool:
    """For an `inner` that does not begin before `outer`."""
    return outer.version == inner.version and int(outer.broadcast_address) >= int(inner.broadcast_address)


def _whole(zones: list[Zone], inner: int, outer: int, inside: Mapping[tuple[int, int], set[Network]]) -> bool:
    """All of `inner` lies in `outer`, in every address family that `outer` has."""
    families = {n.version for n in zones[outer].networks}
    expected = {n for n in zones[inner].networks if n.version in families}
    return expected <= inside.get((inner, outer), set())
