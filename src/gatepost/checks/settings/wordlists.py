"""Lists as servers write them: words apart by blanks and commas, with braces kept together (postconf(5))."""

from __future__ import annotations

import re

_LONGEST = 16384  # characters
_SEPARATORS = re.compile(r"[\s,]+")


def words(text: str) -> list[str]:
    """`permit_mynetworks, check_policy_service { unix:x, default_action=DUNNO }` is three words."""
    found: list[str] = []
    depth = 0
    for piece in re.findall(r"[{}]|[\s,]+|[^\s,{}]+", text[:_LONGEST]):
        inside = depth > 0
        depth = max(0, depth + (piece == "{") - (piece == "}"))
        if inside and found:
            found[-1] += piece
        elif not _SEPARATORS.fullmatch(piece):
            found.append(piece)
    return _joined(found)


def _joined(found: list[str]) -> list[str]:
    """`inline:{a=b}` is one word: the brace belongs to what it touches."""
    whole: list[str] = []
    for word in found:
        if word.startswith("{") and whole and whole[-1].endswith(":"):
            whole[-1] += word
        else:
            whole.append(word)
    return whole


def plain(text: str) -> frozenset[str]:
    """The words in lower case, in no order."""
    return frozenset(word.lower() for word in words(text))
