"""`gatepost query`: questions in SQL about what the logs told."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost.cli import options as o

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.edge.lake.asking import Answer

HERE = Path(".gatepost")
SHOWN = 50  # rows of a table
CELL = 60  # characters of a cell in a table


class QueryFormat(StrEnum):
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    TABLE = "table"


def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="The question; - reads it from stdin.", show_default=False)],
    state: Annotated[Path, typer.Option("--state", metavar="DIR", help="Where the lake lies.")] = HERE,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=1, help=f"At most N rows (a table: {SHOWN}).", show_default=False),
    ] = None,
    form: Annotated[
        QueryFormat, typer.Option("--format", help="How to print it.", rich_help_panel=o.SHOWING)
    ] = QueryFormat.TABLE,
    output: o.Output = None,
) -> None:
    """Ask the lake in SQL: what happened, who did it, since when.

    Tables: events (one row a line), sessions, signals, messages, usage, sources. DESCRIBE events lists the columns.
    A condition on [bold]day[/bold] reads only the files of these days. The SQL is DuckDB's; it can read the lake and
    nothing else, and changes nothing. Times are UTC; the column [bold]"at"[/bold] needs its double quotes.

        gatepost query "SELECT user, count(*) FROM sessions WHERE service = 'pop3' AND cover = 'none' GROUP BY 1"

    [bold]Exit:[/bold] 0 answered, 2 the question is wrong.
    """
    from gatepost.cli import telling
    from gatepost.edge.lake.asking import ask
    from gatepost.edge.lake.lake import FOLDER, Lake

    asked = sys.stdin.read() if sql == "-" else sql
    with Lake.open(state / FOLDER) as lake:
        answer = ask(lake.connect(), asked)
        if not lake.sources():
            sys.stderr.write(f"gatepost: no log was read into {state} yet, so the tables are empty\n")
        coloured = telling.colour() and output is None
        parts = _parts(answer, form, limit, colour=coloured)
        if output is not None:
            telling.write(output, parts)
        else:
            sys.stdout.writelines(parts)


def _parts(answer: Answer, form: QueryFormat, limit: int | None, *, colour: bool) -> Iterator[str]:
    from itertools import islice

    if form is QueryFormat.TABLE:
        return _table(answer, limit or SHOWN, colour=colour)
    rows = islice(answer.rows, limit)
    if form is QueryFormat.CSV:
        return _csv(answer.columns, rows)
    return _json(answer.columns, rows) if form is QueryFormat.JSON else _jsonl(answer.columns, rows)


def _table(answer: Answer, limit: int, *, colour: bool) -> Iterator[str]:
    """As wide as it is: a narrow terminal cuts the widest columns first. EXPLAIN is shown as it was drawn."""
    from itertools import islice

    from gatepost.cli import telling
    from gatepost.report.escape import printable
    from gatepost.report.layout import Column, paint, table, text
    from gatepost.report.tally import plural

    if answer.columns == ("explain_key", "explain_value"):
        yield from (f"{row[1]}\n" for row in answer.rows)
        return
    rows = [[_shown(value) for value in row] for row in islice(answer.rows, limit + 1)]
    more, rows = len(rows) > limit, rows[:limit]
    width = telling.width() if sys.stdout.isatty() else 10_000
    names = [printable(name) for name in answer.columns]  # a PIVOT makes columns of what strangers wrote
    cells = _fitted([names, *rows], width)
    heads = [Column(name, right=_number(kind)) for name, kind in zip(cells[0], answer.types, strict=True)]
    yield paint(table(heads, [[text(cell) for cell in row] for row in cells[1:]], indent=0), colour=colour)
    if more:
        end = f"the first {plural(limit, 'row')}; --limit N shows more"
    else:
        end = plural(len(rows), "row") if rows else "no rows"
    yield paint([text(""), text(end, "dim")], colour=colour)


def _fitted(rows: list[list[str]], width: int) -> list[list[str]]:
    """Cut cells of the widest columns until a line fits."""
    from rich.cells import cell_len

    from gatepost.report.layout import cut, text

    widths = [min(max(cell_len(row[n]) for row in rows), CELL) for n in range(len(rows[0]))]
    while sum(widths) + 2 * (len(widths) - 1) > width and max(widths, default=0) > 8:
        widths[widths.index(max(widths))] -= 1
    return [[cut(text(cell), wide).plain for cell, wide in zip(row, widths, strict=True)] for row in rows]


def _shown(value: object) -> str:
    from gatepost.report.escape import printable

    plain = _plain(value)
    if plain is None:
        return "·"
    if isinstance(plain, list):
        return printable(", ".join("·" if one is None else str(one) for one in plain))
    return printable(str(plain).lower() if isinstance(plain, bool) else str(plain))


def _csv(columns: tuple[str, ...], rows: Iterator[tuple[object, ...]]) -> Iterator[str]:
    from gatepost.report.sheet import sheet

    yield sheet([_cell(name) for name in columns], ())
    for row in rows:
        yield sheet([_cell(value) for value in row], ())


def _cell(value: object) -> str:
    from gatepost.report.sheet import cell

    plain = _plain(value)
    return cell("; ".join(map(str, plain)) if isinstance(plain, list) else plain)


def _json(columns: tuple[str, ...], rows: Iterator[tuple[object, ...]]) -> Iterator[str]:
    separator = "[\n"
    for line in _jsonl(columns, rows):
        yield f"{separator}{line.rstrip()}"
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def _jsonl(columns: tuple[str, ...], rows: Iterator[tuple[object, ...]]) -> Iterator[str]:
    """Escapes are ASCII: a value is never a command to the terminal."""
    import json

    names = _distinct(columns)
    for row in rows:
        yield json.dumps({name: _plain(value) for name, value in zip(names, row, strict=True)}) + "\n"


def _distinct(columns: tuple[str, ...]) -> list[str]:
    """Two columns of one name would be one key."""
    seen: dict[str, int] = {}
    names = []
    for name in columns:
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return names


def _plain(value: object) -> object:
    """What JSON knows; a time in the form of RFC 3339, in UTC."""
    from datetime import UTC, date, datetime, time, timedelta
    from math import isfinite

    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return moment.isoformat().replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, bytes):
        return value.hex()
    if value is None or isinstance(value, bool | int | str):
        return value
    return f"{value.total_seconds():g} s" if isinstance(value, timedelta) else str(value)


def _number(kind: str) -> bool:
    return kind.upper().startswith(("NUMBER", "BIGINT", "INT", "HUGEINT", "DOUBLE", "FLOAT", "DECIMAL", "UBIGINT"))
