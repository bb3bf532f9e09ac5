from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from gatepost.edge.logs.archives import HEAD
from gatepost.edge.logs.cutting import LONGEST
from gatepost.edge.logs.following import follow
from gatepost.errors import CannotLook
from gatepost.model.log import Chunk, Position

PATIENCE = 10.0  # seconds for what has to come at last


def _line(n: int) -> bytes:
    return b"Nov 24 10:00:00 mx1 postfix/smtpd[7]: line %07d of all, which is about as long as real ones\n" % n


class Reader:
    """Takes chunks in a thread, as the pipeline does."""

    def __init__(self, path: Path, position: Position | None = None, *, open_line: float = 60.0) -> None:
        self.stop = threading.Event()
        self.chunks: list[Chunk] = []
        self.times: list[float] = []
        self.came = threading.Condition()
        self.thread = threading.Thread(target=self._run, args=(path, position, open_line))
        self.thread.start()

    def _run(self, path: Path, position: Position | None, open_line: float) -> None:
        for chunk in follow(str(path), position, self.stop, open_line=open_line):
            with self.came:
                self.chunks.append(chunk)
                self.times.append(time.monotonic())
                self.came.notify_all()

    def text(self) -> bytes:
        return b"".join(chunk.lines for chunk in self.chunks)

    def until(self, text: bytes) -> None:
        with self.came:
            self.came.wait_for(lambda: self.text() == text, PATIENCE)
            assert self.text() == text

    def notes(self) -> list[str]:
        return [chunk.note for chunk in self.chunks if chunk.note]


@contextmanager
def reading(path: Path, position: Position | None = None, *, open_line: float = 60.0) -> Iterator[Reader]:
    reader = Reader(path, position, open_line=open_line)
    try:
        yield reader
    finally:
        reader.stop.set()
        reader.thread.join(PATIENCE)


def _add(path: Path, *lines: bytes) -> None:
    with path.open("ab") as out:
        out.write(b"".join(lines))


def _taken(path: Path, text: bytes, position: Position | None = None) -> Position:
    with reading(path, position) as reader:
        reader.until(text)
    return reader.chunks[-1].after


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "mail.log"


def test_a_line_arrives_soon_after_it_was_written(log: Path) -> None:
    log.touch()
    with reading(log) as reader:
        written, waits = b"", []
        for n in range(20):
            at = time.monotonic()
            _add(log, _line(n))
            written += _line(n)
            reader.until(written)
            waits.append(reader.times[-1] - at)
    assert sorted(waits)[10] < 0.15


def test_a_file_that_is_not_there_yet_is_waited_for(log: Path) -> None:
    with reading(log) as reader:
        _add(log, _line(1))
        reader.until(_line(1))


def test_half_a_line_is_held_back_until_its_end_comes(log: Path) -> None:
    half = _line(1)[:20]
    _add(log, _line(0), half)
    with reading(log) as reader:
        reader.until(_line(0))
        _add(log, _line(1)[20:])
        reader.until(_line(0) + _line(1))


def test_half_a_line_is_taken_when_nothing_follows(log: Path) -> None:
    _add(log, b"half")
    with reading(log, open_line=0.1) as reader:
        reader.until(b"half\n")
        assert reader.notes() == ["its last line has no end"]
        _add(log, b"\n", _line(1))
        reader.until(b"half\n\n" + _line(1))


def test_rotation_by_renaming_while_the_writer_goes_on(log: Path) -> None:
    _add(log, _line(0))
    with reading(log) as reader, log.open("ab", buffering=0) as writer:
        reader.until(_line(0))
        log.rename(log.with_suffix(".log.1"))
        log.touch()
        writer.write(_line(1))  # not told of the rotation yet
        reader.until(_line(0) + _line(1))
        _add(log, _line(2))
        reader.until(_line(0) + _line(1) + _line(2))
    assert reader.notes() == [f"{log} was rotated"]


def test_truncation_in_place(log: Path) -> None:
    _add(log, _line(0))
    with reading(log) as reader:
        reader.until(_line(0))
        os.truncate(log, 0)
        _add(log, _line(1))
        reader.until(_line(0) + _line(1))
    assert reader.notes() == [f"{log} was truncated"]


