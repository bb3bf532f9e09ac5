"""Segments: rows as Parquet files, a directory for each day, on disk for good before anybody counts on them."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gatepost.lake import columns

UNDATED = "__HIVE_DEFAULT_PARTITION__"  # what Hive, Spark and DuckDB read as NULL
MICROSECONDS_A_DAY = 86_400_000_000
EPOCH = date(1970, 1, 1)
FIRST_DAY, LAST_DAY = (date.min - EPOCH).days, (date.max - EPOCH).days
SCRATCH = (".deriving-*", ".stdin-*")  # what a derivation spilled, and what came through a pipe
ROW_GROUP = 262_144


@dataclass(frozen=True, slots=True)
class Written:
    """A file that is on disk and not yet in the lake."""

    dataset: str
    day: date | None
    file: str
    sha256: str
    bytes: int
    rows: int
    first: int | None
    last: int | None
    columns: tuple[str, ...]


def by_day(table: pa.Table, time: str) -> Iterator[tuple[date | None, pa.Table]]:
    """A batch, each day for itself. Rows without a time, or with one that no calendar has, are undated."""
    days = _days(table[time])
    for number in sorted(pc.unique(days).to_pylist(), key=lambda one: (one is None, one)):
        wanted = pc.is_null(days) if number is None else pc.fill_null(pc.equal(days, number), fill_value=False)
        whole = pc.all(wanted).as_py()
        yield _date(number), table if whole else table.filter(wanted)


def write(lake: Path, dataset: str, day: date | None, tables: Iterable[pa.Table], schema: pa.Schema) -> Written:
    """One segment, its bytes and its name synchronised to disk."""
    folder = lake / dataset / f"day={day.isoformat() if day else UNDATED}"
    _make(lake, folder)
    name = f"{secrets.token_hex(10)}.parquet"
    partial, final = folder / f".{name}.partial", folder / name
    try:
        rows, first, last = _fill(partial, tables, schema)
        sha256, size = _settled(partial)
        partial.rename(final)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
    sync(folder)
    return Written(
        dataset, day, f"{dataset}/{folder.name}/{name}", sha256, size, rows, first, last, tuple(schema.names)
    )


def read(path: Path, schema: pa.Schema) -> Iterator[pa.Table]:
    """A segment, piece by piece, in the columns that the lake has today."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROW_GROUP):
            yield shaped(pa.Table.from_batches([batch]), schema)


def shaped(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns of the lake, in their order and types; one that is missing is empty."""
    if table.schema.equals(schema):
        return table
    found = [table[one.name] if one.name in table.schema.names else _empty(table.num_rows, one) for one in schema]
    return pa.table([one.cast(kind.type) for one, kind in zip(found, schema, strict=True)], schema=schema)


def hosted(table: pa.Table, host: str) -> pa.Table:
    """Rows whose line names no host get this one."""
    if not host:
        return table
    index = table.schema.get_field_index("host")
    named = table["host"].cast(pa.string())
    filled = pc.if_else(pc.equal(pc.fill_null(named, ""), ""), host, named).dictionary_encode()
    return table.set_column(index, table.schema.field(index), filled.cast(columns.WORD))


def _empty(rows: int, field: pa.Field) -> pa.Array:
    if pa.types.is_string(field.type) or pa.types.is_dictionary(field.type):
        return pa.repeat(pa.scalar("", pa.string()), rows)
    return pa.nulls(rows, field.type)


def hashed(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sweep(lake: Path, known: frozenset[str]) -> int:
    """Delete files that no transaction ever named: a run was killed before it could. How many there were."""
    swept = 0
    for scratch in (path for pattern in SCRATCH for path in lake.glob(pattern)):
        if scratch.is_dir():
            shutil.rmtree(scratch, ignore_errors=True)
        else:
            scratch.unlink(missing_ok=True)
    for folder in [f for f in lake.iterdir() if f.is_dir() and f.name in columns.DATASETS]:
        for path in folder.glob("day=*/*"):
            if path.relative_to(lake).as_posix() not in known:
                path.unlink(missing_ok=True)
                swept += 1
    return swept


def sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _make(lake: Path, folder: Path) -> None:
    if folder.exists():
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    sync(folder.parent)
    sync(lake)


def _fill(path: Path, tables: Iterable[pa.Table], schema: pa.Schema) -> tuple[int, int | None, int | None]:
    rows, firsts, lasts = 0, [], []
    time = next((name for name in schema.names if name in columns.TIMES), None)
    with path.open("xb") as file, pq.ParquetWriter(file, schema, **columns.writing(schema)) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=ROW_GROUP)
            rows += table.num_rows
            if time and table.num_rows:
                edge = pc.min_max(table[time].cast(pa.int64())).as_py()
                firsts.append(edge["min"])
                lasts.append(edge["max"])
    return rows, min(filter(_told, firsts), default=None), max(filter(_told, lasts), default=None)


def _told(value: int | None) -> bool:
    return value is not None


def _settled(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size


def _days(times: pa.ChunkedArray) -> pa.ChunkedArray:
    """Days since 1970, null where there is none. Division of integers goes towards zero: negative ones are moved."""
    ticks = times.cast(pa.int64())
    edge = pc.min_max(ticks).as_py()
    low, high = (_floor(edge["min"]), _floor(edge["max"])) if edge["min"] is not None else (None, None)
    if low is not None and low == high and times.null_count == 0 and FIRST_DAY <= low <= LAST_DAY:
        return pa.chunked_array([pa.repeat(pa.scalar(low, pa.int64()), len(times))])
    towards = pc.if_else(pc.less(ticks, 0), pc.subtract(ticks, MICROSECONDS_A_DAY - 1), ticks)
    days = pc.divide(towards, MICROSECONDS_A_DAY)
    inside = pc.and_(pc.greater_equal(days, FIRST_DAY), pc.less_equal(days, LAST_DAY))
    return pc.if_else(inside, days, pa.scalar(None, pa.int64()))


def _floor(ticks: int) -> int:
    return ticks // MICROSECONDS_A_DAY


def _date(number: int | None) -> date | None:
    return None if number is None else EPOCH + timedelta(days=number)
