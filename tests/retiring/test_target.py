"""What an operator may call it, and which uses end with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from gatepost.errors import UsageError
from gatepost.model.event import Cover
from gatepost.model.use import Use
from gatepost.retiring.target import Concerned, target

USE = Use(
    date(2026, 11, 20), "mx1", "imap", None, Cover.TLS, None, "TLSv1.3", "PLAIN", "alice", "192.0.2.0/24", "",
    3, 0, 0, 1, 2,
)  # fmt: skip
YES, NO, MAYBE = Concerned.YES, Concerned.NO, Concerned.MAYBE


@pytest.mark.parametrize(
    ("said", "name", "title"),
    [
        ("110", "110", "port 110 (pop3)"),
        ("pop3", "110", "port 110 (pop3)"),
        ("587-plain", "587-plain", "clear text on port 587 (submission)"),
        ("25-auth", "25-auth", "logins on port 25 (smtp)"),
        ("tls1.0", "tls1.0", "TLS 1.0 and older"),
        ("TLSv1.1", "tls1.1", "TLS 1.1 and older"),
        ("sslv3", "sslv3", "SSL 3 and older"),
        ("CRAM-MD5", "cram-md5", "logins by CRAM-MD5"),
    ],
)
def test_names(said: str, name: str, title: str) -> None:
    aim = target(said)
    assert (aim.name, aim.title) == (name, title)


@pytest.mark.parametrize("said", ["", "99999", "tls9", "110-", "-plain", "pop9", "\uff11\uff11\uff10", "tls1.0.0"])
def test_refuses_what_is_none(said: str) -> None:
    with pytest.raises(UsageError):
        target(said)


@pytest.mark.parametrize(
    ("said", "use", "ends"),
    [
        ("143", replace(USE, port=143), YES),
        ("143", replace(USE, port=993), NO),
        ("143", USE, MAYBE),
        ("993", USE, MAYBE),
        ("143", replace(USE, cover=Cover.NONE), YES),
        ("993", replace(USE, cover=Cover.NONE), NO),
        ("143", replace(USE, starttls=True), YES),
        ("993", replace(USE, starttls=True), NO),
        ("110", USE, NO),
        ("587", replace(USE, service="submission"), YES),
        ("465", replace(USE, service="submission"), NO),
        ("465", replace(USE, service="submissions"), YES),
        ("143-plain", replace(USE, cover=Cover.NONE), YES),
        ("143-plain", USE, NO),
        ("143-plain", replace(USE, cover=Cover.LOCAL), NO),
        ("143-plain", replace(USE, cover=Cover.UNKNOWN), MAYBE),
        ("25-auth", replace(USE, service="smtp", user=""), NO),
        ("25-auth", replace(USE, service="smtp"), YES),
        ("tls1.1", replace(USE, tls="TLSv1"), YES),
        ("tls1.0", replace(USE, tls="TLSv1.1"), NO),
        ("tls1.1", replace(USE, tls=""), MAYBE),
        ("tls1.1", replace(USE, tls="", cover=Cover.NONE), NO),
        ("tls1.1", replace(USE, tls="TLSv9"), NO),
        ("cram-md5", replace(USE, method="CRAM-MD5"), YES),
        ("cram-md5", USE, NO),
    ],
)
def test_which_uses_end(said: str, use: Use, ends: Concerned) -> None:
    assert target(said).concerns(use) is ends
