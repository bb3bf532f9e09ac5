"""How old rows are, and with that what is deleted or loses its names.

The day that a row was written on counts, not the day it was read on: an archive of three years ago is old at once.
Rows without a time, and those that claim to come from the future (a clock that ran ahead, a forged time), age from
the day they were read.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

AHEAD = timedelta(days=1)  # of today: zones, and clocks that are a little off


def age(day: date | None, read: date, today: date) -> int:
    """In days; never below zero."""
    since = day if day is not None and day <= today + AHEAD else read
    return max((today - since).days, 0)


def expired(day: date | None, read: date, today: date, keep_days: int) -> bool:
    """Kept are today and the `keep_days` days before it."""
    return age(day, read, today) > keep_days


def clock_jumped(read: Iterable[date], today: date, keep_days: int) -> bool:
    """Nothing at all was read in as long as rows are kept: rather the clock is wrong than the mail server silent."""
    newest = max(read, default=today)
    return (today - newest).days > keep_days
