"""Readers: a DuckDB in memory whose views are the files of one state of the lake, and that can open nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from gatepost.edge.lake.manifest import Segment, Source
from gatepost.errors import UsageError
from gatepost.lake import columns

MEMORY = 2 * 1024**3  # bytes, or half of what the machine has
THREADS = 4


@contextmanager
def blaming(lake: Path) -> Iterator[None]:
    """A file that was deleted, cut or swapped under the lake, as one sentence."""
    try:
        yield
    except duckdb.Error as error:
        said = str(error).partition("\n")[0].partition(": ")[2] or str(error)
        raise UsageError(f"{lake}: {said}; gatepost logs verify names every fault") from None


def connected(lake: Path, files: tuple[Segment, ...], sources: tuple[Source, ...]) -> duckdb.DuckDBPyConnection:
    """Views `events`, `sessions` … with a column `day` by which whole files are left out, and `sources`."""
    db = duckdb.connect(config=_limits())
    db.execute("SET TimeZone = 'UTC'")
    db.execute("SET enable_progress_bar = false")  # it would be drawn into what is printed
    for dataset, schema in columns.DATASETS.items():
        mine = tuple(one for one in files if one.dataset == dataset)
        db.execute(f'CREATE VIEW "{dataset}" AS {view(lake, mine, schema)}')
    _list_sources(db, sources)
    paths = ", ".join(_quoted(str(lake / one.file)) for one in files)
    db.execute(f"SET allowed_paths = [{paths}]")
    db.execute("SET enable_external_access = false")
    db.execute("SET lock_configuration = true")
    return db


def view(lake: Path, files: tuple[Segment, ...], schema: pa.Schema) -> str:
    """Files with the same columns are read together; a column that they do not have yet is empty in them."""
    layouts = sorted({one.columns for one in files})
    if not layouts:
        return f"SELECT {_nothing(schema)} WHERE false"
    return "\nUNION ALL ".join(
        _reading(lake, tuple(one for one in files if one.columns == layout), layout, schema) for layout in layouts
    )


def _reading(lake: Path, files: tuple[Segment, ...], layout: tuple[str, ...], schema: pa.Schema) -> str:
    chosen = [f'"{one.name}"' if one.name in layout else _missing(one) for one in schema]
    paths = ", ".join(_quoted(str(lake / one.file)) for one in files)
    return (
        f"SELECT {', '.join(chosen)}, day FROM read_parquet([{paths}], hive_partitioning = true,"  # noqa: S608 - names and paths are ours
        " hive_types_autocast = false, hive_types = {'day': DATE})"
    )


def _nothing(schema: pa.Schema) -> str:
    return ", ".join([*(f'NULL::{_type(one.type)} AS "{one.name}"' for one in schema), "NULL::DATE AS day"])


def _missing(field: pa.Field) -> str:
    kind = _type(field.type)
    return f'{_quoted("") if kind == "VARCHAR" else "NULL"}::{kind} AS "{field.name}"'


def _type(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        return _type(kind.value_type)
    if pa.types.is_list(kind):
        return f"{_type(kind.value_type)}[]"
    return _TYPES[str(kind)]


_TYPES = {
    "bool": "BOOLEAN",
    "date32[day]": "DATE",
    "double": "DOUBLE",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "string": "VARCHAR",
    "timestamp[us, tz=UTC]": "TIMESTAMPTZ",
}


def _list_sources(db: duckdb.DuckDBPyConnection, sources: tuple[Source, ...]) -> None:
    db.execute(
        "CREATE TABLE sources (source INTEGER, name VARCHAR, shape VARCHAR, generation VARCHAR, read BIGINT,"
        " lines BIGINT, taken TIMESTAMPTZ)"
    )
    for one in sources:
        at = one.position
        row = [one.number, at.source, at.shape.value, at.generation, at.offset, one.lines, one.taken]
        db.execute("INSERT INTO sources VALUES (?, ?, ?, ?, ?, ?, make_timestamptz(?::BIGINT))", row)


def _limits() -> dict[str, str | bool | int | float | list[str]]:
    memory = min(MEMORY, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2)
    return {
        "allow_community_extensions": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "memory_limit": f"{memory // 1024**2}MiB",
        "temp_directory": "",
        "threads": min(THREADS, os.cpu_count() or 1),
    }


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
