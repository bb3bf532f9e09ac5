"""Dovecot's authentication policy protocol."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.errors import PeerGarbled
from gatepost.policing import dovecot
from gatepost.policing.attempt import Answer, Course

# what Dovecot 2.3.19 sent, with addresses for documentation
ALLOW = (
    b' {"device_id":"","local_port":"143","login":"Alice@example.org","protocol":"imap","pwhash":"b9c",'
    b'"remote":"192.0.2.7","session_id":"srRoGwlhEtR/AAAB","tls":false}'
)
REPORT = ALLOW[:-12] + b'"success":false,"policy_reject":true,"tls":false}'


def test_reads_what_dovecot_asks() -> None:
    asked = dovecot.attempt(ALLOW)
    assert (asked.user, asked.client, asked.service, asked.port) == ("alice@example.org", "192.0.2.7", "imap", 143)
    assert (asked.tls, asked.digest, asked.session) == (False, "b9c", "srRoGwlhEtR/AAAB")
    assert asked.network == "192.0.2.0/24"


def test_reads_how_a_login_ended() -> None:
    ended = dovecot.ended(REPORT)
    assert (ended.success, ended.refused, ended.attempt.user) == (False, True, "alice@example.org")


@pytest.mark.parametrize(
    ("answer", "status"),
    [(Answer(Course.ALLOW), 0), (Answer(Course.DELAY, 4), 4), (Answer(Course.DENY, because="x"), -1)],
)
def test_answers_in_dovecots_numbers(answer: Answer, status: int) -> None:
    assert json.loads(dovecot.reply(answer))["status"] == status


def test_tells_the_one_refused_nothing_about_others() -> None:
    told = json.loads(dovecot.reply(Answer(Course.DENY, because="192.0.2.0/24 failed at 15 accounts")))
    assert "192.0.2" not in told["msg"]
    assert told["msg"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"login":7}', b"[" * 100_000, b'{"login":"a"', b"\xff"])
def test_says_what_is_no_question(body: bytes) -> None:
    with pytest.raises(PeerGarbled):
        dovecot.attempt(body)


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()), st.text())
def test_takes_any_values(fields: dict[str, object], login: str) -> None:
    asked = dovecot.attempt(json.dumps({**fields, "login": login}).encode())
    assert len(asked.user) <= 256
