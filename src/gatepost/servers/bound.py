"""Which sockets of a host take the connections to an address, and whether its sockets are known at all."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

from gatepost.model.architecture import Endpoint
from gatepost.model.host import BundleRead, SocketSeen
from gatepost.model.observation import Seen, Unobserved, of

SOCKETS = "sockets"  # the word of Unobserved.wanted


def listed(seen: Seen, host: str) -> bool:
    """The sockets of the host are all here, so that one that is not here does not exist."""
    at = Endpoint(host)
    if of(SocketSeen, seen, at):
        return True
    return bool(of(BundleRead, seen, at)) and not any(u.wanted == SOCKETS for u in of(Unobserved, seen, at))


def sockets(seen: Seen, host: str) -> tuple[SocketSeen, ...]:
    """Of TCP, in the order of their ports."""
    found = (s for s in of(SocketSeen, seen, Endpoint(host)) if s.transport == "tcp")
    return tuple(sorted(found, key=lambda s: (s.port, s.family, s.address)))


def taking(known: Iterable[SocketSeen], at: Endpoint) -> tuple[SocketSeen, ...]:
    """Those that a connection to this address and port arrives at, the exact ones first as in the kernel."""
    port = [s for s in known if s.port == at.port]
    exact = tuple(s for s in port if s.address == at.address)
    return exact + tuple(s for s in port if _everywhere(s, at.family))


def _everywhere(one: SocketSeen, family: int) -> bool:
    number = _number(one)
    return number is not None and number.is_unspecified and (one.family == family or (one.dual and family == 4))


def inward(one: SocketSeen) -> bool:
    """Bound to loopback: nobody outside gets to it, whatever the firewall says."""
    number = _number(one)
    return one.interface == "lo" or (number is not None and number.is_loopback)


def outward(known: Iterable[SocketSeen]) -> tuple[SocketSeen, ...]:
    return tuple(s for s in known if not inward(s))


def translated(known: Iterable[SocketSeen], at: Endpoint, own: Iterable[str]) -> tuple[SocketSeen, ...]:
    """On this port, bound to an address that nobody declared: behind NAT it may be where this one leads."""
    declared = frozenset(own)
    return tuple(
        s for s in outward(known)
        if s.port == at.port and s.family == at.family and s.address not in declared and not _everywhere(s, s.family)
    )  # fmt: skip


def _number(one: SocketSeen) -> IPv4Address | IPv6Address | None:
    try:
        number = ip_address(one.address.partition("%")[0])
    except ValueError:
        return None
    mapped = number.ipv4_mapped if isinstance(number, IPv6Address) else None
    return mapped or number
