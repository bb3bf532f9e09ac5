"""The manifest: which files are the lake, and how far each source was read, in one SQLite database.

What a transaction here commits is in the lake; a file that no row names is not. Write-ahead logging with full
synchronisation: what was committed outlives a loss of power.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from gatepost.edge.lake.chain import START, Link
from gatepost.errors import UsageError, because
from gatepost.model.log import Position, Shape

DATABASE = "lake.db"
WAIT = 30.0  # seconds, for a reader or a checkpoint
VERSION = 1  # of the tables; a program that knows only older ones keeps its hands off
SCHEMA = """
CREATE TABLE IF NOT EXISTS source (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, shape TEXT NOT NULL DEFAULT '',
    generation TEXT NOT NULL DEFAULT '', offset INTEGER NOT NULL DEFAULT 0, cursor TEXT NOT NULL DEFAULT '',
    lines INTEGER NOT NULL DEFAULT 0, taken INTEGER
);
CREATE TABLE IF NOT EXISTS generation (
    generation TEXT NOT NULL, source INTEGER NOT NULL, shape TEXT NOT NULL, offset INTEGER NOT NULL,
    cursor TEXT NOT NULL, PRIMARY KEY (generation, source)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS link (sequence INTEGER PRIMARY KEY, digest TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS segment (
    sequence INTEGER PRIMARY KEY, dataset TEXT NOT NULL, day TEXT, file TEXT NOT NULL, sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL, rows INTEGER NOT NULL, first INTEGER, last INTEGER, written INTEGER NOT NULL,
    masked INTEGER NOT NULL, layout INTEGER NOT NULL, gone INTEGER, deed TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS present ON segment (dataset, day) WHERE gone IS NULL;
CREATE TABLE IF NOT EXISTS layout (number INTEGER PRIMARY KEY, columns TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS dropped (file TEXT PRIMARY KEY, sequence INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS memory (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of the lake. `day` is None for rows without a time; `first`, `last` and `written` are microseconds."""

    sequence: int
    dataset: str
    day: date | None
    file: str  # relative to the lake
    sha256: str
    bytes: int
    rows: int
    first: int | None
    last: int | None
    written: int
    masked: bool  # people and addresses are pseudonyms
    columns: tuple[str, ...]
    gone: int | None = None  # the link that replaced or removed it


@dataclass(frozen=True, slots=True)
class Source:
    """A place that lines came from, as the manifest knows it."""

    number: int
    position: Position
    lines: int
    taken: int | None


def writable(directory: Path) -> sqlite3.Connection:
    """The database, made where it is missing. Used by one writer, from any of its threads."""
    db = sqlite3.connect(directory / DATABASE, timeout=WAIT, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        _refuse_newer(db)
        db.executescript(SCHEMA)
        db.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        db.close()
        raise
    return db


def readable(directory: Path) -> sqlite3.Connection | None:
    """None where nothing was ever written. Needs no right to write when nobody writes."""
    path = directory / DATABASE
    if not path.exists():
        return None
    where = path.resolve().as_uri()
    db = sqlite3.connect(f"{where}?mode=ro", uri=True, timeout=WAIT, isolation_level=None, check_same_thread=False)
    try:
        made = _made(db)
    except sqlite3.OperationalError:
        db.close()
        if path.with_name(f"{path.name}-wal").exists():
            raise
        db = sqlite3.connect(f"{where}?immutable=1", uri=True, isolation_level=None, check_same_thread=False)
        made = _made(db)
    _refuse_newer(db)
    if made:
        return db
    db.close()  # its maker was stopped before the first table
    return None


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # a full disk may have ended it already
            db.execute("ROLLBACK")
        raise


@contextmanager
def blaming(directory: Path) -> Iterator[None]:
    """Trouble with the disk or the database as one sentence."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{directory}: {because(error)}; what was committed before is safe") from None
    except sqlite3.Error as error:
        words = _TROUBLE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, str(error))
        raise UsageError(f"{directory}: {words}") from None


def present(db: sqlite3.Connection, dataset: str | None = None) -> tuple[Segment, ...]:
    """The files that are the lake now, in the order they were written."""
    return segments(db, "gone IS NULL AND (:dataset IS NULL OR dataset = :dataset)", {"dataset": dataset})


def segments(db: sqlite3.Connection, condition: str, values: dict[str, object] | None = None) -> tuple[Segment, ...]:
    columns = {number: tuple(json.loads(text)) for number, text in db.execute("SELECT number, columns FROM layout")}
    rows = db.execute(
        "SELECT sequence, dataset, day, file, sha256, bytes, rows, first, last, written, masked, layout, gone"  # noqa: S608 - conditions are ours
        f" FROM segment WHERE {condition} ORDER BY sequence",
        values or {},
    )
    return tuple(_segment(row, columns) for row in rows)


def touched(db: sqlite3.Connection, after: int) -> tuple[date | None, ...]:
    """Days that rows were read for since this link."""
    rows = db.execute(
        "SELECT DISTINCT day FROM segment WHERE sequence > ? AND dataset = 'events' AND deed = 'added' ORDER BY day",
        (after,),
    )
    return tuple(_day(row[0]) for row in rows)


def head(db: sqlite3.Connection) -> tuple[int, str]:
    """Number and digest of the newest link."""
    row = db.execute("SELECT sequence, digest FROM link ORDER BY sequence DESC LIMIT 1").fetchone()
    return row or (0, START)


def add_link(db: sqlite3.Connection, one: Link) -> None:
    db.execute("INSERT INTO link VALUES (?, ?, ?)", (one.sequence, one.digest, one.body))


def add_segment(db: sqlite3.Connection, one: Segment, deed: str) -> None:
    columns = json.dumps(one.columns)
    db.execute("INSERT OR IGNORE INTO layout (columns) VALUES (?)", (columns,))
    layout = db.execute("SELECT number FROM layout WHERE columns = ?", (columns,)).fetchone()[0]
    day = one.day.isoformat() if one.day else None
    db.execute(
        "INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)",
        (
            *(one.sequence, one.dataset, day, one.file, one.sha256, one.bytes, one.rows, one.first, one.last),
            *(one.written, one.masked, layout, deed),
        ),
    )


def retire(db: sqlite3.Connection, gone: tuple[Segment, ...], sequence: int) -> None:
    """Take segments out of the lake; their files wait in `dropped` until no reader needs them."""
    db.executemany("UPDATE segment SET gone = ? WHERE sequence = ?", [(sequence, one.sequence) for one in gone])
    db.executemany("INSERT INTO dropped VALUES (?, ?)", [(one.file, sequence) for one in gone])


def number(db: sqlite3.Connection, name: str) -> int:
    db.execute("INSERT OR IGNORE INTO source (name) VALUES (?)", (name,))
    found: int = db.execute("SELECT number FROM source WHERE name = ?", (name,)).fetchone()[0]
    return found


def move(db: sqlite3.Connection, after: Position, lines: int, now: int) -> None:
    """Set how far a source was read."""
    which = number(db, after.source)
    db.execute(
        "UPDATE source SET shape = ?, generation = ?, offset = ?, cursor = ?, lines = lines + ?, taken = ?"
        " WHERE number = ?",
        (after.shape.value, after.generation, after.offset, after.cursor, lines, now, which),
    )
    db.execute(
        "INSERT OR REPLACE INTO generation VALUES (?, ?, ?, ?, ?)",
        (after.generation, which, after.shape.value, after.offset, after.cursor),
    )


def sources(db: sqlite3.Connection) -> tuple[Source, ...]:
    rows = db.execute(
        "SELECT number, name, shape, generation, offset, cursor, lines, taken FROM source ORDER BY number"
    )
    return tuple(
        Source(row[0], Position(row[1], Shape(row[2] or Shape.FILE), *row[3:6]), row[6], row[7]) for row in rows
    )


def taken(db: sqlite3.Connection, generation: str) -> Position | None:
    """How far these very bytes were read, under whatever name they lay then."""
    known = (one for one in generations(db) if one.generation == generation)
    return max(known, key=lambda one: one.offset, default=None)


def generations(db: sqlite3.Connection) -> tuple[Position, ...]:
    rows = db.execute(
        "SELECT name, g.shape, g.generation, g.offset, g.cursor FROM generation g JOIN source ON number = source"
    )
    return tuple(Position(row[0], Shape(row[1]), *row[2:]) for row in rows)


def _segment(row: tuple[Any, ...], columns: dict[int, tuple[str, ...]]) -> Segment:
    """Raises UsageError for what no gatepost wrote: a day that is none, a file outside of the lake."""
    try:
        found = _read_segment(row, columns)
    except (ValueError, TypeError):
        raise UsageError(_EDITED.format(row[0])) from None
    if found.file.startswith("/") or ".." in found.file.split("/"):
        raise UsageError(_EDITED.format(row[0]))
    return found


def _read_segment(row: tuple[Any, ...], columns: dict[int, tuple[str, ...]]) -> Segment:
    sequence, dataset, day, file, sha256, size, rows, first, last, written, masked, layout, gone = row
    return Segment(
        sequence=sequence,
        dataset=dataset,
        day=_day(day),
        file=file,
        sha256=sha256,
        bytes=size,
        rows=rows,
        first=first,
        last=last,
        written=written,
        masked=bool(masked),
        columns=columns.get(layout, ()),
        gone=gone,
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _made(db: sqlite3.Connection) -> bool:
    found = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'memory'").fetchone()[0]
    return bool(found)


def _refuse_newer(db: sqlite3.Connection) -> None:
    if db.execute("PRAGMA user_version").fetchone()[0] > VERSION:
        db.close()
        raise UsageError(f"{DATABASE} was written by a newer gatepost")


_DAMAGED = f"{DATABASE} is damaged: restore it from a backup (the Parquet files beside it still hold the rows)"
_EDITED = DATABASE + " was edited: its entry {} is none that gatepost makes; gatepost logs verify names every fault"
_TROUBLE = {
    sqlite3.SQLITE_BUSY: f"{DATABASE} was kept locked for {WAIT:g} s: try again",
    sqlite3.SQLITE_CANTOPEN: f"{DATABASE} cannot be opened or made there",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_FULL: "the disk is full: nothing of this step was committed, and the next run goes on from here",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write: nothing of this step was committed",
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_READONLY: f"{DATABASE} may not be written",
}
