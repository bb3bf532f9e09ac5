"""The tables of the lake, column by column: the model's classes as Arrow schemas.

Closed words and names that repeat are dictionary-encoded; times are microseconds in UTC.
"""

from __future__ import annotations

import types
import typing
from dataclasses import fields
from enum import StrEnum

import pyarrow as pa

from gatepost.model.event import Event, Session, Signal

WORDS = frozenset(
    {"host", "daemon", "service", "method", "tls", "cipher", "exchange", "outcome", "code"}
)  # few different values
TIMES = frozenset({"at", "started", "ended"})
WIDE = frozenset({"at", "started", "ended", "size", "offset", "amount", "read_bytes"})
WORD = pa.dictionary(pa.int32(), pa.string())
TIME = pa.timestamp("us", tz="UTC")


def schema(row: type[Event | Session | Signal]) -> pa.Schema:
    """The Arrow schema of a table whose rows are this class."""
    hints = typing.get_type_hints(row)
    return pa.schema([pa.field(one.name, _type(one.name, hints[one.name])) for one in fields(row)])


def _type(name: str, hint: object) -> pa.DataType:
    plain = _without_none(hint)
    if name in TIMES:
        return TIME
    if plain is bool:
        return pa.bool_()
    if plain is int:
        return pa.int64() if name in WIDE else pa.int32()
    if typing.get_origin(plain) is tuple:
        return pa.list_(pa.string())
    word = name in WORDS or (isinstance(plain, type) and issubclass(plain, StrEnum))
    return WORD if word else pa.string()


def _without_none(hint: object) -> object:
    if typing.get_origin(hint) is not types.UnionType:
        return hint
    return next(one for one in typing.get_args(hint) if one is not type(None))


EVENTS = schema(Event)
SESSIONS = schema(Session)
SIGNALS = schema(Signal)
