"""Addresses that are never blocked, each with the sentence why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network

from gatepost.model.architecture import Architecture, Host

Network = IPv4Network | IPv6Network

MAPPED = 96  # bits before an IPv4 address within an IPv6 one
EVERYBODY = 8  # a zone that is this wide, or wider, says nothing about who is private behind it


@dataclass(frozen=True, slots=True)
class Spared:
    """`listed` are networks with the reason. `inner` are declared zones, whose private addresses are known.

    `together` is a sentence that all clients come from one address: nobody can be told apart, and nobody is blocked.
    `homes` are addresses and the accounts that are used from there.
    """

    listed: tuple[tuple[Network, str], ...] = ()
    inner: tuple[Network, ...] = ()
    together: str = ""
    homes: frozenset[str] = frozenset()

    def why(self, text: str) -> str:
        """Empty where the address, or network, may be blocked."""
        if self.together:
            return self.together
        asked = _network(text)
        if asked is None:
            return "this is no address"
        if text in self.homes:
            return "somebody has logged in from there for longer than the attack lasts"
        for net, why in self.listed:
            if _overlap(net, asked):
                return why
        return _special(asked, self.inner)

    def meets(self, asked: Network) -> bool:
        return bool(self.why(str(asked))) or any(_overlap(_network(home), asked) for home in self.homes)


def spared(
    architecture: Architecture, *, own: Iterable[str] = (), gateways: Iterable[str] = (), together: str = "",
    homes: Iterable[str] = (),
) -> Spared:  # fmt: skip
    """`own` and `gateways` are what a host itself tells of its addresses and ways out."""
    listed = (
        *_named(own, "is an address of this host"),
        *_named(gateways, "is a gateway, and may stand for everybody behind it"),
        *_declared(architecture),
    )
    zones = tuple(net for zone in architecture.zones for net in zone.networks if net.prefixlen >= EVERYBODY)
    return Spared(listed, zones, together, frozenset(homes))


def _declared(architecture: Architecture) -> Iterator[tuple[Network, str]]:
    yield from _resolved(architecture, architecture.watching.allow, "is on the list of [watch] allow")
    for host in architecture.hosts:
        yield from _named(host.addresses, f"is an address of {host.name}")
        yield from _trusted(architecture, host)
    resolver, _, _ = architecture.resolver.partition("#")
    yield from _named([resolver] if resolver else [], "is the resolver that this host asks")


def _trusted(architecture: Architecture, host: Host) -> Iterator[tuple[Network, str]]:
    """Operating from anywhere is no reason to spare everybody: a network of all addresses names nobody."""
    for net, why in _resolved(architecture, host.management, f"operates {host.name}"):
        if net.prefixlen:
            yield net, why
    yield from _resolved(architecture, host.proxies, f"speaks for other clients of {host.name}")
    yield from _resolved(architecture, host.relay_clients, f"may relay through {host.name}")
    yield from _resolved(architecture, host.peers, f"reaches the inner listeners of {host.name}")


def _resolved(architecture: Architecture, names: Iterable[str], why: str) -> Iterator[tuple[Network, str]]:
    """Zones, networks and declared hosts."""
    zones = {zone.name: zone for zone in architecture.zones}
    for name in names:
        if name in zones:
            yield from ((_plain(net), f"is in zone {name}, which {why}") for net in zones[name].networks)
        elif host := architecture.host(name):
            yield from _named(host.addresses, f"is {name}, which {why}")
        else:
            yield from _named([name], why)


def _named(texts: Iterable[str], why: str) -> Iterator[tuple[Network, str]]:
    return ((_plain(net), why) for net in map(_network, texts) if net is not None)


def _plain(net: Network) -> Network:
    """Logs name a client by its IPv4 address; a declaration or a socket may have it within IPv6 (RFC 4291, 2.5.5.2)."""
    if net.version == 6 and net.prefixlen >= MAPPED and net.network_address.ipv4_mapped:
        return ip_network((IPv4Address(int(net.network_address) & 0xFFFFFFFF), net.prefixlen - MAPPED))
    return net


def _special(asked: Network, inner: tuple[Network, ...]) -> str:
    first = asked.network_address
    if first.is_loopback or first.is_unspecified or first.is_multicast or first.is_link_local or first.is_reserved:
        return "is no address of a stranger"
    if not asked.prefixlen:
        return "is everybody"
    if hides(asked) and not any(_overlap(net, asked) for net in inner):
        return "is private and in no declared zone: everybody behind a gateway may come from it"
    return ""


_SHARED = (
    *map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")),  # RFC 1918, RFC 6598
    ip_network("fc00::/7"),  # RFC 4193
)


def hides(asked: Network) -> bool:
    """Not `is_private`: that also holds the networks of documentation, where nobody stands for another."""
    return any(_overlap(net, asked) for net in _SHARED)


def _network(text: str) -> Network | None:
    try:
        return ip_network(text) if "/" in text else ip_network(ip_address(text))
    except ValueError:
        return None


def _overlap(one: Network | None, other: Network) -> bool:
    return one is not None and one.version == other.version and one.overlaps(other)
