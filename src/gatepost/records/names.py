r"""Names in DNS, between presentation form and octets (RFC 1035 section 5.1), and the fewer names of hosts.

Names are lower case without the final dot. An octet that could be misread is `\DDD`: a dot inside a label, a space,
whatever is no printable ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MAX_OCTETS = 255  # of a name in a message, length octets included
MAX_NAME = 253  # characters of a name without escapes
MAX_LABEL = 63
MAX_TEXT = 4 * MAX_OCTETS + 1  # every octet escaped

_TOKEN = re.compile(r"\\(?P<code>[0-9]{3})|\\(?P<escaped>[^0-9])|(?P<plain>[^\\])", re.DOTALL)
_EASY = re.compile(r"[a-z0-9_-]+")
_RISKY = frozenset(b' "$().;@\\')
_SPELLED = {
    chr(octet): chr(octet).lower() if 32 < octet < 127 and octet not in _RISKY else f"\\{octet:03}"
    for octet in range(256)
}
_HOST_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


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
        token = _TOKEN.match(name, at)
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
    return ".".join(escaped(part.decode("latin-1")) for part in parts)


def escaped(label: str) -> str:
    """One label, whose octets are Latin-1."""
    return label if _EASY.fullmatch(label) else "".join(_SPELLED.get(one, f"\\{ord(one)}") for one in label)


def fits(name: str) -> bool:
    """Whether DNS can be asked for a name that is written without escapes."""
    return len(name) <= MAX_NAME and all(0 < len(label) <= MAX_LABEL for label in name.split("."))


def is_host(name: str) -> bool:
    """Letters, digits and inner hyphens (RFC 1123 section 2.1); an IPv4 address looks like one."""
    return len(name) <= MAX_NAME and all(map(_HOST_LABEL.fullmatch, name.split(".")))
