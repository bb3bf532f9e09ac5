"""Addresses as strangers write them, and as receivers take them."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, collapse_addresses, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_PRIVATE: tuple[Network, ...] = (
    IPv4Network("10.0.0.0/8"),
    IPv4Network("100.64.0.0/10"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
    IPv6Network("fc00::/7"),
)


def read(text: str) -> Address | None:
    """Brackets aside, and a zone index, which says nothing elsewhere. IPv4 inside IPv6 is that IPv4 address."""
    try:
        found = ip_address(text.strip().removeprefix("[").removesuffix("]").partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def collapsed(networks: Iterable[Network]) -> tuple[Network, ...]:
    """The same addresses in as few networks as can be, IPv4 first."""
    found = list(networks)
    four = collapse_addresses(one for one in found if isinstance(one, IPv4Network))
    six = collapse_addresses(one for one in found if isinstance(one, IPv6Network))
    return (*four, *six)


def is_inner(network: Network) -> bool:
    """Private, link-local or loopback: not what documentation ranges are, which stand for the real ones."""
    return (
        network.is_link_local
        or network.is_loopback
        or any(
            isinstance(network, type(own)) and network.subnet_of(own)  # type: ignore[arg-type]  # same family by then
            for own in _PRIVATE
        )
    )
