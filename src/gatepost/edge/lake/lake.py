"""The lake: append what was read, commit it with how far it was read, ask it anything.

    with Lake.open(state / "lake", write=True) as lake:
        lake.append(table, chunk.after)      # kept in memory
        lake.commit()                        # files and positions, all or nothing
    with Lake.open(state / "lake") as lake:
        lake.connect().sql("SELECT count(*) FROM events WHERE day = DATE '2026-08-01'")

One process writes; any number read meanwhile, each of them one state of the lake.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import pyarrow as pa

from gatepost.edge.lake import chain, committing, manifest, segments
from gatepost.edge.lake.committing import Change, Deed
from gatepost.edge.lake.holding import Lease, Writer, oldest
from gatepost.edge.lake.manifest import Segment, Source
from gatepost.errors import UsageError
from gatepost.lake import columns
from gatepost.model.log import Position

if TYPE_CHECKING:
    import duckdb

FOLDER = "lake"  # in the state directory
FULL = 1_000_000  # rows in memory that are committed without being asked


@dataclass(slots=True)
class _Pending:
    """What the next commit writes."""

    tables: list[pa.Table] = field(default_factory=list)
    rows: int = 0
    lines: dict[str, int] = field(default_factory=dict)
    before: dict[str, Position | None] = field(default_factory=dict)
    after: dict[str, Position] = field(default_factory=dict)
    replaced: dict[tuple[str, date | None], pa.Table] = field(default_factory=dict)
    remembered: dict[str, str] = field(default_factory=dict)


class Lake:
    """Open with `Lake.open`; close it, or use it as a context manager. A lake that is not there yet has no rows."""

    def __init__(self, directory: Path, db: sqlite3.Connection | None, writer: Writer | None) -> None:
        self.directory = directory
        self._db = db
        self._writer = writer
        self._pending = _Pending()
        self._guard = threading.RLock()
        self._leases: list[Lease] = []
        self._numbers: dict[str, int] = {}
        self.unnamed = ""  # the host of rows whose line names none

    @classmethod
    def open(cls, directory: Path, *, write: bool = False) -> Self:
        """`directory` is STATE/lake. Raises UsageError: no room, no right, another writer."""
        directory = directory.absolute()
        with manifest.blaming(directory):
            if not write:
                return cls(directory, manifest.readable(directory), None)
            directory.mkdir(parents=True, exist_ok=True, mode=0o750)
            writer = Writer(directory)
            try:
                lake = cls(directory, manifest.writable(directory), writer)
                lake._recover()
            except BaseException:
                writer.close()
                raise
            return lake

    def close(self) -> None:
        """What was not committed is forgotten; connections stay good only as long as nobody writes."""
        for lease in self._leases:
            lease.close()
        self._leases.clear()
        if self._db is not None:
            self._db.close()
            self._db = None
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def number(self, source: str) -> int:
        """The number that events of this source carry. A new one is kept at once, and stays."""
        if (known := self._numbers.get(source)) is not None:
            return known  # without waiting for a commit that is under way
        with self._guard, manifest.blaming(self.directory):
            return self._numbers.setdefault(source, manifest.number(self._writable(), source))

    def position(self, source: str) -> Position | None:
        """How far this source was read, with what is appended and not committed yet."""
        with self._guard:
            if source in self._pending.after:
                return self._pending.after[source]
            return next((one.position for one in self.sources() if one.position.source == source and one.taken), None)

    def taken(self, generation: str) -> Position | None:
        """How far a file with this content was read, under whatever name."""
        with self._guard, manifest.blaming(self.directory):
            return manifest.taken(self._db, generation) if self._db else None

    def generations(self) -> tuple[Position, ...]:
        """Every file that was ever read, and how far."""
        with self._guard, manifest.blaming(self.directory):
            return manifest.generations(self._db) if self._db else ()

    def sources(self) -> tuple[Source, ...]:
        with self._guard, manifest.blaming(self.directory):
            return manifest.sources(self._db) if self._db else ()

    def present(self, dataset: str | None = None) -> tuple[Segment, ...]:
        """The files that make up the lake now."""
        with self._guard, manifest.blaming(self.directory):
            return manifest.present(self._db, dataset) if self._db else ()

    @property
    def sequence(self) -> int:
        """Grows with every commit that changed a table."""
        with self._guard, manifest.blaming(self.directory):
            return manifest.head(self._db)[0] if self._db else 0

    def touched(self, after: int) -> tuple[date | None, ...]:
        """Days that events were appended to since this sequence: what is derived from them is out of date."""
        with self._guard, manifest.blaming(self.directory):
            return manifest.touched(self._db, after) if self._db else ()

    def memory(self, key: str) -> str:
        """What `remember` kept; "" where nothing was."""
        with self._guard, manifest.blaming(self.directory):
            if key in self._pending.remembered:
                return self._pending.remembered[key]
            row = self._db.execute("SELECT value FROM memory WHERE key = ?", (key,)).fetchone() if self._db else None
        return row[0] if row else ""

    def append(self, table: pa.Table, after: Position) -> None:
        """Rows of `events` and how far their source was read with them. Many rows are committed on the way."""
        rows = segments.hosted(segments.shaped(table, columns.EVENTS), self.unnamed)
        with self._guard:
            self._writable()
            waiting, name = self._pending, after.source
            if name not in waiting.before:
                waiting.before[name] = self.position(name)
            waiting.after[name] = after
            waiting.lines[name] = waiting.lines.get(name, 0) + rows.num_rows
            if rows.num_rows:
                waiting.tables.append(rows)
                waiting.rows += rows.num_rows
            if waiting.rows >= FULL:
                self.commit()

    def replace(self, dataset: str, day: date | None, table: pa.Table) -> None:
        """The next commit puts these rows in the place of all that the dataset has for this day."""
        if dataset not in columns.DATASETS or dataset == "events":
            raise ValueError(f"{dataset} is not derived data")
        with self._guard:
            self._writable()
            self._pending.replaced[dataset, day] = segments.shaped(table, columns.DATASETS[dataset])

    def remember(self, key: str, value: str) -> None:
        """A word that the next commit keeps, for instance how far something was derived."""
        with self._guard:
            self._writable()
            self._pending.remembered[key] = value

    def commit(self) -> None:
        """All that was appended, replaced and remembered, or nothing of it.

        Raises UsageError when it cannot be written; it is still waiting then, and may be committed later.
        """
        with self._guard, manifest.blaming(self.directory):
            waiting = self._pending
            self._exchange(lambda: self._changes(waiting), waiting)
            self.tidy()

    def exchange(self, changes: Callable[[], Iterable[Change]]) -> None:
        """Commit other changes, such as fewer and larger files for many small ones; see `edge.lake.upkeep`."""
        with self._guard, manifest.blaming(self.directory):
            self._exchange(changes, _Pending())
            self.tidy()

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A DuckDB with the views events, sessions, signals, messages, usage and sources as they are now.

        It can read these files and nothing else. Do not share it between threads: take a cursor for each.
        """
        from gatepost.edge.lake import readers

        lease = Lease(self.directory)  # before the list is read, so that nothing on it is deleted in between
        try:
            with self._guard, manifest.blaming(self.directory):
                files, sequence = self._snapshot()
                lease.narrow(sequence)
                with readers.blaming(self.directory):
                    db = readers.connected(self.directory, files, self.sources())
        except BaseException:
            lease.close()
            raise
        self._leases.append(lease)
        weakref.finalize(db, lease.close)
        return db

    def verify(self) -> tuple[str, ...]:
        """Every broken link in words; nothing where the chain is whole."""
        from gatepost.edge.lake.verifying import broken

        with manifest.blaming(self.directory):
            return broken(self.directory)

    def head(self) -> tuple[int, str, int, int]:
        """Number and digest of the newest link; files and rows that the lake holds."""
        files = self.present()
        with self._guard, manifest.blaming(self.directory):
            newest = manifest.head(self._db) if self._db else (0, chain.START)
        return *newest, len(files), sum(one.rows for one in files)

    def lacks(self, noted: str) -> tuple[str, ...]:
        """Whether a link that was noted elsewhere, as NUMBER:DIGEST, is missing or another one now."""
        number, _, digest = noted.partition(":")
        if not number.isdecimal() or len(number) > 18 or len(digest) != len(chain.START):
            raise UsageError(f"--head {noted[:80]!r}: NUMBER:DIGEST as gatepost logs verify shows it is wanted")
        with self._guard, manifest.blaming(self.directory):
            row = (
                self._db.execute("SELECT digest FROM link WHERE sequence = ?", (int(number),)).fetchone()
                if self._db
                else None
            )
        if row and row[0] == digest.lower():
            return ()
        return (
            f"link {int(number)} is not the one that was noted: {'another one' if row else 'nothing'} is in its place",
        )

    def tidy(self) -> None:
        """Delete files that were replaced or removed, unless a reader still looks at them."""
        db = self._writable()
        reading = oldest(self.directory)
        rows = db.execute("SELECT file, sequence FROM dropped").fetchall()
        free = [file for file, sequence in rows if reading is None or reading >= sequence]
        self._unlink(free)
        db.executemany("DELETE FROM dropped WHERE file = ?", [(file,) for file in free])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _snapshot(self) -> tuple[tuple[Segment, ...], int]:
        if self._db is None:
            self._db = manifest.readable(self.directory)  # it may have been made since
        if self._db is None:
            return (), 0
        self._db.execute("BEGIN")
        try:
            return manifest.present(self._db), manifest.head(self._db)[0]
        finally:
            self._db.execute("COMMIT")

    def _exchange(self, changes: Callable[[], Iterable[Change]], waiting: _Pending) -> None:
        db, ready = self._writable(), list[Change]()
        start = manifest.head(db)[0]
        try:
            for change in changes():
                ready.append(change)
            links = committing.commit(db, tuple(ready), now(), lambda: self._move(waiting))
        except BaseException:
            if manifest.head(db)[0] == start:  # else the interruption came after the commit
                self._unlink([one.written.file for one in ready if one.written])
            else:
                self._done(waiting)
            raise
        self._done(waiting)
        chain.note(self.directory, links)

    def _changes(self, waiting: _Pending) -> Iterator[Change]:
        read = self._read(waiting) if waiting.tables else ()
        for day, rows in _by_day(waiting.tables):
            new = segments.write(self.directory, "events", day, [rows], columns.EVENTS)
            yield Change(Deed.ADDED, "events", day, new, sources=read)
        for (dataset, day), table in waiting.replaced.items():
            old = tuple(one for one in self.present(dataset) if one.day == day)
            made = segments.write(self.directory, dataset, day, [table], table.schema) if table.num_rows else None
            if old or made:
                yield Change(Deed.DERIVED, dataset, day, made, old)

    def _done(self, waiting: _Pending) -> None:
        if waiting is self._pending:
            self._pending = _Pending()

    def _read(self, waiting: _Pending) -> tuple[tuple[int, str, str, int, int], ...]:
        """Numbers, names and stretches of the sources. One with a new generation was read from its start."""
        stretches = []
        for name, after in waiting.after.items():
            before = waiting.before[name]
            begin = before.offset if before and before.generation == after.generation else 0
            stretches.append((self.number(name), name, after.generation, begin, after.offset))
        return tuple(stretches)

    def _move(self, waiting: _Pending) -> None:
        db, moment = self._writable(), now()
        for name, after in waiting.after.items():
            manifest.move(db, after, waiting.lines[name], moment)
        db.executemany("INSERT OR REPLACE INTO memory VALUES (?, ?)", list(waiting.remembered.items()))

    def _recover(self) -> None:
        """After a crash: the end of CHAIN.txt is caught up, and files that nothing names are deleted."""
        db = self._writable()
        known = max(chain.heads(self.directory), default=0)
        rows = db.execute("SELECT sequence, digest, body FROM link WHERE sequence > ? ORDER BY sequence", (known,))
        chain.note(self.directory, [chain.Link(*row) for row in rows])
        named = db.execute("SELECT file FROM segment WHERE gone IS NULL UNION SELECT file FROM dropped")
        segments.sweep(self.directory, frozenset(row[0] for row in named))
        self.tidy()

    def _unlink(self, files: list[str]) -> None:
        for file in files:
            (self.directory / file).unlink(missing_ok=True)

    def _writable(self) -> sqlite3.Connection:
        if self._db is None or self._writer is None:
            raise UsageError(f"{self.directory}: opened for reading only")
        return self._db


def now() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


def _by_day(tables: Iterable[pa.Table]) -> Iterator[tuple[date | None, pa.Table]]:
    """Batch by batch, for most batches are of one day and need not be looked through."""
    found: dict[date | None, list[pa.Table]] = {}
    for table in tables:
        for day, rows in segments.by_day(table, "at"):
            found.setdefault(day, []).append(rows)
    for day, parts in found.items():
        yield day, pa.concat_tables(parts).unify_dictionaries()
