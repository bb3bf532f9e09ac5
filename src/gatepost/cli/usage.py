"""`gatepost usage`: who connects on which port, how, since when and how lately."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost.cli import options as o
from gatepost.cli.declared import DEFAULT_STATE

if TYPE_CHECKING:
    from gatepost.model.using import Peers, Used

LOOKING_BACK = "90d"
MOST = 15
FOUND = 1


class UsageFormat(StrEnum):
    CSV = "csv"
    JSON = "json"
    TABLE = "table"


def usage(
    since: Annotated[
        str, typer.Option("--since", metavar="WHEN", help="A day (2026-08-01), or how long ago (90d, 12w).")
    ] = LOOKING_BACK,
    service: Annotated[
        str, typer.Option("--service", metavar="NAME", show_default=False,
                          help="Only this service or port: pop3, 110, submission …")
    ] = "",
    user: Annotated[
        str, typer.Option("--user", metavar="ACCOUNT", help="Only what this account does.", show_default=False)
    ] = "",
    legacy: Annotated[
        bool, typer.Option("--legacy", help="Only what is old: passwords in clear, TLS below 1.2, logins on port 25.")
    ] = False,
    peers: Annotated[
        bool, typer.Option("--peers", help="Other servers: who gives us mail in clear, to whom we send it in clear.")
    ] = False,
    state: Annotated[Path, typer.Option("--state", metavar="DIR", help="Where the lake is.")] = DEFAULT_STATE,
    most: Annotated[
        int, typer.Option("--most", metavar="N", min=1, help="Name at most N a table.", rich_help_panel=o.SHOWING)
    ] = MOST,
    form: Annotated[
        UsageFormat, typer.Option("--format", help="How to print it.", rich_help_panel=o.SHOWING)
    ] = UsageFormat.TABLE,
    output: o.Output = None,
) -> None:  # fmt: skip
    """Show who uses which port, with which encryption and mechanism: accounts, addresses, last use, trend.

    It comes from the logs in the lake (gatepost logs import, gatepost watch), and says what they do not tell and
    which setting would. Who still uses 110 without TLS:

        gatepost usage --service 110 --legacy

    [bold]Exit:[/bold] 0 answered; 1 with --legacy or --peers, and something is old or in clear; 2 bad input;
    3 no log was read yet.
    """
    from gatepost.cli import telling

    today = datetime.now(UTC).date()
    first = _day(since, today)
    if peers:
        found, bad = _peers(state, first, today, form, most, output)
    else:
        port, name = _service(service)
        found, bad = _ways(state, first, today, name, port, user, form, most, output, legacy=legacy)
    telling.write(output, found) if output else sys.stdout.write(found)
    raise typer.Exit(FOUND if bad else 0)


def _ways(
    state: Path,
    since: date,
    until: date,
    service: str,
    port: int | None,
    user: str,
    form: UsageFormat,
    most: int,
    output: Path | None,
    *,
    legacy: bool,
) -> tuple[str, bool]:
    from gatepost.cli import telling
    from gatepost.cli.lakes import opened
    from gatepost.edge.lake.using import begins, ways
    from gatepost.report import usage as report
    from gatepost.usage import on_port, used

    with opened(state) as lake:
        asked = lake.connect()
        since = begins(asked, since)
        rows = on_port(ways(asked, since, until, service=service, user=user), port)
        told: Used = used(rows, _start(since), _start(until), legacy_only=legacy)
    bad = legacy and any(one.legacy for one in told.ways)
    if form is UsageFormat.JSON:
        return report.to_json(told), bad
    if form is UsageFormat.CSV:
        return report.to_csv(told), bad
    width, colour = (telling.width(), telling.colour()) if output is None else (100, False)
    named = bool(service or user)
    return report.to_text(told, width=width, colour=colour, most=most, named=named), bad


def _peers(
    state: Path, since: date, until: date, form: UsageFormat, most: int, output: Path | None
) -> tuple[str, bool]:
    from gatepost.cli import telling
    from gatepost.cli.lakes import opened
    from gatepost.edge.lake.using import begins, peers
    from gatepost.report import usage as report
    from gatepost.usage import peers as judged

    with opened(state) as lake:
        asked = lake.connect()
        since = begins(asked, since)
        told: Peers = judged(peers(asked, since, until), _start(since), _start(until))
    bad = any(one.clear for one in told.peers)
    if form is UsageFormat.JSON:
        return report.peers_to_json(told), bad
    if form is UsageFormat.CSV:
        return report.peers_to_csv(told), bad
    width, colour = (telling.width(), telling.colour()) if output is None else (100, False)
    return report.peers_to_text(told, width=width, colour=colour, most=most), bad


def _service(asked: str) -> tuple[int | None, str]:
    """A port is looked for under the name of its protocol: logs seldom tell 110 and 995 apart."""
    from gatepost import catalogue
    from gatepost.errors import UsageError
    from gatepost.usage import log_name

    row = catalogue.port_numbered(int(asked)) if asked.isdecimal() and len(asked) < 6 else catalogue.port(asked)
    if asked and row is None:
        raise UsageError(f"--service {asked}: no mail port has this name or number; gatepost ports lists them")
    if row is None:
        return None, ""
    return row.number, log_name(row.id)


def _day(said: str, today: date) -> date:
    from gatepost.declaration.durations import seconds
    from gatepost.errors import UsageError

    try:
        found = date.fromisoformat(said)
    except ValueError:
        length = seconds(said)
        if length is None:
            raise UsageError(f"--since {said}: write a day (2026-08-01) or how long ago (90d, 12w)") from None
        found = today - timedelta(days=max(0, length // 86400 - 1))
    if found > today:
        raise UsageError(f"--since {said} has not come yet")
    return found


def _start(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000
