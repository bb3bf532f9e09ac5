"""Whole lines to rows of the lake: the compiled scanner takes the common shapes, the complete patterns the rest.

Both give the same answers; without the compiled part everything is read by the patterns, some forty times slower.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter

import pyarrow as pa

from gatepost.edge.logs import compiled
from gatepost.lake.columns import EVENTS
from gatepost.logs.coverage import Tally
from gatepost.logs.heading import heading
from gatepost.logs.understanding import understand
from gatepost.model.event import Event, Kind
from gatepost.model.log import Clock, Coverage

MOST = 2**31 - 1  # of a process number: the column holds 32 bits

_columns = attrgetter(*(one.name for one in fields(Event)))


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a run of lines told: a table with the schema EVENTS in line order, and how much was understood.

    A line that no pattern understands has no row; it is counted and sampled in the coverage. An empty line is none.
    """

    table: pa.Table
    coverage: tuple[Coverage, ...]


def native() -> bool:
    """Is the compiled part there?"""
    return compiled.engine() is not None


def scan(lines: bytes, clock: Clock, source: int = 0, offset: int = 0) -> Scanned:
    """`lines` are whole lines; `offset` is where the first one starts in its source."""
    engine = compiled.engine()
    return (engine and _quickly(engine, lines, clock, source, offset)) or slowly(lines, clock, source, offset)


def slowly(lines: bytes, clock: Clock, source: int = 0, offset: int = 0) -> Scanned:
    """The same by the complete patterns alone."""
    tally, rows = Tally(), list[Event]()
    for begin, raw in _split(lines):
        event = _read(raw, clock, source, offset + begin, tally)
        if event is not None:
            rows.append(event)
    return Scanned(table(rows), tally.coverage())


def table(events: Iterable[Event]) -> pa.Table:
    """Events as rows of the lake."""
    columns = tuple(zip(*map(_columns, events), strict=True)) or ((),) * len(EVENTS)
    return pa.table([_array(values, one.type) for values, one in zip(columns, EVENTS, strict=True)], schema=EVENTS)


def _quickly(engine: compiled.Engine, lines: bytes, clock: Clock, source: int, offset: int) -> Scanned | None:
    batch = engine.batch(clock)
    if not batch.recognise(lines, clock):
        return None
    tally = Tally()
    rows = [_read(lines[one.begin : one.end], clock, source, offset + one.begin, tally) for one in batch.left()]
    for coverage in batch.coverage():
        tally.merge(coverage)
    filled = batch.fill(lines, rows, source, offset)
    return Scanned(filled, tally.coverage()) if filled is not None else None


def _read(raw: bytes, clock: Clock, source: int, at: int, tally: Tally) -> Event | None:
    """The event of a line, None where it tells none."""
    line = heading(raw, clock)
    if line is None:
        return None
    event = understand(line, source, at)
    tally.add(line, event, slow=True)
    if event.kind is Kind.UNKNOWN:
        return None
    return event if event.pid is None or event.pid <= MOST else replace(event, pid=None)


def _array(values: Sequence[object], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, kind)
    except UnicodeEncodeError:  # half a character, escaped in JSON
        clean = [one.encode("utf-8", "replace").decode() if isinstance(one, str) else one for one in values]
        return pa.array(clean, kind)


def _split(lines: bytes) -> Iterator[tuple[int, bytes]]:
    """At newlines alone; a carriage return within a line is a stranger's."""
    begin = 0
    while begin < len(lines):
        end = lines.find(b"\n", begin)
        end = len(lines) if end < 0 else end
        yield begin, lines[begin:end]
        begin = end + 1
