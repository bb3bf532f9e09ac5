"""Postfix's policy delegation protocol."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.errors import PeerGarbled
from gatepost.policing import postfix
from gatepost.policing.attempt import Answer, Course

ASKED = (
    b"request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\nhelo_name=pc\nqueue_id=\n"
    b"sender=a@example.org\nrecipient=b@example.net\nrecipient_count=0\nclient_address=2001:db8::7\n"
    b"client_name=unknown\nserver_address=2001:db8::1\nserver_port=587\nsasl_method=PLAIN\n"
    b"sasl_username=Alice\nencryption_protocol=TLSv1.3\ninstance=1.2.3\n\n"
)


def test_reads_account_port_and_tls() -> None:
    (request,) = postfix.Requests().feed(ASKED)
    asked = postfix.attempt(request)
    assert (asked.user, asked.client, asked.port, asked.tls) == ("alice", "2001:db8::7", 587, True)
    assert (asked.stage, asked.network) == ("RCPT", "2001:db8::/64")


def test_knows_clear_text_from_a_postfix_that_does_not_tell() -> None:
    clear = ASKED.replace(b"encryption_protocol=TLSv1.3", b"encryption_protocol=")
    old = ASKED.replace(b"encryption_protocol=TLSv1.3\n", b"")
    assert [postfix.attempt(postfix.Requests().feed(one)[0]).tls for one in (clear, old)] == [False, None]


@given(st.lists(st.integers(0, 2 * len(ASKED)), max_size=8))
def test_finds_requests_wherever_the_stream_was_cut(cuts: list[int]) -> None:
    stream, requests, places = ASKED * 2, postfix.Requests(), [0, *sorted(cuts), 2 * len(ASKED)]
    found = [one for a, b in pairwise(places) for one in requests.feed(stream[a:b])]
    assert found == list(postfix.Requests().feed(ASKED)) * 2


def test_gives_up_on_a_request_without_end() -> None:
    requests = postfix.Requests()
    with pytest.raises(PeerGarbled):
        tuple(requests.feed(b"a=b\n" * 1000) for _ in range(100))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(Course.ALLOW), b"action=DUNNO\n\n"),
        (Answer(Course.DELAY, 3), b"action=DUNNO\n\n"),
        (Answer(Course.DEFER, because="later"), b"action=DEFER 4.7.1 later\n\n"),
        (Answer(Course.DENY, because="locked"), b"action=REJECT 5.7.1 locked\n\n"),
    ],
)
def test_answers_in_postfixs_words(answer: Answer, said: bytes) -> None:
    assert postfix.reply(answer) == said
