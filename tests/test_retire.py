"""The story of a retirement."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.errors import UsageError
from gatepost.model.event import Cover
from gatepost.model.use import Use
from gatepost.report.weeks import sparkline
from gatepost.retire import DAY, assess, dates, fallout
from gatepost.retiring.assessment import trend
from gatepost.retiring.notices import Sender, notice
from gatepost.retiring.target import target

TODAY = date(2026, 11, 24)
SINCE = TODAY - timedelta(days=89)
POP = target("110")
OLD = Use(
    TODAY, "mx1", "pop3", 110, Cover.NONE, None, "", "PLAIN", "alice@example.org", "192.0.2.0/24", "pc", 3, 0, 0,
    1_795_000_000_000_000, 1_795_000_100_000_000,
)  # fmt: skip
NEW = replace(OLD, service="pop3", port=995, cover=Cover.TLS, tls="TLSv1.3")


def test_names_who_would_break_and_who_already_knows_another_way() -> None:
    bob = replace(OLD, user="bob", network="198.51.100.0/24")
    perhaps = replace(OLD, user="carol", port=None, cover=Cover.TLS)
    guessed = replace(OLD, user="", failures=3)
    found = assess([OLD, OLD, NEW, bob, perhaps, guessed], POP, since=SINCE, until=TODAY)
    assert [(one.user, one.sessions, one.elsewhere) for one in found.certain] == [
        ("alice@example.org", 6, True),
        ("bob", 3, False),
    ]
    assert [one.user for one in found.maybe] == ["carol"]
    assert found.strangers == 3


def test_days_outside_do_not_count() -> None:
    early = replace(OLD, day=SINCE - timedelta(days=1))
    assert not assess([early], POP, since=SINCE, until=TODAY).accounts


def test_weeks_end_with_the_last_day() -> None:
    uses = [replace(OLD, day=TODAY - timedelta(days=n)) for n in (0, 6, 7, 89)]
    weeks = assess(uses, POP, since=SINCE, until=TODAY).weeks
    assert (len(weeks), weeks[-1], weeks[-2], weeks[0]) == (13, 6, 3, 3)


@pytest.mark.parametrize(
    ("weeks", "word"),
    [
        ((9, 9, 9, 9, 1, 1, 1, 1), "falling"),
        ((1, 1, 1, 1, 9, 9, 9, 9), "rising"),
        ((5, 5, 5, 5, 5, 5, 5, 4), "steady"),
        ((0,) * 13, "unused"),
        ((5, 5), ""),
    ],
)
def test_trend(weeks: tuple[int, ...], word: str) -> None:
    assert trend(weeks) == word


@given(st.dates(date(2026, 1, 1), date(2030, 12, 31)), st.integers(0, 300))
def test_nothing_ends_when_nobody_is_there(today: date, accounts: int) -> None:
    uses = [replace(OLD, day=today, user=f"user{n}") for n in range(accounts)]
    when = dates(assess(uses, POP, since=today, until=today), today)
    assert today < when.rehearse <= when.close
    for day in (when.rehearse, when.close):
        assert day.weekday() < 4
        assert (1, 7) <= (day.month, day.day) < (12, 18)


def test_more_accounts_get_more_time() -> None:
    def close(count: int) -> date:
        uses = [replace(OLD, user=f"user{n}") for n in range(count)]
        return dates(assess(uses, POP, since=SINCE, until=TODAY), TODAY).close

    ends = [close(count) for count in (0, 5, 50, 500)]
    assert ends == sorted(ends)
    assert len(set(ends)) > 2


def test_fallout_sorts_who_came_back() -> None:
    closed = OLD.last + 10 * DAY
    users = ("moved", "failing", "silent")
    uses = [replace(OLD, user=user) for user in users]
    uses += [later(NEW, closed, user="moved"), later(NEW, closed, user="failing", failures=3)]
    uses += [later(OLD, closed, user="", sessions=7, failures=7)]
    lost = fallout(uses, POP, closed)
    assert (lost.moved, lost.failing, lost.silent, lost.knocking) == (("moved",), ("failing",), ("silent",), 7)


def test_fallout_is_told_on_the_day_itself() -> None:
    """A row of the day it closed may reach over that moment: what ends with the target was before it."""
    closed = OLD.first + 60_000_000
    over = replace(OLD, first=closed - 1, last=closed + 1)
    other = replace(NEW, first=closed - 1, last=closed + 1)
    assert fallout([over], POP, closed).silent == ("alice@example.org",)
    assert fallout([over], POP, closed).knocking == 0
    assert fallout([over, other], POP, closed).moved == ("alice@example.org",)


def later(use: Use, closed: int, **changed: Any) -> Use:
    return replace(use, first=closed + 1, last=closed + 2, **changed)


def test_without_tls_is_on_the_port_without_it() -> None:
    """Dovecot calls a client secured that it trusts; TLS from the first byte it would have logged as TLS."""
    trusted = replace(OLD, port=None, cover=Cover.LOCAL)
    assert assess([trusted], POP, since=SINCE, until=TODAY).certain
    assert not assess([trusted], target("995"), since=SINCE, until=TODAY).accounts


def test_a_trial_leaves_weeks_before_the_end() -> None:
    """Around New Year too, when nothing ends for weeks."""
    when = dates(assess([OLD], POP, since=SINCE, until=TODAY), TODAY)
    assert when.close == date(2027, 1, 7)
    assert when.rehearse == date(2026, 12, 17)


def test_notice_is_a_letter_that_nothing_answers() -> None:
    found = assess([OLD], POP, since=SINCE, until=TODAY)
    when = dates(found, TODAY)
    sender = Sender("postmaster@example.org", "Example", "example.org")
    draft = notice(found.accounts[0], found, when.close, when.rehearse, sender)
    letter = message_from_bytes(draft.letter.as_bytes(), policy=policy.default)
    assert (letter["To"], letter["Auto-Submitted"]) == ("alice@example.org", "auto-generated")
    body = letter.get_body()
    assert body is not None
    assert "995" in body.get_content()
    assert draft.name == "alice@example.org.eml"


@pytest.mark.parametrize("user", ["../../etc/passwd", "a\nBcc: x@y.z", "<>", "@", "ä ö@example.org", "x" * 500, '"'])
def test_names_of_strangers_stay_names(user: str) -> None:
    found = assess([replace(OLD, user=user)], POP, since=SINCE, until=TODAY)
    draft = notice(found.accounts[0], found, TODAY, None, Sender("p@example.org", "", "example.org"))
    assert "/" not in draft.name
    assert "Bcc" not in message_from_bytes(draft.letter.as_bytes(), policy=policy.default)


def test_template_names_its_unknown_fields() -> None:
    found = assess([OLD], POP, since=SINCE, until=TODAY)
    with pytest.raises(UsageError, match=r"unknown field 'nothing'.*\$account"):
        notice(found.accounts[0], found, TODAY, None, Sender("p@x.org", "", "x.org"), "$nothing")


def test_sparkline() -> None:
    assert sparkline([0, 1, 4, 8]) == "·▁▄█"
