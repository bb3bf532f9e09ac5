"""Connections, attempts and messages out of lines: the traps of real logs, and days that are derived again."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gatepost.edge.lake.deriving import derive, derived_apart
from gatepost.edge.lake.lake import Lake
from gatepost.errors import CannotLook
from gatepost.model.counting import DAY
from gatepost.model.event import Act, Cover, Event, Kind, Result
from gatepost.model.log import Position, Shape
from tests.lines import CLIENT, NOON, Log, counted, counted_rows, day_of, derived, table, told


def _signals(log: Log) -> list[tuple[Act, str, int]]:
    """What is told live, once it is sure that the lake says the same."""
    live = told(log.events)
    assert counted_rows(derived(log.events)["signals"]) == counted(live)
    return [(one.act, one.user, one.amount) for one in live]


def test_one_typed_password_is_one_attempt_however_many_mechanisms_and_lines() -> None:
    log = Log()
    log.line(0, Kind.CONNECT)
    log.line(1, Kind.AUTH_DETAIL, daemon="dovecot", service="", user="alice", pid=99, reason="unknown user")
    log.line(2, Kind.AUTH_FAILED, method="PLAIN", user="alice")
    log.line(4, Kind.AUTH_FAILED, method="LOGIN", user="alice")
    log.line(5, Kind.ABORTED, reason="AUTH")
    log.line(5, Kind.DISCONNECT, commands="ehlo=2 starttls=1 auth=0/2 commands=3/5")
    assert _signals(log) == [(Act.LOGIN_FAILED, "alice", 1)]
    (session,) = derived(log.events)["sessions"]
    assert (session["outcome"], session["attempts"], session["failures"]) == ("failed", 1, 1)


def test_typed_again_or_for_somebody_else_counts_again() -> None:
    log = Log()
    log.line(0, Kind.AUTH_FAILED, method="PLAIN", user="alice")
    log.line(2, Kind.AUTH_FAILED, method="LOGIN", user="bob")
    log.line(4, Kind.AUTH_FAILED, method="LOGIN", user="bob")
    log.line(60, Kind.AUTH_FAILED, method="LOGIN", user="bob")
    assert len(_signals(log)) == 4


def test_login_in_clear_is_known_from_the_counters_alone() -> None:
    log = Log(service="smtp")
    log.line(0, Kind.CONNECT)
    log.line(1, Kind.ACCEPTED, queue="Q1", user="alice", method="PLAIN")
    log.line(2, Kind.DISCONNECT, commands="ehlo=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=6")
    assert (Act.CLEAR_LOGIN, "alice", 1) in _signals(log)
    (session,) = derived(log.events)["sessions"]
    assert (session["cover"], session["starttls"], session["user"]) == ("none", False, "alice")


@pytest.mark.parametrize(
    ("service", "commands", "client"),
    [
        ("submissions", "ehlo=1 auth=1 quit=1", CLIENT),  # TLS begins at once: never a starttls=
        ("submission", "ehlo=2 starttls=1 auth=1 quit=1", CLIENT),
        ("submission", "ehlo=1 auth=1 quit=1", "127.0.0.1"),
        ("submission", "ehlo=1 auth=1 quit=1", "::1"),
    ],
)
def test_what_is_no_login_in_clear(service: str, commands: str, client: str) -> None:
    log = Log(service=service, client=client)
    log.line(0, Kind.CONNECT)
    log.line(1, Kind.DISCONNECT, commands=commands)
    assert _signals(log) == [(Act.LOGIN, "", 1)]


def test_dovecots_secured_is_not_tls_and_tls_outside_is_not_clear() -> None:
    log = Log(daemon="dovecot", service="imap")
    for number, cover in enumerate((Cover.LOCAL, Cover.OUTSIDE, Cover.TLS, Cover.NONE)):
        log.line(number, Kind.LOGIN, user="alice", cover=cover, session=f"s{number}")
    assert [act for act, _, _ in _signals(log)].count(Act.CLEAR_LOGIN) == 1


def test_a_pid_is_used_again_and_lines_of_others_lie_between() -> None:
    log = Log()
    log.line(0, Kind.CONNECT, client="192.0.2.1")
    log.line(0, Kind.CONNECT, client="192.0.2.2", pid=8)
    log.line(1, Kind.AUTH_FAILED, client="192.0.2.1", method="PLAIN", user="alice")
    log.line(1, Kind.DISCONNECT, client="192.0.2.1", commands="ehlo=1 auth=0/1")
    log.line(1, Kind.CONNECT, client="192.0.2.3")  # the same pid in the same second
    log.line(2, Kind.AUTH_FAILED, client="192.0.2.3", method="LOGIN", user="alice")
    log.line(3, Kind.DISCONNECT, client="192.0.2.2", pid=8, commands="commands=0/0")
    log.line(4, Kind.AUTH_FAILED, client="192.0.2.4", method="LOGIN", user="carol")  # its connect line was lost
    assert sorted(_signals(log)) == [
        (Act.LOGIN_FAILED, "alice", 1), (Act.LOGIN_FAILED, "alice", 1), (Act.LOGIN_FAILED, "carol", 1),
        (Act.PROBE, "", 1),
    ]  # fmt: skip
    assert len(derived(log.events)["sessions"]) == 4


def test_two_connections_of_a_pid_in_one_second_have_names_of_their_own() -> None:
    log = Log()
    for number in range(2):
        log.line(0, Kind.CONNECT)
        log.line(0, Kind.ACCEPTED, queue=f"Q{number}")
        log.line(0, Kind.QUEUED, queue=f"Q{number}", recipients=3)
        log.line(0, Kind.DISCONNECT, commands="ehlo=1 starttls=1 mail=1")
    _signals(log)
    rows = derived(log.events)["sessions"]
    assert [row["recipients"] for row in rows] == [3, 3]
    assert len({row["key"] for row in rows}) == 2


def test_the_cause_of_a_failed_handshake_stands_in_the_next_line_of_the_process() -> None:
    log = Log()
    log.line(0, Kind.CONNECT)
    log.line(1, Kind.HANDSHAKE_FAILED, reason="-1")
    log.line(1, Kind.LIBRARY, client="", pid=8, reason="error:0A0000C1:SSL routines::no shared cipher:../x:1:")
    log.line(1, Kind.LIBRARY, client="", reason="error:0A000102:SSL routines::unsupported protocol:../x:1:")
    log.line(2, Kind.HANDSHAKE_FAILED, pid=9, reason="-1")
    log.line(2, Kind.LIBRARY, pid=9, client="", reason="error:0A000418:SSL routines::tlsv1 alert unknown ca:../x:1:")
    assert [(one.act, one.cause) for one in told(log.events)] == [
        (Act.HANDSHAKE_FAILED, "unsupported protocol"),
        (Act.CERTIFICATE_REJECTED, "unknown ca"),
    ]
    _signals(log)


def test_postscreen_hands_over_to_one_connection() -> None:
    log = Log(service="smtp")
    log.line(0, Kind.CONNECT, daemon="postscreen", client_port=4711, port=25)
    log.line(6, Kind.SCREENED, daemon="postscreen", client_port=4711)
    log.line(6, Kind.CONNECT)
    log.line(7, Kind.ACCEPTED, queue="Q1")
    log.line(8, Kind.DISCONNECT, commands="ehlo=1 mail=1 rcpt=1 data=1 quit=1")
    (session,) = derived(log.events, parts=3)["sessions"]
    assert (session["client_port"], session["port"], session["outcome"], session["lines"]) == (4711, 25, "accepted", 5)


def test_a_message_is_counted_once_and_its_id_may_come_again() -> None:
    log = Log(service="submission")
    for start, user in ((0, "alice"), (100, "bob")):
        log.line(start, Kind.CONNECT)
        log.line(start + 1, Kind.ACCEPTED, queue="9F1", user=user)
        queue = {"queue": "9F1", "client": ""}
        log.line(start + 2, Kind.QUEUED, daemon="qmgr", recipients=2, sender=f"{user}@example.org", size=900, **queue)
        log.line(start + 3, Kind.DELIVERY, daemon="smtp", result=Result.DEFERRED, recipient="x@peer.example", **queue)
        log.line(start + 9, Kind.QUEUED, daemon="qmgr", recipients=2, sender=f"{user}@example.org", size=900, **queue)
        log.line(start + 10, Kind.DELIVERY, daemon="smtp", result=Result.SENT, recipient="x@peer.example", **queue)
        log.line(start + 11, Kind.REMOVED, daemon="qmgr", **queue)
    signals = _signals(log)
    assert [one for one in signals if one[0] is Act.MESSAGE] == [(Act.MESSAGE, "alice", 2), (Act.MESSAGE, "bob", 2)]
    rows = derived(log.events)["messages"]
    assert [(row["user"], row["results"], row["removed"]) for row in rows] == [
        ("alice", ["deferred", "sent"], True), ("bob", ["deferred", "sent"], True),
    ]  # fmt: skip


def test_a_handshake_covers_the_message_it_was_made_for_and_no_other() -> None:
    log = Log(daemon="smtp", service="", client="")
    relay = {"relay": "mx.peer.example[203.0.113.5]:25", "recipient": "x@peer.example", "result": Result.SENT}
    log.line(0, Kind.TLS_OUT, tls="TLSv1.3", relay=relay["relay"])
    log.line(1, Kind.DELIVERY, queue="Q1", **relay)
    log.line(1, Kind.DELIVERY, queue="Q1", **relay)
    log.line(9, Kind.DELIVERY, queue="Q2", **relay)  # STARTTLS was gone
    _signals(log)
    assert [one.cover for one in told(log.events)] == [Cover.TLS, Cover.TLS, Cover.NONE]


def test_the_network_of_a_client_is_the_same_however_its_address_is_written() -> None:
    log = Log()
    odd = (
        "0.0.0.0",
        "255.255.255.255",
        "192.0.2.07",
        "256.0.2.1",
        "192.0.2.1.",
        "192.0.2",
        "192.0.2.1:25",
        "::ffff:192.0.2.9",
    )
    for number, client in enumerate((*odd, "2001:db8:1:2::5", "unknown", "")):
        log.line(number, Kind.AUTH_FAILED, client=client, pid=number, user="alice", method="PLAIN")
    _signals(log)
    assert len({one.network for one in told(log.events)}) == 5


def test_an_account_or_a_host_may_be_called_like_any_word() -> None:
    log = Log(host="tls", service="submission")
    for number, name in enumerate(("connect", "'", "none", "\u00e9", "")):
        log.line(number, Kind.CONNECT, pid=number, host=name)
        log.line(number, Kind.AUTH_FAILED, pid=number, host=name, user=name, method=name, code=name)
        log.line(number, Kind.ACCEPTED, pid=number, host=name, user="alice", queue="Q1", tls=name)
    assert len(_signals(log)) == 10


MIDNIGHT = NOON + DAY // 2


def _over_midnight() -> list[Event]:
    log = Log(start=MIDNIGHT)
    for number, start in enumerate((-40_000, -100, -2, 3, 30_000)):
        usual: dict[str, Any] = {"pid": number, "client": f"192.0.2.{number}"}
        log.line(start, Kind.CONNECT, **usual)
        log.line(start + 1, Kind.AUTH_FAILED, user="alice", method="PLAIN", **usual)
        log.line(start + 4, Kind.ACCEPTED, user="alice", queue=f"Q{number}", **usual)
        log.line(start + 5, Kind.QUEUED, queue=f"Q{number}", recipients=1, **usual)
        log.line(start + 90, Kind.DISCONNECT, commands="ehlo=1 starttls=1 auth=1/2", **usual)
        imap = {"daemon": "dovecot", "service": "imap", "session": f"s{number}"}
        log.line(start, Kind.LOGIN, user="bob", cover=Cover.TLS, **usual, **imap)
        log.line(start + 200, Kind.LOGOUT, user="bob", size=77, pid=5, client="", **imap)
    return sorted(log.events, key=lambda one: (one.at, one.offset))


def _rows(lake: Lake, dataset: str) -> list[tuple[object, ...]]:
    order = "key" if dataset == "sessions" else "ALL"
    return [tuple(row) for row in lake.connect().sql(f"SELECT * FROM {dataset} ORDER BY {order}").fetchall()]  # noqa: S608 - ours


def _taken(lake: Lake, events: Sequence[Event]) -> None:
    lake.append(table(events), Position("mail.log", Shape.FILE, "g", events[-1].offset + 1))
    lake.commit()


def test_days_come_out_the_same_together_apart_and_again(tmp_path: Path) -> None:
    events = _over_midnight()
    with Lake.open(tmp_path / "whole", write=True) as whole, Lake.open(tmp_path / "apart", write=True) as apart:
        _taken(whole, events)
        assert derive(whole) == tuple(sorted({day_of(one.at) for one in events}))
        for cut in range(0, len(events), 4):
            _taken(apart, events[cut : cut + 4])
            derive(apart)
        for dataset in ("sessions", "signals", "messages", "usage"):
            assert _rows(whole, dataset) == _rows(apart, dataset)
        assert derive(whole) == ()
        assert len(_rows(whole, "sessions")) == 10  # each once, also those over midnight


def test_only_days_that_changed_are_done_again(tmp_path: Path) -> None:
    log = Log()
    for number in range(4):
        log.line(number * 86_400, Kind.AUTH_FAILED, user="alice", method="PLAIN")
    with Lake.open(tmp_path / "lake", write=True) as lake:
        _taken(lake, log.events)
        assert len(derive(lake)) == 4
        late = log.line(86_400 + 60, Kind.AUTH_FAILED, user="bob", method="PLAIN")
        _taken(lake, [late])
        assert derive(lake) == (day_of(late.at),)
        assert lake.connect().execute("SELECT count(*) FROM signals").fetchone() == (5,)


def test_an_empty_lake_has_nothing_to_derive(tmp_path: Path) -> None:
    with Lake.open(tmp_path / "lake", write=True) as lake:
        assert derive(lake) == ()


def test_a_process_apart_derives_the_same(tmp_path: Path) -> None:
    events = _over_midnight()
    with Lake.open(tmp_path / "here", write=True) as here, Lake.open(tmp_path / "there", write=True) as there:
        _taken(here, events)
        _taken(there, events)
        assert derive(there, derived_apart()) == derive(here)
        for dataset in ("sessions", "signals", "messages", "usage"):
            assert _rows(there, dataset) == _rows(here, dataset)
        assert not list(there.directory.glob(".deriving-*"))


def test_one_that_is_stopped_leaves_the_lake_as_it_was(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with Lake.open(tmp_path / "lake", write=True) as lake:
        _taken(lake, _over_midnight())
        with pytest.raises(CannotLook):
            derive(lake, derived_apart(stop))
        assert _rows(lake, "sessions") == []
        assert derive(lake)
