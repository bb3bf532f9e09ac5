"""Lines that an attacker makes as long, as deep and as misleading as he can."""

from __future__ import annotations

import re
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


TRUE = "198.51.100.9"
SHARDS = (
    *("x", ">", "<", ", ", "; ", ": ", "[192.0.2.1]", " from ", ", rip=192.0.2.1", ", lip=192.0.2.2", ", method=PLAIN"),
    *(
        ", session=<a>",
        ", user=<",
        " proto=SMTP",
        " helo=<",
        "from=<a>",
        " to=<b>",
        '"',
        "\\",
        ",192.0.2.1",
        "): ",
        ">: ",
    ),
    *(
        "(auth failed, 1 attempts)",
        " authentication failed: ",
        ", sasl_username=",
        ", TLS",
        "]:25: ",
        "sasl:plain)<a>: ",
    ),
    *(
        "rhost=192.0.2.1",
        "msgid=",
        " ",
        "=",
        "a[192.0.2.1]: ",
        "unknown user",
        ",<abc>",
        "; from=<",
        "]: 550 ",
        "user=<x>",
    ),
)
said = st.lists(st.sampled_from(SHARDS), max_size=9).map("".join)
ENVELOPE = "from=<{}> to=<{}> proto=SMTP helo=<h>"
FORGED = (  # {} is a stranger's text, | one without white space
    ("postfix/smtpd", "connect from {}[TRUE]"),
    ("postfix/smtpd", "disconnect from {}[TRUE] ehlo=1 commands=1"),
    ("postfix/smtpd", "lost connection after AUTH from {}[TRUE]"),
    ("postfix/smtpd", "warning: |[TRUE]: SASL | authentication failed: {}, sasl_username={}"),
    ("postfix/smtpd", f"NOQUEUE: reject: RCPT from |[TRUE]: 550 5.1.1 <{{}}>: User unknown; {ENVELOPE}"),
    ("postfix/smtpd", "warning: non-SMTP command from |[TRUE]: {}"),
    ("postfix/smtpd", "improper command pipelining after EHLO from |[TRUE]: {}"),
    ("postfix/smtpd", "7EE668039: client=|[TRUE], sasl_method=PLAIN, sasl_username={}"),
    ("postfix/smtpd", "Anonymous TLS connection established from |[TRUE] to |: TLSv1.3 with cipher X (256/256 bits)"),
    ("postfix/cleanup", f"7EE668039: reject: header {{}} from |[TRUE]; {ENVELOPE}: 5.7.1 no"),
    ("postfix/cleanup", "7EE668039: message-id=<{}>"),
    ("postfix/cleanup", f"7EE668039: milter-reject: END-OF-MESSAGE from |[TRUE]: 5.7.1 {{}}; {ENVELOPE}"),
    ("postfix/smtp", "7EE668039: to=<{}>, relay=a[192.0.2.3]:25, delay=1, delays=1/1/1/1, dsn=2.0.0, status=sent ({})"),
    ("postfix/postscreen", "PREGREET 1 after 1 from [TRUE]:1: {}"),
    (
        "dovecot",
        "imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<{}>, method=PLAIN, rip=TRUE, lip=::1",
    ),
    ("dovecot", "imap-login: Login: rip=TRUE, lip=203.0.113.25, user=<{}>, method=PLAIN"),
    (
        "dovecot",
        "imap-login: Disconnected (no auth attempts): user=<{}>, session=<z>, rip=TRUE, lip=::1, rport=5, lport=993",
    ),
    ("dovecot", "auth: sql({},TRUE,<z>): Password mismatch"),
    ("dovecot", "auth: sql({},TRUE): unknown user (given password: {})"),
    ("dovecot", "auth({},TRUE,sasl:plain)<z>: sql: Password mismatch (given password: {})"),
    ("auth", "pam_unix(dovecot:auth): authentication failure; logname= uid=0 ruser={} rhost=TRUE  user={}"),
    ("dovecot", "imap({})<1><z>: Disconnected: Logged out in=1 out=2"),
    ("dovecot", "lmtp(alice)<1><z>: sieve: msgid={}: stored mail into mailbox 'INBOX'"),
)


@pytest.mark.parametrize(("tag", "form"), FORGED, ids=[f"{tag}-{form[:30]}" for tag, form in FORGED])
@given(data=st.data())
def test_no_address_but_the_true_one_is_ever_read(tag: str, form: str, data: st.DataObject) -> None:
    message = "".join(
        data.draw(said) if piece == "{}" else "".join(data.draw(said).split()) if piece == "|" else piece
        for piece in re.split(r"({}|\|)", form.replace("TRUE", TRUE))
    )
    assert understand(Line(1, "", tag, 1, message)).client in ("", TRUE)


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
