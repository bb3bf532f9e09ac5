"""Understood lines for tests of what is derived from them, and the derived rows as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import date, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from gatepost.edge.lake.deriving import fill
from gatepost.lake import columns
from gatepost.lake.sessions import EPOCH, Span
from gatepost.logs.signalling import Signaller
from gatepost.model.counting import DAY
from gatepost.model.event import Event, Kind, Signal

NOON = 20_000 * DAY + DAY // 2
CLIENT = "192.0.2.7"


class Log:
    """Lines of one file in the order written: `log.line(seconds, kind, …)`; seconds count from noon."""

    def __init__(self, start: int = NOON, **usual: Any) -> None:
        self.start = start
        self.usual: dict[str, Any] = {
            "host": "mx",
            "daemon": "smtpd",
            "service": "submission",
            "pid": 7,
            "client": CLIENT,
        } | usual
        self.events: list[Event] = []

    def line(self, seconds: float, kind: Kind, **given: Any) -> Event:
        """The offset is the place of the line."""
        at = self.start + round(seconds * 1_000_000)
        one = Event(at=at, kind=kind, offset=100 * len(self.events), **(self.usual | given))
        self.events.append(one)
        return one


def table(events: Iterable[Event]) -> pa.Table:
    rows = list(events)
    return pa.table({one.name: [getattr(row, one.name) for row in rows] for one in fields(Event)}, columns.EVENTS)


def derived(events: Sequence[Event], *, parts: int = 1, days: Sequence[date] = ()) -> dict[str, list[dict[str, Any]]]:
    """Every derived dataset of these days, as if they had been derived together."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ("sessions", "signals", "messages", "usage")}
    there = sorted(days or {day_of(one.at) for one in events}) or [EPOCH]
    db = duckdb.connect(config={"threads": 1})
    try:
        db.execute("SET TimeZone = 'UTC'")
        db.register("lines", table(events))
        db.execute('CREATE VIEW events AS SELECT *, "at"::DATE AS day FROM lines')
        for dataset, _, rows in fill(db, Span(there[0], there[-1]), parts):
            found[dataset] += rows.to_pylist()
    finally:
        db.close()
    return found


def day_of(at: int) -> date:
    return EPOCH + timedelta(days=at // DAY)


def told(events: Iterable[Event]) -> list[Signal]:
    """The signals of the live watch."""
    signaller = Signaller()
    return [*(one for event in events for one in signaller.feed(event)), *signaller.flush()]


def counted(signals: Iterable[Signal]) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(getattr(one, field.name) for field in fields(Signal)) for one in signals)


def counted_rows(rows: Iterable[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(_plain(row[field.name]) for field in fields(Signal)) for row in rows)


def _plain(value: Any) -> Any:
    return round(value.timestamp() * 1_000_000) if hasattr(value, "timestamp") else value
