"""One DNS question, and the message that asks (RFC 1035 section 4.1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import dns.rdatatype

from gatepost.records.names import MAX_OCTETS, labels, spell

PAYLOAD = 1232  # octets that fit every path without fragments
IN = 1
RECURSION_DESIRED, CHECKING_DISABLED, AUTHENTIC_DATA = 0x0100, 0x0010, 0x0020
OPT = b"\0" + struct.pack("!HHIH", dns.rdatatype.OPT, PAYLOAD, 0x8000, 0)  # 0x8000: DNSSEC OK (RFC 3225)


@dataclass(frozen=True, slots=True)
class Query:
    """`section` is the question as it stands in a message; two questions are equal when it is."""

    name: str
    kind: str
    section: bytes

    def message(self, number: int, *, unchecked: bool = False, plain: bool = False) -> bytes:
        """`unchecked` sets CD: data that fail validation, please. `plain` leaves EDNS out, for very old servers."""
        flags = RECURSION_DESIRED | AUTHENTIC_DATA | (CHECKING_DISABLED if unchecked else 0)
        head = struct.pack("!HHHHHH", number, flags, 1, 0, 0, 0 if plain else 1)
        return head + self.section + (b"" if plain else OPT)


def query(name: str, kind: str) -> Query | None:
    """None for what can be no DNS name. The root is spelled `.`."""
    found = [] if name == "." else labels(name)
    if found is None:
        return None
    octets = b"".join(bytes((len(label),)) + label for label in found) + b"\0"
    if len(octets) > MAX_OCTETS:
        return None
    number = int(dns.rdatatype.from_text(kind))
    return Query(spell(found), kind, octets + struct.pack("!HH", number, IN))
