from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.logs.heading import LONGEST, heading
from gatepost.model.log import Clock, Line


def _at(text: str) -> int:
    return int((datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000


NOON = _at("2026-11-24T10:00:00+00:00")
CLOCK = Clock(NOON + 3600_000_000)
SAID = "connect from unknown[192.0.2.1]"
SMTPD = Line(NOON, "mx1", "postfix/smtpd", 7, SAID)
LOGIN = "imap-login: Login: user=<a>, method=PLAIN, rip=192.0.2.1"


@pytest.mark.parametrize(
    "text",
    [
        "Nov 24 10:00:00 mx1 postfix/smtpd[7]: ",
        "<22>Nov 24 10:00:00 mx1 postfix/smtpd[7]: ",
        "Nov 24 10:00:00 <mail.info> mx1 postfix/smtpd[7]: ",  # FreeBSD's -v -v
        "Nov 24 10:00:00 src@mx1/relay postfix/smtpd[7]: ",  # syslog-ng, chained
        "Nov 24 2026 10:00:00 mx1 postfix/smtpd[7]: ",
        "Nov 24 10:00:00 2026 mx1 postfix/smtpd[7]: ",
        "2026 Nov 24 10:00:00 mx1 postfix/smtpd[7]: ",  # syslog-ng, ts_format(full)
        "2026-11-24T10:00:00+00:00 mx1 postfix/smtpd[7]: ",
        "2026-11-24T11:00:00.000000+01:00 mx1 postfix/smtpd[7]: ",
        "2026-11-24T04:30:00-0530 mx1 postfix/smtpd[7]: ",
        "2026-11-24T10:00:00Z mx1 postfix/smtpd[7]: ",
        "2026-11-24T10:00:00 mx1 postfix/smtpd[7]: ",
        "<22>2026-11-24T10:00:00Z mx1 postfix/smtpd[7]: ",
        "2026-11-24 10:00:00 mx1 postfix/smtpd[7]: ",
        "1795514400 mx1 postfix/smtpd[7]: ",
        "1795514400.000000 mx1 postfix/smtpd[7]: ",
        "<22>1 2026-11-24T10:00:00Z mx1 postfix/smtpd 7 - - ",
        "1 2026-11-24T10:00:00Z mx1 postfix/smtpd 7 - - ",
        "<22>1 2026-11-24T10:00:00.000Z mx1 postfix/smtpd 7 ID47 - \ufeff",
        '<22>1 2026-11-24T10:00:00Z mx1 postfix/smtpd 7 - [a@1 b="x\\"]y" c="d"][e@2] \ufeff',
        "mail-1  | Nov 24 10:00:00 mx1 postfix/smtpd[7]: ",  # docker compose logs
        "2026-11-24T10:00:00.000Z stdout F Nov 24 09:59:00 mx1 postfix/smtpd[7]: ",  # the kubelet's files
    ],
)
def test_a_header_of_syslog(text: str) -> None:
    assert heading(f"{text}{SAID}\n".encode(), CLOCK) == SMTPD


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Nov 24 10:00:00 postfix/smtpd[7]: hello", Line(NOON, "", "postfix/smtpd", 7, "hello")),
        ("<22>postfix/smtpd[7]: hello", Line(None, "", "postfix/smtpd", 7, "hello")),
        ("postfix/smtpd[7]: hello", Line(None, "", "postfix/smtpd", 7, "hello")),
        ("Nov 24 10:00:00 mx1 dovecot: " + LOGIN, Line(NOON, "mx1", "dovecot", None, LOGIN)),
        ("Nov 24 10:00:00 dovecot: " + LOGIN, Line(NOON, "", "dovecot", None, LOGIN)),
        ("Nov 24 10:00:00 2001:db8::1 imapd: x", Line(NOON, "2001:db8::1", "imapd", None, "x")),
        ("Nov 24 10:00:00 sogod [26818]: x", Line(NOON, "", "sogod", 26818, "x")),
        (
            "Nov 24 10:00:00 mx1 last message repeated 3 times",
            Line(NOON, "mx1", "", None, "last message repeated 3 times"),
        ),
        ("<22>1 - - - - - -", Line(None, "", "", None, "")),
        ("<22>1 2026-11-24T10:00:00Z mx1 - - - - kernel: x", Line(NOON, "mx1", "kernel", None, "x")),
        ("2026-11-24T10:00:00.1234567Z mx1 a: x", Line(NOON + 123456, "mx1", "a", None, "x")),
        ("Nov 24 10:00:00.25 mx1 a: x", Line(NOON + 250000, "mx1", "a", None, "x")),
        ("Nov 24 23:59:60 mx1 a: x", Line(_at("2026-11-25T00:00:00+00:00"), "mx1", "a", None, "x")),
        ("  at the beginning of nothing", Line(None, "", "", None, "at the beginning of nothing")),
    ],
)
def test_less_common_headers(text: str, line: Line) -> None:
    assert heading(text.encode(), CLOCK) == line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Nov 24 10:00:00 imap-login: Info: Login: user=<a>", "imap-login: Login: user=<a>"),
        ("Nov 24 10:00:00 auth-worker(22401): Info: sql(a,192.0.2.5): x", "auth-worker(22401): sql(a,192.0.2.5): x"),
        ("Nov 24 10:00:00 imap(a b)<12><Xy+/=>: Info: Logged out", "imap(a b)<12><Xy+/=>: Logged out"),
        (
            "Nov 24 10:00:00 auth(a,192.0.2.1,sasl:login)<Cv>: Error: x: Info: y",
            "auth(a,192.0.2.1,sasl:login)<Cv>: Error: x: Info: y",
        ),
        ("Nov 24 10:00:00 Info: auth(default): pam(a,192.0.2.1): x", "auth(default): pam(a,192.0.2.1): x"),
        ("Nov 24 10:00:00 Warn: auth(default): x", "Warn: auth(default): x"),
        ("2026-11-24 10:00:00 imap-login: Info: Aborted login", "imap-login: Aborted login"),
        ("@400000006c05e1aa00000000 pop3-login: Info: Aborted login", "pop3-login: Aborted login"),
    ],
)
def test_dovecots_own_file_reads_like_syslog(text: str, message: str) -> None:
    line = heading(text.encode(), CLOCK)
    assert line is not None
    assert (line.host, line.tag, line.pid, line.message) == ("", "dovecot", None, message)
    assert line.at is not None


