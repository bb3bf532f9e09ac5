"""From the lines in the lake to what they mean: sessions, signals, messages and usage, for the days that changed."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from gatepost.edge.apart import apart
from gatepost.edge.lake import readers
from gatepost.edge.lake.lake import Lake
from gatepost.edge.lake.manifest import Segment
from gatepost.lake import columns, messages, sessions, signals, usage
from gatepost.lake.sessions import EPOCH, Span
from gatepost.logs.addresses import network
from gatepost.model import counting

Work = Callable[[Path, Iterable[Segment], Span], Iterable[tuple[str, date, pa.Table]]]
MARK = "derived"  # the key under which the lake remembers up to which commit this was done
VERSION = 3  # of what is derived: with another one all days are done again
MOST = 5_000_000  # rows of events that are derived together; a day is never split
SLICE = 1_000_000  # rows that one slice of the connections comes from
MEMORY = 600  # MiB
THREADS = 1  # a second one makes it a third dearer: every connection is then put together from two halves


def derive(lake: Lake, work: Work | None = None) -> tuple[date, ...]:
    """Bring the derived data up to the events of the last commit; the days that were done.

    Doing it twice changes nothing. A run that is stopped leaves whole days behind, and the next one does them again.
    `work` derives one span, where it is not to be done here.
    """
    upto = lake.sequence
    days = _days(lake)
    for span in _spans(lake, days):
        for dataset, day, table in (work or derived)(lake.directory, lake.present("events"), span):
            lake.replace(dataset, day, table)
        lake.commit()
    if days or lake.memory(MARK) != _mark(upto):
        lake.remember(MARK, _mark(upto))
        lake.commit()
    return days


def derived_apart(stop: threading.Event | None = None) -> Work:
    """Derives in a process of its own: files of Arrow come back, a directory of them for each span."""

    def work(directory: Path, events: Iterable[Segment], span: Span) -> Iterator[tuple[str, date, pa.Table]]:
        with tempfile.TemporaryDirectory(dir=directory, prefix=".deriving-") as scratch:
            for name, dataset, day in apart(derive_into, directory, tuple(events), span, scratch, stop=stop):
                with pa.memory_map(f"{scratch}/{name}") as file:
                    yield dataset, day, pa.ipc.open_file(file).read_all()

    return work


def derive_into(
    directory: Path, events: tuple[Segment, ...], span: Span, scratch: str
) -> tuple[tuple[str, str, date], ...]:
    """What the process apart does: the file of each dataset and day."""
    made = []
    for number, (dataset, day, table) in enumerate(derived(directory, events, span)):
        name = f"{number}.arrow"
        with pa.OSFile(f"{scratch}/{name}", "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        made.append((name, dataset, day))
    return tuple(made)


def behind(lake: Lake) -> int:
    """Rows of events that nothing is derived from yet."""
    done = _done(lake)
    return sum(one.rows for one in lake.present("events") if one.sequence > done)


def derived(directory: Path, events: Iterable[Segment], span: Span) -> Iterator[tuple[str, date, pa.Table]]:
    """The rows of each day of the span, for each derived dataset."""
    files = tuple(events)
    rows = sum(one.rows for one in files if one.day and span.first <= one.day <= span.last)
    with tempfile.TemporaryDirectory(dir=directory, prefix=".deriving-") as scratch:
        db = duckdb.connect(config=_limits(scratch))
        try:
            with readers.blaming(directory):
                db.execute(f"CREATE VIEW events AS {readers.view(directory, files, columns.EVENTS)}")
                yield from fill(db, span, max(1, -(-rows // SLICE)))
        finally:
            db.close()


def fill(db: duckdb.DuckDBPyConnection, span: Span, parts: int) -> Iterator[tuple[str, date, pa.Table]]:
    """From a connection with a view `events` (and its column `day`)."""
    db.execute("SET TimeZone = 'UTC'")
    db.execute("SET preserve_insertion_order = false")
    db.execute(sessions.word(span))
    db.execute(signals.EMPTY)
    db.execute(f"CREATE TEMP TABLE aside AS {sessions.asides(span)}")
    for part in range(parts):
        _slice(db, span, part, parts)
    db.execute(signals.alone(span))
    _mail(db, span)
    db.execute(f"CREATE TEMP TABLE offered AS {sessions.offered()}")
    for part in range(parts):
        kind = "CREATE TEMP TABLE session AS" if part == 0 else "INSERT INTO session"
        for name in _OF_SLICES:
            _use(db, name, part)
        db.execute(f"{kind} {sessions.sessions(span)}")
    every = " UNION ALL ".join(f"SELECT c, key FROM connection_{part}" for part in range(parts))  # noqa: S608 - ours
    db.execute(f"CREATE TEMP TABLE named AS {every}")
    _drop(db, *(f"{name}_{part}" for name in _OF_SLICES for part in range(parts)), *_OF_ALL)
    _networks(db)
    yield from _by_day(db, span)


_OF_SLICES = ("connection", "failed", "said", "tail")
_OF_ALL = ("accepted", "arrival", "aside", "login", "offered", "screened")
_OF_MAIL = ("deliveries", "given", "mail_line", "mail_place")


def _slice(db: duckdb.DuckDBPyConnection, span: Span, part: int, parts: int) -> None:
    """Connections of one slice: their signals now, what their sessions are made of for later."""
    db.execute(f"CREATE TEMP TABLE line AS {sessions.lines(span, part, parts)}")
    db.execute(f"CREATE TEMP TABLE place AS {sessions.places()}")
    db.execute(f"CREATE OR REPLACE TEMP VIEW chained AS {sessions.CHAINED}")
    db.execute(f"CREATE TEMP TABLE connection_{part} AS {sessions.connections()}")
    _use(db, "connection", part)
    db.execute(f"CREATE TEMP TABLE failure AS {sessions.failures()}")
    db.execute(f"CREATE TEMP TABLE marked AS {signals.marked()}")
    for statement in signals.of_connections(span):
        db.execute(statement)
    kept = {
        f"failed_{part}": "SELECT c, sum(amount) AS failed FROM failure GROUP BY c",
        f"said_{part}": signals.said(),
        f"tail_{part}": sessions.tails(part, parts),
    }
    for name, text in kept.items():
        db.execute(f"CREATE TEMP TABLE {name} AS {text}")
    grown = {
        "accepted": messages.accepted(),
        "arrival": sessions.arrivals(),
        "login": signals.logins(),
        "screened": sessions.screened(),
    }
    for name, text in grown.items():
        into = "INSERT INTO" if part else "CREATE TEMP TABLE"
        db.execute(f"{into} {name} {text if part else f'AS {text}'}")
    _drop(db, "line", "place", "failure", "marked")


def _use(db: duckdb.DuckDBPyConnection, name: str, part: int) -> None:
    db.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM {name}_{part}")  # noqa: S608 - ours


def _drop(db: duckdb.DuckDBPyConnection, *tables: str) -> None:
    for name in tables:
        db.execute(f"DROP TABLE {name}")


def _mail(db: duckdb.DuckDBPyConnection, span: Span) -> None:
    db.execute(f"CREATE TEMP TABLE mail_line AS {messages.mail_lines(span)}")
    db.execute(f"CREATE TEMP TABLE mail_place AS {messages.mail_places()}")
    db.execute(f"CREATE TEMP VIEW mail AS {messages.MAIL}")
    db.execute(f"CREATE TEMP TABLE given AS {messages.given()}")
    db.execute(f"CREATE TEMP TABLE deliveries AS {messages.deliveries()}")
    db.execute(messages.counts())
    db.execute(messages.signals(span))
    db.execute(messages.delivery_signals(span))


def _networks(db: duckdb.DuckDBPyConnection) -> None:
    """The network of each client: of the plain IPv4 ones, which are most, by SQL; of the others by `network`."""
    plain = f"regexp_full_match(client, '{_FOUR}')"
    seen = "SELECT client FROM signal UNION SELECT client FROM session"
    db.execute(f"CREATE TEMP TABLE seen AS {seen}")
    others = [one for (one,) in db.execute(f"SELECT client FROM seen WHERE NOT {plain}").fetchall() if one]  # noqa: S608 - ours
    db.register("other_clients", pa.table({"client": others, "network": [network(one) for one in others]}, _KNOWN))
    db.execute(
        f"CREATE TEMP TABLE known AS SELECT client, regexp_replace(client, '[0-9]+$', '0/24') AS network FROM seen"  # noqa: S608 - ours
        f" WHERE {plain} UNION ALL SELECT client, network FROM other_clients"
    )
    db.unregister("other_clients")


_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_FOUR = rf"(?:{_OCTET}\.){{3}}{_OCTET}"
_KNOWN = pa.schema([("client", pa.string()), ("network", pa.string())])


def _by_day(db: duckdb.DuckDBPyConnection, span: Span) -> Iterator[tuple[str, date, pa.Table]]:
    """Each dataset is made once, in the order of time, and cut at the midnights."""
    texts = {
        "messages": f"SELECT m.*, coalesce(key, '') AS session FROM ({messages.messages(span)}) m"  # noqa: S608 - ours
        ' LEFT JOIN named USING (c) ORDER BY "at", queue',
        "usage": usage.usage(span),
        "sessions": "SELECT * FROM session_here ORDER BY started, key",
        "signals": 'SELECT make_timestamptz(t) AS "at", s.* EXCLUDE (t, key, c), coalesce(n.key, s.key) AS session,'
        " coalesce(network, '') AS network FROM signal s LEFT JOIN known USING (client) LEFT JOIN named n USING (c)"
        ' ORDER BY t, source, "offset", act',
    }
    last = {"messages": _OF_MAIL, "sessions": ("session",)}
    db.execute(
        "CREATE TEMP VIEW session_here AS SELECT s.*, coalesce(network, '') AS network FROM session s"
        " LEFT JOIN known USING (client)"
    )
    for dataset, text in texts.items():
        made = db.sql(text).to_arrow_table()
        _drop(db, *last.get(dataset, ()))
        for day, rows in _cut(made, columns.DATASETS[dataset], span):
            yield dataset, day, _shaped(rows, columns.DATASETS[dataset])


def _cut(rows: pa.Table, schema: pa.Schema, span: Span) -> Iterator[tuple[date, pa.Table]]:
    time = next(one for one in schema.names if one in columns.TIMES)
    moments, start = rows[time].cast(pa.int64()), 0
    for number in range((span.last - span.first).days + 1):
        day = span.first + timedelta(days=number)
        end = pc.sum(pc.less(moments, Span(day, day).end)).as_py() or 0
        yield day, rows.slice(start, end - start)
        start = end


def _shaped(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    return pa.table([_plain(rows[one.name]).cast(one.type) for one in schema], schema=schema)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The type `word` comes with all its texts, also those that no row here has."""
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _mark(sequence: int) -> str:
    return f"{VERSION}:{sequence}"


