"""Addresses as logs write them, in one spelling, so that one client is counted once."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

LONGEST = 100  # characters; the longest address with brackets, zone id and port has fewer
_PORT = re.compile(r"\[(?P<six>[^\[\]]*)\](?::\d{1,5})?|(?P<four>\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}")


@lru_cache(65536)
def address(text: str) -> str:
    """The shortest form (RFC 5952), an IPv4-mapped one as IPv4, without zone id and port; "" when it is none.

    Brackets and the `IPv6:` of an address literal (RFC 5321 section 4.1.3) are taken off. An IPv6 address with a port
    behind it but no brackets is ambiguous, and read as an address alone.
    """
    found = _read(text)
    if found is None:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)


@lru_cache(65536)
def network(address: str) -> str:
    """The /24 of an IPv4 address, the /64 of an IPv6 one: what one customer usually has at least; "" for none."""
    found = _read(address)
    if found is None:
        return ""
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if isinstance(found, IPv4Address):
        return f"{IPv4Address(int(found) >> 8 << 8)}/24"
    return f"{IPv6Address(int(found) >> 64 << 64)}/64"


def _read(text: str) -> IPv4Address | IPv6Address | None:
    if len(text) > LONGEST:
        return None
    text = text.strip()
    if with_port := _PORT.fullmatch(text):
        text = with_port["six"] or with_port["four"] or ""
    if text[:5].lower() == "ipv6:":
        text = text[5:]
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None
