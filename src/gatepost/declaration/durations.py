"""Lengths of time as an operator writes them: `90m`, `1h`, `7d`."""

from __future__ import annotations

import re

UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}  # the longest first
LONGEST = 100 * 365 * 86400  # seconds
DAY = UNITS["d"]
_WRITTEN = re.compile(r"([0-9]{1,12})\s*([smhdw])")


def seconds(text: str) -> int | None:
    """None for what is no length of time, for nothing at all, and for more than a century."""
    fitting = _WRITTEN.fullmatch(text.strip())
    found = int(fitting[1]) * UNITS[fitting[2]] if fitting else 0
    return found if 0 < found <= LONGEST else None


def written(found: int) -> str:
    """The shortest that reads back the same: an hour is 1h, 400 days are 400d and not 57 weeks."""
    unit = next(u for u, size in UNITS.items() if u != "w" and found % size == 0)
    return f"{found // UNITS[unit]}{unit}"
