from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.wire.software import by_habit, own_name, software


@pytest.mark.parametrize(
    ("text", "name", "version"),
    [
        ("mx.example.org ESMTP Postfix (Debian/GNU)", "Postfix", ""),
        ("mx.example.org ESMTP Postfix (3.7.11)", "Postfix", "3.7.11"),
        ("mx.example.org ESMTP Postfix 3.11-20260101", "Postfix", "3.11-20260101"),
        ("mail.example.org ESMTP Exim 4.96.2 Tue, 24 Nov 2026 06:00:00 +0000", "Exim", "4.96.2"),
        ("mail ESMTP Sendmail 8.17.1/8.17.1; Tue, 24 Nov 2026", "Sendmail", "8.17.1"),
        ("mx.example.org ESMTP OpenSMTPD", "OpenSMTPD", ""),
        ("[CAPABILITY IMAP4rev1] Dovecot (Debian) ready.", "Dovecot", ""),
        ("IMPLEMENTATION Dovecot Pigeonhole", "Pigeonhole", ""),
        ("IMPLEMENTATION Dovecot (Ubuntu) Pigeonhole", "Pigeonhole", ""),
        ("imap.example.org Cyrus IMAP 3.6.1-Debian server ready", "Cyrus", "3.6.1-Debian"),
        ("IMPLEMENTATION Cyrus timsieved v2.4.17", "Cyrus", "2.4.17"),
        ("Courier-IMAP ready. Copyright 1998-2021 Double Precision, Inc.", "Courier", ""),
        ("Hello there.", "Courier", ""),
        ("EX01 Microsoft ESMTP MAIL Service ready at Tue", "Exchange", ""),
        ("host Microsoft ESMTP MAIL Service, Version: 6.0.3790.4675 ready", "Exchange", "6.0.3790.4675"),
        ("The Microsoft Exchange POP3 service is ready.", "Exchange", ""),
        ("mx ESMTP Service (Lotus Domino Release 8.5.3FP6) ready at", "Domino", "8.5.3FP6"),
        ("Stalwart ManageSieve v0.11.8", "Stalwart", "0.11.8"),
        ("mx.example.org Stalwart ESMTP at your service", "Stalwart", ""),
        ("mx.example.org ESMTP Haraka/3.0.3 ready", "Haraka", "3.0.3"),
        ("mx ESMTP MailEnable Service, Version: 10.28--10.28 ready", "MailEnable", "10.28--10.28"),
        ("mx.example.org ESMTP IceWarp 13.0.3.12; Tue", "IceWarp", "13.0.3.12"),
        ("mx.example.org Kerio Connect 9.4.2 ESMTP ready", "Kerio Connect", "9.4.2"),
        ("mx.example.org ESMTP MDaemon 21.5.0; Tue", "MDaemon", "21.5.0"),
        ("mx.example.org Axigen ESMTP ready", "Axigen", ""),
        ("mx Zimbra LMTP server ready", "Zimbra", ""),
        ("ESMTP Server (JAMES SMTP Server 2.3.2) ready", "James", "2.3.2"),
        ("Qpopper (version 4.0.19) at pop.example.org starting.", "Qpopper", "4.0.19"),
        ("mx.google.com ESMTP a1-b2 - gsmtp", "Gmail", ""),
        ("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3", "OpenSSH", "9.2p1"),
        ("mx.example.org ESMTP", "", ""),
        ("", "", ""),
    ],
)
def test_names_and_versions(text: str, name: str, version: str) -> None:
    assert software(text) == (name, version)


def test_a_date_is_no_version() -> None:
    assert software("mx ESMTP Exim ready 24.11.2026") == ("Exim", "")


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("mx.example.org ESMTP Postfix", "mx.example.org"),
        ("MX.Example.ORG.", "mx.example.org"),
        ("localhost ESMTP", ""),
        ("192.0.2.25 ESMTP", ""),
        ("Hello there.", ""),
        ("", ""),
        ("   ", ""),
    ],
)
def test_own_name(text: str, host: str) -> None:
    assert own_name(text) == host


@given(st.text(max_size=400))
def test_any_text_is_read(text: str) -> None:
    name, version = software(text)
    assert name or not version
    assert own_name(text) == own_name(text).lower()


@pytest.mark.parametrize(
    ("answers", "name"),
    [
        (("mail.example ESMTP", "2.0.0 Ready to start TLS", "500 5.5.2 Error: command not recognized"), "Postfix"),
        (("ready", "OK Begin TLS negotiation now."), "Dovecot"),
        (("NO [PRIVACYREQUIRED] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.",), "Dovecot"),
        (("mail ESMTP", "TLS go ahead"), "Exim"),
        (("2.0.0 SMTP server ready",), "Exchange"),
        (("mail.example ESMTP", "2.0.0 Ready to start TLS"), ""),  # Sendmail says so too
        ((), ""),
    ],
)
def test_stock_sentences_give_a_server_away(answers: tuple[str, ...], name: str) -> None:
    assert by_habit(answers) == name
