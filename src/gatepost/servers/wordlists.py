"""Lists as servers write them: words apart by blanks and commas; braces and quotes hold together what is in them.

postconf(5) has the braces. Nothing of the text is lost, whatever it is: a list may be written back.
"""

from __future__ import annotations

import re

_PIECE = re.compile(r"[\s,]+|[{}]|\"[^\"]*\"|[^\s,{}\"]+|\"")


def words(text: str) -> list[str]:
    """`permit_mynetworks, check_policy_service { unix:x, default_action=DUNNO }` is three words.

    A brace that nothing closes holds all that follows.
    """
    found: list[str] = []
    depth, start = 0, -1
    for piece in _PIECE.finditer(text):
        if depth == 0 and (piece[0][0] == "," or piece[0][0].isspace()):
            found += [text[start : piece.start()]] if start >= 0 else []
            start = -1
        else:
            start = piece.start() if start < 0 else start
            depth = max(0, depth + (piece[0] == "{") - (piece[0] == "}"))
    return [*found, text[start:].rstrip()] if start >= 0 else found


def plain(text: str) -> frozenset[str]:
    """The words in lower case, in no order."""
    return frozenset(word.lower() for word in words(text))
