"""Moments from what a header tells, and what it leaves out: the year and the zone of RFC 3164, the zone of others.

A time is computed once for each day or second and remembered: lines of one second follow one another.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from gatepost.model.log import Clock

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FIRST, LAST = 1970, 2200  # years that a log may tell; what lies outside is no time
LEAPS = 9  # years back to find a 29th of February: 1896 and 1904 had none between them
SEEN_NOW = 2 * HOUR  # a line no older than this is being read as it is written
EPOCH = date(1970, 1, 1).toordinal()
SOONEST, LATEST = 10**8, 7_258_118_400  # seconds: March 1973, below which a number is hardly a time, and 2200
RESOLUTION = timedelta(microseconds=1)
YEAR, ZONE = "year", "zone"
_OFFSET = re.compile(r"([+-])(\d\d):?([0-5]\d)")


def clock(newest: int, *, told: str = "", machine: str = "") -> Clock:
    """The clock for one source: `told` is the zone somebody declared, `machine` the one this machine is set to.

    What had to be guessed is named in `assumed`; `sentence` puts it into words.
    """
    if zone(told):
        return Clock(newest, told, (YEAR,))
    known = machine if zone(machine) else "UTC"
    return Clock(newest, known, (YEAR, ZONE))


def moved(clock: Clock, now: int) -> Clock:
    """The same clock later, for lines that are read as they are written. Never back: the year would jump with it."""
    return replace(clock, newest=max(clock.newest, now))


def sentence(clock: Clock) -> str:
    """What was assumed for lines that do not tell, for an operator; "" where nothing was."""
    day = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=clock.newest)).date()
    said = []
    if YEAR in clock.assumed:
        said.append(f"a line without a year is from the twelve months up to {day}")
    if ZONE in clock.assumed:
        said.append(f"a line without a time zone is in {clock.zone}")
    if not said:
        return ""
    return f"assumed, because nothing tells: {'; '.join(said)}"


@lru_cache(256)
def zone(name: str) -> tzinfo | None:
    """A zone by its IANA name or as an offset such as +02:00; None where there is no such zone on this machine."""
    if name in {"UTC", "GMT", "Z", "utc"}:
        return UTC
    if offset := _OFFSET.fullmatch(name):
        minutes = int(offset[2]) * 60 + int(offset[3])
        return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes)) if minutes < 24 * 60 else None
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, LookupError):  # a path, a directory, a name that is in no list
        return None


@lru_cache(8192)
def yearless(stamp: str, newest: int, name: str) -> int | None:
    """`Nov 24 10:00:00` in microseconds: in the year that brings it closest below `newest`, a day ahead allowed."""
    clock_time = _time(stamp[-8:])
    day = stamp[:-8].split()
    if clock_time is None or len(day) != 2 or day[0] not in MONTHS:
        return None
    for year in _years(day[0], day[1], newest, name):
        at = _local(date(year, MONTHS.index(day[0]) + 1, int(day[1])), clock_time, newest, name)
        if at is not None and at <= newest + DAY:
            return at
    return None


@lru_cache(8192)
def dated(day: str, time: str, offset: str, newest: int, name: str) -> int | None:
    """`2026-11-24` and `10:00:00` in microseconds. `offset` is Z, +01:00 or +0100; empty: the zone of that name."""
    clock_time = _time(time)
    if clock_time is None:
        return None
    try:
        one = date(int(day[:4]), int(day[5:7]), int(day[8:10]))
    except ValueError:
        return None
    if not FIRST <= one.year <= LAST:
        return None
    return _local(one, clock_time, newest, offset.strip() or name)


def named(day: str, month: str, year: str, time: str, offset: str, newest: int, name: str) -> int | None:
    """The same of `24`, `Nov`, `2026`."""
    if month not in MONTHS or len(year) != 4:
        return None
    return dated(f"{year}-{MONTHS.index(month) + 1:02}-{int(day):02}", time, offset, newest, name)


def ambiguous(at: int, name: str) -> bool:
    """That the clocks showed this time twice (the hour is repeated when summer time ends)."""
    return _wall(at, name, 0) != _wall(at, name, 1)


def _wall(at: int, name: str, fold: int) -> timedelta | None:
    here = zone(name) or UTC
    local = datetime.fromtimestamp(at // SECOND, here)
    return local.replace(fold=fold).utcoffset()


@lru_cache(4096)
def _years(month: str, day: str, newest: int, name: str) -> tuple[int, ...]:
    """The years to try, newest first. The 29th of February exists in few of them."""
    this = datetime.fromtimestamp(max(newest, 0) // SECOND, zone(name) or UTC).year
    return tuple(year for year in range(this + 1, this - LEAPS, -1) if _exists(year, month, day))


def _exists(year: int, month: str, day: str) -> bool:
    try:
        date(year, MONTHS.index(month) + 1, int(day))
    except ValueError:
        return False
    return FIRST <= year <= LAST


def _time(text: str) -> int | None:
    """Microseconds since midnight. A leap second (60) is the second after 59."""
    if len(text) != 8 or text[2] != ":" or text[5] != ":":
        return None
    if not (text.isascii() and text[:2].isdigit() and text[3:5].isdigit() and text[6:].isdigit()):
        return None
    hours, minutes, seconds = int(text[:2]), int(text[3:5]), int(text[6:])
    if hours > 23 or minutes > 59 or seconds > 60:
        return None
    return ((hours * 60 + minutes) * 60 + seconds) * SECOND


def _local(day: date, time: int, newest: int, name: str) -> int | None:
    midnight, offset = _offset(day, name)
    if offset is not None:
        return midnight + time - offset
    return _changing(day, time, newest, name)


@lru_cache(4096)
def _offset(day: date, name: str) -> tuple[int, int | None]:
    """Midnight as if it were UTC, and how far the zone is ahead on this day; None where that changes within it."""
    midnight = (day.toordinal() - EPOCH) * DAY
    here = zone(name) or UTC
    begins = datetime(day.year, day.month, day.day, tzinfo=here)
    offsets = {(begins + timedelta(hours=h)).replace(fold=f).utcoffset() for h in range(25) for f in (0, 1)}
    only = offsets.pop() if len(offsets) == 1 else None
    return midnight, None if only is None else only // RESOLUTION


def _changing(day: date, time: int, newest: int, name: str) -> int:
    """A day on which the clocks change. Of a time shown twice the first is meant, unless we read along and it is over.

    A time that was skipped reads as if the clocks had not been put forward yet, which is what a machine that changed
    late wrote.
    """
    local = datetime(day.year, day.month, day.day, tzinfo=zone(name) or UTC) + timedelta(microseconds=time)
    first, second = (
        (day.toordinal() - EPOCH) * DAY + time - (local.replace(fold=f).utcoffset() or timedelta()) // RESOLUTION
        for f in (0, 1)
    )
    if first < second <= newest + 60 * SECOND and newest - second < SEEN_NOW:
        return second
    return first