@pytest.mark.parametrize(
    ("text", "pid"),
    [
        ("2026-11-24 10:00:00 {}", None),
        ("2026-11-24 10:00:00.000 {}", None),
        ("2026-11-24 10:00:00 [12] {}", 12),
        ("2026-11-24 11:00:00 +0100 {}", None),
        ("2026-11-24 11:00:00.000 +0100 [12] {}", 12),
        ("Nov 24 10:00:00 mx1 exim[12]: 2026-11-24 10:00:00 {}", 12),
        ("Nov 24 10:00:00 mx1 exim[12]: {}", 12),
        ("Nov 24 10:00:00 mx1 exim[9]: [12] {}", 12),
    ],
)
def test_exims_main_log(text: str, pid: int | None) -> None:
    said = "H=(mx1 foo[1]: bar) [192.0.2.1] F=<a@b> rejected RCPT <c@d>: relay not permitted"
    line = heading(text.format(said).encode(), CLOCK)
    assert line is not None
    assert (line.at, line.tag, line.pid, line.message) == (NOON, "exim", pid, said)


@pytest.mark.parametrize(
    ("text", "tag", "pid", "message"),
    [
        ("2026/11/24 10:00:00 [info] 8#8: *6 client login failed", "nginx", 8, "*6 client login failed"),
        ("Nov 24 10:00:00 mx1 nginx: 2026/11/24 10:00:00 [info] 8#8: *6 x", "nginx", 8, "*6 x"),
        ("192.0.2.1 [24/Nov/2026:10:00:00 +0000] TCP 200", "nginx", None, None),
        ("192.0.2.1:4000 [24/Nov/2026:10:00:00.000] smtp smtp/a 1/0/9 42 --", "haproxy", None, None),
        ("2026-11-24 10:00:00,000 fail2ban.actions [77]: NOTICE [a] Ban", "fail2ban.actions", 77, "NOTICE [a] Ban"),
        ("2026-11-24 10:00:00 #88(normal) <a1>; task; x", "rspamd", 88, "<a1>; task; x"),
        ("2026-11-24T10:00:00Z INFO Authentication failed (auth.failed) x", "stalwart", None, None),
        ("[24-Nov-2026 11:00:00 +0100]: <x> Failed login for a", "", None, "<x> Failed login for a"),
    ],
)  # fmt: skip
def test_own_logs_of_others(text: str, tag: str, pid: int | None, message: str | None) -> None:
    line = heading(text.encode(), CLOCK)
    assert line is not None
    assert (line.at, line.tag, line.pid) == (NOON, tag, pid)
    assert line.message == message if message else line.message in text


