from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.logs import years
from gatepost.model.log import Clock

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "+05:30")


def _us(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("stamp", "newest", "zone", "found"),
    [
        ("Nov 24 10:00:00", "2026-11-24T12:00:00+00:00", "UTC", "2026-11-24T10:00:00+00:00"),
        ("Nov  4 10:00:00", "2026-11-24T12:00:00+00:00", "UTC", "2026-11-04T10:00:00+00:00"),
        # a year that rolls over inside the file, read in January
        ("Dec 31 23:59:59", "2027-01-02T00:00:00+00:00", "UTC", "2026-12-31T23:59:59+00:00"),
        ("Jan  1 00:00:00", "2027-01-02T00:00:00+00:00", "UTC", "2027-01-01T00:00:00+00:00"),
        # a little in the future: a clock that runs ahead, over the turn of the year too
        ("Nov 25 11:59:59", "2026-11-24T12:00:00+00:00", "UTC", "2026-11-25T11:59:59+00:00"),
        ("Nov 25 12:00:01", "2026-11-24T12:00:00+00:00", "UTC", "2025-11-25T12:00:01+00:00"),
        ("Jan  1 00:00:05", "2026-12-31T23:59:50+00:00", "UTC", "2027-01-01T00:00:05+00:00"),
        # the turn of the year is that of the zone
        ("Jan  1 00:30:00", "2026-12-31T23:40:00+00:00", "Europe/Berlin", "2026-12-31T23:30:00+00:00"),
        # a day that few years have
        ("Feb 29 10:00:00", "2026-11-24T12:00:00+00:00", "UTC", "2024-02-29T10:00:00+00:00"),
        ("Feb 29 10:00:00", "1903-01-01T00:00:00+00:00", "UTC", None),
        ("Feb 30 10:00:00", "2026-11-24T12:00:00+00:00", "UTC", None),
        ("Foo 24 10:00:00", "2026-11-24T12:00:00+00:00", "UTC", None),
        # summer time: skipped, ordinary, shown twice
        ("Mar 29 02:30:00", "2026-11-24T12:00:00+00:00", "Europe/Berlin", "2026-03-29T01:30:00+00:00"),
        ("Mar 29 03:30:00", "2026-11-24T12:00:00+00:00", "Europe/Berlin", "2026-03-29T01:30:00+00:00"),
        ("Oct 25 02:30:00", "2026-11-24T12:00:00+00:00", "Europe/Berlin", "2026-10-25T00:30:00+00:00"),
        ("Oct 25 03:00:00", "2026-11-24T12:00:00+00:00", "Europe/Berlin", "2026-10-25T02:00:00+00:00"),
        # the same while it is written: the first time, and an hour later the second
        ("Oct 25 02:30:00", "2026-10-25T00:30:01+00:00", "Europe/Berlin", "2026-10-25T00:30:00+00:00"),
        ("Oct 25 02:30:00", "2026-10-25T01:30:01+00:00", "Europe/Berlin", "2026-10-25T01:30:00+00:00"),
        ("Nov 24 10:00:00", "2026-11-24T12:00:00+00:00", "-03:30", "2026-11-24T13:30:00+00:00"),
        ("Nov 24 10:00:00", "2026-11-24T12:00:00+00:00", "No/Where", "2026-11-24T10:00:00+00:00"),
    ],
)
def test_the_year_and_the_zone_that_a_line_leaves_out(stamp: str, newest: str, zone: str, found: str | None) -> None:
    assert years.yearless(stamp, _us(newest), zone) == (_us(found) if found else None)


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)),  # noqa: DTZ001 - the zone comes after
    st.sampled_from(ZONES[:-1]),
    st.integers(0, 363 * 86400),
)
def test_a_line_of_the_last_twelve_months_is_found_again(local: datetime, zone: str, later: int) -> None:
    there = local.replace(microsecond=0, tzinfo=ZoneInfo(zone))
    again = there.astimezone(UTC).astimezone(there.tzinfo)
    at = (there - EPOCH) // timedelta(microseconds=1)
    if again.replace(tzinfo=None) != there.replace(tzinfo=None):
        return  # skipped when summer time began
    stamp = f"{years.MONTHS[there.month - 1]} {there.day:2} {there:%H:%M:%S}"
    found = years.yearless(stamp, at + later * years.SECOND, zone)
    if years.ambiguous(at, zone):
        assert found is not None
        assert abs(found - at) <= 2 * years.HOUR
    else:
        assert found == at


@given(st.text(max_size=24), st.text(max_size=12), st.integers(-(10**18), 10**18), st.text(max_size=20))
def test_any_text_is_a_moment_or_none(stamp: str, time: str, newest: int, zone: str) -> None:
    newest = max(0, min(newest, 7 * 10**15))
    for at in (years.yearless(stamp, newest, zone), years.dated(stamp, time, zone, newest, zone)):
        assert at is None or isinstance(at, int)


def test_a_clock_that_jumps_back_gives_lines_that_go_back() -> None:
    newest = _us("2026-11-24T12:00:00+00:00")
    first, second = (years.yearless(f"Nov 24 {t}", newest, "UTC") for t in ("11:00:00", "10:59:00"))
    assert first is not None
    assert second == first - 60 * years.SECOND


def test_what_was_assumed_is_said() -> None:
    newest = _us("2026-11-24T12:00:00+00:00")
    told = years.clock(newest, told="Europe/Berlin", machine="UTC")
    assert told == Clock(newest, "Europe/Berlin", (years.YEAR,))
    assert years.sentence(told) == (
        "assumed, because nothing tells: a line without a year is from the twelve months up to 2026-11-24"
    )
    guessed = years.clock(newest, told="No/Where", machine="America/New_York")
    assert guessed.zone == "America/New_York"
    assert years.sentence(guessed).endswith("; a line without a time zone is in America/New_York")
    assert years.sentence(Clock(newest)) == ""


def test_the_clock_of_a_live_log_never_goes_back() -> None:
    clock = Clock(_us("2026-11-24T12:00:00+00:00"))
    assert years.moved(clock, clock.newest - 1) == clock
    assert years.moved(clock, clock.newest + 1).newest == clock.newest + 1


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../UTC", "\0", "+25:00", "Europe", "x" * 5000])
def test_no_zone(name: str) -> None:
    assert years.zone(name) is None
