"""What strangers write into logs is shown, and never obeyed by a terminal or a spreadsheet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Gatepost

COMMANDS = ("\x1b[2J\x1b]0;x\x07", "\u202etxt.exe", "\x9b2J", "\u2028", "=cmd|' /c calc'!A1", "\x7f\x08")
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]")
FORMULA = re.compile(r"(?:^|,)\"?[=@+]", re.MULTILINE)


@pytest.fixture
def state(tmp_path: Path, gatepost: Gatepost) -> str:
    log = tmp_path / "mail.log"
    failed = "imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<{}>, method=PLAIN"
    lines = [
        f"2026-11-18T11:06:{n:02}+00:00 mx1 dovecot: {failed.format(COMMANDS[n % len(COMMANDS)])}, rip=203.0.113.9, "
        f"lip=198.51.100.25, TLS, session=<s{n}>\n"
        for n in range(60)
    ]
    log.write_text("".join(lines), encoding="utf-8", newline="")
    directory = str(tmp_path / "state")
    gatepost("logs", "import", str(log), "--state", directory)
    return directory


@pytest.mark.parametrize(
    "words",
    [
        ("alerts", "--since", "2026-11-01"),
        ("alerts", "--since", "2026-11-01", "--format", "json"),
        ("alerts", "--since", "2026-11-01", "--format", "jsonl"),
        ("query", "SELECT DISTINCT user FROM events"),
        ("query", "PIVOT (SELECT user, kind FROM events) ON user USING count(*)"),
        ("query", "PIVOT (SELECT user, kind FROM events) ON user USING count(*)", "--format", "csv"),
        ("query", "PIVOT (SELECT user, kind FROM events) ON user USING count(*)", "--format", "json"),
        ("logs", "export", "--format", "ecs"),
        ("logs", "export", "--format", "ocsf"),
    ],
)
def test_no_output_moves_the_cursor_or_is_a_formula(gatepost: Gatepost, state: str, words: tuple[str, ...]) -> None:
    said = gatepost(*words, "--state", state).out
    assert len(said) > 50
    assert not CONTROL.search(said)
    assert "csv" not in words or not FORMULA.search(said)
