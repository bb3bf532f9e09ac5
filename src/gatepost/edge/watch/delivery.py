"""The queue of alerts that wait to be told, on disk: each is told at least once, and a campaign is one message.

What is due for one destination goes out together. Between two messages to it lies a minute, and ten when many went out
in the last hour, so the worst day is some fifty messages. An alert that grows is told again after a quarter of an
hour. A destination that fails is tried again, later each time.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gatepost.edge import state
from gatepost.edge.watch.posting import Poster
from gatepost.model.alert import Alert, Block, Proof, Response
from gatepost.model.event import MICROSECONDS
from gatepost.model.watching import Delivery
from gatepost.model.words import Severity
from gatepost.report.watching import letter

MOST = 1000  # alerts waiting for one destination
GAP, LONG_GAP, HOUR = (seconds * MICROSECONDS for seconds in (60, 600, 3600))
MANY = 5  # messages in an hour
QUIET = 900 * MICROSECONDS  # before the same alert is told again
FIRST_RETRY, LAST_RETRY = 10, 3600  # seconds
KEPT = 30 * 24 * HOUR  # what was told
_TABLES = """
CREATE TABLE IF NOT EXISTS deliveries (
    place TEXT NOT NULL, alert TEXT NOT NULL, body TEXT NOT NULL, due INTEGER NOT NULL, tried INTEGER NOT NULL,
    told INTEGER, told_last INTEGER, PRIMARY KEY (place, alert)
) STRICT;
CREATE TABLE IF NOT EXISTS delivered (place TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS delivery_lost (place TEXT PRIMARY KEY, alerts INTEGER NOT NULL) STRICT;
"""


@dataclass(slots=True)
class Courier:
    """`troubles` by destination: why the last try failed."""

    db: sqlite3.Connection
    places: tuple[Delivery, ...]
    poster: Poster
    troubles: dict[str, str] = field(default_factory=dict)

    def take(self, alerts: Sequence[Alert], now: int) -> None:
        """Committed when this returns. What was told already waits for the quiet time, and only if it grew."""
        with state.transaction(self.db):
            for where in self.places:
                wanted = [one for one in alerts if one.severity.rank >= Severity(where.at).rank]
                for one in wanted:
                    self._put(_place(where), one, now)
                if wanted:
                    self._bound(_place(where))

    def _put(self, place: str, alert: Alert, now: int) -> None:
        """`told` is when, `told_last` how far the alert had come by then."""
        self.db.execute(
            "INSERT INTO deliveries VALUES (?1, ?2, ?3, ?4, 0, NULL, NULL) ON CONFLICT (place, alert) DO UPDATE SET "
            "body = ?3, due = CASE WHEN told IS NOT NULL AND ?5 > told_last THEN max(told + ?6, due) ELSE due END",
            (place, alert.id, json.dumps(asdict(alert)), now, alert.last, QUIET),
        )

    def _bound(self, place: str) -> None:
        """The oldest give way, and are counted."""
        over = self.db.execute(
            "DELETE FROM deliveries WHERE place = ?1 AND alert IN (SELECT alert FROM deliveries WHERE place = ?1 AND "
            "(told IS NULL OR due > told) ORDER BY due DESC, rowid DESC LIMIT -1 OFFSET ?2)",
            (place, MOST),
        ).rowcount
        if over:
            self.db.execute(
                "INSERT INTO delivery_lost VALUES (?1, ?2) ON CONFLICT (place) DO UPDATE SET alerts = alerts + ?2",
                (place, over),
            )

    def run(self, now: int, blocks: Sequence[Block] = ()) -> int:
        """Tell what is due; how many messages were taken."""
        return sum(self._run(where, now, blocks) for where in self.places)

    def _run(self, where: Delivery, now: int, blocks: Sequence[Block]) -> bool:
        place = _place(where)
        rows = self.db.execute(
            "SELECT alert, body, tried FROM deliveries WHERE place = ? AND due <= ? AND (told IS NULL OR due > told) "
            "ORDER BY due, rowid",
            (place, now),
        ).fetchall()
        if not rows or now < self._next(place):
            return False
        alerts = [one for _, body, _ in rows if (one := _alert(body))]
        lost = self.db.execute("SELECT alerts FROM delivery_lost WHERE place = ?", (place,)).fetchone()
        told = letter(alerts, blocks, host=self.poster.host, untold=lost[0] if lost else 0)
        why = self.poster.post(where, told, datetime.fromtimestamp(now / MICROSECONDS, UTC))
        with state.transaction(self.db):
            if why:
                self.troubles[place] = why
                wait = min(FIRST_RETRY << min(rows[0][2], 12), LAST_RETRY) * MICROSECONDS
                self._marked(place, rows, "due = ?1, tried = tried + 1", now + wait)
            else:
                self.troubles.pop(place, None)
                self._told(place, rows, {one.id: one.last for one in alerts}, now)
        return not why

    def _told(self, place: str, rows: Sequence[tuple[str, str, int]], last: dict[str, int], now: int) -> None:
        self._marked(place, rows, "due = ?1, tried = 0, told = ?1", now)
        self.db.executemany(
            "UPDATE deliveries SET told_last = ? WHERE place = ? AND alert = ?",
            [(last.get(alert, now), place, alert) for alert, _, _ in rows],
        )
        self.db.execute("DELETE FROM deliveries WHERE told < ?", (now - KEPT,))
        self.db.execute("DELETE FROM delivery_lost WHERE place = ?", (place,))
        self.db.execute("DELETE FROM delivered WHERE at < ?", (now - HOUR,))
        self.db.execute("INSERT INTO delivered VALUES (?, ?)", (place, now))

    def _marked(self, place: str, rows: Sequence[tuple[str, str, int]], change: str, at: int) -> None:
        sql = f"UPDATE deliveries SET {change} WHERE place = ?2 AND alert = ?3"  # noqa: S608 - our own words
        self.db.executemany(sql, [(at, place, alert) for alert, _, _ in rows])

    def _next(self, place: str) -> int:
        """When the next message may go out. A clock that was set back holds nothing up."""
        count, last = self.db.execute("SELECT count(*), max(at) FROM delivered WHERE place = ?", (place,)).fetchone()
        if last is None:
            return 0
        return int(last) + (LONG_GAP if count >= MANY else GAP)

    def waiting(self) -> int:
        found = self.db.execute("SELECT count(*) FROM deliveries WHERE told IS NULL OR due > told").fetchone()
        return int(found[0])


@contextmanager
def opened(directory: Path, places: tuple[Delivery, ...], poster: Poster) -> Iterator[Courier]:
    with state.writing(directory) as db:
        db.executescript(_TABLES)
        yield Courier(db, places, poster)


def _place(where: Delivery) -> str:
    """A URL may hold a password, which the state directory must not: a digest stands for it."""
    scheme = where.to.partition(":")[0]
    return f"{scheme}:{hashlib.sha256(f'{where.to} {where.via}'.encode()).hexdigest()[:24]}"


def _alert(body: str) -> Alert | None:
    """As it was put there; None for what another version wrote."""
    try:
        raw: dict[str, Any] = json.loads(body)
        proofs = tuple(Proof(**one) for one in raw.pop("proofs"))
        severity, response = Severity(raw.pop("severity")), Response(raw.pop("response"))
        plain: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
        return Alert(**plain, severity=severity, response=response, proofs=proofs)
    except (KeyError, TypeError, ValueError):
        return None
