"""How use goes over weeks, and on which day something was: the same for use and for its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from gatepost.model.event import MICROSECONDS

BARS = "▁▂▃▄▅▆▇█"


def sparkline(weeks: Sequence[int]) -> str:
    """One bar a week, against the highest; a week without any use is a dot."""
    highest = max(weeks, default=0)
    return "".join("·" if not one else BARS[(one * len(BARS) - 1) // highest] for one in weeks)


def day(at: int) -> date:
    """Of microseconds since 1970, in UTC."""
    return datetime.fromtimestamp(at / MICROSECONDS, UTC).date()
