"""One question in SQL, asked of a lake by somebody who may get it wrong. Nothing but questions is let through."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeVar

import duckdb

from gatepost.errors import UsageError

Done = TypeVar("Done")
BATCH = 2000  # rows
LONGEST = 100_000  # characters of a question
QUESTIONS = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.MULTI})  # PIVOT is several in one
_EXPLAIN = re.compile(r"\s*EXPLAIN\s+(?:ANALYZE\s+)?(?:\([^)]*\)\s*)?", re.IGNORECASE)
_BARE_AT = re.compile(r'(?<!")\bat\b(?!")', re.IGNORECASE)


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
    _stoppable(db, sql, lambda: db.execute(sql))
    described = db.description or []
    return Answer(tuple(one[0] for one in described), tuple(str(one[1]) for one in described), _rows(db, sql))


def words(error: duckdb.Error, sql: str = "") -> str:
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
    if first.startswith("syntax error") and _BARE_AT.search(sql):
        return f'SQL: {first}\nAT is a word of the language: the column is written "at", in double quotes'
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
        raise UsageError(words(error, sql)) from None


def _rows(db: duckdb.DuckDBPyConnection, sql: str) -> Iterator[tuple[object, ...]]:
    while batch := _stoppable(db, sql, lambda: db.fetchmany(BATCH)):
        yield from batch


def _stoppable(db: duckdb.DuckDBPyConnection, sql: str, work: Callable[[], Done]) -> Done:
    """Work that ctrl-C ends at once: DuckDB looks for signals only now and then, and never in a long join."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(work)
        try:
            wait((running,))
        except KeyboardInterrupt:
            db.interrupt()
            raise
        try:
            return running.result()
        except duckdb.Error as error:
            raise UsageError(words(error, sql)) from None
