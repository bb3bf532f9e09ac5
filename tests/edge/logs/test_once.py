"""What is there, and no waiting: a log read now and then, and rotated in between."""

from __future__ import annotations

import gzip
import threading
from pathlib import Path

from gatepost.edge.logs.following import follow
from gatepost.model.log import Position


def taken(path: Path, position: Position | None = None) -> tuple[bytes, Position]:
    chunks = list(follow(str(path), position, threading.Event(), once=True))
    return b"".join(one.lines for one in chunks), chunks[-1].after


def test_the_rest_of_what_was_rotated_comes_first(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_bytes(b"one\n")
    first, position = taken(log)
    with log.open("ab") as more:
        more.write(b"two\n")
    rest = log.rename(tmp_path / "mail.log.1")
    log.write_bytes(b"three\n")
    assert first == b"one\n"
    assert taken(log, position)[0] == b"two\nthree\n"
    (tmp_path / "mail.log.2.gz").write_bytes(gzip.compress(rest.read_bytes()))
    log.rename(rest)
    log.write_bytes(b"four\n")
    said, position = taken(log, position)
    assert said == b"two\nthree\nfour\n"
    assert not list(follow(str(log), position, threading.Event(), once=True))


def test_a_log_that_is_not_there(tmp_path: Path) -> None:
    assert not list(follow(str(tmp_path / "none"), None, threading.Event(), once=True))
