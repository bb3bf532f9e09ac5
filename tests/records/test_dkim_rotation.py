from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.records import dkim
from gatepost.records.dkim_rotation import Deed, plan

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TEXT = "v=DKIM1; k=rsa; p=QUJD"


def test_a_rotation() -> None:
    turns = plan("example.org", "s2027", TEXT, now=NOW, old="s2026", negative=7200)
    assert [(turn.deed, turn.selector, turn.at - NOW) for turn in turns] == [
        (Deed.PUBLISH, "s2027", timedelta()),
        (Deed.SIGN, "s2027", timedelta(hours=2)),
        (Deed.REVOKE, "s2026", timedelta(days=7, hours=2)),
        (Deed.REMOVE, "s2026", timedelta(days=37, hours=2)),
    ]
    assert turns[0].record == f's2027._domainkey.example.org. 3600 IN TXT "{TEXT}"'
    assert turns[2].record == 's2026._domainkey.example.org. 3600 IN TXT "v=DKIM1; p="'
    assert dkim.read("v=DKIM1; p=").revoked


def test_a_first_key_has_nothing_to_retire() -> None:
    turns = plan("example.org", "s2026", TEXT, now=NOW)
    assert [turn.deed for turn in turns] == [Deed.PUBLISH, Deed.SIGN]
    assert "longer with" not in turns[1].text


@pytest.mark.parametrize(
    ("negative", "wait", "told"),
    [
        (0, timedelta(hours=1), "1 hour later"),
        (60, timedelta(hours=1), "1 hour later"),
        (5400, timedelta(hours=1.5), "1.5 hours later"),
        (86400, timedelta(days=1), "1 day later"),
        (604800, timedelta(days=1), "1 day later"),
    ],
)
def test_waiting_for_what_resolvers_remember(negative: int, wait: timedelta, told: str) -> None:
    turn = plan("example.org", "s1", TEXT, now=NOW, negative=negative)[1]
    assert turn.at - NOW == wait
    assert turn.why.startswith(told)


@given(st.integers(0, 2**31), st.integers(0, 2**31))
def test_steps_come_in_order(negative: int, ttl: int) -> None:
    turns = plan("example.org", "n", TEXT, now=NOW, old="o", negative=negative, ttl=ttl)
    assert [turn.at for turn in turns] == sorted(turn.at for turn in turns)
    assert turns[1].at - turns[0].at >= timedelta(hours=1)
    assert turns[2].at - turns[1].at >= timedelta(days=7)
