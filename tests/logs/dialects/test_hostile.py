"""Lines that an attacker makes as long, as deep and as misleading as he can."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.logs.dialects.registry import DIALECTS
from gatepost.logs.understanding import LONGEST_MESSAGE, TAGS, understand
from gatepost.model.event import Event, Kind
from gatepost.model.log import Line
from tests.logs.dialects.test_samples import SAMPLES, Sample

SECONDS = 1.0  # for one line of the greatest length; honest ones take microseconds
PIECES = (
    *(
        "a",
        "[",
        "]",
        "[192.0.2.1]",
        "]: ",
        ">",
        "<",
        '"',
        "\\",
        ", ",
        "; ",
        ": ",
        " from ",
        ">, ",
        "=<",
        " to=<",
        "; from=<",
    ),
    *(",1.1.1.1", ",1)", "): ", "(", ", rip=1, ", ">, rip=1.1.1.1, a=<", "; from=<a> to=<b> proto=SMTP helo=<c>"),
    *(" proto=SMTP helo=<", "x=1 ", "auth=0/1 ", "msgid=<", ": saved mail to ", "rhost=1 ", '"\\"'),
    *(" authentication failed: ", "password: "),
)


def distinct() -> list[Sample]:
    return list({(one.dialect, one.row): one for one in SAMPLES if not one.near}.values())


@pytest.mark.parametrize("sample", distinct(), ids=lambda one: f"{one.dialect}-{one.row}")
def test_time_is_bounded(sample: Sample) -> None:
    """Every piece repeated to the greatest length, in the middle and at the end of a true line."""
    half = len(sample.message) // 2
    room = LONGEST_MESSAGE - len(sample.message) - 1
    for piece in PIECES:
        filling = piece * (room // len(piece))
        for said in (sample.message[:half] + filling + sample.message[half:], sample.message + filling):
            started = time.process_time()
            understand(Line(1, "mx1", sample.tag, 1, said))
            assert time.process_time() - started < SECONDS, piece


@given(st.sampled_from(SAMPLES), st.data())
def test_never_raises(sample: Sample, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(sample.message)))
    said = sample.message[:at] + data.draw(st.text(max_size=40)) + sample.message[at + data.draw(st.integers(0, 9)) :]
    assert isinstance(understand(Line(None, "", sample.tag, None, said)), Event)


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_tag_and_any_text(tag: str, said: str) -> None:
    assert isinstance(understand(Line(None, "", tag, None, said)), Event)


def test_a_longer_line_is_not_read() -> None:
    said = "connect from " + "a" * LONGEST_MESSAGE + "[192.0.2.1]"
    event = understand(Line(1, "", "postfix/smtpd", 1, said))
    assert (event.kind, event.client) == (Kind.UNKNOWN, "")


def test_invented_tags_are_forgotten() -> None:
    for number in range(TAGS * 2):
        understand(Line(1, "", f"postfix/{number}/smtpd", 1, "connect from unknown[192.0.2.1]"))
    event = understand(Line(1, "", "postfix/submission/smtpd", 1, "connect from unknown[192.0.2.1]"))
    assert (event.daemon, event.service) == ("smtpd", "submission")


user = st.text(st.characters(codec="utf-8", exclude_characters="\n\r\t\0"), max_size=60)
hostile = st.one_of(
    user,
    st.lists(
        st.sampled_from(
            ["x", ">", "<", ", rip=192.0.2.1", ", method=PLAIN", ", lip=1", ", session=<", ", user=<", ", TLS"]
        ),
        max_size=8,
    ).map("".join),
)


@given(hostile)
def test_a_user_name_never_gives_dovecot_an_address(name: str) -> None:
    said = (
        f"imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<{name}>, method=PLAIN, "
        "rip=198.51.100.9, lip=203.0.113.25, TLS, session=<abc>"
    )
    event = understand(Line(1, "", "dovecot", 1, said))
    assert (event.kind, event.client, event.attempts) == (Kind.AUTH_FAILED, "198.51.100.9", 1)


@given(hostile, hostile)
def test_a_user_name_never_gives_postfix_an_address(name: str, method: str) -> None:
    word = "".join(method.split()) or "x"
    said = f"warning: unknown[198.51.100.7]: SASL {word} authentication failed: denied, sasl_username={name}"
    event = understand(Line(1, "", "postfix/smtpd", 1, said))
    assert (event.kind, event.client) == (Kind.AUTH_FAILED, "198.51.100.7")


def test_names_of_rows_are_unique_in_a_table() -> None:
    for dialect in DIALECTS:
        for name, table in dialect.tables:
            names = [row.name for row in table.rows]
            assert len(names) == len(set(names)), (dialect.name, name)
