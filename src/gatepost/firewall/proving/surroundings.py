"""The network around the rules: addresses of the host, and through which interface its routes lead.

A source is taken to arrive on the interface that the route back to it uses; a connection from elsewhere would get no
answer, or an answer on a way the client does not expect. Only the main table is followed; other tables are noted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from gatepost.firewall.proving.fates import Fates
from gatepost.firewall.proving.regions import EVERYWHERE, LOOPBACK, MARTIAN, MULTICAST, TOP, Region, of_networks
from gatepost.model.bundle import Bundle, Ran

Raw = Any  # parsed JSON of ip(8)
MOST_ROUTES = 100_000
BRIDGES = ("br-", "cali", "cni", "docker", "flannel", "incusbr", "lxdbr", "podman", "veth", "virbr")
FOLLOWED = {"", "main", "default", "254", "253"}
_ALL = ("route", "show", "table", "all")
ADDRESSES = ("ip", "-j", "address")
ROUTES = {4: ("ip", "-j", "-4", *_ALL), 6: ("ip", "-j", "-6", *_ALL)}
FORWARDING = ("sysctl", "-n", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`routed` is by family and interface; `known` tells for which families routes were read at all."""

    local: Mapping[int, Region] = field(default_factory=lambda: dict(LOOPBACK))
    by_interface: Mapping[str, Mapping[int, Region]] = field(default_factory=dict)
    primary: Mapping[tuple[str, int], int | None] = field(default_factory=dict)
    connected: Mapping[int, Region] = field(default_factory=dict)
    routed: Mapping[int, Sequence[tuple[str, Region]]] = field(default_factory=dict)
    forwarding: Mapping[int, bool] = field(default_factory=dict)
    addresses_known: bool = False
    notes: tuple[str, ...] = ()

    def arrivals(self, family: int) -> Sequence[tuple[str | None, Region]]:
        """Interfaces and the sources that come in there; loopback and the host's own addresses are not among them."""
        if family not in self.routed:
            return [(None, EVERYWHERE[family])]
        own = self.local.get(family, Region())
        return [(name, region - own) for name, region in self.routed[family] if name != "lo" and region - own]

    def outside(self, family: int) -> Region:
        """Sources that can open a connection to the host from elsewhere."""
        everybody = EVERYWHERE[family] - MARTIAN[family] - self.local.get(family, Region())
        if family not in self.routed:
            return everybody
        return everybody & Region.of(p for _, region in self.routed[family] for p in region.pairs())

    def containers(self, family: int, declared: Region) -> dict[str, Region]:
        """Networks behind bridges of this host that nobody declared, by interface: those of its containers."""
        widest = max(self.routed.get(family, ()), key=lambda pair: pair[1].size(), default=("", Region()))
        return {
            name: region
            for name, region in self.routed.get(family, ())
            if name.startswith(BRIDGES) and name != widest[0] and region and not region & declared
        }

    def way(self, address: int, family: int) -> str | None:
        """The interface towards an address; None where that is not known, empty where there is no route."""
        if family not in self.routed:
            return None
        found = [name for name, region in self.routed[family] if address in region]
        return found[0] if len(found) == 1 else None if found else ""

    def only_address(self, family: int) -> int | None:
        """The host's own on its way out, as far as there is just one."""
        somewhere = self.routed.get(family, ())
        widest = max(somewhere, key=lambda pair: pair[1].size(), default=None)
        return self.primary.get((widest[0], family)) if widest else None

    def is_local(self, address: int, family: int) -> bool:
        return address in self.local.get(family, Region())


def read(bundle: Bundle) -> Surroundings:
    """What is missing in the bundle is taken as not known, never as not there."""
    listed = _listed(bundle.command(*ADDRESSES))
    routes = {family: _listed(bundle.command(*argv)) for family, argv in ROUTES.items()}
    return surroundings(listed, routes, _forwarding(bundle.command(*FORWARDING)))


def surroundings(
    addresses: Sequence[Raw] | None, routes: Mapping[int, Sequence[Raw] | None], forwarding: Mapping[int, bool]
) -> Surroundings:
    """From the JSON of `ip address` and `ip route show table all`; None for what was not read."""
    own = {name: dict(regions) for name, regions in _own(addresses or ())}
    notes = [f"policy routing is not followed: {', '.join(found)}"] if (found := _other_tables(routes)) else []
    return Surroundings(
        {family: _local(family, own, routes.get(family) or ()) for family in (4, 6)},
        {name: {family: of_networks(nets) for family, nets in of.items()} for name, of in own.items()},
        {(name, family): _only(nets) for name, of in own.items() for family, nets in of.items()},
        {family: _connected(family, routes.get(family) or ()) for family in (4, 6)},
        {family: _routed(family, listed) for family, listed in routes.items() if listed is not None},
        dict(forwarding),
        addresses is not None,
        tuple(notes),
    )


