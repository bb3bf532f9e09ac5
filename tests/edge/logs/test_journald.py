from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from gatepost.edge.logs.journald import journal
from gatepost.errors import CannotLook
from gatepost.logs.heading import heading
from gatepost.model.log import Chunk, Clock, Line, Position, Shape

STAND_IN = """\
#!/bin/sh
echo "$@" >> {directory}/asked
echo $$ > {directory}/pid
[ ! -e {directory}/complaint ] || {{ cat {directory}/complaint >&2; exit 1; }}
after=0
for word; do case $word in --after-cursor=*) after=${{word#--after-cursor=}};; esac; done
tail -n +$((after + 1)) {directory}/entries
case " $* " in *" --follow "*) exec sleep 60;; esac
"""


def _entry(n: int, **more: object) -> bytes:
    fields = {
        "__CURSOR": str(n),
        "__REALTIME_TIMESTAMP": str(1_795_514_400_000_000 + n),
        "_BOOT_ID": "b00",
        "_HOSTNAME": "mx1",
        "SYSLOG_IDENTIFIER": "postfix/smtpd",
        "_PID": "7",
        "MESSAGE": f"connect from unknown[192.0.2.{n}]",
    }
    return json.dumps(fields | more).encode() + b"\n"


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of that name, first on the path, that prints entries from a file after the cursor asked for."""
    program = tmp_path / "journalctl"
    program.write_text(STAND_IN.format(directory=tmp_path))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "entries").write_bytes(b"".join(map(_entry, range(1, 6))))
    return tmp_path


def _all(position: Position | None = None, unit: str = "") -> list[Chunk]:
    return list(journal(unit, position, threading.Event(), ends=True))


def test_entries_and_where_they_end(stand_in: Path) -> None:
    chunks = _all(unit="postfix@*")
    text = b"".join(chunk.lines for chunk in chunks)
    assert text == (stand_in / "entries").read_bytes()
    assert chunks[-1].after == Position("journal:postfix@*", Shape.JOURNAL, "b00", len(text), "5")
    line = heading(text.splitlines()[0], Clock(0))
    assert line == Line(1_795_514_400_000_001, "mx1", "postfix/smtpd", 7, "connect from unknown[192.0.2.1]")
    assert "--unit=postfix@*" in (stand_in / "asked").read_text()


def test_going_on_after_the_cursor_loses_and_doubles_nothing(stand_in: Path) -> None:
    before = Position("journal", Shape.JOURNAL, "b00", 1000, "3")
    chunks = _all(before)
    assert b"".join(chunk.lines for chunk in chunks) == _entry(4) + _entry(5)
    assert chunks[0].offset == 1000
    assert "SYSLOG_FACILITY=2" in (stand_in / "asked").read_text()


def test_a_message_cannot_move_the_cursor(stand_in: Path) -> None:
    forged = 'x", "__CURSOR" : "99"} {"__CURSOR": "98"}'
    (stand_in / "entries").write_bytes(_entry(1, MESSAGE=forged) + b"no object\n")
    assert _all()[-1].after.cursor == "1"


def test_a_refusal_is_said(stand_in: Path) -> None:
    (stand_in / "complaint").write_text("Failed to seek to cursor: Invalid argument\n")
    with pytest.raises(CannotLook, match="journalctl ends at once: Failed to seek to cursor"):
        _all()


def test_without_the_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotLook, match="journalctl cannot be run: no such file"):
        _all()


def test_the_program_is_ended_with_us(stand_in: Path) -> None:
    stop = threading.Event()
    chunks = journal("", None, stop)
    assert next(chunks).lines.startswith(_entry(1))
    child = int((stand_in / "pid").read_text())
    stop.set()
    began = time.monotonic()
    assert list(chunks) == []
    assert time.monotonic() - began < 2
    assert not Path(f"/proc/{child}").exists()


@pytest.mark.live
def test_a_real_journal(tmp_path: Path) -> None:
    """Made by systemd's own program, where that is installed (Debian's systemd-journal-remote)."""
    places = ("/lib/systemd/systemd-journal-remote", os.environ.get("JOURNAL_REMOTE", ""))
    remote = next((place for place in places if place and Path(place).exists()), "")
    if not remote or not shutil.which("journalctl"):
        pytest.skip("systemd-journal-remote or journalctl is not installed")
    export = tmp_path / "export"
    told = [
        f"__REALTIME_TIMESTAMP={1_795_514_400_000_000 + n}\n_BOOT_ID={'0' * 31}1\n__MONOTONIC_TIMESTAMP={n}\n"
        f"_HOSTNAME=mx1\nSYSLOG_IDENTIFIER=postfix/smtpd\nSYSLOG_FACILITY={2 if n else 3}\n_PID=7\n"
        f"MESSAGE=line {n}\n\n"
        for n in range(4)
    ]
    entries = [one.encode() for one in told]
    binary = b"bad \xff\n"
    raw = entries[3].replace(b"MESSAGE=line 3\n", b"MESSAGE\n" + len(binary).to_bytes(8, "little") + binary + b"\n")
    export.write_bytes(b"".join([*entries[:3], raw]))
    made = tmp_path / "made.journal"
    subprocess.run([remote, "-o", str(made), str(export)], check=True, timeout=20, capture_output=True)

    def taken(position: Position | None) -> tuple[list[str], Position]:
        chunks = list(journal("", position, threading.Event(), more=(f"--file={made}",), ends=True))
        lines = [heading(one, Clock(0)) for chunk in chunks for one in chunk.lines.splitlines()]
        return [line.message for line in lines if line], chunks[-1].after

    said, after = taken(None)
    assert said == ["line 1", "line 2", "bad \ufffd\n"]
    assert after.cursor
    first = next(journal("", None, threading.Event(), more=(f"--file={made}", "-n1"), ends=True))
    assert list(journal("", after, threading.Event(), more=(f"--file={made}",), ends=True)) == []
    assert first.after.cursor == after.cursor
