"""Files, directories, mbox and Maildir as letters, read from disk in blocks: none is ever held whole."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gatepost.errors import UsageError, because

BLOCK = 64 * 1024
_WINDOW = 1024 * 1024
_OVERLAP = 512  # longer than any postmark
_POSTMARK = re.compile(rb"From [^\r\n]{1,300}\d\d:\d\d[^\r\n]{0,60}\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Letter:
    """One file, or one message of an mbox. `named`: the operator named this file, so it should be a report."""

    name: str
    path: Path
    start: int
    end: int
    named: bool

    @property
    def size(self) -> int:
        return self.end - self.start

    def chunks(self) -> Iterator[bytes]:
        """Raises OSError."""
        with self.path.open("rb") as file:
            file.seek(self.start)
            left = self.size
            while left and (block := file.read(min(left, BLOCK))):
                left -= len(block)
                yield block


@dataclass(frozen=True, slots=True)
class Unreadable:
    name: str
    why: str


def letters(paths: Iterable[Path]) -> Iterator[Letter | Unreadable]:
    """Everything to be read, in a stable order. Raises UsageError at once for a path that is not there."""
    every = tuple(paths)
    for path in every:
        if not path.exists():
            raise UsageError(f"{path}: no such file or directory")
    return (one for path in every for one in _at(path))


def _at(path: Path) -> Iterator[Letter | Unreadable]:
    if not path.is_dir():
        yield from _file(path, named=True)
        return
    for folder, below, found in os.walk(path):
        here, names = Path(folder), found
        if {"cur", "new"} <= set(below):  # a Maildir: what else lies in it is the server's, tmp is not yet delivered
            names = []
            below[:] = [name for name in below if name != "tmp"]
        below.sort()
        if not os.access(here, os.R_OK | os.X_OK):
            yield Unreadable(str(here), "permission denied")
        for name in sorted(names):
            if not name.startswith("."):
                yield from _file(here / name, named=False)


def _file(path: Path, *, named: bool) -> Iterator[Letter | Unreadable]:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            if named:
                yield Unreadable(str(path), "not a regular file")
            return
        with path.open("rb") as file:
            if file.read(5) != b"From ":
                yield Letter(str(path), path, 0, found.st_size, named)
                return
        yield from _mbox(path, found.st_size, named=named)
    except FileNotFoundError:  # in a mailbox mails are moved; the next import finds it again
        if named:
            yield Unreadable(str(path), "no such file")
    except OSError as error:
        yield Unreadable(str(path), because(error))


def _mbox(path: Path, size: int, *, named: bool) -> Iterator[Letter]:
    starts = _postmarks(path)
    start = next(starts, 0)
    for number, end in enumerate((*starts, size), 1):
        label = str(path) if end == size and number == 1 else f"{path}: message {number}"
        yield Letter(label, path, start, end, named and number == 1 and end == size)
        start = end


def _postmarks(path: Path) -> Iterator[int]:
    """Where messages begin: a `From ` line with a time, at the start or after an empty line (RFC 4155)."""
    with path.open("rb") as file:
        base, window, skip = -2, b"\n\n", 1
        while True:
            block = file.read(_WINDOW)
            window += block
            yield from (base + at for at in _found(window, skip, whole=not block))
            if not block:
                return
            keep = min(len(window), _OVERLAP)  # a postmark cut in two is found in the next window, and only there
            base, skip = base + len(window) - keep, 2 if keep == _OVERLAP else skip
            window = window[-keep:]


def _found(window: bytes, skip: int, *, whole: bool) -> Iterator[int]:
    limit = len(window) - (0 if whole else _OVERLAP - 2)
    at = window.find(b"\nFrom ", skip)
    while 0 <= at < limit:
        blank = window[at - 1 : at] == b"\n" or window[at - 2 : at] == b"\n\r"
        if blank and _POSTMARK.match(window, at + 1):
            yield at + 1
        at = window.find(b"\nFrom ", at + 1)
