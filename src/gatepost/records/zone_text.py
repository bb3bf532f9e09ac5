"""TXT records as zone files write them (RFC 1035 section 5.1)."""

from __future__ import annotations

LONGEST = 255  # octets of one character-string


def txt(owner: str, text: str, ttl: int) -> str:
    """One record with its name in full; a long text becomes several strings, a line each, joined by readers.

    `text` holds octets as Latin-1.
    """
    start = f"{owner}. {ttl} IN TXT"
    strings = [_quoted(text[n : n + LONGEST]) for n in range(0, max(len(text), 1), LONGEST)]
    if len(strings) == 1:
        return f"{start} {strings[0]}"
    return f"{start} (\n" + "".join(f"    {one}\n" for one in strings) + ")"


def _quoted(octets: str) -> str:
    return '"' + "".join(_escaped(one) for one in octets) + '"'


def _escaped(one: str) -> str:
    if one in {'"', "\\"}:
        return f"\\{one}"
    return one if " " <= one <= "~" else f"\\{ord(one):03d}"
