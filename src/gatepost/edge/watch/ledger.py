"""The ledger of blocks in the state directory: who was shut out, why, on what evidence, until when, and how it ended.

A line is written before the kernel is told, so that no element stands there which nobody can explain. What the kernel
lost is found by comparing both, and set again for the time that is left.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatepost.edge import state
from gatepost.model.alert import Block, BlockEnd
from gatepost.model.ledger import Entry

MOST_EVIDENCE = 20  # places of one block
LONGEST = 2000  # characters of one text
MOST = 100_000  # entries of a history
_TABLE = """
CREATE TABLE IF NOT EXISTS blocks (
    id INTEGER PRIMARY KEY, address TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
    alert TEXT NOT NULL, rule TEXT NOT NULL, made_by TEXT NOT NULL, why TEXT NOT NULL, dry INTEGER NOT NULL,
    cut INTEGER NOT NULL, proved TEXT NOT NULL, ending TEXT NOT NULL, evidence TEXT NOT NULL,
    ended INTEGER, ended_by TEXT NOT NULL DEFAULT '', ended_why TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS blocks_open ON blocks (address) WHERE ending = '';
CREATE INDEX IF NOT EXISTS blocks_of ON blocks (address, since);
"""
_COLUMNS = "address, since, until, alert, rule, made_by, why, dry, cut, proved, ending"


@dataclass(frozen=True, slots=True)
class Ledger:
    db: sqlite3.Connection

    def record(self, blocks: Sequence[tuple[Block, tuple[str, ...]]]) -> tuple[int, ...]:
        """All of them or none; numbers in their order. Refusals are recorded once for an alert and a reason."""
        numbers = []
        with state.transaction(self.db):
            for block, evidence in blocks:
                if block.end is BlockEnd.REFUSED and self._known(block):
                    continue
                row = (*_row(block), json.dumps([place[:LONGEST] for place in evidence[:MOST_EVIDENCE]]))
                sql = f"INSERT INTO blocks ({_COLUMNS}, evidence) VALUES ({', '.join('?' * len(row))})"  # noqa: S608 - ours
                numbers.append(self.db.execute(sql, row).lastrowid or 0)
        return tuple(numbers)

    def _known(self, block: Block) -> bool:
        sql = "SELECT 1 FROM blocks WHERE alert = ? AND address = ? AND ending = 'refused' AND why = ?"
        return self.db.execute(sql, (block.alert, block.address, block.why[:LONGEST])).fetchone() is not None

    def extend(self, blocks: Iterable[Block]) -> None:
        with state.transaction(self.db):
            self.db.executemany(
                "UPDATE blocks SET until = max(until, ?) WHERE address = ? AND dry = ? AND ending = ''",
                [(one.until, one.address, one.dry) for one in blocks],
            )

    def proved(self, said: Iterable[tuple[str, str, int]]) -> None:
        """Sentence and connections cut, by address, for the blocks that stand."""
        with state.transaction(self.db):
            self.db.executemany(
                "UPDATE blocks SET proved = ?, cut = cut + ? WHERE address = ? AND ending = '' AND dry = 0",
                [(text[:LONGEST], cut, address) for address, text, cut in said],
            )

    def expire(self, now: int) -> int:
        """How many ended by themselves since."""
        sql = "UPDATE blocks SET ending = 'expired', ended = until WHERE ending = '' AND until <= ?"
        return self.db.execute(sql, (now,)).rowcount

    def end(self, address: str, end: BlockEnd, now: int, *, by: str, why: str = "") -> tuple[Entry, ...]:
        """The entries that ended with it."""
        found = tuple(self._entries("WHERE ending = '' AND address = ?", (address,)))
        self.db.execute(
            "UPDATE blocks SET ending = ?, ended = ?, ended_by = ?, ended_why = ? WHERE ending = '' AND address = ?",
            (end.value, now, by, why[:LONGEST], address),
        )
        return found

    def standing(self, now: int, *, dry: bool | None = False) -> tuple[Entry, ...]:
        """`dry` None: rehearsed ones as well."""
        found = self._entries("WHERE ending = '' AND until > ? ORDER BY id", (now,))
        return tuple(one for one in found if dry is None or one.block.dry is dry)

    def history(self, since: int = 0) -> tuple[Entry, ...]:
        """Oldest first."""
        found = tuple(self._entries("WHERE since >= ? ORDER BY id DESC LIMIT ?", (since, MOST)))
        return found[::-1]

    def blocks(self, since: int = 0) -> tuple[Block, ...]:
        return tuple(one.block for one in self.history(since))

    def of(self, addresses: Iterable[str], since: int = 0) -> tuple[Block, ...]:
        """Those of these addresses, oldest first."""
        where = "WHERE since >= ? AND address IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT ?"
        found = tuple(self._entries(where, (since, json.dumps(sorted(addresses)), MOST)))
        return tuple(one.block for one in found[::-1])

    def _entries(self, where: str, values: tuple[object, ...]) -> Iterator[Entry]:
        sql = f"SELECT id, {_COLUMNS}, evidence, ended, ended_by, ended_why FROM blocks {where}"  # noqa: S608 - ours
        return map(_entry, self.db.execute(sql, values).fetchall())


@contextmanager
def opened(directory: Path) -> Iterator[Ledger]:
    """Made where it is missing. Raises UsageError when the directory cannot be used."""
    with state.writing(directory) as db:
        db.executescript(_TABLE)
        yield Ledger(db)


@contextmanager
def looked_at(directory: Path) -> Iterator[Ledger | None]:
    """Without a right to write; None where nothing was ever recorded."""
    with state.reading(directory, "blocks") as db:
        yield Ledger(db) if db else None


def _row(one: Block) -> tuple[object, ...]:
    texts = (one.alert, one.rule, one.by, one.why)
    return (
        one.address, one.since, one.until, *(text[:LONGEST] for text in texts), int(one.dry), one.cut,
        one.proved[:LONGEST], one.end.value,
    )  # fmt: skip


def _entry(row: tuple[Any, ...]) -> Entry:
    """SQLite's word for the types: the table is STRICT."""
    number, address, since, until, alert, rule, by, why, dry, cut, proved, end = row[:12]
    evidence, ended, ended_by, ended_why = row[12:]
    block = Block(address, since, until, alert, rule, by, why, bool(dry), cut, proved, BlockEnd(end))
    return Entry(number, block, tuple(map(str, json.loads(evidence))), ended, ended_by, ended_why)
