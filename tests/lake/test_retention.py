from __future__ import annotations

from datetime import date, timedelta

import pytest

from gatepost.lake.retention import age, clock_jumped, expired

TODAY = date(2026, 8, 1)


@pytest.mark.parametrize(
    ("day", "read", "old"),
    [
        (TODAY, TODAY, 0),
        (TODAY - timedelta(days=3), TODAY, 3),
        (TODAY - timedelta(days=900), TODAY, 900),  # an archive, read today
        (None, TODAY - timedelta(days=5), 5),  # without a time
        (date(2099, 1, 1), TODAY - timedelta(days=7), 7),  # a forged time
        (TODAY + timedelta(days=1), TODAY - timedelta(days=7), 0),  # another zone
        (date(2026, 7, 31), date(1970, 1, 1), 1),  # the clock was not set when it was read
        (None, date(2099, 1, 1), 0),
    ],
)
def test_rows_age_from_the_day_they_were_written(day: date | None, read: date, old: int) -> None:
    assert age(day, read, TODAY) == old


def test_the_days_to_keep_are_kept() -> None:
    assert not expired(TODAY - timedelta(days=30), TODAY, TODAY, 30)
    assert expired(TODAY - timedelta(days=31), TODAY, TODAY, 30)


def test_a_clock_far_ahead_of_all_that_was_read_is_suspected() -> None:
    assert clock_jumped([TODAY - timedelta(days=40)], TODAY, 30)
    assert not clock_jumped([TODAY - timedelta(days=40), TODAY - timedelta(days=2)], TODAY, 30)
    assert not clock_jumped([], TODAY, 30)
