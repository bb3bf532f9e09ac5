"""One question in SQL, asked of a lake by somebody who may get it wrong. Nothing but questions is let through."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from gatepost.errors import UsageError

BATCH = 2000  # rows
LONGEST = 100_000  # characters of a question
QUESTIONS = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.MULTI})  # PIVOT is several in one
_EXPLAIN = re.compile(r"\s*EXPLAIN\s+(?:ANALYZE\s+)?(?:\([^)]*\)\s*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """Names and types of the columns, and the rows as they come."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: Iterator[tuple[object, ...]]


def ask(db: duckdb.DuckDBPyConnection, sql: str) -> Answer:
    """Raises UsageError: not one question, not SQL, or it needs more than it may have."""
    if len(sql) > LONGEST:
        raise UsageError(f"the question has {len(sql)} characters; at most {LONGEST} are read")
    _only_a_question(db, sql)
    try:
        db.execute(sql)
    except duckdb.Error as error:
        raise UsageError(words(error)) from None
    described = db.description or []
    return Answer(tuple(one[0] for one in described), tuple(str(one[1]) for one in described), _rows(db))


def words(error: duckdb.Error) -> str:
    """What DuckDB says, in two lines at most: the fault, and the place or the likeliest name that was meant."""
    lines = [line.rstrip() for line in str(error).splitlines() if line.strip()]
    first = re.sub(r"^(?:\w+ )?(?:Error|Exception): ", "", lines[0]) if lines else "it failed without a word"
    if isinstance(error, duckdb.InterruptException):
        return "interrupted"
    if isinstance(error, duckdb.OutOfMemoryException):
        return "the question needs more memory than it may have: ask about fewer days, or group by less"
    if isinstance(error, duckdb.IOException) and "No such file" in first:
        return "files of the lake were replaced while the question ran, and this user may hold none of them: ask again"
    meant = next(
        (re.sub(r"^(?:Candidate bindings|Candidates?):\s*", "", one) for one in lines[1:] if "andidate" in one), ""
    )
    if meant:
        return f"SQL: {first}\nmeant perhaps: {meant}"
    place = next((one for one in lines[1:] if one.startswith("LINE ")), "")
    return f"SQL: {first}\n{place}" if place and "Did you mean" not in first else f"SQL: {first}"


def _only_a_question(db: duckdb.DuckDBPyConnection, sql: str) -> None:
    statements = _statements(db, sql)
    if len(statements) != 1:
        raise UsageError(f"one question at a time: these are {len(statements)} statements")
    kind, text = statements[0].type, statements[0].query
    if kind == duckdb.StatementType.EXPLAIN:
        kind = _explained(db, text)
    if kind not in QUESTIONS:
        raise UsageError(f"only questions are answered (SELECT, FROM, DESCRIBE, EXPLAIN …): {kind.name} is none")


def _explained(db: duckdb.DuckDBPyConnection, text: str) -> duckdb.StatementType:
    """EXPLAIN ANALYZE does what it explains."""
    begun = _EXPLAIN.match(text)
    inner = _statements(db, text[begun.end() :]) if begun else []
    return inner[0].type if len(inner) == 1 else duckdb.StatementType.EXPLAIN


def _statements(db: duckdb.DuckDBPyConnection, sql: str) -> list[duckdb.Statement]:
    try:
        return db.extract_statements(sql)
    except duckdb.Error as error:
        raise UsageError(words(error)) from None


def _rows(db: duckdb.DuckDBPyConnection) -> Iterator[tuple[object, ...]]:
    try:
        while batch := db.fetchmany(BATCH):
            yield from batch
    except duckdb.Error as error:
        raise UsageError(words(error)) from None
