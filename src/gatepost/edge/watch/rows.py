"""Rows of `events` as the signaller takes them, quickly: only those that can tell something, and only their columns.

Twenty thousand lines a second leave fifty microseconds for each, and an `Event` alone takes ten of them. So a row here
is a tuple with the names of an `Event`, made from whole columns at once; text is decoded once for a column.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from enum import StrEnum
from itertools import pairwise
from typing import Any, cast

import pyarrow as pa

from gatepost.logs.signalling import Signaller
from gatepost.model.event import Cover, Event, Kind, Result

_WORDS: Mapping[str, Callable[[str], StrEnum]] = {"kind": Kind, "result": Result, "cover": Cover}
_UNUSED = frozenset({"cipher", "exchange", "helo", "local", "message_id", "name"})
_USED = tuple(one.name for one in fields(Event) if one.name not in _UNUSED)
_TELLING = Signaller().kinds

Row = namedtuple("Row", (*_USED, *sorted(_UNUSED)), defaults=("",) * len(_UNUSED))  # type: ignore[misc]  # noqa: PYI024 - Event has the types


def events(table: pa.Table) -> Sequence[Event]:
    """Those that the signaller has a use for, in their order."""
    told = _telling(table)
    columns = [_values(name, told.column(name)) for name in _USED]
    return cast("Sequence[Event]", [Row(*row) for row in zip(*columns, strict=True)])


def latest(table: pa.Table) -> dict[str, int]:
    """For each service the time of its last line."""
    services = _one(table.column("service"))
    named = services.dictionary.to_pylist()
    last = dict(zip(_numbers(services.indices), _values("at", table.column("at")), strict=True))
    return {named[n]: at for n, at in last.items()}


def _telling(table: pa.Table) -> pa.Table:
    kinds = _one(table.column("kind"))
    wanted = pa.array([word in _TELLING for word in kinds.dictionary.to_pylist()], pa.bool_())
    return table.select(_USED).filter(wanted.take(kinds.indices)) if len(kinds) else table.select(_USED)


def _values(name: str, column: pa.ChunkedArray) -> list[Any]:
    array = _one(column)
    if pa.types.is_dictionary(array.type):
        made, words, used = _WORDS.get(name, str), array.dictionary.to_pylist(), _numbers(array.indices)
        meant = {n: made(words[n]) for n in set(used)}  # a dictionary may hold words that no row has
        return list(map(meant.__getitem__, used))
    if pa.types.is_string(array.type):
        return _texts(array)
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.int64())
    return _numbers(array)


def _numbers(array: pa.Array) -> list[Any]:
    if array.null_count or not len(array):
        return cast("list[Any]", array.to_pylist())
    whole = memoryview(array.buffers()[1]).cast("i" if array.type == pa.int32() else "q")
    return whole[array.offset : array.offset + len(array)].tolist()


def _texts(array: pa.Array) -> list[Any]:
    """All at once where a byte is a character."""
    _, ends, text = array.buffers()
    if array.null_count or not len(array):
        return cast("list[Any]", array.to_pylist())
    places = memoryview(ends).cast("i")[array.offset : array.offset + len(array) + 1].tolist()
    first, last = places[0], places[-1]
    if first == last:
        return [""] * len(array)
    whole = bytes(memoryview(text)[first:last])
    if not whole.isascii():
        return cast("list[Any]", array.to_pylist())
    letters = whole.decode("ascii")
    return [letters[begin - first : end - first] for begin, end in pairwise(places)]


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
