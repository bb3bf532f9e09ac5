"""Who speaks: one row per kind of peer."""

from __future__ import annotations

import pytest

from gatepost.errors import BudgetSpent
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import Greeting, Identified, Observation, Unobserved, of
from gatepost.model.words import Mode, Reason
from gatepost.wire.banners import protocol_of
from gatepost.wire.identify import identify
from gatepost.wire.lines import Wire
from tests.script import Script, collect

AT = Endpoint("mx.example", "192.0.2.25", 2525)

SPEAKS_FIRST = [
    ("< 220 mx ESMTP Postfix\n> EHLO *\n< 250-mx\n< 250 STARTTLS\n> QUIT", "smtp", Mode.STARTTLS, "Postfix"),
    ("< 220-mx teaser\n< 220 mx\n> EHLO *\n< 250 mx\n> QUIT", "smtp", Mode.NONE, ""),
    ("< 554 no service", "smtp", Mode.NONE, ""),
    ("< 220 mx ready\n> EHLO *\n< 500 what\n> LHLO *\n< 250-mx\n< 250 STARTTLS\n> QUIT", "lmtp", Mode.STARTTLS, ""),
    ("< 220 mx LMTP Dovecot ready\n> LHLO *\n< 250 mx\n> QUIT", "lmtp", Mode.NONE, "Dovecot"),
    ("< * OK Dovecot ready.\n> a1 CAPABILITY\n< * CAPABILITY STARTTLS\n< a1 OK\n> a2 LOGOUT", "imap", Mode.STARTTLS,
     "Dovecot"),
    ("< * BYE full", "imap", Mode.NONE, ""),
    ("< +OK hi\n> CAPA\n< +OK\n< STLS\n< .\n> QUIT", "pop3", Mode.STARTTLS, ""),
    ("< -ERR full\n> QUIT", "pop3", Mode.NONE, ""),
    ('< "IMPLEMENTATION" "Dovecot Pigeonhole"\n< "STARTTLS"\n< OK\n> LOGOUT', "managesieve", Mode.STARTTLS,
     "Pigeonhole"),
    ("< SSH-2.0-OpenSSH_9.2p1 Debian-2", "ssh", Mode.NONE, "OpenSSH 9.2p1"),
    ("< 220 ProFTPD FTP Server ready", "ftp", Mode.NONE, ""),
    ("< HTTP/1.1 400 Bad Request", "http", Mode.NONE, ""),
    ("<= J\\0\\0\\0\\n8.0.36\\0", "mysql", Mode.NONE, ""),
    ("< VERSION\\t1\\t2".replace("\\t", "\t"), "dovecot-auth", Mode.NONE, ""),
    ("< -DENIED Redis is running in protected mode", "redis", Mode.NONE, ""),
    ("< * MUPDATE mx Cyrus", "mupdate", Mode.NONE, "Cyrus"),
    ("<= \\x15\\x03\\x01\\0\\x02\\x02\\n", "tls", Mode.NONE, ""),
    ("< what is this", "unknown", Mode.NONE, ""),
    ("<= no end of line\nSILENT", "unknown", Mode.NONE, ""),
    ("<= \\0\\x01\\x02\nSILENT", "unknown", Mode.NONE, ""),
]  # fmt: skip


def who(text: str, *more: str, cut: int = 0) -> list[Observation]:
    others = [Script.of(one, cut) for one in more]

    async def redial() -> Wire:
        if not others:
            raise BudgetSpent("no connection left")
        return others.pop(0)

    seen = collect(identify(Script.of(text, cut), AT, redial))
    assert not others, "fewer connections than thought"
    return seen


def identity(seen: list[Observation]) -> Identified:
    (found,) = of(Identified, seen)
    return found


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 7])
@pytest.mark.parametrize(("text", "protocol", "mode", "software"), SPEAKS_FIRST)
def test_whoever_speaks_first(text: str, protocol: str, mode: Mode, software: str, cut: int) -> None:
    found = identity(who(text, cut=cut))
    assert (found.protocol, found.mode, found.software) == (protocol, mode, software)
    assert found.first.isprintable()


