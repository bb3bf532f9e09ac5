"""Signals made by hand, and a table of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, fields
from functools import cache
from ipaddress import IPv6Address, ip_address, ip_network

import duckdb
import pyarrow as pa

from gatepost.lake.columns import SIGNALS
from gatepost.model.event import MICROSECONDS, Act, Cover, Signal

START = 1_795_000_000 * MICROSECONDS


def signal(
    seconds: float, act: Act = Act.LOGIN_FAILED, client: str = "192.0.2.7", user: str = "", **other: object
) -> Signal:
    """At `seconds` after the start."""
    network = ""
    if client:
        length = 64 if isinstance(ip_address(client), IPv6Address) else 24
        network = str(ip_network(f"{client}/{length}", strict=False))
    whole: dict[str, object] = {
        "at": START + round(seconds * MICROSECONDS), "host": "mx1", "service": "submission", "port": None, "act": act,
        "client": client, "network": network, "user": user, "method": "PLAIN", "cover": Cover.TLS, "tls": "TLSv1.3",
        "peer": "", "cause": "", "amount": 1, "session": "", "source": 1, "offset": round(seconds * 1000),
    } | other  # fmt: skip
    return Signal(**whole)  # type: ignore[arg-type]  # a test may say anything


def table(signals: Iterable[Signal]) -> pa.Table:
    rows = [astuple(one) for one in signals]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(fields(Signal))
    arrays = [pa.array(list(values), field.type) for values, field in zip(columns, SIGNALS, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SIGNALS)


def connection(signals: Iterable[Signal]) -> duckdb.DuckDBPyConnection:
    """One database for all tests of a process: a new one costs more than a query."""
    found = _database()
    found.register("signals", table(signals))
    return found


@cache
def _database() -> duckdb.DuckDBPyConnection:
    found = duckdb.connect()
    found.execute("SET threads = 1")
    return found
