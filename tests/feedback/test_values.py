"""Single values: usable or not there, whatever stands in their place."""

from __future__ import annotations

import math
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.feedback import values
from gatepost.feedback.contents import ReportRefused
from tests.feedback.documents import BEGIN, END, NOW


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1\n", "192.0.2.1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("IPv6:2001:db8::1", "2001:db8::1"),
        ("fe80::1%eth0", ""),
        ("300.1.1.1", ""),
        ("010.1.1.1", ""),
        ("192.0.2.1\n192.0.2.2", ""),
        ("localhost", ""),
        ("", ""),
        (None, ""),
        (3221225985, ""),
    ],
)
def test_addresses(written: object, read: str) -> None:
    assert values.address(written) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (7, 7), ("7", 7), (" 7 ", 7), ("+7", 7), ("7.0", 7), (7.0, 7), (0, 0), (-1, None), ("-1", None),
        ("seven", None), (True, None), (7.5, None), (math.inf, None), (math.nan, None), (10**30, None),
        ("9" * 5000, None), ("٣", None), (None, None), ([1], None),
    ],
)  # fmt: skip
def test_numbers(written: object, read: int | None) -> None:
    assert values.number(written) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Example.ORG.", "example.org"),
        ("bücher.example", "bücher.example"),
        ("*.example.org", "*.example.org"),
        ("a b", ""),
        ("a\x1b[31m", ""),
        ("x" * 300, ""),
        (None, ""),
    ],
)
def test_names(written: object, read: str) -> None:
    assert values.name(written) == read


def test_text_is_one_line_that_a_database_can_hold() -> None:
    assert values.text("a\0b\r\nc\ud800d") == "a b c d"
    assert values.text("x" * 10_000) == "x" * 200
    assert values.text({"a": 1}) == ""


def test_a_period_is_days_in_utc_and_midnight_belongs_to_the_day_before() -> None:
    usual = values.period(str(BEGIN), str(END), NOW)
    assert (usual.first, usual.last) == (date(2026, 11, 1), date(2026, 11, 1))
    assert values.period(BEGIN, END + 1, NOW).last == date(2026, 11, 1)
    assert values.period("2026-11-01T02:00:00+02:00", "2026-11-01T23:59:59Z", NOW).begin == BEGIN


@pytest.mark.parametrize(
    ("begin", "end", "said"),
    [
        ("", END, "does not say when it begins"),
        (BEGIN, None, "does not say when it ends"),
        ("soon", END, "begins at 'soon', which is no time"),
        (END, BEGIN, "before it begins"),
        (253402300000, 253402300799, "no report can know"),
        (0, 86399, "no report can know"),
        (BEGIN - 200 * 86400, END, "covers 200 days"),
        ("9" * 400, END, "which is no time"),
        (True, END, "which is no time"),
        (float("nan"), END, "which is no time"),
        ("0001-01-01T00:00:00+14:00", END, "which is no time"),
    ],
)
def test_a_period_that_cannot_be_is_told(begin: object, end: object, said: str) -> None:
    with pytest.raises(ReportRefused, match=said):
        values.period(begin, end, NOW)


anything = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.none()))


@settings(deadline=None)
@given(anything, anything)
def test_any_value_is_read_or_is_not_there(one: object, other: object) -> None:
    values.text(one).encode()
    values.name(one).encode()
    assert values.address(one) == values.address(values.address(one))
    assert values.number(one) is None or 0 <= (values.number(one) or 0) <= values.MOST
    assert len(_period(one, other).splitlines()) == 1


def _period(begin: object, end: object) -> str:
    try:
        found = values.period(begin, end, NOW)
    except ReportRefused as why:
        return str(why)
    return f"{found.first} {found.last}" if found.first <= found.last else ""
