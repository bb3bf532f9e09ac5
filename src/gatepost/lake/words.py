"""The words and numbers of `model/counting.py` as pieces of SQL."""

from __future__ import annotations

from collections.abc import Iterable

from gatepost import catalogue
from gatepost.model import counting

WRAPPED = tuple(sorted({port.id for port in catalogue.ports() if port.mode == "implicit"} | {"smtps"}))


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def listed(words: Iterable[str]) -> str:
    return "(" + ", ".join(quoted(one) for one in sorted(words)) + ")"


def has(column: str, words: Iterable[str]) -> str:
    """Whether the column has one of these words, in any case."""
    return "(" + " OR ".join(f"contains(lower({column}), {quoted(one)})" for one in words) + ")"


def found(column: str, words: Iterable[str]) -> str:
    """The first of these words that the column has, else ''."""
    cases = " ".join(f"WHEN contains(lower({column}), {quoted(one)}) THEN {quoted(one)}" for one in words)
    return f"(CASE {cases} ELSE '' END)"


def local(column: str) -> str:
    return f"(starts_with({column}, '127.') OR {column} = '::1')"


def since(column: str) -> str:
    """`counting.since`."""
    return f"({column} // {counting.DAY} * {counting.DAY} - {counting.FOLLOWED})"


def order(column: str) -> str:
    """The place of a SASL mechanism in the order clients try them in."""
    cases = " ".join(f"WHEN {quoted(name)} THEN {place}" for name, place in counting.ORDER.items())
    return f"(CASE {column} {cases} ELSE 0 END)"


def peer(column: str) -> str:
    """`counting.peer`."""
    behind = f"substr({column}, instr({column}, '@') + 1)"
    last = f"CASE WHEN contains({behind}, '@') THEN string_split({column}, '@')[-1] ELSE {behind} END"  # lists are slow
    return f"(CASE WHEN contains({column}, '@') THEN lower({last}) ELSE '' END)"


def server(column: str) -> str:
    return f"lower(CASE WHEN contains({column}, '[') THEN left({column}, instr({column}, '[') - 1) ELSE {column} END)"


def inside(column: str) -> str:
    return "(" + " OR ".join(f"contains({column}, {quoted(one)})" for one in counting.HERE) + ")"
