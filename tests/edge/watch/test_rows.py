"""Rows that are made quickly say what events say, and no row is left out that tells something."""

from __future__ import annotations

from dataclasses import fields, replace

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.edge.logs.scanner import table
from gatepost.edge.watch.callers import Callers
from gatepost.edge.watch.rows import events, latest
from gatepost.logs.signalling import Signaller
from gatepost.model.event import Cover, Event, Kind, Result

TEXT = st.sampled_from(["", "anna", "müller", "日本", "a" * 256, "x\ny"])
SOME = st.builds(
    Event,
    at=st.integers(0, 2**50),
    host=TEXT,
    daemon=TEXT,
    service=TEXT,
    pid=st.none() | st.integers(0, 2**31 - 1),
    kind=st.sampled_from(Kind),
    result=st.sampled_from(Result),
    cover=st.sampled_from(Cover),
    client=st.sampled_from(["", "192.0.2.7", "2001:db8::7"]),
    client_port=st.none() | st.integers(1, 65535),
    user=TEXT,
    reason=TEXT,
    size=st.none() | st.integers(0, 2**62),
    attempts=st.none() | st.integers(0, 9),
    offset=st.integers(0, 2**62),
)


@settings(deadline=None, max_examples=60)
@given(given_events=st.lists(SOME, max_size=40), begin=st.integers(0, 5))
def test_a_row_says_what_its_event_says(given_events: list[Event], begin: int) -> None:
    names = [one.name for one in fields(Event)]
    telling = [one for one in given_events[begin:] if one.kind in Signaller().kinds]
    wanted = [replace(one, name="", helo="", local="", cipher="", exchange="", message_id="") for one in telling]
    found = events(table(given_events).slice(begin))
    assert [tuple(getattr(row, name) for name in names) for row in found] == [
        tuple(getattr(one, name) for name in names) for one in wanted
    ]
    assert all(type(row.kind) is Kind for row in found)


@settings(deadline=None, max_examples=60)
@given(given_events=st.lists(SOME, max_size=60))
def test_rows_give_the_signals_of_all_events(given_events: list[Event]) -> None:
    whole, quick = Signaller(), Signaller()
    wanted = [signal for one in given_events for signal in whole.feed(one)] + list(whole.flush())
    found = [signal for row in events(table(given_events)) for signal in quick.feed(row)] + list(quick.flush())
    assert found == wanted


def test_several_pieces_are_one_table() -> None:
    one, two = (table([Event(n, "mx1", "smtpd", "smtp", 7, Kind.CONNECT)]) for n in range(2))
    assert [row.at for row in events(pa.concat_tables([one, two]))] == [0, 1]


def test_the_last_line_of_each_service_is_told() -> None:
    lines = [
        Event(at, "mx1", "smtpd", service, 7, Kind.CONNECT) for at, service in ((5, "smtp"), (9, "imap"), (7, "smtp"))
    ]
    assert latest(table(lines)) == {"smtp": 7, "imap": 9}
    assert latest(table([])) == {}


def test_a_health_check_hides_no_gateway() -> None:
    callers = Callers()
    for n in range(200):
        callers.count("imap", "127.0.0.1" if n % 2 else "172.18.0.1")
    assert callers.together().startswith("imap: all 100 connections come from 172.18.0.1")
    for n in range(10):
        callers.count("imap", f"192.0.2.{n}")
    assert callers.together() == ""
