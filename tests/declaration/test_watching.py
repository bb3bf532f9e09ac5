"""[logs], [watch] and the logs of a host: read whole, refused with path and line, written so that they read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost import declare
from gatepost.declaration import durations
from gatepost.declaration.places import masked
from gatepost.errors import DeclarationError
from gatepost.model.architecture import Architecture
from gatepost.model.watching import Delivery, Watching

TODAY = date(2026, 11, 24)
WHOLE = """\
version = 1
[zones]
office = ["192.0.2.0/24"]
[hosts.mx]
addresses = ["198.51.100.5"]
logs = ["/var/log/mail.log*", "journal:postfix@-.service", "journal"]
[logs]
zone = "Europe/Berlin"
keep = "90d"
pseudonymise = "30d"
syslog = ["udp:127.0.0.1:5514", "tls:[::]:6514"]
[watch]
rules = ["rules/"]
off = ["gp-probe"]
allow = ["office", "mx", "203.0.113.7"]
block = true
block_for = "10m"
block_longest = "2w"
deliver = [
  "mailto:postmaster@example.org",
  { to = "mailto:boss@example.org", at = "critical", via = "smtps://alerts@mail.example.org", secret = "/etc/gp/key" },
  { to = "https://hooks.example.net/T0/abcd", secret = "/etc/gp/hook" },
  "syslog://192.0.2.9:514?tcp",
  "tgram://token/chat",
]
metrics = "[::1]:9117"
policy = "/run/gatepost/policy.sock"
"""


def read(text: str) -> Architecture:
    return declare.read(text, "gatepost.toml", today=TODAY)


def problems(more: str) -> list[str]:
    with pytest.raises(DeclarationError) as caught:
        read(f"version = 1\n{more}")
    return [str(p) for p in caught.value.problems]


def test_everything_is_read() -> None:
    found = read(WHOLE)
    assert found.hosts[0].logs == ("/var/log/mail.log*", "journal:postfix@-.service", "journal")
    assert found.watching == Watching(
        zone="Europe/Berlin",
        keep_days=90,
        pseudonymise_days=30,
        rules=("rules/",),
        off=("gp-probe",),
        allow=("office", "mx", "203.0.113.7"),
        block=True,
        block_seconds=600,
        block_longest=14 * 86400,
        deliver=(
            Delivery("mailto:postmaster@example.org", line=20),
            Delivery("mailto:boss@example.org", "critical", "smtps://alerts@mail.example.org", "/etc/gp/key", line=21),
            Delivery("https://hooks.example.net/T0/abcd", secret="/etc/gp/hook", line=22),
            Delivery("syslog://192.0.2.9:514?tcp", line=23),
            Delivery("tgram://token/chat", line=24),
        ),
        metrics="[::1]:9117",
        syslog=("udp:127.0.0.1:5514", "tls:[::]:6514"),
        policy="/run/gatepost/policy.sock",
        line=12,
    )


def test_nothing_declared_blocks_nothing() -> None:
    assert read("version = 1\n").watching == Watching()
    assert read("version = 1\n[watch]\n").watching == Watching(line=2)


def test_what_is_written_reads_back() -> None:
    found = read(WHOLE)
    again = read(declare.write(found))
    assert without_lines(again.watching) == without_lines(found.watching)
    assert again.hosts[0].logs == found.hosts[0].logs


def without_lines(found: Watching) -> Watching:
    return replace(found, line=None, deliver=tuple(replace(d, line=None) for d in found.deliver))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("watch = 5", "line 2: watch: expected a table, got 5"),
        ("[watch]\nblok = true\n", 'line 3: watch.blok: unknown key; did you mean "block"?'),
        ('[watch]\nallow = ["ofice"]\n[zones]\noffice = ["10.0.0.0/8"]', 'line 3: watch.allow[0]: "ofice" is no zone'),
        ('[watch]\nblock_for = "soon"', 'line 3: watch.block_for: expected a length of time like "1h"'),
        ('[watch]\nblock_for = "0s"', "line 3: watch.block_for: expected a length of time"),
        ("[watch]\nblock_for = 3600", "line 3: watch.block_for: expected a string, got 3600"),
        ('[watch]\nblock_for = "8d"', "line 2: watch.block_longest: is shorter than block_for"),
        ('[watch]\nblock = "yes"', 'line 3: watch.block: expected true or false, got "yes"'),
        ('[watch]\nmetrics = "9117"', "line 3: watch.metrics: begins with no IP address"),
        ('[watch]\nmetrics = "::1:9117"', "line 3: watch.metrics: an IPv6 address stands in brackets"),
        ('[watch]\nmetrics = "127.0.0.1:99999"', "line 3: watch.metrics: ends in no port number"),
        ('[watch]\npolicy = "policy.sock"', "line 3: watch.policy: begins with no IP address"),
        ('[watch]\ndeliver = ["postmaster@example.org"]', "line 3: watch.deliver[0]: is no URL"),
        (
            '[watch]\ndeliver = ["http://a.example/x"]',
            "line 3: watch.deliver[0]: http:// would send alerts in clear",
        ),
        ('[watch]\ndeliver = ["https:///x"]', "line 3: watch.deliver[0]: https:// needs a host"),
        ('[watch]\ndeliver = ["https://a.example:0/x"]', "line 3: watch.deliver[0]: https:// needs a host"),
        ('[watch]\ndeliver = ["https://[::1/x"]', "line 3: watch.deliver[0]: https:// needs a host"),
        ('[watch]\ndeliver = ["HTTPS://a.example"]', "line 3: watch.deliver[0]: write https: in lower case"),
        ('[watch]\ndeliver = ["mailto:a b@example.org"]', "line 3: watch.deliver[0]: a mailto: URL has at most"),
        ('[watch]\ndeliver = ["mailto:a@example.org?bcc=b"]', "line 3: watch.deliver[0]: mailto: needs one plain"),
        ('[watch]\ndeliver = ["mailto:a@x\\r\\nBcc: b"]', "line 3: watch.deliver[0]: a mailto: URL has at most"),
        ('[watch]\ndeliver = ["syslog://h/x"]', "line 3: watch.deliver[0]: syslog:// takes a host and a port"),
        ('[watch]\ndeliver = [{ to = "mailto:a@b", at = "loud" }]', "line 3: watch.deliver[0].at: expected critical"),
        (
            '[watch]\ndeliver = [{ to = "mailto:a@b", via = "smtp://u@h" }]',
            "line 3: watch.deliver[0].via: has a user without a password",
        ),
        (
            '[watch]\ndeliver = [{ to = "mailto:a@b", via = "imap://h" }]',
            "line 3: watch.deliver[0].via: expected smtp:// or smtps://",
        ),
        (
            '[watch]\ndeliver = [{ to = "https://h/x", via = "smtp://h" }]',
            "line 3: watch.deliver[0].via: only alerts by mail",
        ),
        (
            '[watch]\ndeliver = [{ to = "mailto:a@b", secret = "/x" }]',
            "line 3: watch.deliver[0].secret: is for nobody",
        ),
        ('[logs]\nzone = "Europe/Berln"', 'line 3: logs.zone: no time zone named "Europe/Berln"'),
        ('[logs]\nzone = "../../etc/passwd"', "line 3: logs.zone: no time zone named"),
        ('[logs]\nkeep = "36h"', 'line 3: logs.keep: expected whole days like "400d", got "36h"'),
        ('[logs]\npseudonymise = "500d"', 'line 3: logs.pseudonymise: comes after "400d"'),
        ('[logs]\nsyslog = ["514"]', "line 3: logs.syslog[0]: expected tcp:ADDR:PORT"),
        ('[logs]\nsyslog = ["udp:host:514"]', "line 3: logs.syslog[0]: begins with no IP address"),
        ('[hosts."::1"]\nlogs = ["mail.log"]', 'line 3: hosts."::1".logs[0]: expected an absolute path, journal'),
        ('[hosts."::1"]\nlogs = ["journal:"]', 'line 3: hosts."::1".logs[0]: expected an absolute path, journal'),
        ('[hosts."::1"]\nlogs = ["journal", "journal"]', 'line 3: hosts."::1".logs[1]: "journal" is listed twice'),
    ],
)
def test_one_problem(text: str, said: str) -> None:
    assert any(problem.startswith(said) for problem in problems(text)), problems(text)


@pytest.mark.parametrize(
    "delivery",
    [
        '"hunter2@example.org"',
        '"https://user:hunter2@:x/"',
        '"https://h.example/hunter2 "',
        '"http://h.example/hunter2"',
        '{ to = "https://h.example/x", secret = "hunter2" }',
        '{ to = "mailto:a@b", via = "smtp://u:hunter2@h/x" }',
    ],
)
def test_no_problem_repeats_a_secret(delivery: str) -> None:
    assert "hunter2" not in "\n".join(problems(f"[watch]\ndeliver = [{delivery}]"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mailto:a@example.org", "mailto:a@example.org"),
        ("https://hooks.example.net/T0/hunter2?k=hunter2", "https://hooks.example.net/***"),
        ("https://u:hunter2@h:8443", "https://u:***@h:8443"),
        ("https://h?hunter2", "https://h/***"),
        ("smtps://alerts:hunter2@mail.example.org:465", "smtps://alerts:***@mail.example.org:465"),
        ("syslog://192.0.2.9?tcp", "syslog://192.0.2.9?tcp"),
        ("tgram://hunter2/chat", "tgram:***"),
    ],
)
def test_a_url_is_shown_without_what_opens_doors(url: str, shown: str) -> None:
    assert masked(url) == shown


@given(st.integers(1, durations.LONGEST))
def test_a_length_of_time_reads_back(length: int) -> None:
    assert durations.seconds(durations.written(length)) == length


@given(st.text())
def test_any_text_is_a_length_of_time_or_none(text: str) -> None:
    found = durations.seconds(text)
    assert found is None or 0 < found <= durations.LONGEST