def test_tai64n() -> None:
    line = heading(b"@400000006c05e1aa1dcd6500 tcpserver: pid 5 from 192.0.2.1", CLOCK)
    assert line is not None
    assert (line.tag, line.message) == ("tcpserver", "pid 5 from 192.0.2.1")
    assert line.at == (0x6C05E1AA - 10) * 1_000_000 + 500_000


JOURNAL = {
    "__CURSOR": "s=1;i=2",
    "__REALTIME_TIMESTAMP": str(NOON),
    "_HOSTNAME": "mx1",
    "SYSLOG_IDENTIFIER": "postfix/smtpd",
    "_PID": "7",
}


@pytest.mark.parametrize(
    "fields",
    [
        {**JOURNAL, "MESSAGE": SAID},
        {**JOURNAL, "MESSAGE": list(SAID.encode())},
        {**JOURNAL, "MESSAGE": [SAID, "again"], "SYSLOG_PID": "7", "_PID": "1"},
        # Vector: syslog source, file source, journald source
        {"appname": "postfix/smtpd", "host": "mx1", "message": SAID, "procid": 7, "timestamp": "2026-11-24T10:00:00Z"},
        {"file": "/x", "host": "collector", "message": f"Nov 24 10:00:00 mx1 postfix/smtpd[7]: {SAID}",
         "timestamp": "2026-11-24T11:11:11Z", "source_type": "file"},
        {"SYSLOG_IDENTIFIER": "postfix/smtpd", "_PID": "7", "host": "mx1", "message": SAID,
         "timestamp": "2026-11-24T10:00:00Z"},
        # Fluent Bit: parsed by its syslog parser, and unparsed
        {"date": 1795514400.0, "host": "mx1", "ident": "postfix/smtpd", "pid": "7", "message": SAID},
        {"date": 1795519999.5, "log": f"Nov 24 10:00:00 mx1 postfix/smtpd[7]: {SAID}"},
        # Docker's json-file, and the Elastic Common Schema
        {"log": f"Nov 24 09:59:59 mx1 postfix/smtpd[7]: {SAID}\n", "stream": "stdout",
         "time": "2026-11-24T10:00:00.000000000Z"},
        {"@timestamp": "2026-11-24T10:00:00.000Z", "host": {"name": "mx1"}, "message": SAID,
         "process": {"name": "postfix/smtpd", "pid": 7}},
    ],
)  # fmt: skip
def test_lines_in_objects(fields: dict[str, object]) -> None:
    assert heading(json.dumps(fields).encode(), CLOCK) == SMTPD


@pytest.mark.parametrize(
    ("fields", "tag"),
    [
        ({"event": "auth_request_finished", "categories": [], "start_time": "2026-11-24T10:00:00Z"}, "dovecot"),
        ({"timestamp": "2026-11-24T10:00:00.000000+0000", "event_type": "smtp"}, "suricata"),
        ({"ts": 1795514400.0, "uid": "C1"}, "zeek"),
        ({"ts": 1795514400000, "uid": "C1"}, "zeek"),
    ],
)
def test_objects_that_are_events_stay_whole(fields: dict[str, object], tag: str) -> None:
    text = json.dumps(fields)
    assert heading(text.encode(), CLOCK) == Line(NOON, "", tag, None, text)


