"""A retirement as an operator reads it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from gatepost.model.event import Cover
from gatepost.model.use import Use
from gatepost.report.retire import ENOUGH, to_text
from gatepost.retire import assess, dates
from gatepost.retiring.target import target

TODAY = date(2026, 11, 24)
AT = 1_795_000_000_000_000
OLD = Use(
    TODAY, "mx1", "pop3", 110, Cover.NONE, None, "", "PLAIN", "alice@example.org", "2001:db8:dfd:a3d0::/64", "pc",
    3, 0, 0, AT, AT,
)  # fmt: skip
PERHAPS = replace(OLD, user="carol@example.org", port=None, cover=Cover.TLS)


def _told(*uses: Use, days: int = 90, width: int = 80) -> str:
    found = assess(uses, target("110"), since=TODAY - timedelta(days=days - 1), until=TODAY)
    return to_text(found, dates(found, TODAY), (), None, width=width, colour=False)


def test_a_narrow_terminal_loses_whole_columns_and_keeps_what_decides() -> None:
    elsewhere = replace(OLD, port=995, cover=Cover.TLS)
    for width in (60, 80, 100):
        told = _told(OLD, elsewhere, width=width)
        row = next(one for one in told.splitlines() if "alice" in one)
        assert row.endswith("has another way")
        assert "…" not in told
        assert ("2001:db8:dfd:a3d0::/64" in row) is (width > 60)


def test_a_short_log_is_said() -> None:
    assert "Only 5 days of log" in _told(OLD, days=5)
    assert "of log" not in _told(OLD, days=ENOUGH)


def test_what_is_not_told_comes_before_any_date() -> None:
    steps = _told(PERHAPS).split("Next")[1]
    assert steps.index("let the log tell") < steps.index("propose")
    assert "--notices" not in steps
    assert "let the log tell" not in _told(OLD)
    assert "--notices" in _told(OLD)
