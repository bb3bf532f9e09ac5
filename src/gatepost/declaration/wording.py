"""Keys and values as they appear in a sentence about them."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache

from gatepost.declaration.positions import Path

BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
MAX_SHOWN = 60  # characters of a value repeated in a sentence


def shown(value: object) -> str:
    """A value in short. Tables and arrays are named, not repeated: they may be deep."""
    match value:
        case dict():
            return "a table"
        case list():
            return "an array"
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{clipped(value)}"'
        case int() if abs(value) > 10**MAX_SHOWN:
            return "a very large number"
        case _:
            return clipped(str(value))


def clipped(text: str) -> str:
    """One line of it, control characters escaped."""
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:MAX_SHOWN])
    return plain if len(text) <= MAX_SHOWN else f"{plain}…"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?` when something known is close, else nothing."""
    return _near(word[:MAX_SHOWN].lower(), tuple(known))


@lru_cache(maxsize=256)
def _near(word: str, known: tuple[str, ...]) -> str:
    by_lower = {one.lower(): one for one in known}
    near = get_close_matches(word, list(by_lower), n=1)
    return f'; did you mean "{by_lower[near[0]]}"?' if near else ""


def dotted(path: Path) -> str:
    """`hosts."mx1.example.org".services[0].port`: as it would be written in TOML."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            plain = part if part and set(part) <= BARE else f'"{clipped(part)}"'
            text += f".{plain}" if text else plain
    return text
