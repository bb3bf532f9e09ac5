"""The right-hand sides of rules: addresses, ports, flags and words as `nft -j` writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from gatepost.firewall.proving.regions import HIGHEST_PORT, TOP, Pair, Region

Raw = Any  # parsed JSON of unknown shape: every reader below either understands it or raises Unreadable
ANYTHING = "*"  # the catch-all element of a set or map
FLAGS = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ecn": 64, "ece": 64, "cwr": 128}
PROTOCOLS = {"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "esp": 50, "ah": 51, "icmpv6": 58, "ipv6-icmp": 58,
             "sctp": 132, "dccp": 33, "udplite": 136}  # fmt: skip
ICMP_TYPES = {
    4: {"echo-reply": 0, "destination-unreachable": 3, "source-quench": 4, "redirect": 5, "echo-request": 8,
        "router-advertisement": 9, "router-solicitation": 10, "time-exceeded": 11, "parameter-problem": 12,
        "timestamp-request": 13, "timestamp-reply": 14, "info-request": 15, "info-reply": 16,
        "address-mask-request": 17, "address-mask-reply": 18},
    6: {"destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "parameter-problem": 4,
        "echo-request": 128, "echo-reply": 129, "mld-listener-query": 130, "mld-listener-report": 131,
        "mld-listener-done": 132, "mld-listener-reduction": 132, "nd-router-solicit": 133, "nd-router-advert": 134,
        "nd-neighbor-solicit": 135, "nd-neighbor-advert": 136, "nd-redirect": 137, "router-renumbering": 138,
        "ind-neighbor-solicit": 141, "ind-neighbor-advert": 142, "mld2-listener-report": 143},
}  # fmt: skip
ICMP_CODES = {"net-unreachable": 0, "host-unreachable": 1, "prot-unreachable": 2, "port-unreachable": 3,
              "frag-needed": 4, "net-prohibited": 9, "host-prohibited": 10, "admin-prohibited": 13}  # fmt: skip
_SHOWN = 60


class Unreadable(Exception):
    """A construct whose meaning is not known. `str()` of it names the construct; it never means "no match"."""


def shown(value: Raw) -> str:
    """A piece of JSON, short enough for a sentence."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def element(value: Raw) -> Raw:
    """Without the wrapper that carries a counter, a timeout or a comment."""
    if isinstance(value, dict) and isinstance(value.get("elem"), dict):
        return value["elem"].get("val")
    return value


def parts(value: Raw) -> Sequence[Raw]:
    """Of a concatenation; a plain value is one part."""
    if isinstance(value, dict) and isinstance(value.get("concat"), list):
        return [element(part) for part in value["concat"]]
    return [value]


def addresses(value: Raw, family: int) -> Pair | None:
    """First and last; None when it is of the other family."""
    try:
        return _addresses(element(value), family)
    except (KeyError, TypeError, ValueError):
        raise Unreadable(f"address {shown(value)}") from None


def _addresses(value: Raw, family: int) -> Pair | None:
    if isinstance(value, str):
        if value == ANYTHING:
            return 0, TOP[family]
        if (":" in value) != (family == 6):
            ip_network(value)
            return None
        if "/" in value:
            net = IPv4Network(value, strict=False) if family == 4 else IPv6Network(value, strict=False)
            return int(net.network_address), int(net.broadcast_address)
        number = int(IPv4Address(value) if family == 4 else IPv6Address(value))
        return number, number
    if "prefix" in value:
        return _network(value["prefix"]["addr"], value["prefix"]["len"], family)
    first, last = (ip_address(str(end)) for end in value["range"])
    if first.version != last.version or first > last:  # type: ignore[operator]  # same version by then
        raise ValueError(value)
    return (int(first), int(last)) if first.version == family else None


def _network(written: str, length: int, family: int) -> Pair | None:
    """Quicker than ip_network: there may be ten thousand."""
    first = _addresses(written, family)
    bits = 32 if ":" not in written else 128
    if not 0 <= length <= bits or (first and first[0] != first[1]):
        raise ValueError(written)
    if first is None:
        return None
    rest = (1 << (bits - length)) - 1
    return first[0] & ~rest, first[0] | rest


def masked(mask: Raw, wanted: Raw, family: int) -> Pair | None:
    """`ip saddr & 255.255.0.0 == 10.1.0.0` is a network, as long as the mask has no holes."""
    bits, value = addresses(mask, family), addresses(wanted, family)
    if bits is None or value is None:
        return None
    holes = TOP[family] ^ bits[0]
    if holes & (holes + 1) or value[0] != value[1]:
        raise Unreadable(f"mask {shown(mask)}")
    if value[0] & holes:
        raise Unreadable(f"{shown(wanted)} behind the mask {shown(mask)}")
    return value[0], value[0] | holes


def ports(value: Raw) -> Pair:
    """First and last. A number, a range, or digits; names of services are not guessed."""
    try:
        return _ports(element(value))
    except (KeyError, TypeError, ValueError):
        raise Unreadable(f"port {shown(value)}") from None


def _ports(value: Raw) -> Pair:
    if isinstance(value, dict):
        first, last = (int(end) for end in value["range"])
    elif value == ANYTHING:
        first, last = 0, HIGHEST_PORT
    else:
        first = last = int(value)
    if not 0 <= first <= last <= HIGHEST_PORT:
        raise ValueError(value)
    return first, last


def region_of_ports(values: Sequence[Raw]) -> Region:
    return Region.of(ports(value) for value in values)


def bits(value: Raw) -> int:
    """TCP flags by name, number, list or `|`."""
    if isinstance(value, bool):
        raise Unreadable(f"flags {shown(value)}")
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        if value in FLAGS:
            return FLAGS[value]
        return number(value)
    return _either(list(_several(value)))


def _several(value: Raw) -> Iterator[Raw]:
    if isinstance(value, dict):
        value = value.get("|", value.get("set"))
    if not isinstance(value, list):
        raise Unreadable(f"flags {shown(value)}")
    yield from value


def _either(values: Sequence[Raw]) -> int:
    found = 0
    for value in values:
        found |= bits(value)
    return found


def number(value: Raw) -> int:
    """A number, or digits in any of the usual bases."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    if isinstance(value, str) and len(value) <= _SHOWN:
        try:
            return int(value, 0)
        except ValueError:
            pass
    raise Unreadable(f"number {shown(value)}")


def number_in(value: Raw, wanted: int, names: dict[str, int]) -> bool:
    """Whether a number is what a value says: a number, a name, a range."""
    value = element(value)
    if isinstance(value, str) and value in names:
        return names[value] == wanted
    if isinstance(value, str) and value == ANYTHING:
        return True
    if isinstance(value, dict):
        ends = value.get("range")
        if not isinstance(ends, list) or len(ends) != 2:
            raise Unreadable(shown(value))
        low, high = (names[end] if isinstance(end, str) and end in names else number(end) for end in ends)
        return low <= wanted <= high
    return number(value) == wanted
