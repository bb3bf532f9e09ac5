"""What is tried from a vantage, and whether the declaration lets it through."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address

from gatepost import catalogue
from gatepost.firewall.matrix import management_ports, matrix
from gatepost.firewall.spans import Spans, holds, minus, spans
from gatepost.firewall.whom import internal
from gatepost.model.architecture import Architecture, Endpoint, Host
from gatepost.model.flows import Matrix, Network
from gatepost.model.rules import Reach, ReachSeen


class Way(StrEnum):
    """A connection attempt held against the declaration."""

    AS_DECLARED = "as-declared"
    CLOSED = "closed"  # declared, and did not come about
    OPEN = "open"  # came about, and must not
    UNDECLARED = "undeclared"  # the declaration says nothing of it
    UNKNOWN = "unknown"  # the vantage could not tell
    UNUSED = "unused"  # must not, and only nobody listened: no firewall was seen in the way


def way(one: ReachSeen, architecture: Architecture) -> Way:
    if one.result is Reach.UNKNOWN:
        return Way.UNKNOWN
    may, came = permitted(one, architecture), one.result is Reach.REACHED
    if may is None:
        return Way.UNDECLARED
    if may:
        return Way.AS_DECLARED if came else Way.CLOSED
    if came:
        return Way.OPEN
    return Way.UNUSED if one.result is Reach.REFUSED else Way.AS_DECLARED


@lru_cache(maxsize=4)
def wanted(architecture: Architecture) -> Matrix:
    """The matrix, once for all who ask in a run."""
    return matrix(architecture)


def alone(architecture: Architecture) -> tuple[Host, ...]:
    """Hosts that a declaration knows only as a zone's network of one address: where a mail host may want to get in."""
    own = {a for h in architecture.hosts for a in h.addresses}
    single = (n for z in architecture.zones for n in z.networks if n.prefixlen == n.max_prefixlen)
    return tuple(Host(a, (a,), ()) for a in dict.fromkeys(str(n.network_address) for n in single) if a not in own)


def targets(hosts: Iterable[Host], more: Iterable[int] = ()) -> tuple[Endpoint, ...]:
    """Every declared port, and beside it every port of the catalogue that a mail host may have open by mistake."""
    extra = frozenset(more)
    return tuple(
        Endpoint(host.name, address, port)
        for host in hosts
        for address in host.addresses
        for port in sorted({s.port for s in host.services} | {*management_ports(host)} | _beside() | extra)
    )


def _beside() -> frozenset[int]:
    """Not what a mail host only connects to, nor web pages, which are the business of others."""
    rows = (p for p in catalogue.ports() if "tcp" in p.transport and p.exposure != "outbound")
    return frozenset(p.number for p in rows if (p.duty, p.exposure) != ("web", "internet"))


def permitted(one: ReachSeen, architecture: Architecture) -> bool | None:
    """Whether this connection may come about. None: the declaration does not say, or not of the whole zone."""
    whole = wanted(architecture)
    if (host := architecture.host(one.at.host)) is not None:
        if one.vantage == host.name or one.source in host.addresses:
            return None  # to itself
        return _let_in(one, whole, architecture)
    if (client := _client(one, architecture)) is not None:
        return _let_out(one, client, whole)
    return _let_beside(one, architecture)


def _let_in(one: ReachSeen, whole: Matrix, architecture: Architecture) -> bool | None:
    who = _who(one, architecture)
    if not who:
        return None
    at = (one.at.host, one.at.address, one.at.port)
    admitted = spans(n for f in whole.flows if (f.host, f.address, f.port) == at for n in f.sources)
    left = minus(who, admitted)
    return True if not left else False if left == who else None


def _who(one: ReachSeen, architecture: Architecture) -> Spans:
    """The address it came from; all of its zone where that was not seen, or was translated on the way."""
    family = one.at.family
    zone = spans(n for z in architecture.zones if z.name == one.zone for n in z.networks if n.version == family)
    number = ip_address(one.source) if one.source else None
    if number is not None and number.version == family and (not zone or holds(zone, int(number))):
        return ((int(number), int(number)),)
    return zone


def _client(one: ReachSeen, architecture: Architecture) -> Host | None:
    """The declared host that tried."""
    owners = (h for h in architecture.hosts if one.source and one.source in h.addresses)
    return architecture.host(one.vantage) or next(owners, None)


def _let_out(one: ReachSeen, client: Host, whole: Matrix) -> bool | None:
    """Forbidden, or not: where a host may go says nothing of what is there."""
    target = ip_address(one.at.address)
    ways = (e for e in whole.out_of(client.name) if e.transport == "tcp" and e.port in {0, one.at.port})
    if any(_within(target, e.targets) for e in ways):
        return None
    muted = client.name in whole.muted and one.at.port == catalogue.number("smtp")
    kept = any(_within(target, networks) for name, networks in whole.kept_from if name == client.name)
    return False if muted or kept else None


def _within(address: object, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _let_beside(one: ReachSeen, architecture: Architecture) -> bool | None:
    """To an address of no declared host: inside, nothing is permitted there; of the outside, only mail is spoken of."""
    named = _inside(one, architecture) or past_the_relay(one, architecture)
    return False if named and (one.zone or one.source) else None


def past_the_relay(one: ReachSeen, architecture: Architecture) -> bool:
    """On the port that only relays need, out of the house or out of a declared host (GP-FW-003)."""
    leaves = not _inside(one, architecture) or _client(one, architecture) is not None
    return one.at.port == catalogue.number("smtp") and leaves


def _inside(one: ReachSeen, architecture: Architecture) -> bool:
    return holds(spans(internal(architecture).of(one.at.family)), int(ip_address(one.at.address)))


def zone_of(source: str, architecture: Architecture) -> str:
    """The narrowest zone that has this address; empty when none has."""
    if not source:
        return ""
    number = ip_address(source)
    held = [
        (n.prefixlen, z.name)
        for z in architecture.zones
        for n in z.networks
        if n.version == number.version and number in n
    ]
    return max(held, default=(0, ""))[1]


def named(one: ReachSeen, architecture: Architecture) -> str:
    """Where it was tried from, in the operator's words: the zone, a declared host, or what the vantage calls itself."""
    own = one.vantage if architecture.host(one.vantage) else ""
    return one.zone or own or zone_of(one.source, architecture) or one.vantage
