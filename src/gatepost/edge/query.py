r"""One DNS question: names between presentation form and octets, and the message that asks (RFC 1035 section 4.1).

Names are lower case without the final dot. An octet that could be misread is `\DDD` (RFC 1035 section 5.1): a dot
inside a label, a space, whatever is no printable ASCII.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import dns.rdatatype

MAX_NAME = 255  # octets, length octets included
MAX_LABEL = 63
MAX_TEXT = 4 * MAX_NAME + 1  # every octet escaped
PAYLOAD = 1232  # octets that fit every path without fragments
IN = 1
RECURSION_DESIRED, CHECKING_DISABLED, AUTHENTIC_DATA = 0x0100, 0x0010, 0x0020
OPT = b"\0" + struct.pack("!HHIH", dns.rdatatype.OPT, PAYLOAD, 0x8000, 0)  # 0x8000: DNSSEC OK (RFC 3225)

TOKEN = re.compile(r"\\(?P<code>[0-9]{3})|\\(?P<escaped>[^0-9])|(?P<plain>[^\\])", re.DOTALL)
EASY = re.compile(rb"[a-z0-9_-]+")
RISKY = frozenset(b' "().;\\')
SPELLED = tuple(
    chr(octet).lower() if 32 < octet < 127 and octet not in RISKY else f"\\{octet:03}" for octet in range(256)
)


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
    if len(octets) > MAX_NAME:
        return None
    number = int(dns.rdatatype.from_text(kind))
    return Query(spell(found), kind, octets + struct.pack("!HH", number, IN))


def labels(name: str) -> list[bytes] | None:
    """The labels of a name in lower case, or None when it has an empty, an overlong or an unreadable one."""
    if not name.isascii() or len(name) > MAX_TEXT:
        return None
    if "\\" not in name:
        found = name.removesuffix(".").lower().encode("ascii").split(b".")
    elif (escaped := _escaped(name)) is not None:
        found = escaped
    else:
        return None
    return found if all(0 < len(label) <= MAX_LABEL for label in found) else None


def _escaped(name: str) -> list[bytes] | None:
    found, at = [bytearray()], 0
    while at < len(name):
        token = TOKEN.match(name, at)
        if token is None or (token["code"] and int(token["code"]) > 255):
            return None
        at = token.end()
        if token["plain"] == ".":
            found.append(bytearray())
        elif token["code"]:
            found[-1].append(int(token["code"]))
        else:
            found[-1].append(ord(token["escaped"] or token["plain"]))
    if len(found) > 1 and not found[-1]:
        found.pop()
    return [bytes(label).lower() for label in found]


def spell(found: Sequence[bytes]) -> str:
    """Labels as a name. The root, and so a null target, is `.`."""
    parts = [label.lower() for label in found if label]
    if not parts:
        return "."
    return ".".join(
        part.decode("ascii") if EASY.fullmatch(part) else "".join(SPELLED[octet] for octet in part) for part in parts
    )
