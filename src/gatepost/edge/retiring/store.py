"""Milestones of retirements, in the state directory."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from gatepost.edge import state
from gatepost.retiring.stages import Milestone, Stage

TABLE = "retirement_milestones"
MAKE = """
CREATE TABLE IF NOT EXISTS retirement_milestones (
  target TEXT NOT NULL, stage TEXT NOT NULL, at REAL NOT NULL, by TEXT NOT NULL, on_day TEXT, note TEXT NOT NULL,
  hosts TEXT NOT NULL
) STRICT
"""


def milestones(directory: Path, target: str = "") -> tuple[Milestone, ...]:
    """Of one target, or of all, oldest first. Raises UsageError for a directory that cannot be used."""
    with state.reading(directory, TABLE) as db:
        if db is None:
            return ()
        rows = db.execute(
            "SELECT target, stage, at, by, on_day, note, hosts FROM retirement_milestones"
            " WHERE ? IN ('', target) ORDER BY at",
            (target,),
        )
        return tuple(_milestone(*row) for row in rows)


def record(directory: Path, new: Milestone) -> None:
    with state.writing(directory) as db:
        db.execute(MAKE)
        db.execute(
            "INSERT INTO retirement_milestones VALUES (?, ?, ?, ?, ?, ?, ?)",
            (new.target, new.stage, new.at, new.by, new.on and new.on.isoformat(), new.note, json.dumps(new.hosts)),
        )


def _milestone(target: str, stage: str, at: float, by: str, on: str | None, note: str, hosts: str) -> Milestone:
    return Milestone(
        target, Stage(stage), at, by, date.fromisoformat(on) if on else None, note, tuple(json.loads(hosts))
    )
