"""The SQL of the lake and the live watch tell the same signals for the same lines, whatever the lines.

Each sequence of lines stands under a host name of its own, so that one run of the SQL judges thousands of them.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from gatepost.model.event import Cover, Event, Kind, Result
from tests.lines import Log, counted, counted_rows, derived, told

CLIENTS = ("192.0.2.7", "192.0.2.8", "192.0.2.7", "192.0.2.8", "2001:db8:1:2::5", "127.0.0.1", "::1", "")
REASONS = (
    "", "CONNECT", "EHLO", "AUTH", "STARTTLS", "sieve", "unknown user", "Password mismatch",
    "error:0A000102:SSL routines::unsupported protocol", "error:0A000418:SSL routines::tlsv1 alert unknown ca",
    "<a@b>: Relay access denied", "<a@b>: Recipient address rejected: User unknown in table", "GET / HTTP/1.1",
)  # fmt: skip
COMMANDS = ("", "ehlo=1 auth=0/2 commands=1/3", "ehlo=2 starttls=1 auth=1 mail=1", "ehlo=1 auth=1/2 quit=1",
            "commands=0/0", "ehlo=1 starttls=0/1 commands=1/2", "auth=1")  # fmt: skip
RELAYS = ("mx.peer.example[203.0.113.1]:25", "MX2.peer.example[203.0.113.2]:25", "127.0.0.1[127.0.0.1]:10024", "none")
SMTPD = (("smtpd", "smtp"), ("smtpd", "submission"), ("smtpd", "submissions"))
ALL = (*SMTPD, ("postscreen", "smtp"), ("tlsproxy", "smtp"), ("dovecot", "imap"), ("exim", "smtp"), ("smtp", "smtp"),
       ("lmtp", "smtp"), ("qmgr", ""), ("kernel", ""))  # fmt: skip
TALK = (Kind.CONNECT, Kind.TLS, Kind.AUTH_FAILED, Kind.AUTH_FAILED, Kind.HANDSHAKE_FAILED, Kind.LIBRARY, Kind.ACCEPTED,
        Kind.REJECTED, Kind.ABORTED, Kind.QUEUED, Kind.DISCONNECT)  # fmt: skip
MAIL = (Kind.ACCEPTED, Kind.QUEUED, Kind.TLS_OUT, Kind.DELIVERY, Kind.DELIVERY, Kind.REMOVED)
SHAPES = {
    "any": (tuple(Kind), ALL, tuple(Result)),
    "mail": (MAIL, (*SMTPD[:2], ("smtp", "smtp")), (Result.SENT, Result.SENT, Result.DEFERRED)),
    "talk": (TALK, SMTPD, tuple(Result)),
}
STEPS = (0, 0, 0, 1, 2, 9, 11, 59, 61)
LEAPS = (3000, 3601, 21_000, 43_000)


def _sequence(draw: random.Random, host: str, shape: str) -> list[Event]:
    kinds, daemons, results = SHAPES[shape]
    log, now = Log(host=host), 0
    for _ in range(draw.randrange(1, 14)):
        now += draw.choice(LEAPS if draw.random() < 0.05 else STEPS)
        daemon, service = draw.choice(daemons)
        kind = draw.choice(kinds)
        if daemon == "dovecot" and kind is Kind.DISCONNECT:
            kind = Kind.LOGOUT  # Dovecot has no line after it
        log.line(now, kind, daemon=daemon, service=service, **_fields(draw, daemon, results))
    return log.events


def _fields(draw: random.Random, daemon: str, results: tuple[Result, ...]) -> dict[str, Any]:
    some = draw.choice
    return {
        "session": some(("s1", "s2")) if daemon == "dovecot" else "",
        "pid": some((7, 7, 8, None)),
        "client": some(CLIENTS),
        "client_port": some((None, None, None, 4711)),
        "user": some(("", "alice", "bob@example.org")),
        "method": some(("", "PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2")),
        "cover": some((*Cover, *(4 * (Cover.UNKNOWN,)))),
        "tls": some(("", "TLSv1.3", "TLSv1")),
        "queue": some(("", "Q1", "Q2", "Q3")),
        "relay": some(RELAYS),
        "recipient": some(("", "x@Peer.example", "y@other.example")),
        "sender": some(("", "a@example.org")),
        "result": some(results),
        "reason": some(REASONS),
        "code": some(("", "550 5.1.1", "454 4.7.1", "auth_failed")),
        "commands": some(COMMANDS),
        "attempts": some((None, None, 0, 1, 3)),
        "size": some((None, 0, 900)),
        "recipients": some((None, 0, 1, 5)),
    }


@pytest.mark.parametrize("shape", sorted(SHAPES))
@pytest.mark.parametrize("seed", range(2))
def test_both_tell_the_same(shape: str, seed: int) -> None:
    draw = random.Random(f"{shape} {seed}")  # noqa: S311 - test data
    sequences = [_sequence(draw, f"host{number}", shape) for number in range(700)]
    live: Counter[tuple[Any, ...]] = Counter()
    for lines in sequences:
        live += counted(told(lines))
    stored = counted_rows(derived([one for lines in sequences for one in lines], parts=1 + seed)["signals"])
    assert sum(live.values()) > 700
    assert _apart(stored, live, sequences) == ""


def _apart(stored: Counter[tuple[Any, ...]], live: Counter[tuple[Any, ...]], sequences: list[list[Event]]) -> str:
    """The shortest sequence they disagree about, to be read by a person."""
    differing = [*(stored - live), *(live - stored)]
    if not differing:
        return ""
    host = min({one[1] for one in differing}, key=lambda name: len(sequences[int(name.removeprefix("host"))]))
    lines = "\n".join(str(one) for one in sequences[int(host.removeprefix("host"))])
    return f"stored only: {[*(stored - live)]}\nlive only: {[*(live - stored)]}\n{lines}"