@pytest.mark.parametrize(
    "text",
    ["", "\n", "\r\n", " \t\n", "\0\0\0\n", "\ufeff\n"],
)
def test_nothing_is_no_line(text: str) -> None:
    assert heading(text.encode(), CLOCK) is None


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1', "{}", '{"message": {}}', "[" * 5000, "{" * 5000, '{"a":' * 5000, "<999999>x", "<22>1 x",
        "@4000000000000000 x",
        "@ffffffffffffffff x", "9999-99-99T99:99:99Z x", "Feb 30 10:00:00 mx1 a[1]: x", "Nov 24 25:00:00 mx1 a[1]: x",
        "0001-01-01T00:00:00Z mx1 a[1]: x", '{"message": "x", "date": 1e400}', '{"message": "x", "date": NaN}',
        '{"ts": -1, "uid": ""}', '{"__REALTIME_TIMESTAMP": "' + "9" * 6000 + '", "MESSAGE": null}',
        "<22>1 - - - - [" + '"' * 9000,
        "\0" * 9 + "Nov 24 10:00:00 mx1 a[99999999999999]: x",
    ],
)  # fmt: skip
def test_what_is_no_header_has_no_time(text: str) -> None:
    line = heading(text.encode(), CLOCK)
    assert line is not None
    assert line.at is None or "a[9999" in text


def test_zero_bytes_and_garbage_before_a_line_do_not_hide_it() -> None:
    assert heading(b"\0" * 4096 + f"Nov 24 10:00:00 mx1 postfix/smtpd[7]: {SAID}".encode(), CLOCK) == SMTPD
    line = heading(b"Nov 24 10:00:00 mx1 postfix/smtpd[7]: \xff\xfe\x00\x1b[2J", CLOCK)
    assert line == Line(NOON, "mx1", "postfix/smtpd", 7, "\ufffd\ufffd\x1b[2J")


def test_a_long_message_is_cut() -> None:
    line = heading(b"Nov 24 10:00:00 mx1 postfix/smtpd[7]: " + b"x" * 10**7, CLOCK)
    assert line is not None
    assert len(line.message) == LONGEST
    assert line.message.endswith("x…")


SHAPES = [
    "<22>",
    "1 ",
    "Nov 24 10:00:00 ",
    "2026-11-24T10:00:00Z ",
    "2026-11-24 10:00:00 ",
    "[",
    "]",
    ": ",
    '{"',
    "@4",
    " ",
    "\0",
    '"',
]
any_lines = st.one_of(
    st.binary(max_size=300),
    st.lists(st.sampled_from(SHAPES) | st.text(max_size=9), max_size=12).map(
        lambda parts: "".join(parts).encode("utf-8", "replace")
    ),
    st.dictionaries(
        st.sampled_from(
            ["message", "MESSAGE", "log", "timestamp", "ts", "uid", "__REALTIME_TIMESTAMP", "host", "process", "date"]
        ),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
        | st.lists(st.integers() | st.text(max_size=3), max_size=3),
    ).map(lambda fields: json.dumps(fields).encode()),
)  # fmt: skip


@given(
    any_lines,
    st.integers(0, 4 * 10**15),
    st.sampled_from(["", "UTC", "Europe/Berlin", "+05:30", "No/Where", "/etc/passwd", "\0"]),
)
def test_any_bytes_are_a_line_or_nothing(raw: bytes, newest: int, zone: str) -> None:
    line = heading(raw, Clock(newest, zone))
    if line is not None:
        assert line.at is None or 0 <= line.at < 8 * 10**15
        assert len(line.message) <= LONGEST
        assert "\0" not in line.message


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=80))
def test_nothing_behind_a_header_moves_it(said: str) -> None:
    """A stranger writes what follows: names, HELO, reasons."""
    line = heading(f"Nov 24 10:00:00 mx1 postfix/smtpd[7]: x {said}".encode(), CLOCK)
    assert line is not None
    assert (line.at, line.host, line.tag, line.pid) == (NOON, "mx1", "postfix/smtpd", 7)
