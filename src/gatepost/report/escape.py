"""Words of a stranger made safe to show: a banner is data, never a command to the terminal or the page."""

from __future__ import annotations

import unicodedata

_SHOWN_AS = {"\t": "\\t", "\r": "\\r", "\n": "\\n", "\x1b": "\\e"}
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # controls, direction overrides, surrogates


def printable(text: str, limit: int = 0) -> str:
    """One line without control characters, direction overrides or lone surrogates; `limit` 0 is no limit."""
    if text.isascii() and text.isprintable():
        return shortened(text, limit)
    return shortened("".join(_shown(one) for one in text), limit)


def shortened(text: str, limit: int) -> str:
    return text if not limit or len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def _shown(one: str) -> str:
    if one in _SHOWN_AS:
        return _SHOWN_AS[one]
    category = unicodedata.category(one)
    if category == "Zs":
        return " "  # spaces of other widths would shift the columns
    if category not in _HIDDEN:
        return one
    code = ord(one)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