def test_mail_is_greeted_too() -> None:
    seen = who("< 220 mx.example.org ESMTP Postfix\n> EHLO *\n< 250 mx\n> QUIT")
    assert of(Greeting, seen) == [
        Greeting(AT, "mx.example.org ESMTP Postfix", encrypted=False, seconds=0.0, software="Postfix",
                 host="mx.example.org")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("inside", "protocol"),
    [
        ("< 220 mx\n> EHLO *\n< 250 mx\n> QUIT", "smtp"),
        ("< * OK hi\n> a1 CAPABILITY\n< * CAPABILITY X\n< a1 OK\n> a2 LOGOUT", "imap"),
        ("SILENT\n> GET / HTTP/1.0\n>= \\r\\n\n< HTTP/1.1 200 OK", "https"),
        ("SILENT\n> GET / HTTP/1.0\n>= \\r\\n\nSILENT", "tls"),
        ("", "tls"),
        ("TARPIT", "tls"),
    ],
)
def test_behind_implicit_tls(inside: str, protocol: str) -> None:
    found = identity(who(f"SILENT\nTLS\n{inside}"))
    assert (found.protocol, found.mode) == (protocol, Mode.IMPLICIT)


def test_tls_that_openssl_does_not_speak() -> None:
    found = identity(who("SILENT\nTLS fail: tlsv1 alert protocol version"))
    assert (found.protocol, found.mode) == ("tls", Mode.IMPLICIT)


@pytest.mark.parametrize(
    ("answer", "protocol"),
    [
        ("< HTTP/1.0 404 Not Found", "http"),
        ("< -ERR wrong number of arguments for 'get' command", "redis"),
        ("< -NOAUTH Authentication required.", "redis"),
        ("< ERROR", "memcached"),
        ("< SPAMD/1.0 76 Bad header line", "spamc"),
        ("< UNKNOWN COMMAND", "clamd"),
        ("< 500 not found", "tcp-table"),
        ("< anything else", "unknown"),
    ],
)
def test_whoever_waits_for_a_line(answer: str, protocol: str) -> None:
    seen = who("SILENT\nTLS fail: wrong version number", f"> GET / HTTP/1.0\n>= \\r\\n\n{answer}")
    assert identity(seen).protocol == protocol


def test_a_milter() -> None:
    opening = ">= \\0\\0\\0\\x0dO\\0\\0\\0\\x06\\0\\0\\0\\0\\0\\0\\0\\0\n"
    answer = "<= \\0\\0\\0\\x0dO\\0\\0\\0\\x06\\0\\0\\0\\0\\0\\0\\0\\0"
    seen = who("SILENT\nSILENT", "> GET / HTTP/1.0\n>= \\r\\n", opening + answer)
    assert identity(seen).protocol == "milter"


def test_a_port_that_never_speaks() -> None:
    opening = ">= \\0\\0\\0\\x0dO\\0\\0\\0\\x06\\0\\0\\0\\0\\0\\0\\0\\0\n"
    seen = who("SILENT\nSILENT", "> GET / HTTP/1.0\n>= \\r\\n\nSILENT", opening + "RESET")
    assert identity(seen).protocol == "silent"


@pytest.mark.parametrize(
    ("text", "reason"),
    [("TARPIT", Reason.TARPIT), ("RESET", Reason.RESET), ("", Reason.CLOSED), ("SILENT\nSILENT", Reason.BUDGET)],
)
def test_what_cannot_be_said(text: str, reason: Reason) -> None:
    (loss,) = who(text)
    assert isinstance(loss, Unobserved)
    assert (loss.wanted, loss.reason) == ("identity", reason)


def test_a_trickle_is_a_tarpit() -> None:
    (loss,) = who(f"<= {'x' * 200}", cut=1)
    assert isinstance(loss, Unobserved)
    assert loss.reason is Reason.TARPIT


def test_smtp_codes_only_at_the_start() -> None:
    assert protocol_of(b"a 220 mx") == ""
    assert protocol_of(b"2200 mx") == ""
