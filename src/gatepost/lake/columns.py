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

REPEATED = frozenset(
    {"client", "name", "local", "user", "network", "relay"}
)  # for the others it costs more than it saves

MESSAGES = pa.schema(
    [
        pa.field("at", TIME),
        pa.field("host", WORD),
        pa.field("queue", pa.string()),
        pa.field("service", WORD),
        pa.field("client", pa.string()),
        pa.field("user", pa.string()),
        pa.field("sender", pa.string()),
        pa.field("message_id", pa.string()),
        pa.field("size", pa.int64()),
        pa.field("recipients", pa.int32()),
        pa.field("session", pa.string()),
        pa.field("removed", pa.bool_()),  # the queue is done with it
        *(
            pa.field(name, pa.list_(pa.string()))
            for name in ("delivered_to", "results", "relays", "covers", "versions")
        ),
    ]
)
USAGE = pa.schema(
    [
        pa.field("at", TIME),  # midnight of the day
        pa.field("direction", WORD),  # in: somebody came to us; out: we delivered to `hint`
        pa.field("host", WORD),
        pa.field("service", WORD),
        pa.field("port", pa.int32()),
        pa.field("cover", WORD),
        pa.field("starttls", pa.bool_()),
        pa.field("tls", WORD),
        pa.field("method", WORD),
        pa.field("user", pa.string()),
        pa.field("network", pa.string()),
        pa.field("hint", pa.string()),  # what the client calls itself; the domain for `out`
        pa.field("outcome", WORD),
        pa.field("client", pa.string()),  # the newest address, or server
        pa.field("sessions", pa.int64()),
        pa.field("failures", pa.int64()),
        pa.field("messages", pa.int64()),
        pa.field("first", TIME),
        pa.field("last", TIME),
    ]
)
DATASETS: dict[str, pa.Schema] = {
    "events": EVENTS,
    "sessions": SESSIONS,
    "signals": SIGNALS,
    "messages": MESSAGES,
    "usage": USAGE,
}  # what the lake holds; the first is what was read, the others are derived from it
NEAR = frozenset({"at", "started", "ended", "last", "offset"})  # grow from row to row: differences pack well

SOUGHT = frozenset(
    {*NEAR, "client", "kind", "network", "source", "user"}
)  # bounds of the others cost a fifth of a write


def writing(table: pa.Schema) -> dict[str, object]:
    """How Parquet files of a table are written: words by dictionary, what grows as differences."""
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": [one.name for one in table if pa.types.is_dictionary(one.type) or one.name in REPEATED],
        "write_statistics": [one.name for one in table if one.name in SOUGHT],
        "write_batch_size": 16_384,
        "column_encoding": {one.name: "DELTA_BINARY_PACKED" for one in table if one.name in NEAR},
    }
