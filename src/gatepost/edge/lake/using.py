"""Questions to the daily roll-up of a lake: who uses what, and how peers are reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import duckdb

from gatepost.lake.usage import FIRST, PEERS, WAYS
from gatepost.model.event import Cover
from gatepost.model.using import Peer, Way, Who

_BATCH = 10_000
_COVERS = frozenset(Cover)


def ways(
    lake: duckdb.DuckDBPyConnection, since: date, until: date, *, service: str = "", user: str = ""
) -> Iterator[tuple[Way, Who]]:
    """Each account in each way, over the days from `since` to `until`, both included."""
    found = lake.execute(WAYS, {"since": since, "until": until, "service": service, "user": user})
    while batch := found.fetchmany(_BATCH):
        for row in batch:
            name, client, networks, hint, sessions, failures, messages, first, last, ages, counts = row[6:]
            weeks = _weeks(ages, counts, since, until)
            yield (
                _way(*row[:6]),
                Who(name, client, networks, hint, sessions, failures, messages, first, last, weeks),
            )


def begins(lake: duckdb.DuckDBPyConnection, since: date) -> date:
    """The first day from `since` on that the lake knows: weeks before it are not weeks without use."""
    found = lake.execute(FIRST, {"since": since}).fetchone()
    return found[0] if found and found[0] else since


def _way(service: str, port: int | None, cover: str, starttls: bool | None, tls: str, method: str) -> Way:  # noqa: FBT001 - a row
    return Way(service, port, Cover(cover) if cover in _COVERS else Cover.UNKNOWN, starttls, tls, method)


def peers(lake: duckdb.DuckDBPyConnection, since: date, until: date) -> Iterator[Peer]:
    found = lake.execute(PEERS, {"since": since, "until": until})
    while batch := found.fetchmany(_BATCH):
        for direction, name, server, clear, covered, unknown, tls, first, last, ages, counts in batch:
            weeks = _weeks(ages, counts, since, until)
            yield Peer(direction, name, server, clear, covered, unknown, tuple(tls), first, last, weeks, "")


def _weeks(ages: Sequence[int], counts: Sequence[int], since: date, until: date) -> tuple[int, ...]:
    """Counts by week, the oldest first; the newest week ends with `until`."""
    weeks = [0] * ((until - since).days // 7 + 1)
    for age, count in zip(ages, counts, strict=True):
        weeks[age] += count
    return tuple(reversed(weeks))
