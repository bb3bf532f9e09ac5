from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.records import dkim, zone_text
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


def test_zone_text_of_a_long_record() -> None:
    text = zone_text.txt("s._domainkey.example.org", "a" * 255 + "b" * 10, 300)
    assert text == f's._domainkey.example.org. 300 IN TXT (\n    "{"a" * 255}"\n    "{"b" * 10}"\n)'


def test_zone_text_escapes() -> None:
    assert zone_text.txt("x", 'a"b\\c\x00\xff', 1) == r'x. 1 IN TXT "a\"b\\c\000\255"'
    assert zone_text.txt("x", "", 1) == 'x. 1 IN TXT ""'


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=600))
def test_a_zone_file_reader_gets_the_same_octets(text: str) -> None:
    import dns.rdatatype
    import dns.zone

    zone = dns.zone.from_text(zone_text.txt("x.example", text, 60), origin="example.", check_origin=False)
    (rdata,) = zone.find_rdataset("x", dns.rdatatype.TXT)
    assert b"".join(rdata.strings).decode("latin-1") == text