def _done(lake: Lake) -> int:
    version, _, after = lake.memory(MARK).partition(":")
    return int(after) if version == str(VERSION) and after.isdecimal() else 0


def _days(lake: Lake) -> tuple[date, ...]:
    """Days with events that came since the last time, and their neighbours where the events came near midnight."""
    done = _done(lake)
    events = [one for one in lake.present("events") if one.day]
    there = {one.day for one in events if one.day}
    wanted: set[date] = set()
    for day in lake.touched(done):
        if day is not None:
            wanted |= {day, *_neighbours(day, [one for one in events if one.day == day and one.sequence > done])}
    return tuple(sorted(wanted & there))


def _neighbours(day: date, fresh: list[Segment]) -> Iterator[date]:
    start = (day - EPOCH).days * counting.DAY
    if any(one.first is None or one.first < start + counting.FOLLOWED for one in fresh) or not fresh:
        yield day - timedelta(days=1)
    if any(one.last is None or one.last >= start + counting.DAY - counting.FOLLOWED for one in fresh) or not fresh:
        yield day + timedelta(days=1)


def _spans(lake: Lake, days: tuple[date, ...]) -> Iterator[Span]:
    """Days that follow each other together, as long as they are not too many rows."""
    rows: dict[date, int] = {}
    for one in lake.present("events"):
        if one.day:
            rows[one.day] = rows.get(one.day, 0) + one.rows
    run: list[date] = []
    for day in days:
        if run and (day - run[-1] > timedelta(days=1) or sum(rows[one] for one in run) + rows[day] > MOST):
            yield Span(run[0], run[-1])
            run = []
        run.append(day)
    if run:
        yield Span(run[0], run[-1])


def _limits(scratch: str) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "allow_community_extensions": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "memory_limit": f"{MEMORY}MiB",
        "temp_directory": scratch,
        "threads": min(THREADS, os.cpu_count() or 1),
    }
