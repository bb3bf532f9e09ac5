"""Which signals a selection takes: as SQL for DuckDB, and as a function for the live path. Both give the same answer.

A value that is not there ("" or null) is equal to nothing but the empty text, and in no order to any number; `not` of
that is true. Text from a rule reaches SQL only as a quoted literal.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Network, ip_address, ip_network

from gatepost.detect.reading import folded, matches
from gatepost.detect.rule import NUMBERS, WORDS, All, Any, Comparison, Not, Predicate, Test, Wild
from gatepost.model.event import Signal

Holds = Callable[[Signal], bool]
_UPPER, _LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"


def quoted(text: str) -> str:
    """A string literal of SQL. NUL cannot be in one: DuckDB's parser would end there."""
    pieces = ["'" + piece.replace("'", "''") + "'" for piece in text.split("\0")]
    return pieces[0] if len(pieces) == 1 else "(" + " || chr(0) || ".join(pieces) + ")"


def column(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def sql(where: Predicate) -> str:
    if isinstance(where, All):
        return "(" + " AND ".join(sql(part) for part in where.parts) + ")"
    if isinstance(where, Any):
        return "(" + " OR ".join(sql(part) for part in where.parts) + ")"
    if isinstance(where, Not):
        return f"(NOT {sql(where.part)})"
    return f"coalesce({_test(where)}, false)"


def _test(test: Test) -> str:
    name = column(test.field)
    if test.field in NUMBERS:
        return f"{name} IS NOT NULL" if test.how is Comparison.EXISTS else f"{name} {test.how.value} {test.value!r}"
    text = f"coalesce(CAST({name} AS VARCHAR), '')"
    if test.how is Comparison.EXISTS:
        return f"{text} <> ''"
    if test.how is Comparison.NETWORK:
        return _within(text, str(test.value))
    if test.how is Comparison.REGEX:
        return f"regexp_matches({text}, {quoted(str(test.value))})"
    if test.how in {Comparison.EQUAL, Comparison.LIKE} and test.field not in WORDS:
        text = f"translate({text}, '{_UPPER}', '{_LOWER}')"
    if isinstance(test.value, tuple):
        return f"{text} LIKE {quoted(_like(test.value))} ESCAPE '\\'"
    return f"{text} = {quoted(str(test.value))}"


def _like(parts: tuple[str | Wild, ...]) -> str:
    wild = {Wild.MANY: "%", Wild.ONE: "_"}
    return "".join(wild[p] if isinstance(p, Wild) else re.sub(r"([\\%_])", r"\\\1", p) for p in parts)


def _within(text: str, cidr: str) -> str:
    """Without DuckDB's inet extension, which would be fetched from the network."""
    net = ip_network(cidr)
    if isinstance(net, IPv6Network):
        low, high = (f"{int(a):032x}" for a in (net.network_address, net.broadcast_address))
        return f"(contains({text}, ':') AND NOT contains({text}, '.') AND {_hex(text)} BETWEEN '{low}' AND '{high}')"
    number = " + ".join(
        f"TRY_CAST(split_part({text}, '.', {n + 1}) AS UBIGINT) * {256 ** (3 - n)}" for n in range(4)
    )  # a network of signals is written 192.0.2.0/24: its first address counts
    number = number.replace(text, f"split_part({text}, '/', 1)")
    return (
        f"(NOT contains({text}, ':') AND {number} BETWEEN {int(net.network_address)} AND {int(net.broadcast_address)})"
    )


def _hex(text: str) -> str:
    """The 32 digits of an IPv6 address in its shortest form."""
    whole = f"split_part({text}, '/', 1)"
    left = f"list_filter(string_split(split_part({whole}, '::', 1), ':'), lambda p: p <> '')"
    right = f"list_filter(string_split(split_part({whole}, '::', 2), ':'), lambda p: p <> '')"
    joined = "array_to_string(list_transform({0}, lambda p: lpad(p, 4, '0')), '')"
    zeros = f"repeat('0', greatest(32 - 4 * (len({left}) + len({right})), 0)::INTEGER)"
    return f"(coalesce({joined.format(left)}, '') || {zeros} || coalesce({joined.format(right)}, ''))"


def function(where: Predicate) -> Holds:
    if isinstance(where, All):
        parts = [function(part) for part in where.parts]
        return lambda signal: all(part(signal) for part in parts)
    if isinstance(where, Any):
        parts = [function(part) for part in where.parts]
        return lambda signal: any(part(signal) for part in parts)
    if isinstance(where, Not):
        inner = function(where.part)
        return lambda signal: not inner(signal)
    name = where.field
    holds = _number(where) if name in NUMBERS else _text(where)
    return lambda signal: holds(getattr(signal, name))


def _number(test: Test) -> Callable[[int | None], bool]:
    limit = test.value
    assert isinstance(limit, (int, float, str))  # noqa: S101 - numbers have no patterns
    if isinstance(limit, str):
        return lambda value: value is not None
    compare: dict[Comparison, Callable[[int], bool]] = {
        Comparison.ABOVE: lambda value: value > limit,
        Comparison.AT_LEAST: lambda value: value >= limit,
        Comparison.AT_MOST: lambda value: value <= limit,
        Comparison.BELOW: lambda value: value < limit,
        Comparison.EQUAL: lambda value: value == limit,
    }
    holds = compare[test.how]
    return lambda value: value is not None and holds(value)


def _text(test: Test) -> Callable[[str], bool]:
    wanted = test.value
    if test.how is Comparison.EXISTS:
        return bool
    if test.how is Comparison.NETWORK:
        return _membership(str(wanted))
    if test.how is Comparison.REGEX:
        pattern = str(wanted)
        return lru_cache(maxsize=4096)(lambda text: matches(pattern, text))
    fold = (lambda text: text) if test.how in {Comparison.EXACT, Comparison.LIKE_EXACT} else folded
    if isinstance(wanted, tuple):
        shape = re.compile("".join(_piece(part) for part in wanted), re.DOTALL)
        return lru_cache(maxsize=4096)(lambda text: shape.fullmatch(fold(text)) is not None)
    return lambda text: fold(text) == wanted


def _piece(part: str | Wild) -> str:
    if isinstance(part, Wild):
        return ".*" if part is Wild.MANY else "."
    return re.escape(part)


def _membership(cidr: str) -> Callable[[str], bool]:
    net = ip_network(cidr)

    @lru_cache(maxsize=4096)
    def within(text: str) -> bool:
        try:
            return ip_address(text.partition("/")[0]) in net
        except ValueError:
            return False

    return within
