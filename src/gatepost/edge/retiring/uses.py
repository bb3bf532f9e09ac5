"""Uses out of the lake's roll-up, and failed logins since, which the roll-up does not name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import duckdb

from gatepost.model.event import Cover
from gatepost.model.use import Use

ROWS = """
SELECT CAST("at" AT TIME ZONE 'UTC' AS DATE), host, service, port, cover, starttls, tls, method, "user", network, hint,
  sessions, failures, messages, epoch_us(first), epoch_us(last)
FROM usage WHERE direction = 'in' AND "at" >= ? AND "at" < ?
"""
FAILED = """
SELECT CAST("at" AT TIME ZONE 'UTC' AS DATE) AS day, host, service, port, cover, NULL, tls, method, "user", network, '',
  count(*), count(*), 0, epoch_us(min("at")), epoch_us(max("at"))
FROM signals WHERE act = 'login-failed' AND "user" <> '' AND "at" >= ? AND "at" < ? GROUP BY ALL
"""


def uses(lake: duckdb.DuckDBPyConnection, since: date, until: date) -> Iterator[Use]:
    """Days from `since` to `until`, both included."""
    start, end = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (since, until + timedelta(days=1)))
    yield from _read(lake, ROWS, start, end)


def failed(lake: duckdb.DuckDBPyConnection, since: datetime) -> Iterator[Use]:
    """Failed logins by account since a moment, as uses that consist of failures."""
    yield from _read(lake, FAILED, since, datetime.max.replace(tzinfo=UTC))


def _read(lake: duckdb.DuckDBPyConnection, sql: str, start: datetime, end: datetime) -> Iterator[Use]:
    rows = lake.execute(sql, [start, end])
    while batch := rows.fetchmany(10_000):
        for day, host, service, port, cover, starttls, tls, method, *rest in batch:
            known = Cover(cover) if cover in set(Cover) else Cover.UNKNOWN
            yield Use(day, host, service, port, known, starttls, tls, method, *rest)
