"""The state directory: one SQLite database that audits and imports share, opened and told about in one way.

Write-ahead logging: a run that is killed leaves the last complete one. Whoever only reads needs no right to write.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gatepost.errors import UsageError, because

DATABASE = "gatepost.db"
WAIT = 30.0  # seconds, for another run to commit
VERSION = 0  # of the tables, as PRAGMA user_version; a program that knows only older ones keeps its hands off


@contextmanager
def reading(directory: Path, table: str) -> Iterator[sqlite3.Connection | None]:
    """None where this table was not made yet. Raises UsageError for a directory that cannot be used."""
    if not (directory / DATABASE).exists():
        yield None
        return
    with _blaming(directory), closing(_connected(directory / DATABASE)) as db:
        _refuse_newer(db, directory)
        try:
            yield db if has(db, table) else None
        except ValueError:  # a date or a list that none of ours wrote
            raise UsageError(f"--state {directory}: {_DAMAGED}") from None


@contextmanager
def writing(directory: Path) -> Iterator[sqlite3.Connection]:
    """Without a transaction: see `transaction`. Raises UsageError when the directory cannot be used."""
    with _blaming(directory):
        directory.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(directory / DATABASE, timeout=WAIT, isolation_level=None)) as db:
            _refuse_newer(db, directory)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")  # what a crash of the machine takes is seen or imported again
            try:
                yield db
            except ValueError:
                raise UsageError(f"--state {directory}: {_DAMAGED}") from None


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing; others may read meanwhile."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if db.in_transaction:  # a full disk has ended it already
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def has(db: sqlite3.Connection, table: str) -> bool:
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone() is not None


def _connected(path: Path) -> sqlite3.Connection:
    """A log that nobody left behind need not be looked for, and cannot be made by everybody."""
    where = path.resolve().as_uri()
    db = sqlite3.connect(f"{where}?mode=ro", uri=True, timeout=WAIT, isolation_level=None)
    try:
        has(db, "any")
    except sqlite3.Error as error:
        db.close()
        alone = not path.with_name(f"{path.name}-wal").exists()
        if alone and isinstance(error, sqlite3.OperationalError):
            return sqlite3.connect(f"{where}?immutable=1", uri=True, isolation_level=None)
        raise
    return db


def _refuse_newer(db: sqlite3.Connection, directory: Path) -> None:
    if db.execute("PRAGMA user_version").fetchone()[0] > VERSION:
        raise UsageError(f"--state {directory}: {DATABASE} was written by a newer gatepost")


@contextmanager
def _blaming(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"--state {directory}: {because(error)}") from None
    except sqlite3.Error as error:
        words = _TROUBLE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, str(error))
        raise UsageError(f"--state {directory}: {words}") from None


_DAMAGED = f"{DATABASE} is damaged: restore it, or move it away and import the reports again"
_TROUBLE = {
    sqlite3.SQLITE_BUSY: f"another run has kept {DATABASE} locked for {WAIT:g} s: try again when it is done",
    sqlite3.SQLITE_CANTOPEN: f"{DATABASE} cannot be opened or made there",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_READONLY: f"{DATABASE} may not be written",
}
