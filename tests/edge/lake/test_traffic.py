"""The logs witness: facts about declared hosts out of rows of the lake."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
import pytest

from gatepost.edge.lake.traffic import called, facts
from gatepost.lake.columns import SESSIONS, SIGNALS, USAGE
from gatepost.model.traffic import LogsRead, OneClient, UsedSeen

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROW = {
    "at": NOW - timedelta(days=3), "direction": "in", "host": "mx1", "service": "imap", "port": None, "cover": "none",
    "starttls": None, "tls": "", "method": "PLAIN", "user": "alice", "network": "192.0.2.0/24", "hint": "",
    "outcome": "authenticated", "client": "192.0.2.7", "sessions": 3, "failures": 0, "messages": 0,
    "first": NOW - timedelta(days=3), "last": NOW - timedelta(days=2),
}  # fmt: skip


def lake(usage: list[dict[str, object]], clients: dict[str, int] | None = None) -> duckdb.DuckDBPyConnection:
    db = duckdb.connect()
    sessions = [
        {"host": "mx1", "service": "imap", "client": client, "started": NOW - timedelta(hours=1)}
        for client, count in (clients or {}).items()
        for _ in range(count)
    ]
    for name, schema, rows in (("usage", USAGE, usage), ("sessions", SESSIONS, sessions), ("signals", SIGNALS, [])):
        db.register(name, pa.Table.from_pylist(rows, schema=schema))
    return db


def used(db: duckdb.DuckDBPyConnection, service: str) -> UsedSeen:
    found = facts(db, ("mx1.example.org",), NOW, 90)
    return next(one for one in found if isinstance(one, UsedSeen) and one.service == service)


def test_tells_who_used_what() -> None:
    db = lake([ROW, ROW | {"cover": "tls", "tls": "TLSv1", "user": "bob"}, ROW | {"cover": "tls", "user": "carol"}])
    imap, imaps, pop = used(db, "imap"), used(db, "imaps"), used(db, "pop3")
    assert (imap.accounts, imap.sessions, imap.clear, imap.clear_accounts) == (3, 9, 3, ("alice",))
    assert (imap.exact, imap.legacy, imap.inside, imap.untold) == (False, 3, 6, 3)
    assert (imaps.accounts, imaps.clear, imaps.exact) == (2, 0, False)
    assert (pop.sessions, pop.last, pop.exact) == (0, None, True)


def test_old_days_do_not_count() -> None:
    assert facts(lake([ROW | {"at": NOW - timedelta(days=120)}]), ("mx1.example.org",), NOW, 90) == ()


def test_says_what_was_read() -> None:
    read = facts(lake([ROW]), ("mx1.example.org",), NOW, 90)[0]
    assert isinstance(read, LogsRead)
    assert (read.sessions, read.names, read.since) == (3, ("mx1",), (NOW - timedelta(days=3)).date())


@pytest.mark.parametrize(
    ("clients", "hidden"),
    [
        ({"172.17.0.1": 300}, ["172.17.0.1"]),
        ({"172.17.0.1": 300, "192.0.2.7": 30}, []),
        ({"127.0.0.1": 300}, []),
        ({}, []),
    ],
)
def test_a_gateway_hides_everybody(clients: dict[str, int], hidden: list[str]) -> None:
    found = facts(lake([ROW], clients), ("mx1.example.org",), NOW, 90)
    assert [one.client for one in found if isinstance(one, OneClient)] == hidden


@pytest.mark.parametrize(
    ("hosts", "said", "is_called"),
    [
        (("mx1.example.org",), ("localhost", "mx1"), {"mx1.example.org": ("localhost", "mx1")}),
        (("mx1.a.org", "mx2.a.org"), ("mx1", "mx2.a.org", "x"), {"mx1.a.org": ("mx1",), "mx2.a.org": ("mx2.a.org",)}),
        (("mx.a.org", "mx.b.org"), ("mx", "mx.b.org"), {"mx.b.org": ("mx.b.org",)}),
    ],
)
def test_names_of_hosts(hosts: tuple[str, ...], said: tuple[str, ...], is_called: dict[str, tuple[str, ...]]) -> None:
    assert dict(called(hosts, said)) == is_called
