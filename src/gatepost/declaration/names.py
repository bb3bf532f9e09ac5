"""Names and addresses as written, in the one spelling that everything else uses."""

from __future__ import annotations

import re
from ipaddress import ip_address

from gatepost.certs.names import a_labels

LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")  # underscores do occur
LONGEST = 253  # octets of a name


def plain_name(key: str) -> str | None:
    """Lower case, without the final dot; None for what can be neither a DNS name nor an address."""
    return plain_address(key) or domain_name(key)


def domain_name(key: str) -> str | None:
    """Like `plain_name`, but an address is no domain. A name in another script becomes its A-labels (RFC 5890)."""
    name = key.removesuffix(".").lower()
    if not name.isascii():
        name = a_labels(name) or name
    if plain_address(name) or len(name) > LONGEST or not all(map(LABEL.fullmatch, name.split("."))):
        return None
    return name


def plain_address(text: str) -> str | None:
    """In its usual spelling. Addresses that belong to no single host are none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if address.is_unspecified or address.is_multicast or "%" in text:
        return None
    return str(address)
