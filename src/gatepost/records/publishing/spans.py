"""Seconds as people say them."""

from __future__ import annotations

UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def span(seconds: int) -> str:
    """`2 h`, `1 h 30 min`: two units at most, rounded up so that nobody waits too short a time."""
    for (size, word), (smaller, unit) in zip(UNITS, (*UNITS[1:], UNITS[-1]), strict=True):
        whole = -(-seconds // smaller) * smaller
        if whole >= size:
            count, rest = divmod(whole, size)
            return f"{count} {word} {rest // smaller} {unit}" if rest else f"{count} {word}"
    return "0 s"
