"""Whether the addresses in a log are those of the clients, or of something in between that hides them.

A container's gateway or a proxy without the PROXY protocol makes every client look alike: then nobody can be told from
an attacker, and whoever blocks that address blocks everyone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from gatepost.logs.addresses import address

ENOUGH = 50  # connections of a service before one address among them means anything
ALL = 0.98  # of them: health checks may come from elsewhere
BUSY_NETWORK = 500  # connections after which one public address for all is no quiet host either
_SHARED = ip_network("100.64.0.0/10")  # RFC 6598, used by container platforms too
_CONTAINERS = (ip_network("172.16.0.0/12"), ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def one_client(seen: Iterable[tuple[str, str, int]]) -> tuple[str, ...]:
    """Sentences about services whose clients all have one address; (service, client, connections) go in.

    Connections of the machine to itself (a webmail, a health check) are left out before. A quiet host says nothing.
    """
    counts: dict[str, Counter[str]] = {}
    for service, client, count in seen:
        plain = address(client)
        if plain and count > 0 and not ip_address(plain).is_loopback:
            counts.setdefault(service, Counter())[plain] += count
    found = ((service, *_foremost(clients)) for service, clients in sorted(counts.items()))
    return tuple(
        _sentence(service, client, count, total)
        for service, client, count, total in found
        if _hides(client, count, total)
    )


def _foremost(clients: Counter[str]) -> tuple[str, int, int]:
    client, count = max(clients.items(), key=lambda one: (one[1], one[0]))
    return client, count, clients.total()


def _hides(client: str, count: int, total: int) -> bool:
    if total < ENOUGH or count < ALL * total:
        return False
    return _inner(client) or total >= BUSY_NETWORK


def _inner(client: str) -> bool:
    found = ip_address(client)
    return found.is_link_local or found in _SHARED or any(found in one for one in (*_CONTAINERS, _HOME))


_HOME = ip_network("192.168.0.0/16")


def _sentence(service: str, client: str, count: int, total: int) -> str:
    share = f"all {total}" if count == total else f"{count} of {total}"
    if _gateway(client):
        why = "it looks like a container's gateway: publish the port without address translation (host network)"
    elif _inner(client):
        why = "something inside stands before it: a proxy has to pass the client on (PROXY protocol)"
    else:
        why = "a proxy or an address translation stands before it and has to pass the client on (PROXY protocol)"
    return f"{service}: {share} connections come from {client}; {why}; until then no client can be told from another"


def _gateway(client: str) -> bool:
    """The first address of a bridge: .1 of a container network, ::1 of its IPv6 one."""
    found = ip_address(client)
    if found.version == 4:
        return any(found in one for one in _CONTAINERS) and int(found) & 0xFF == 1
    return any(found in one for one in _CONTAINERS) and int(found) & (2**64 - 1) == 1
