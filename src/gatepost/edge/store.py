"""Small state in SQLite: since when each finding is open, and since when keys and certificates are known.

One transaction per run, see `edge.state`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gatepost.edge import state
from gatepost.model.architecture import Endpoint
from gatepost.model.domain import Dated
from gatepost.model.finding import Finding
from gatepost.model.observation import Seen
from gatepost.model.words import Outcome
from gatepost.records.dated import Noted, noted

SCHEMA = """
CREATE TABLE IF NOT EXISTS finding (
    id TEXT PRIMARY KEY,
    first_seen TEXT NOT NULL,
    last_seen TEXT NOT NULL,
    fixed TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sighting (
    what TEXT NOT NULL,
    place TEXT NOT NULL,
    value TEXT NOT NULL,
    host TEXT NOT NULL,
    first_seen TEXT NOT NULL,
    last_seen TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (what, host, place, value)
) WITHOUT ROWID;
"""


@contextmanager
def database(directory: Path) -> Iterator[sqlite3.Connection]:
    """The state's database with our tables; one transaction around the block.

    Raises UsageError when the directory cannot be used.
    """
    with state.writing(directory) as db:
        db.executescript(SCHEMA)
        with state.transaction(db):
            yield db


def remember(directory: Path, findings: tuple[Finding, ...], now: datetime) -> tuple[Finding, ...]:
    """Store this run's failures and give each the time it was first seen.

    One that was fixed and came back counts from its return. Raises UsageError when the directory cannot be used.
    """
    with database(directory) as db:
        return _exchange(db, findings, now)


def _exchange(db: sqlite3.Connection, findings: tuple[Finding, ...], now: datetime) -> tuple[Finding, ...]:
    stamp = _stamp(now)
    for finding in findings:
        if finding.outcome is Outcome.FAIL:
            db.execute(
                "INSERT INTO finding VALUES (:id, :now, :now, NULL) ON CONFLICT (id) DO UPDATE SET last_seen = :now,"
                " first_seen = CASE WHEN fixed IS NULL THEN first_seen ELSE :now END, fixed = NULL",
                {"id": finding.id, "now": stamp},
            )
        elif finding.outcome is Outcome.PASS:
            db.execute("UPDATE finding SET fixed = ? WHERE id = ? AND fixed IS NULL", (stamp, finding.id))
    known = dict(db.execute("SELECT id, first_seen FROM finding WHERE fixed IS NULL"))
    return tuple(
        replace(f, first_seen=datetime.fromisoformat(known[f.id])) if f.outcome is Outcome.FAIL else f for f in findings
    )


def sighted(directory: Path, seen: Seen, now: datetime) -> tuple[Dated, ...]:
    """Note what this run saw of keys, policies, TLSA records and certificates; give back all that is known of them.

    Raises UsageError when the directory cannot be used.
    """
    found = noted(seen)
    with database(directory) as db:
        for one in found:
            db.execute(
                "INSERT INTO sighting VALUES (:what, :place, :value, :host, :now, :now, :detail)"
                " ON CONFLICT DO UPDATE SET last_seen = :now, detail = :detail",
                _row(one, now),
            )
        hosts = sorted({one.at.host for one in found})
        return tuple(row for host in hosts for row in _known(db, "host = ?", host))


def history(directory: Path, what: str) -> tuple[Dated, ...]:
    """Everything of one kind that was ever seen, oldest first. Empty where no state was kept yet."""
    with state.reading(directory, "sighting") as db:
        return _known(db, "what = ?", what) if db else ()


def _row(one: Noted, now: datetime) -> dict[str, str]:
    return {
        "what": one.what,
        "place": one.place,
        "value": one.value,
        "host": one.at.host,
        "now": _stamp(now),
        "detail": one.detail,
    }


def _known(db: sqlite3.Connection, condition: str, value: str) -> tuple[Dated, ...]:
    query = f"SELECT host, what, value, first_seen, last_seen, detail FROM sighting WHERE {condition}"  # noqa: S608 - one of two conditions of ours
    return tuple(
        Dated(Endpoint(host), what, value, datetime.fromisoformat(first), datetime.fromisoformat(last), detail)
        for host, what, value, first, last, detail in db.execute(f"{query} ORDER BY first_seen, place, value", (value,))
    )


def _stamp(now: datetime) -> str:
    return now.astimezone(UTC).isoformat()
