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
SLOWED = "slowed_networks"
LONGEST = 30 * 86400  # seconds that anything old is kept
TABLES = """
CREATE TABLE IF NOT EXISTS account_locks (
  user TEXT PRIMARY KEY, until REAL NOT NULL, why TEXT NOT NULL, by TEXT NOT NULL, strangers INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS known_networks (
  user TEXT NOT NULL, network TEXT NOT NULL, first REAL NOT NULL, last REAL NOT NULL, PRIMARY KEY (user, network)
) STRICT;
CREATE TABLE IF NOT EXISTS slowed_networks (network TEXT PRIMARY KEY, until REAL NOT NULL) STRICT;
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


def lock(directory: Path, *new: Lock) -> None:
    """A second lock of an account takes the place of the first, unless that holds longer or for everybody."""
    with state.writing(directory) as db:
        _make(db)
        db.executemany(
            "INSERT INTO account_locks VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET until = max(until, ?2),"
            " why = ?3, by = ?4, strangers = min(strangers, ?5)",
            ((one.user, one.until, one.why, one.by, int(one.strangers)) for one in new),
        )


def slow(directory: Path, networks: Iterable[str], until: float) -> None:
    """Logins from there are answered late until then."""
    with state.writing(directory) as db:
        _make(db)
        db.execute("DELETE FROM slowed_networks WHERE until < ?", (until - LONGEST,))
        db.executemany(
            "INSERT INTO slowed_networks VALUES (?1, ?2) ON CONFLICT DO UPDATE SET until = max(until, ?2)",
            ((network, until) for network in networks),
        )


def slowed(directory: Path, now: float) -> frozenset[str]:
    """Networks whose logins are answered late at this moment."""
    with state.reading(directory, SLOWED) as db:
        rows = db.execute("SELECT network FROM slowed_networks WHERE until > ?", (now,)) if db else ()
        return frozenset(network for (network,) in rows)


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