def test_a_writer_that_leaves_a_hole_after_truncation(log: Path) -> None:
    with log.open("wb", buffering=0) as writer, reading(log) as reader:
        writer.write(_line(0))
        reader.until(_line(0))
        os.truncate(log, 0)
        writer.write(_line(1))  # at its old offset: zero bytes come before
        reader.until(_line(0) + _line(1))


def test_deletion_and_a_new_file(log: Path) -> None:
    _add(log, _line(0))
    with reading(log) as reader:
        reader.until(_line(0))
        log.unlink()
        _add(log, _line(1))
        reader.until(_line(0) + _line(1))


def test_binary_garbage_and_long_lines_pass(log: Path) -> None:
    _add(log, bytes(range(256)) * 10, b"\n", b"x" * 10_000_000, b"\n", _line(0))
    with reading(log) as reader:
        expected = bytes(range(1, 256)) + bytes(range(256)) * 9 + b"\n" + b"x" * LONGEST + b"\n" + _line(0)
        reader.until(expected)
    assert "a line of 10000000 bytes was cut at 65536" in reader.notes()


def _renamed(log: Path) -> None:
    log.rename(log.with_suffix(".log.1"))


def _dated(log: Path) -> None:
    log.rename(log.with_suffix(".log-20261124"))


def _packed(log: Path) -> None:
    log.with_suffix(".log.1.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.unlink()


def _copied(log: Path) -> None:
    log.with_suffix(".log.1").write_bytes(log.read_bytes())
    os.truncate(log, 0)


@pytest.mark.parametrize("rotate", [_renamed, _dated, _packed, _copied])
@pytest.mark.parametrize("before", [1, 40])
def test_rotation_while_nobody_reads(log: Path, rotate: Callable[[Path], None], before: int) -> None:
    early = [_line(n) for n in range(before)]
    _add(log, *early)
    position = _taken(log, b"".join(early))
    assert position.offset > 10 * HEAD * (before > 1) // 2
    _add(log, _line(100), _line(101))
    rotate(log)
    _add(log, _line(102))
    _taken(log, _line(100) + _line(101) + _line(102), position)


def test_a_copy_that_is_being_made_is_not_taken_for_whole(log: Path) -> None:
    early = b"".join(map(_line, range(10)))
    log.with_suffix(".log.2").write_bytes(_line(100))
    log.write_bytes(_line(100))
    position = _taken(log, _line(100))
    log.unlink()
    _add(log, early)
    log.with_suffix(".log.1").write_bytes(early[:-100])  # logrotate has not come to the end yet
    with reading(log, position) as reader:
        threading.Event().wait(0.3)
        log.with_suffix(".log.1").write_bytes(early)
        os.truncate(log, 0)
        _add(log, _line(50))
        reader.until(early + _line(50))


def test_many_rotations_while_nobody_reads(log: Path) -> None:
    _add(log, _line(0))
    position = _taken(log, _line(0))
    _add(log, _line(1))
    log.with_suffix(".log.4.gz").write_bytes(b"no archive")  # older: not looked into
    log.with_suffix(".log.3.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.with_suffix(".log.2.gz").write_bytes(gzip.compress(_line(2)))
    log.with_suffix(".log.1").write_bytes(_line(3))
    log.write_bytes(_line(4))
    _taken(log, b"".join(map(_line, (1, 2, 3, 4))), position)


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    pipe = tmp_path / "mail.log"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe):
        with pytest.raises(CannotLook, match="is no file"):
            next(follow(str(path), None, threading.Event()))


def test_what_is_gone_is_said(log: Path) -> None:
    _add(log, _line(0))
    position = _taken(log, _line(0))
    log.unlink()
    _add(log, _line(1), _line(2))
    with reading(log, position) as reader:
        reader.until(_line(1) + _line(2))
    assert "may be gone" in reader.notes()[0]


def test_a_file_that_lost_its_end_is_not_read_twice(log: Path) -> None:
    lines = [_line(n) for n in range(20)]
    _add(log, *lines)
    position = _taken(log, b"".join(lines))
    os.truncate(log, len(b"".join(lines[:18])))
    with reading(log, position) as reader:
        reader.chunks.clear()
        time_left = threading.Event()
        time_left.wait(0.2)
        _add(log, _line(30))
        reader.until(_line(30))
    assert reader.notes() == [f"{log} is shorter than what was read of it"]


def test_stopping_behind_any_chunk_loses_and_doubles_nothing(log: Path) -> None:
    long = b"x" * (LONGEST + 5) + b"\n"
    _add(log, _line(0), long, _line(1), long, _line(2))
    expected = _line(0) + long[:LONGEST] + b"\n" + _line(1) + long[:LONGEST] + b"\n" + _line(2)
    with reading(log) as reader:
        reader.until(expected)
    done = b""
    for chunk in reader.chunks[:-1]:
        done += chunk.lines
        _taken(log, expected[len(done) :], chunk.after)


TAKER = """
import json, os, sys, threading
from gatepost.edge.logs.following import follow
from gatepost.errors import CannotLook
from gatepost.model.log import Position, Shape
path, ledger = sys.argv[1:]
position = None
try:
    with open(ledger, "rb") as done:
        kept = done.read()
    last = [line for line in kept.split(b"\\n")[:-1]]
    os.truncate(ledger, sum(len(one) + 1 for one in last))
    if last:
        source, shape, generation, offset = json.loads(last[-1])["after"]
        position = Position(source, Shape(shape), generation, offset)
except FileNotFoundError:
    pass
with open(ledger, "ab", buffering=0) as out:
    for chunk in follow(path, position, threading.Event()):
        after = (chunk.after.source, chunk.after.shape, chunk.after.generation, chunk.after.offset)
        record = {"lines": chunk.lines.decode(), "after": after, "note": chunk.note}
        out.write(json.dumps(record).encode() + b"\\n")
"""


def _rotated(log: Path, how: int) -> None:
    """As logrotate does: numbers count up, the older ones are compressed."""
    kept = sorted(log.parent.glob("mail.log.*"), key=lambda one: -int(one.suffixes[1][1:]))
    for one in kept:
        number = int(one.suffixes[1][1:]) + 1
        renamed = log.with_suffix(f".log.{number}" + (".gz" if one.suffix == ".gz" else ""))
        one.rename(renamed)
        if number == 2 and how % 2:
            squeezed = renamed.with_suffix(".2.gz")
            partial = renamed.with_suffix(".partial")
            partial.write_bytes(gzip.compress(renamed.read_bytes()))
            partial.rename(squeezed)
            renamed.unlink()
    if how == 3:
        _copied(log)
        return
    log.rename(log.with_suffix(".log.1"))
    log.touch()


def test_killed_at_random_instants_while_the_log_is_rotated(log: Path, tmp_path: Path) -> None:
    """Each chunk and its position are written in one line of a ledger, which stands for the lake's transaction."""
    chance = random.Random(5)  # noqa: S311 - the same instants in each run
    ledger, total, kills, rotations = tmp_path / "ledger", 1, 0, 0
    _add(log, _line(0))
    with _taking(log, ledger):  # before there is a position, what was rotated away is nobody's
        _wait_for(ledger, 1)
    ends = time.monotonic() + 15
    while time.monotonic() < ends:
        with _taking(log, ledger):
            alive = time.monotonic() + chance.uniform(0.1, 1.5)
            while time.monotonic() < alive:
                _add(log, *(_line(total + n) for n in range(40)))
                total += 40
                if chance.random() < 0.15:
                    _rotated(log, chance.randrange(4))
                    rotations += 1
                threading.Event().wait(chance.uniform(0, 0.05))
        kills += 1
    with _taking(log, ledger):
        _wait_for(ledger, total)
    assert _told(ledger) == b"".join(map(_line, range(total))), f"after {kills} kills and {rotations} rotations"
    assert min(kills, rotations) > 3


@contextmanager
def _taking(log: Path, ledger: Path) -> Iterator[None]:
    words = [sys.executable, "-c", TAKER, str(log), str(ledger)]
    child = subprocess.Popen(words, env={**os.environ, "PYTHONPATH": "src"})
    try:
        yield
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()


def _wait_for(ledger: Path, lines: int) -> None:
    limit = time.monotonic() + 4 * PATIENCE
    while time.monotonic() < limit and _told(ledger).count(b"\n") < lines:
        threading.Event().wait(0.2)


def _told(ledger: Path) -> bytes:
    found = []
    with suppress(FileNotFoundError):
        for line in ledger.read_bytes().split(b"\n")[:-1]:
            with suppress(ValueError):
                found.append(json.loads(line)["lines"].encode())
    return b"".join(found)
