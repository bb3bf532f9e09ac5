"""A log with known attackers in it: each that left more than a trace is found, and no user's address is given up."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from gatepost.detect.rules import load
from gatepost.edge.lake.deriving import derive
from gatepost.edge.lake.lake import Lake
from gatepost.edge.logs.archives import archive
from gatepost.edge.logs.taking import take
from gatepost.edge.watch.history import alerts
from gatepost.model.event import MICROSECONDS
from gatepost.model.log import Clock
from lab.maillog import Truth, Wanted, write

TRACE = 3  # signals; one probe or one handshake in a day is anybody's


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("history")
    wanted = Wanted(
        lines=40_000, users=400, brute=4, spray=1, spray_clients=80, slow=4, stuff=2, scan=4, harvest=2, relay=3,
        proto=3, oldtls=4, burst=1,
    )  # fmt: skip
    truth = write(folder / "mail.log", wanted)
    newest = round((wanted.start + timedelta(days=2)).timestamp() * MICROSECONDS)
    with Lake.open(folder / "lake", write=True) as lake:
        take(archive(str(folder / "mail.log")), lake, Clock(newest))
        derive(lake)
    return folder / "lake", truth


def test_attackers_are_found_and_users_are_not_given_up(told: tuple[Path, Truth]) -> None:
    directory, truth = told
    with Lake.open(directory) as lake:
        connection = lake.connect()
        found = alerts(connection, load().rules)
        seen = _seen(connection)
    named = {client for alert in found for client in alert.clients}
    blocked = {client for alert in found for client in alert.blockable}
    attackers = {ip: one.kind for one in truth.attackers for ip in one.ips}
    missed = {ip: kind for ip, kind in attackers.items() if seen.get(ip, 0) >= TRACE and ip not in named}
    assert missed == {}
    assert len(set(attackers) & named) > 60
    assert blocked
    assert blocked.isdisjoint(_users(directory) - set(attackers))


def _seen(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return dict(connection.execute("SELECT client, count(*) FROM signals GROUP BY 1").fetchall())


def _users(directory: Path) -> set[str]:
    with Lake.open(directory) as lake:
        rows = lake.connect().execute("SELECT DISTINCT client FROM signals WHERE act = 'login'").fetchall()
    return {client for (client,) in rows if client}
