"""Keeping a lake in shape: fewer and larger files, old days deleted, older ones without names.

All of it goes through links: the chain tells what replaced what, and links of what was deleted stay.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from itertools import groupby
from pathlib import Path

import pyarrow as pa

from gatepost.edge.lake import segments
from gatepost.edge.lake.committing import Change, Deed
from gatepost.edge.lake.lake import Lake
from gatepost.edge.lake.manifest import Segment
from gatepost.errors import UsageError, because
from gatepost.lake import columns, pseudonyms, retention
from gatepost.model.event import MICROSECONDS

SMALL = 64 * 1024**2  # bytes: a file of this size is left alone
SORTED = 2_000_000  # rows that are put in order of time; more are only joined
KEY = "pseudonym.key"  # in the state directory
KEY_BYTES = 32

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Merged:
    """What compaction made of how many files."""

    before: int = 0
    after: int = 0


def compact(lake: Lake, least: int = 2, told: Told = lambda _what: None) -> Merged:
    """One file for many, day by day; `least` is from how many on it is worth it. Stopped, it goes on the next time."""
    before = after = 0
    for group in _groups(lake.present(), least):
        told(f"{group[0].dataset} of {_word(group[0].day)}: {len(group)} files")
        lake.exchange(partial(_merge, lake, group))
        before, after = before + len(group), after + 1
    return Merged(before, after)


def expired(lake: Lake, keep_days: int, today: date) -> tuple[Segment, ...]:
    """Segments that retention deletes."""
    return tuple(s for s in lake.present() if retention.expired(s.day, read_on(s), today, keep_days))


def prune(lake: Lake, keep_days: int, today: date) -> tuple[Segment, ...]:
    """Delete expired days, whole. The files go as soon as no reader looks at them any more."""
    gone = expired(lake, keep_days, today)
    if gone:
        lake.exchange(lambda: _removals(gone))
    return gone


def named(lake: Lake, days: int, today: date) -> tuple[Segment, ...]:
    """Segments older than `days` that still hold names."""
    old = (s for s in lake.present() if not s.masked)
    return tuple(s for s in old if retention.expired(s.day, read_on(s), today, days))


def mask(lake: Lake, days: int, today: date, key: bytes, told: Told = lambda _what: None) -> tuple[Segment, ...]:
    """Write old segments anew, people and addresses as pseudonyms. Stopped, it goes on the next time."""
    old = named(lake, days, today)
    for one in old:
        told(f"{one.dataset} of {_word(one.day)}")
        lake.exchange(partial(_masked, lake, one, key))
    return old


def clock_jumped(lake: Lake, keep_days: int, today: date) -> bool:
    """Whether today is so far from all that was read that the clock is rather wrong: then do not prune unasked."""
    return retention.clock_jumped((read_on(one) for one in lake.present("events")), today, keep_days)


def key(state: Path) -> bytes:
    """The key of the pseudonyms, made at the first need. Raises UsageError when others may read it."""
    path = state / KEY
    try:
        with suppress(FileExistsError):
            _make_key(path)
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise UsageError(f"{path}: others than its owner may read it: chmod 600 it, or pseudonyms hide nobody")
            found = file.read(KEY_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: {because(error)}") from None
    if len(found) != KEY_BYTES:
        raise UsageError(
            f"{path}: not {KEY_BYTES} bytes as it was made; restore it, for a new one gives new pseudonyms"
        )
    return found


def read_on(one: Segment) -> date:
    return datetime.fromtimestamp(one.written / MICROSECONDS, UTC).date()


def _groups(present: tuple[Segment, ...], least: int) -> Iterator[tuple[Segment, ...]]:
    """Files of one table and day that are worth one, as many as make a large one."""

    def of(one: Segment) -> tuple[str, str, bool]:
        return one.dataset, _word(one.day), one.masked

    for _, same in groupby(sorted((s for s in present if s.bytes < SMALL), key=of), of):
        group: list[Segment] = []
        for one in same:
            if group and sum(s.bytes for s in group) + one.bytes > SMALL:
                if len(group) >= max(least, 2):
                    yield tuple(group)
                group = []
            group.append(one)
        if len(group) >= max(least, 2):
            yield tuple(group)


def _merge(lake: Lake, group: tuple[Segment, ...]) -> Iterator[Change]:
    first, schema = group[0], columns.DATASETS[group[0].dataset]
    rows: Iterator[pa.Table] = (table for one in group for table in segments.read(lake.directory / one.file, schema))
    time = next(name for name in schema.names if name in columns.TIMES)
    if sum(one.rows for one in group) <= SORTED:
        rows = iter([pa.concat_tables(rows).unify_dictionaries().sort_by(time)])
    new = segments.write(lake.directory, first.dataset, first.day, rows, schema)
    yield Change(Deed.MERGED, first.dataset, first.day, new, group, masked=first.masked)


def _removals(gone: tuple[Segment, ...]) -> Iterator[Change]:
    def of(one: Segment) -> tuple[str, str]:
        return one.dataset, _word(one.day)

    for _, same in groupby(sorted(gone, key=of), of):
        group = tuple(same)
        yield Change(Deed.REMOVED, group[0].dataset, group[0].day, None, group)


def _masked(lake: Lake, one: Segment, secret: bytes) -> Iterator[Change]:
    schema = columns.DATASETS[one.dataset]
    rows = (pseudonyms.pseudonymised(t, secret) for t in segments.read(lake.directory / one.file, schema))
    new = segments.write(lake.directory, one.dataset, one.day, rows, schema)
    yield Change(Deed.MASKED, one.dataset, one.day, new, (one,), masked=True)


def _make_key(path: Path) -> None:
    """Whole or not at all: written beside, and linked to its name only when it is on disk."""
    if path.exists():
        return
    partial = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, secrets.token_bytes(KEY_BYTES))
        os.fsync(handle)
        path.hardlink_to(partial)
    finally:
        os.close(handle)
        partial.unlink()
    segments.sync(path.parent)


def _word(day: date | None) -> str:
    return day.isoformat() if day else "no day"
