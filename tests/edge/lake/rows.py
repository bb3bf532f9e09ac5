"""Rows whose number says where they were read, so that each can be missed and each counted twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from gatepost.edge.lake.lake import Lake
from gatepost.lake.columns import EVENTS, SIGNALS
from gatepost.model.log import Position, Shape

FIRST = date(2026, 3, 1)
A_DAY = 500  # rows
WIDTH = 10  # bytes of a line
LOG = "/var/log/mail.log"


def day_of(number: int) -> date:
    return FIRST + timedelta(days=number // A_DAY)


def micros(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1_000_000)


def events(first: int, count: int) -> pa.Table:
    """Rows `first` to `first + count`, A_DAY of them on each day."""
    numbers = range(first, first + count)
    at = [micros(day_of(n)) + n % A_DAY for n in numbers]
    columns = {name: pa.nulls(count, EVENTS.field(name).type) for name in EVENTS.names}
    columns |= {
        "at": pa.array(at, EVENTS.field("at").type),
        "kind": pa.array(["connect"] * count).dictionary_encode(),
        "host": pa.array(["mx1"] * count).dictionary_encode(),
        "client": pa.array([f"192.0.2.{n % 250}" for n in numbers]),
        "user": pa.array([f"user{n % 7}" for n in numbers]),
        "source": pa.array([1] * count, pa.int32()),
        "offset": pa.array([n * WIDTH for n in numbers], pa.int64()),
    }
    return pa.table(columns, schema=EVENTS)


def after(count: int, source: str = LOG, generation: str = "g1") -> Position:
    return Position(source, Shape.FILE, generation, count * WIDTH)


def signals(day: date, count: int) -> pa.Table:
    columns = {name: pa.nulls(count, SIGNALS.field(name).type) for name in SIGNALS.names}
    columns["at"] = pa.array([micros(day) + n for n in range(count)], SIGNALS.field("at").type)
    return pa.table(columns, schema=SIGNALS)


def numbers(directory: Path) -> list[int]:
    """What a reader finds, in order."""
    with Lake.open(directory) as lake:
        found = lake.connect().execute('SELECT "offset" FROM events ORDER BY 1').fetchall()
    return [row[0] // WIDTH for row in found]
