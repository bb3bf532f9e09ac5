"""Locked accounts, and the networks that accounts are known by, in the state directory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

from gatepost.edge import state
from gatepost.policing.judging import Lock
from gatepost.policing.memory import Known

LOCKS = "account_locks"
KNOWN = "known_networks"
TABLES = """
CREATE TABLE IF NOT EXISTS account_locks (
  user TEXT PRIMARY KEY, until REAL NOT NULL, why TEXT NOT NULL, by TEXT NOT NULL, strangers INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS known_networks (
  user TEXT NOT NULL, network TEXT NOT NULL, first REAL NOT NULL, last REAL NOT NULL, PRIMARY KEY (user, network)
) STRICT;
"""


def locks(directory: Path, now: float) -> Mapping[str, Lock]:
    """Those that hold at this moment. Raises UsageError for a directory that cannot be used."""
    with state.reading(directory, LOCKS) as db:
        if db is None:
            return {}
        rows = db.execute(
            "SELECT user, until, why, by, strangers FROM account_locks WHERE until > ? ORDER BY user", (now,)
        )
        return {user: Lock(user, until, why, by, bool(strangers)) for user, until, why, by, strangers in rows}


def lock(directory: Path, new: Lock) -> None:
    """A second lock of an account takes the place of the first."""
    with state.writing(directory) as db:
        _make(db)
        db.execute(
            "INSERT OR REPLACE INTO account_locks VALUES (?, ?, ?, ?, ?)",
            (new.user, new.until, new.why, new.by, int(new.strangers)),
        )


def unlock(directory: Path, user: str) -> bool:
    """False where the account was not locked."""
    with state.writing(directory) as db:
        _make(db)
        return db.execute("DELETE FROM account_locks WHERE user = ?", (user,)).rowcount > 0


def known(directory: Path, since: float) -> tuple[Known, ...]:
    """What was remembered of logins later than `since`, oldest first."""
    with state.reading(directory, KNOWN) as db:
        if db is None:
            return ()
        rows = db.execute(
            "SELECT user, network, first, last FROM known_networks WHERE last > ? ORDER BY last", (since,)
        )
        return tuple(Known(*row) for row in rows)


def remember(directory: Path, all_known: Iterable[Known], since: float) -> None:
    """In one transaction; what is older than `since` is forgotten."""
    with state.writing(directory) as db:
        _make(db)
        with state.transaction(db):
            db.executemany(
                "INSERT INTO known_networks VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE"
                " SET first = min(first, ?3), last = max(last, ?4)",
                ((one.user, one.network, one.first, one.last) for one in all_known),
            )
            db.execute("DELETE FROM known_networks WHERE last <= ?", (since,))


def _make(db: sqlite3.Connection) -> None:
    db.executescript(TABLES)
