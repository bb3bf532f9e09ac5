"""What a mail host cannot live without, whatever is declared."""

from __future__ import annotations

from collections.abc import Iterator

from gatepost import catalogue
from gatepost.firewall.rendering.words import (
    ACCEPT,
    DROP,
    Json,
    among,
    equals,
    field,
    jump,
    limited,
    meta,
    rule,
    state,
)

NAMES = "names"
TO_CONTAINERS = "containers"

# RFC 2131 section 4.1 and RFC 8415 section 7.2. They carry no mail, so the catalogue of mail ports has no row for them.
DHCP_SERVER, DHCP_CLIENT, DHCP6_CLIENT, DHCP6_SERVER = 67, 68, 546, 547
LINK_LOCAL = {"prefix": {"addr": "fe80::", "len": 10}}
CONTAINERS = ("docker*", "br-*", "podman*", "cni*", "nerdctl*")  # bridges as container engines name them

_ERRORS = ("destination-unreachable", "time-exceeded", "parameter-problem")
_NEIGHBOURS = ("nd-router-solicit", "nd-router-advert", "nd-neighbor-solicit", "nd-neighbor-advert")


def replies(chain: str) -> Json:
    return rule(chain, "gatepost: replies", state("established", "related"), ACCEPT)


def invalid(chain: str) -> Json:
    """After neighbour discovery and errors: nobody wants to find out which kernel takes one of those for invalid."""
    return rule(chain, "gatepost: no part of any connection", state("invalid"), DROP)


def loopback(chain: str, key: str) -> Json:
    return rule(chain, "gatepost: loopback", equals(meta(key), "lo"), ACCEPT)


def inward(chain: str) -> Iterator[Json]:
    """RFC 4890 section 4.4: without these IPv6 dies at once, and large messages of either family stall.

    A hop limit of 255 proves that a neighbour sent it (RFC 4861 section 7.1).
    """
    four, six = field("icmp", "type"), field("icmpv6", "type")
    hops = equals(field("ip6", "hoplimit"), 255)
    yield rule(chain, "gatepost: neighbour discovery", hops, among(six, _NEIGHBOURS), ACCEPT)
    yield rule(chain, "gatepost: errors and path MTU", among(four, _ERRORS), ACCEPT)
    yield rule(chain, "gatepost: errors and path MTU", among(six, (*_ERRORS, "packet-too-big")), ACCEPT)
    listeners = equals(field("ip6", "saddr"), LINK_LOCAL)
    yield rule(chain, "gatepost: multicast listeners", listeners, equals(six, "mld-listener-query"), ACCEPT)
    for kind in (four, six):
        yield rule(chain, "gatepost: ping", equals(kind, "echo-request"), limited(20, "second"), ACCEPT)


def leases(chain: str, *, outward: bool = False) -> Iterator[Json]:
    """DHCP. An answer to IPv6's multicast question is no reply in the eyes of connection tracking."""
    four = (DHCP_CLIENT, DHCP_SERVER) if outward else (DHCP_SERVER, DHCP_CLIENT)
    source, target = (equals(field("udp", side), port) for side, port in zip(("sport", "dport"), four, strict=True))
    yield rule(chain, "gatepost: DHCP", source, target, ACCEPT)
    six = equals(field("udp", "dport"), DHCP6_SERVER if outward else DHCP6_CLIENT)
    yield rule(chain, "gatepost: DHCPv6", equals(field("ip6", "saddr"), LINK_LOCAL), six, ACCEPT)


def from_containers(chain: str, target: str, comment: str) -> Iterator[Json]:
    """One rule a bridge: older versions of nft take no patterns in a set."""
    for bridge in CONTAINERS:
        yield rule(chain, f"gatepost: {comment}", equals(meta("iifname"), bridge), jump(target))


def to_containers() -> Iterator[Json]:
    """From the host (health checks, proxies), and from one container to another."""
    for bridge in CONTAINERS:
        yield rule(TO_CONTAINERS, "gatepost: to containers", equals(meta("oifname"), bridge), ACCEPT)


def names() -> Iterator[Json]:
    """Podman and others answer the DNS questions of containers on the bridge."""
    for transport in ("udp", "tcp"):
        asked = equals(field(transport, "dport"), catalogue.number("dns"))
        yield rule(NAMES, "gatepost: names for containers", asked, ACCEPT)
