"""No password leaves the reading of a log, also where no pattern understands the line."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.logs.coverage import Tally
from gatepost.logs.masking import masked
from gatepost.logs.understanding import understand
from gatepost.model.event import Event
from gatepost.model.log import Line

SECRET = "s3cr3t+Pw"
BASE64 = "AGFsaWNlAHMzY3IzdCtQdw=="
TEXTS = (
    f"Password mismatch (given password: {SECRET})",
    f"unknown user (given password: {SECRET} and )more",
    f"Password mismatch (SHA1 of given password: {SECRET})",
    f"client in: AUTH\t1\tPLAIN\tservice=imap\tresp={SECRET} (previous base64 data may contain sensitive data)",
    f"client in: CONT\t5\t{SECRET} (previous base64 data may contain sensitive data)",
    f"passwd-file(alice,198.51.100.9): SHA512-CRYPT({SECRET}) != '$6$wwQ$UdOW'",
    f"passwd-file(alice): Credentials: {SECRET}",
    f"Requested CRAM-MD5 scheme, but we have only SHA512-CRYPT (input: $6$wwQ${SECRET})",
    f"master userdb out: USER\t1\talice\tauth_token={SECRET}\tauth_user=alice",
    f"AUTH PLAIN {SECRET}",
    f"a1 LOGIN alice {SECRET}",
    f"PASS {SECRET}",
    f"USER alice\\r\\nPASS {SECRET}\\r\\n",
    f"Authorization: Basic {SECRET}",
    f"Cookie: session={SECRET}",
    f"https://idp.example/introspect?access_token={SECRET}&x=1",
    f"password = {SECRET}",
    f"AUTHENTICATE PLAIN {SECRET}",
    f"Aborted LOGIN alice {SECRET}",
    f"LOGIN (no {SECRET}",
    f"Aborted login (no auth attempts in 1 secs): a1 LOGIN bob {SECRET}",
)
BOXES = (
    ("postfix/smtpd", "warning: non-SMTP command from unknown[198.51.100.7]: {}"),
    ("postfix/smtpd", "improper command pipelining after EHLO from unknown[198.51.100.7]: {}"),
    ("postfix/postscreen", "PREGREET 14 after 0.08 from [198.51.100.7]:40312: {}"),
    ("dovecot", "auth: Debug: {}"),
    ("dovecot", "auth: passwd-file(alice,198.51.100.7): {}"),
    ("dovecot", "auth(alice,198.51.100.7,sasl:plain)<a>: sql: {}"),
    ("dovecot", "quite: unheard of {}"),
    ("something", "{}"),
)


@pytest.mark.parametrize("text", TEXTS)
def test_secrets_are_masked(text: str) -> None:
    assert SECRET not in masked(text)
    assert "***" in masked(text)


@pytest.mark.parametrize(("tag", "box"), BOXES)
@pytest.mark.parametrize("text", TEXTS)
def test_no_field_of_an_event_holds_one(tag: str, box: str, text: str) -> None:
    line = Line(1, "mx1", tag, 1, box.format(text))
    event = understand(line)
    assert not [one.name for one in fields(Event) if SECRET in str(getattr(event, one.name))]
    tally = Tally()
    tally.add(line, event)
    assert not [said for one in tally.coverage() for said in one.samples if SECRET in said]


def test_what_follows_auth_is_all_secret() -> None:
    said = f"improper command pipelining after AUTH from unknown[198.51.100.7]: {BASE64}\\r\\nQUIT\\r\\n"
    assert understand(Line(1, "mx1", "postfix/smtpd", 1, said)).reason == "***"


@pytest.mark.parametrize(
    "text",
    [
        "AUTH command rate",
        "authentication failure",
        "Password mismatch",
        "UGFzc3dvcmQ6",
        "Relay access denied",
        "GET /",
        "Aborted login (no auth attempts in 1 secs)",
        "Aborted login (auth failed, 1 attempts in 2 secs): user=<alice>",
        "Aborted login by logging out (no auth attempts in 0 secs)",
        "Aborted login (client didn't finish SASL auth, waited 30 secs)",
        "Aborted login (disconnected while authenticating, waited 4 secs)",
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert masked(text) == text


@given(st.text(max_size=300), st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=8, max_size=20))
def test_whatever_stands_before_a_password(before: str, password: str) -> None:
    text = f"{before} (given password: {password}ZZ)"
    assert f"{password}ZZ" not in masked(text)