def _listed(ran: Ran | None) -> Sequence[Raw] | None:
    if ran is None or not ran.ok:
        return None
    try:
        loaded = json.loads(ran.stdout or "[]")
    except (ValueError, RecursionError):
        return None
    return [one for one in loaded if isinstance(one, dict)][:MOST_ROUTES] if isinstance(loaded, list) else None


def _forwarding(ran: Ran | None) -> Mapping[int, bool]:
    """Two numbers, a line each."""
    words = ran.stdout.split() if ran is not None and ran.ok else []
    return {family: word != "0" for family, word in zip((4, 6), words, strict=False)} if len(words) == 2 else {}


def _own(listed: Iterable[Raw]) -> Iterator[tuple[str, dict[int, list[Any]]]]:
    """Addresses by interface, as networks of one address."""
    for one in listed:
        found: dict[int, list[Any]] = {4: [], 6: []}
        infos = one.get("addr_info", [])
        for info in infos if isinstance(infos, list) else []:
            try:
                number = ip_address(info["local"])
            except (KeyError, TypeError, ValueError):
                continue
            found[number.version].append(ip_network(number))
        yield str(one.get("ifname", "")), found


def _only(nets: Sequence[Any]) -> int | None:
    """The address a redirect leads to: certain only where there is one."""
    outer = [n for n in nets if not n.is_link_local]
    return int(outer[0].network_address) if len(outer) == 1 else None


def _local(family: int, own: Mapping[str, Mapping[int, Sequence[Any]]], routes: Iterable[Raw]) -> Region:
    nets = [net for of in own.values() for net in of[family]]
    nets += [net for route in routes if route.get("type") == "local" and (net := _network(route, family)) is not None]
    return of_networks(nets) | LOOPBACK[family]


def _connected(family: int, routes: Iterable[Raw]) -> Region:
    """Networks the host is in itself."""
    return of_networks(
        net
        for route in routes
        if _table(route) in FOLLOWED
        and "gateway" not in route
        and "via" not in route
        and route.get("type", "unicast") == "unicast"
        and (net := _network(route, family)) is not None
        and net.prefixlen > 0
    )


def _routed(family: int, routes: Iterable[Raw]) -> Sequence[tuple[str, Region]]:
    """The longest prefix wins, then the smallest metric. Link-local routes of IPv6 lie on several interfaces."""
    usable = [(net, route) for route in routes
              if _table(route) in FOLLOWED and (net := _network(route, family)) is not None]  # fmt: skip
    usable.sort(key=lambda pair: (pair[0].prefixlen, -_metric(pair[1])))
    bits: dict[str, int] = {}
    fates = Fates(TOP[family], 0)
    painted: dict[tuple[Any, int], int] = {}
    for net, route in usable:
        mark = 0
        for device in _devices(route):
            mark |= bits.setdefault(device, 1 << len(bits))
        mark |= painted.get((net, _metric(route)), 0)  # the same network on several interfaces
        painted[net, _metric(route)] = mark
        fates.paint(of_networks([net]), mark)
    fates.paint(MULTICAST[family], 0)
    return [(name, fates.where(lambda mark, bit=bit: bool(mark & bit))) for name, bit in bits.items()]  # type: ignore[misc]  # the bit is bound now


def _devices(route: Raw) -> list[str]:
    if route.get("type", "unicast") not in {"unicast", ""}:
        return []  # blackhole, unreachable, prohibit, throw: no way back
    hops = route.get("nexthops")
    listed = hops if isinstance(hops, list) else [route]
    return [str(hop["dev"]) for hop in listed if isinstance(hop, dict) and "dev" in hop]


def _network(route: Raw, family: int) -> IPv4Network | IPv6Network | None:
    written = route.get("dst")
    if written == "default":
        return IPv4Network("0.0.0.0/0") if family == 4 else IPv6Network("::/0")
    try:
        found = ip_network(str(written), strict=False)
    except ValueError:
        return None
    return found if found.version == family else None


def _metric(route: Raw) -> int:
    metric = route.get("metric", 0)
    return metric if isinstance(metric, int) else 0


def _table(route: Raw) -> str:
    return str(route.get("table", ""))


def _other_tables(routes: Mapping[int, Sequence[Raw] | None]) -> list[str]:
    found = {_table(route) for listed in routes.values() for route in listed or ()}
    return sorted(f"table {name}" for name in found - FOLLOWED - {"local"})[:8]
