"""The SQL of the lake and the live watch tell the same signals for the same lines, whatever the lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatepost.model.event import Cover, Event, Kind, Result
from tests.lines import Log, counted, counted_rows, derived, told

CLIENTS = ("192.0.2.7", "192.0.2.8", "2001:db8:1:2::5", "127.0.0.1", "::1", "")
USERS = ("", "alice", "bob@example.org")
QUEUES = ("", "Q1", "Q2", "Q3")
REASONS = (
    "", "CONNECT", "EHLO", "AUTH", "STARTTLS", "sieve", "unknown user", "Password mismatch",
    "error:0A000102:SSL routines::unsupported protocol", "error:0A000418:SSL routines::tlsv1 alert unknown ca",
    "<a@b>: Relay access denied", "<a@b>: Recipient address rejected: User unknown in table", "GET / HTTP/1.1",
)  # fmt: skip
COMMANDS = ("", "ehlo=1 auth=0/2 commands=1/3", "ehlo=2 starttls=1 auth=1 mail=1", "ehlo=1 auth=1/2 quit=1",
            "commands=0/0", "ehlo=1 starttls=0/1 commands=1/2", "auth=1")  # fmt: skip
DAEMONS = (
    ("smtpd", "smtp"), ("smtpd", "submission"), ("smtpd", "submissions"), ("postscreen", "smtp"), ("tlsproxy", "smtp"),
    ("dovecot", "imap"), ("exim", "smtp"), ("smtp", "smtp"), ("lmtp", "smtp"), ("qmgr", ""), ("kernel", ""),
)  # fmt: skip
RELAYS = ("mx.peer.example[203.0.113.1]:25", "MX2.peer.example[203.0.113.2]:25", "127.0.0.1[127.0.0.1]:10024", "none")

LINES = st.fixed_dictionaries(
    {
        "seconds": st.sampled_from((0, 0, 0, 1, 2, 9, 11, 59, 61, 3000, 3601, 21_000, 43_000)),
        "kind": st.sampled_from(Kind),
        "daemon": st.sampled_from(DAEMONS),
        "pid": st.sampled_from((7, 7, 8, None)),
        "client": st.sampled_from(CLIENTS),
        "client_port": st.sampled_from((None, None, 4711)),
        "user": st.sampled_from(USERS),
        "method": st.sampled_from(("", "PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2")),
        "cover": st.sampled_from(Cover),
        "tls": st.sampled_from(("", "TLSv1.3", "TLSv1")),
        "queue": st.sampled_from(QUEUES),
        "relay": st.sampled_from(RELAYS),
        "recipient": st.sampled_from(("", "x@Peer.example", "y@other.example")),
        "sender": st.sampled_from(("", "a@example.org")),
        "result": st.sampled_from(Result),
        "reason": st.sampled_from(REASONS),
        "code": st.sampled_from(("", "550 5.1.1", "454 4.7.1", "auth_failed")),
        "commands": st.sampled_from(COMMANDS),
        "attempts": st.sampled_from((None, None, 0, 1, 3)),
        "size": st.sampled_from((None, 0, 900)),
        "recipients": st.sampled_from((None, 0, 1, 5)),
    }
)
TALK = (Kind.CONNECT, Kind.TLS, Kind.AUTH_FAILED, Kind.AUTH_FAILED, Kind.HANDSHAKE_FAILED, Kind.LIBRARY, Kind.ACCEPTED,
        Kind.REJECTED, Kind.ABORTED, Kind.QUEUED, Kind.DISCONNECT)  # fmt: skip
MAIL = (Kind.ACCEPTED, Kind.QUEUED, Kind.TLS_OUT, Kind.DELIVERY, Kind.DELIVERY, Kind.REMOVED)


def _written(rows: list[dict[str, Any]], sessions: tuple[str, ...]) -> list[Event]:
    log, now = Log(), 0.0
    for number, row in enumerate(rows):
        given = dict(row)
        now += given.pop("seconds")
        daemon, service = given.pop("daemon")
        session = sessions[number % len(sessions)] if daemon == "dovecot" else ""
        log.line(now, given.pop("kind"), daemon=daemon, service=service, session=session, **given)
    return log.events


def _narrowed(kinds: tuple[Kind, ...], daemons: tuple[tuple[str, str], ...]) -> Callable[[dict[str, Any]], Any]:
    def narrow(row: dict[str, Any]) -> Any:
        return st.tuples(st.sampled_from(kinds), st.sampled_from(daemons)).map(
            lambda two: row | {"kind": two[0], "daemon": two[1], "seconds": min(row["seconds"], 61)}
        )

    return narrow


def _agree(events: list[Event], parts: int) -> None:
    assert counted_rows(derived(events, parts=parts)["signals"]) == counted(told(events))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(LINES, max_size=25), st.sampled_from((("s1",), ("s1", "s2"))), st.sampled_from((1, 3)))
def test_any_lines(rows: list[dict[str, Any]], sessions: tuple[str, ...], parts: int) -> None:
    _agree(_written(rows, sessions), parts)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(LINES.flatmap(_narrowed(TALK, DAEMONS[:3])), max_size=25))
def test_talk_with_clients(rows: list[dict[str, Any]]) -> None:
    _agree(_written(rows, ("",)), 1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(LINES.flatmap(_narrowed(MAIL, (*DAEMONS[:2], DAEMONS[7]))), max_size=25))
def test_mail_under_way(rows: list[dict[str, Any]]) -> None:
    _agree(_written(rows, ("",)), 1)
