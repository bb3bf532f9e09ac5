"""What the numbers of a TLSA record mean (RFC 6698 section 2.1, names of RFC 7218), and which make it useless."""

from __future__ import annotations

from gatepost.model.dns import Tlsa

USAGES = ("PKIX-TA", "PKIX-EE", "DANE-TA", "DANE-EE")
SELECTORS = ("Cert", "SPKI")
MATCHINGS = ("Full", "SHA2-256", "SHA2-512")
OCTETS = {1: 32, 2: 64}  # of a digest, by matching type


def kind(record: Tlsa) -> str:
    """`3 1 1`: the record without its data."""
    return f"{record.usage} {record.selector} {record.matching}"


def fault(record: Tlsa) -> str:
    """Why no client can use it, whatever the port is for; empty when some can (RFC 7671 section 9)."""
    for number, names, word in (
        (record.usage, USAGES, "usage"),
        (record.selector, SELECTORS, "selector"),
        (record.matching, MATCHINGS, "matching type"),
    ):
        if not 0 <= number < len(names):
            return f"{kind(record)}: {word} {number} is not known"
    if not record.data:
        return f"{kind(record)}: no data"
    octets = OCTETS.get(record.matching)
    if octets and len(record.data) != 2 * octets:
        digest = MATCHINGS[record.matching]
        return f"{kind(record)}: {len(record.data) // 2} octets of data, {digest} has {octets}"
    return ""
