# ruff: noqa: S608 - the only names in the text are our own
"""What the lake's signals tell when every rule is held against them: hits, who logged in from where, alerts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatepost.detect.baseline import compile_baseline
from gatepost.detect.folding import Login, fold, place
from gatepost.detect.rule import Baseline, Rule
from gatepost.detect.sql import compile_rule
from gatepost.edge.lake.lake import Lake
from gatepost.errors import CannotLook
from gatepost.model.alert import Alert, Hit, Proof
from gatepost.model.event import MICROSECONDS, Act, Cover, Signal

if TYPE_CHECKING:
    import duckdb

MANY = 10_000  # rows
KNOWN = 90 * 86400 * MICROSECONDS  # how far back a login makes an address a known one


def alerts(
    connection: duckdb.DuckDBPyConnection,
    rules: Iterable[Rule],
    since: int | None = None,
    until: int | None = None,
    table: str = "signals",
) -> tuple[Alert, ...]:
    """Alerts that last into `since` (included) to `until` (not), in microseconds. Raises CannotLook."""
    held = tuple(rules)
    found = hits(connection, held, since, until, table)
    clients = {client for hit in found for client in hit.clients}
    return fold(found, held, logins(connection, clients, since, until, table))


def hits(
    connection: duckdb.DuckDBPyConnection,
    rules: Iterable[Rule],
    since: int | None = None,
    until: int | None = None,
    table: str = "signals",
) -> tuple[Hit, ...]:
    found: list[Hit] = []
    for rule in rules:
        found += (_hit(rule, row) for row in _asked(connection, _compiled(rule, table, since, until), rule))
    return tuple(hit for hit in found if since is None or hit.last >= since)


def slow_hits(directory: Path, rules: tuple[Rule, ...], since: int) -> tuple[Hit, ...]:
    """Of a lake in this directory: to be asked in a process apart."""
    with Lake.open(directory) as lake, closing(lake.connect()) as connection:
        return hits(connection, rules, since)


def _compiled(rule: Rule, table: str, since: int | None, until: int | None) -> str:
    if rule.normal is not None and rule.normal.kind is not Baseline.STRANGER:
        return compile_baseline(rule, table, since, until)
    reach = max(rule.reach, rule.normal.history if rule.normal else 0)
    return compile_rule(rule, table, None if since is None else since - reach * MICROSECONDS, until)


def _asked(connection: duckdb.DuckDBPyConnection, query: str, rule: Rule) -> Sequence[tuple[Any, ...]]:
    import duckdb

    try:
        return connection.execute(query).fetchall()
    except duckdb.Error as error:
        raise CannotLook(f"the rule {rule.id} could not be asked: {str(error).splitlines()[0]}") from None


def _hit(rule: Rule, row: tuple[Any, ...]) -> Hit:
    group, first, last, count, clients, users, services, hosts, proofs, signals = row
    named = tuple(zip(rule.groups, group, strict=True))
    shown = sorted(proofs or (), key=lambda p: (p["t"], p["source"] or 0, p["offset"] or 0))
    given = dict(named)
    return Hit(
        rule.id, named, first, last, count, tuple(clients), tuple(users),
        tuple(services) or tuple(filter(None, [given.get("service", "")])),
        tuple(hosts) or tuple(filter(None, [given.get("host", "")])),
        tuple(
            Proof(p["t"], p["host"], p["service"], p["act"], p["client"], p["user"], p["cause"],
                  p["source"] or 0, p["offset"] or 0)
            for p in shown
        ),
        signals,
    )  # fmt: skip


def logins(
    connection: duckdb.DuckDBPyConnection,
    clients: Iterable[str],
    since: int | None = None,
    until: int | None = None,
    table: str = "signals",
) -> tuple[Login, ...]:
    """Every account that logged in from these clients, or from the /64 of an IPv6 one, in the last 90 days."""
    wanted = sorted({one for client in clients for one in (client, place(client))})
    if not wanted:
        return ()
    low = f'AND "at" >= make_timestamptz({since - KNOWN})' if since is not None else ""
    high = f'AND "at" < make_timestamptz({until})' if until is not None else ""
    query = (
        f'SELECT client, coalesce("user", \'\'), min(epoch_us("at")), max(epoch_us("at")) FROM "{table}"'
        f" WHERE act IN ('{Act.LOGIN}', '{Act.CLEAR_LOGIN}') {low} {high}"
        " AND (client IN (SELECT unnest($1)) OR (contains(client, ':') AND network IN (SELECT unnest($1))))"
        " GROUP BY ALL"
    )
    return tuple(Login(*row) for row in connection.execute(query, [wanted]).fetchall())


def gathered(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str, str, int, int]]:
    """Of each account and client: place, client, account, first and last login."""
    found = connection.execute(
        "SELECT CASE WHEN contains(client, ':') THEN network ELSE client END, client, coalesce(\"user\", ''),"
        ' min(epoch_us("at")), max(epoch_us("at")) FROM signals'
        f" WHERE act IN ('{Act.LOGIN}', '{Act.CLEAR_LOGIN}') AND client <> '' GROUP BY ALL"
    )
    while rows := found.fetchmany(MANY):
        yield from rows


def recent(connection: duckdb.DuckDBPyConnection, since: int, most: int) -> Iterator[Signal]:
    """The newest signals, oldest of them first."""
    names = [one.name for one in fields(Signal)]
    chosen = ", ".join('epoch_us("at")' if name == "at" else f'"{name}"' for name in names)
    found = connection.execute(
        f'SELECT {chosen} FROM (SELECT * FROM signals WHERE "at" >= make_timestamptz({since})'
        f' ORDER BY "at" DESC, source DESC, "offset" DESC LIMIT {most}) ORDER BY "at", source, "offset"'
    )
    while rows := found.fetchmany(MANY):
        for row in rows:
            given = dict(zip(names, row, strict=True))
            yield Signal(**given | {"act": Act(given["act"]), "cover": Cover(given["cover"] or "")})
