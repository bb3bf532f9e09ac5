"""The logs witness: what the lake tells about declared hosts, as facts beside those of the other witnesses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from gatepost import catalogue
from gatepost.edge.lake.lake import Lake
from gatepost.edge.retiring.uses import uses
from gatepost.logs.clients import one_client
from gatepost.model.architecture import Endpoint
from gatepost.model.counting import LEGACY
from gatepost.model.event import MICROSECONDS, Cover
from gatepost.model.traffic import LogsRead, OneClient, TrafficFact, UsedSeen
from gatepost.model.use import Use
from gatepost.retiring.target import Concerned, Target, What

DAYS = 90
RECENT = timedelta(days=7)  # a gateway that hid the clients last month may be mended
FOREMOST = """
SELECT host, service, list(client ORDER BY n DESC, client)[:2], list(n ORDER BY n DESC, client)[:2], sum(n)
FROM (
  SELECT host, service, client, count(*) AS n FROM sessions
  WHERE started >= ? AND client NOT IN ('', '127.0.0.1', '::1') GROUP BY ALL
) GROUP BY ALL ORDER BY ALL
"""
FEW = 5  # accounts that are named
SERVICES = ("smtp", "submissions", "submission", "imap", "imaps", "pop3", "pop3s", "managesieve")


def traffic(state: Path, hosts: Iterable[str], now: datetime, days: int = DAYS) -> tuple[TrafficFact, ...]:
    """Nothing where there is no lake, or no line in it about these hosts."""
    if not (state / "lake").is_dir():
        return ()
    with Lake.open(state / "lake") as lake, lake.connect() as connection:
        return facts(connection, tuple(hosts), now, days)


def facts(
    connection: duckdb.DuckDBPyConnection, hosts: tuple[str, ...], now: datetime, days: int
) -> tuple[TrafficFact, ...]:
    until = now.astimezone(UTC).date()
    since = until - timedelta(days=days - 1)
    by_host: dict[str, list[Use]] = defaultdict(list)
    for use in uses(connection, since, until):
        by_host[use.host].append(use)
    names = called(hosts, by_host)
    found = (_host(name, said, by_host, since, until) for name, said in names.items())
    alike = _alike(connection, {one: host for host, said in names.items() for one in said}, now)
    return (*(fact for facts in found for fact in facts), *alike)


def _alike(connection: duckdb.DuckDBPyConnection, hosts: Mapping[str, str], now: datetime) -> Iterator[TrafficFact]:
    """Services whose clients all have one address. Only the two foremost clients of each are looked at."""
    for name, service, clients, counts, total in connection.execute(FOREMOST, [now - RECENT]).fetchall():
        if name not in hosts:
            continue
        rest = [(service, clients[1], total - counts[0])] if len(clients) > 1 else []
        for because in one_client([(service, clients[0], counts[0]), *rest]):
            yield OneClient(Endpoint(hosts[name]), service, clients[0], counts[0], because)


def called(hosts: tuple[str, ...], said: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Which names in log lines are which host: the whole name, or its first label where that is nobody else's.

    A single host answers for every name: its own lines may call it localhost.
    """
    names = tuple(said)
    if len(hosts) == 1:
        return {hosts[0]: names}
    firsts = defaultdict(list)
    for host in hosts:
        firsts[host.partition(".")[0]].append(host)
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        mine = [name] if name in hosts else firsts.get(name.partition(".")[0], [])
        if len(mine) == 1:
            found[mine[0]].append(name)
    return {host: tuple(names) for host, names in found.items()}


def _host(
    host: str, names: tuple[str, ...], by_host: Mapping[str, list[Use]], since: date, until: date
) -> Iterator[TrafficFact]:
    mine = [use for name in names for use in by_host[name]]
    if not mine:
        return
    first = max(since, min(use.day for use in mine))
    yield LogsRead(Endpoint(host), first, max(use.day for use in mine), sum(use.sessions for use in mine), names)
    for service in SERVICES:
        yield _used(host, service, mine, first, until)


def _used(host: str, service: str, all_uses: Iterable[Use], since: date, until: date) -> UsedSeen:
    port = catalogue.number(service)
    target = Target(str(port), What.PORT, service, port)
    told = [(use, target.concerns(use)) for use in all_uses]
    mine = [use for use, ends in told if ends is not Concerned.NO]
    clear = sorted((use for use in mine if use.user and use.cover is Cover.NONE), key=lambda use: -use.last)
    inside = [use for use in mine if use.cover is Cover.TLS]
    return UsedSeen(
        Endpoint(host, "", port),
        service,
        all(ends is not Concerned.MAYBE for _, ends in told),
        since,
        until,
        sum(use.sessions for use in mine),
        len({use.user for use in mine} - {""}),
        datetime.fromtimestamp(max(use.last for use in mine) / MICROSECONDS, UTC) if mine else None,
        clear=sum(use.sessions for use in clear),
        clear_accounts=tuple(dict.fromkeys(use.user for use in clear))[:FEW],
        legacy=sum(use.sessions for use in mine if use.tls in LEGACY),
        untold=sum(use.sessions for use in inside if not use.tls),
        inside=sum(use.sessions for use in inside),
    )
