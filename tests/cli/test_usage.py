"""The command over a lake of its own: who still reads mail on 110 without TLS."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gatepost.cli.main import app
from gatepost.edge.lake.deriving import derive
from gatepost.edge.lake.lake import Lake
from gatepost.model.event import Cover, Kind, Result
from gatepost.model.log import Position, Shape
from tests.lines import Log, table


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten days of somebody in clear on POP3, somebody inside TLS, and a partner without TLS."""
    directory = tmp_path_factory.mktemp("state")
    start = datetime.now(UTC) - timedelta(days=9, hours=1)
    log = Log(start=round(start.timestamp() * 1_000_000))
    for day in range(10):
        at = day * 86_400
        pop = {"daemon": "dovecot", "service": "pop3", "method": "PLAIN"}
        log.line(at, Kind.LOGIN, user="old@example.org", cover=Cover.NONE, session=f"a{day}", **pop)
        log.line(at, Kind.LOGIN, user="new@example.org", cover=Cover.TLS, session=f"b{day}", client="192.0.2.9", **pop)
        smtp = {"service": "smtp", "client": "203.0.113.5", "name": "mx.partner.example"}
        log.line(at, Kind.CONNECT, **smtp)
        log.line(at + 1, Kind.ACCEPTED, queue=f"Q{day}", **smtp)
        log.line(at + 2, Kind.DISCONNECT, commands="ehlo=1 mail=1 rcpt=1 data=1 quit=1", **smtp)
        sent = {"daemon": "smtp", "service": "", "client": "", "result": Result.SENT, "recipient": "x@peer.example"}
        log.line(at + 3, Kind.TLS_OUT, relay="mx.peer.example[203.0.113.9]:25", daemon="smtp", tls="TLSv1.3")
        log.line(at + 4, Kind.DELIVERY, queue=f"Q{day}", relay="mx.peer.example[203.0.113.9]:25", **sent)
    with Lake.open(directory / "lake", write=True) as lake:
        lake.append(table(log.events), Position("mail.log", Shape.FILE, "g", 1))
        lake.commit()
        derive(lake)
    return directory


def _asked(state: Path, *words: str) -> tuple[int, str]:
    told = CliRunner().invoke(app, ["usage", "--state", str(state), *words])
    return told.exit_code, told.output


def test_who_still_uses_110_without_tls(state: Path) -> None:
    code, told = _asked(state, "--service", "110", "--legacy")
    assert code == 1
    line = next(one for one in told.splitlines() if "old@example.org" in one)
    assert "192.0.2.7" in line
    assert f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%d %H:%M}"[:13] in line
    assert "new@example.org" not in told
    assert "tls=%k" in told


def test_json_names_the_port_that_the_log_does_not(state: Path) -> None:
    code, told = _asked(state, "--format", "json")
    assert code == 0
    ways = json.loads(told)["ways"]
    assert [(one["way"]["port"], one["sessions"], one["legacy"]) for one in ways if one["accounts"]] == [
        (110, 10, "password in clear"), (None, 10, ""),
    ]  # fmt: skip


def test_peers_in_clear(state: Path) -> None:
    code, told = _asked(state, "--peers", "--format", "csv")
    rows = {row["peer"]: row for row in csv.DictReader(StringIO(told))}
    assert code == 1
    assert (rows["mx.partner.example"]["direction"], rows["mx.partner.example"]["clear"]) == ("in", "10")
    assert (rows["peer.example"]["direction"], rows["peer.example"]["encrypted"]) == ("out", "10")


def test_only_what_one_account_does_since_a_day(state: Path) -> None:
    code, told = _asked(state, "--user", "NEW@example.org", "--since", "3d", "--format", "csv")
    assert code == 0
    assert [row["sessions"] for row in csv.DictReader(StringIO(told))] == ["3"]


@pytest.mark.parametrize("words", [("--service", "99"), ("--since", "soon"), ("--since", "2999-01-01")])
def test_bad_input_is_said(state: Path, words: tuple[str, ...]) -> None:
    told = CliRunner().invoke(app, ["usage", "--state", str(state), *words])
    assert told.exit_code != 0
    assert words[1] in str(told.exception)
