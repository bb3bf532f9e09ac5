from __future__ import annotations

import threading
from functools import partial
from itertools import islice
from pathlib import Path

import pytest

from gatepost.edge.logs.opening import clock, live_clock, machine_zone, sources, usual
from gatepost.edge.logs.sources import Reading, archive, together
from gatepost.logs import years
from gatepost.model.architecture import Architecture, Host
from gatepost.model.log import Position, Shape
from gatepost.model.watching import Watching


def _host(*logs: str) -> Host:
    return Host("mx1.example.org", ("192.0.2.1",), (), logs=logs)


def _nothing(_source: str) -> Position | None:
    return None


def test_what_the_declaration_names_and_the_listeners_once() -> None:
    first, second = _host("/var/log/mail.log", "journal:dovecot", "/var/log/mail.log"), _host("journal")
    whole = Architecture(hosts=(first, second), watching=Watching(syslog=("udp:127.0.0.1:5514",)))
    stop = threading.Event()
    found = sources(first, whole, _nothing, stop)
    assert [(one.name, one.shape) for one in found] == [
        ("/var/log/mail.log", Shape.FILE),
        ("journal:dovecot", Shape.JOURNAL),
        ("udp:127.0.0.1:5514", Shape.SYSLOG),
    ]
    assert [one.name for one in sources(second, whole, _nothing, stop)] == ["journal"]


def test_where_nothing_is_declared_the_usual_files_else_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "doveconf"
    program.write_text(f"#!/bin/sh\n[ $2 = log_path ] && echo {tmp_path}/dovecot.log || echo /dev/stderr\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    there, absent = tmp_path / "mail.log", tmp_path / "maillog"
    assert usual((str(absent),)) == ("journal",)
    there.touch()
    (tmp_path / "dovecot.log").touch()
    assert usual((str(there), str(absent))) == (str(there), str(tmp_path / "dovecot.log"))


def test_several_sources_at_once_each_in_its_order(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a", "b", "c")]
    long = b"x" * 70_000 + b"\n"
    for file in files:
        file.write_bytes(b"".join(file.name.encode() + b"%d\n" % n + long for n in range(20)))
    readings = tuple(Reading(str(file), partial(archive, str(file))) for file in files)
    chunks = list(together(readings, threading.Event()))
    for file in files:
        mine = [chunk for chunk in chunks if chunk.after.source == str(file)]
        assert b"".join(one.lines for one in mine) == file.read_bytes().replace(long, long[-65537:])


def test_one_that_cannot_be_read_says_so_and_the_others_go_on(tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.write_bytes(b"line\n")
    before = Position(str(tmp_path), Shape.ARCHIVE, "7:0:", 12)
    readings = (
        Reading(str(tmp_path), lambda at: archive(str(tmp_path), at), before),
        Reading(str(good), lambda at: archive(str(good), at)),
    )
    chunks = {chunk.after.source: chunk for chunk in together(readings, threading.Event())}
    assert chunks[str(good)].lines == b"line\n"
    bad = chunks[str(tmp_path)]
    assert (bad.lines, bad.after, bad.note) == (b"", before, f"{tmp_path} is no file")


def test_whoever_stops_taking_is_not_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "mail.log"
    file.write_bytes((b"x" * 70_000 + b"\n") * 50)
    stop = threading.Event()
    taken = together((Reading(str(file), lambda at: archive(str(file), at)),), stop)
    assert len(list(islice(taken, 3))) == 3
    stop.set()
    assert len(list(taken)) < 10


def test_clocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mail.log"
    file.touch()
    told = clock(str(file), "Europe/Berlin")
    assert told.newest == file.stat().st_mtime_ns // 1000
    assert (told.zone, told.assumed) == ("Europe/Berlin", (years.YEAR,))
    monkeypatch.setenv("TZ", "America/New_York")
    assert live_clock().zone == machine_zone() == "America/New_York"
    assert years.ZONE in live_clock().assumed
    monkeypatch.setenv("TZ", "")
    assert years.zone(machine_zone("/nowhere"))
