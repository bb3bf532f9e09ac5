"""Small state in SQLite: since when each finding is open.

Write-ahead logging and one transaction per run: a run that is killed leaves the last complete one.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gatepost.errors import UsageError
from gatepost.model.finding import Finding
from gatepost.model.words import Outcome

SCHEMA = """
CREATE TABLE IF NOT EXISTS finding (
    id TEXT PRIMARY KEY,
    first_seen TEXT NOT NULL,
    last_seen TEXT NOT NULL,
    fixed TEXT
) WITHOUT ROWID
"""


def remember(directory: Path, findings: tuple[Finding, ...], now: datetime) -> tuple[Finding, ...]:
    """Store this run's failures and give each the time it was first seen.

    One that was fixed and came back counts from its return. Raises UsageError when the directory cannot be used.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(directory / "gatepost.db", timeout=10.0)) as db, db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute(SCHEMA)
            return _exchange(db, findings, now)
    except (OSError, sqlite3.Error) as error:
        raise UsageError(f"--state {directory}: {error}") from None


def _exchange(db: sqlite3.Connection, findings: tuple[Finding, ...], now: datetime) -> tuple[Finding, ...]:
    stamp = now.astimezone(UTC).isoformat()
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
