"""Zones: named networks, nested or apart.

An address must belong to one zone, or to one inside another, so that "who may reach this" has one answer.
`internet` with 0.0.0.0/0 holds every other zone. Two zones that share a part only, or are the same, are refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import combinations

from gatepost.declaration.paper import Paper
from gatepost.declaration.positions import Path
from gatepost.declaration.wording import clipped, shown
from gatepost.model.architecture import Zone

Network = IPv4Network | IPv6Network

MAX_NETWORKS = 1000  # in one zone


def zone_names(page: Paper) -> frozenset[str]:
    """Every name written under [zones], well formed or not: a bad zone is not also an unknown one."""
    written = page.tables.get("zones")
    return frozenset(written) if isinstance(written, dict) else frozenset()


def read_zones(page: Paper) -> tuple[Zone, ...]:
    written = page.table(page.tables, "zones")
    zones = [Zone(name, _networks(page, raw, ("zones", name))) for name, raw in written.items()]
    for one, other in combinations(zones, 2):
        if shared := _shared(one, other):
            first, second = shared
            page.problem(
                ("zones", other.name),
                f"{second} overlaps {first} of zone {clipped(one.name)}, and neither zone lies inside the other",
            )
    return tuple(zones)


def _networks(page: Paper, raw: object, path: Path) -> tuple[Network, ...]:
    if not isinstance(raw, list):
        page.problem(path, f"expected an array of networks, got {shown(raw)}")
        return ()
    if not raw:
        page.problem(path, "is empty: no address would belong to it")
    if len(raw) > MAX_NETWORKS:
        page.problem(path, f"more than {MAX_NETWORKS} networks")
        return ()
    found: list[Network] = []
    for n, one in enumerate(raw):
        network = _network(page, one, (*path, n))
        if network in found:
            page.problem((*path, n), f"{network} is listed twice")
        elif network is not None:
            found.append(network)
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


def _shared(one: Zone, other: Zone) -> tuple[Network, Network] | None:
    """Networks that both zones hold, unless one zone lies wholly inside the other."""
    meeting = next(((a, b) for a in one.networks for b in other.networks if a.overlaps(b)), None)
    if meeting is None or _inside(one, other) != _inside(other, one):
        return None
    return meeting


def _inside(inner: Zone, outer: Zone) -> bool:
    """In every address family that both have."""
    families = {n.version for n in outer.networks}
    return all(_within(n, outer.networks) for n in inner.networks if n.version in families)


def _within(network: Network, others: Iterable[Network]) -> bool:
    for other in others:
        if isinstance(network, IPv4Network) and isinstance(other, IPv4Network):
            if network.subnet_of(other):
                return True
        elif isinstance(network, IPv6Network) and isinstance(other, IPv6Network) and network.subnet_of(other):
            return True
    return False
