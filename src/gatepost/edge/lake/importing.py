"""Old logs into the lake: each file once, under whatever name and compression it lies now."""

from __future__ import annotations

import glob
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from gatepost.edge.lake.lake import Lake
from gatepost.edge.logs import archives
from gatepost.edge.logs.opening import machine_zone
from gatepost.edge.logs.taking import Progress, Taken, take
from gatepost.errors import CannotLook, UsageError, because
from gatepost.logs import years
from gatepost.model.event import MICROSECONDS
from gatepost.model.log import Clock, Coverage, Position, Shape

STDIN = "-"
STDIN_SOURCE = "stdin"
SPOOL = ".stdin-"
MOST_FILES = 100_000
SECONDS = 5.0  # between commits: what a crash makes to be read again
ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one file. `begun` is how many bytes of its text were known before."""

    name: str
    begun: int = 0
    lines: int = 0
    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0
    coverage: tuple[Coverage, ...] = ()
    notes: tuple[str, ...] = ()
    assumed: str = ""
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the lines are to be read where they leave something out."""

    zone: str = ""
    host: str = ""
    year: int | None = None


def files(given: Iterable[str]) -> tuple[str, ...]:
    """Patterns and directories as files, the oldest first, so that the years and the connections fall into place.

    Raises UsageError for what matches nothing.
    """
    found: dict[str, None] = {}
    for word in given:
        for path in _matching(word):
            found.setdefault(path)
            if len(found) > MOST_FILES:
                raise UsageError(f"more than {MOST_FILES} files; import them in parts")
    return tuple(sorted(found, key=_changed))


def take_file(lake: Lake, name: str, wanted: Wanted, moved: Callable[[Progress], None]) -> Imported:
    """One file, or stdin. What cannot be read of it is told in the result."""
    begun = time.monotonic()
    try:
        if name == STDIN:
            with _spooled(lake.directory) as path:
                return _timed(_taken(lake, path, STDIN_SOURCE, wanted, moved), begun)
        return _timed(_taken(lake, name, str(Path(name).absolute()), wanted, moved), begun)
    except CannotLook as error:
        return Imported(name, failed=str(error))


def known(lake: Lake, path: str) -> Position | None:
    """How far these bytes were read, as this file or as another: rotation renames, and compresses."""
    mine = archives.generation_of(path).partition(":")[2]
    found = (one for one in lake.generations() if one.offset and _same(one.generation, mine, path))
    return max(found, key=lambda one: one.offset, default=None)


def _same(generation: str, mine: str, path: str) -> bool:
    """Begins it with the same bytes? Only what was shorter when it was noted has to be looked at again."""
    theirs = generation.partition(":")[2]
    _, length, _ = archives.parts(generation)
    return theirs == mine or (0 < length < archives.HEAD and archives.same(generation, path))


def _taken(lake: Lake, path: str, source: str, wanted: Wanted, moved: Callable[[Progress], None]) -> Imported:
    before = known(lake, path)
    clock = _clock(path, wanted)
    generation = before.generation if before else archives.generation_of(path)
    start = before.offset if before else 0
    chunks = archives.pieces(path, source, Shape.ARCHIVE, generation, start)
    taken = take(chunks, lake, clock, rows=ROWS, seconds=SECONDS, progress=moved)
    return _told(taken, source, start, clock)


def _told(taken: Taken, source: str, start: int, clock: Clock) -> Imported:
    assumed = years.sentence(clock) if taken.lines else ""
    return Imported(source, start, taken.lines, taken.rows, taken.bytes, 0.0, taken.coverage, taken.notes, assumed)


def _timed(one: Imported, begun: float) -> Imported:
    return replace(one, seconds=time.monotonic() - begun)


def _clock(path: str, wanted: Wanted) -> Clock:
    """With a year told, the newest line is as new as the end of that year."""
    newest = int(Path(path).stat().st_mtime * MICROSECONDS)
    clock = years.clock(newest, told=wanted.zone, machine=machine_zone())
    if wanted.year is None:
        return clock
    end = int(datetime(wanted.year + 1, 1, 1, tzinfo=UTC).timestamp()) * MICROSECONDS - 1
    assumed = tuple(one for one in clock.assumed if one != years.YEAR)
    return replace(clock, newest=end, assumed=assumed)


def _matching(word: str) -> Iterator[str]:
    if word == STDIN:
        yield word
    elif Path(word).is_dir():
        yield from (str(path) for path in sorted(Path(word).rglob("*")) if path.is_file())
    elif os.path.lexists(word):
        yield word
    else:
        matched = [
            path
            for path in glob.iglob(word, recursive=True)  # noqa: PTH207 - absolute patterns too
            if Path(path).is_file()
        ]
        if not matched:
            raise UsageError(f"{word}: no such file" + (", and no file matches" if glob.has_magic(word) else ""))
        yield from matched


def _changed(path: str) -> tuple[float, str]:
    try:
        return Path(path).stat().st_mtime, path
    except OSError:
        return 0.0, path


@contextmanager
def _spooled(lake: Path) -> Iterator[str]:
    """Stdin as a file of its own, so that it may be compressed and is known again."""
    with tempfile.NamedTemporaryFile(dir=lake, prefix=SPOOL) as file:
        try:
            shutil.copyfileobj(sys.stdin.buffer, file, 1024 * 1024)
            file.flush()
        except OSError as error:
            raise UsageError(f"stdin: {because(error)}") from None
        yield file.name
