"""TXT records as zone files write them (RFC 1035 section 5.1). A text holds octets as Latin-1."""

from __future__ import annotations

LONGEST = 255  # octets of one character-string (RFC 1035 section 3.3)


def txt(owner: str, text: str, ttl: int) -> str:
    """One record with its name in full; a long text becomes several strings, a line each, joined by readers."""
    start = f"{owner}. {ttl} IN TXT"
    if len(text) <= LONGEST:
        return f"{start} {quoted(text)}"
    lines = "".join(f"    {_quoted(one)}\n" for one in strings(text))
    return f"{start} (\n{lines})"


def quoted(text: str) -> str:
    """The strings of a text, on one line."""
    return " ".join(map(_quoted, strings(text)))


def strings(text: str) -> list[bytes]:
    """As few as can be, and at least one."""
    octets = text.encode("latin-1")
    return [octets[n : n + LONGEST] for n in range(0, max(len(octets), 1), LONGEST)]


def _quoted(octets: bytes) -> str:
    return '"' + "".join(_SPELLED[one] for one in octets) + '"'


def _escaped(one: str) -> str:
    if one in {'"', "\\"}:
        return f"\\{one}"
    return one if " " <= one <= "~" else f"\\{ord(one):03d}"


_SPELLED = tuple(_escaped(chr(octet)) for octet in range(256))
