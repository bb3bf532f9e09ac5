"""`gatepost alerts`: what the detections find in the lake, one alert with its log lines, and the rules themselves."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost.cli import options as o

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gatepost.detect.rule import Rule
    from gatepost.model.alert import Alert
    from gatepost.report.alerts import RuleRow

HERE = Path(".gatepost")


class AlertFormat(StrEnum):
    JSON = "json"
    JSONL = "jsonl"
    TABLE = "table"


def alerts(
    alert: Annotated[
        str | None, typer.Argument(metavar="ID", help="Show this alert whole.", show_default=False)
    ] = None,
    since: Annotated[
        str, typer.Option("--since", metavar="WHEN", help="How long ago (90m, 24h, 7d, 4w), or a day (2026-08-01).")
    ] = "7d",
    rule: Annotated[
        list[str] | None, typer.Option("--rule", metavar="ID", help="Only alerts of this rule. Repeatable.")
    ] = None,
    user: Annotated[str | None, typer.Option("--user", metavar="NAME", help="Only alerts about this account.")] = None,
    client: Annotated[
        str | None, typer.Option("--client", metavar="ADDR", help="Only alerts about this address or network.")
    ] = None,
    rules: Annotated[bool, typer.Option("--rules", help="List the rules instead.")] = False,
    config: o.Declaration = None,
    state: Annotated[Path, typer.Option("--state", metavar="DIR", help="Where the lake lies.")] = HERE,
    fail_on: o.FailOnSeverity = o.FailOn.HIGH,
    form: Annotated[
        AlertFormat, typer.Option("--format", help="How to print it.", rich_help_panel=o.SHOWING)
    ] = AlertFormat.TABLE,
    output: o.Output = None,
) -> None:
    """Hold every rule against the lake: one alert for one actor or campaign, over all ports and hosts.

    A response is a proposal: delay, lock the account for new addresses, or block. An address from where somebody
    logged in before is never proposed for a block. The rules are Sigma; more of them are named under [bold]watch[/bold]
    in the declaration.

    [bold]Exit:[/bold] 0 nothing at or above --fail-on, 1 alerts, 2 bad input, 3 the lake could not be asked.
    """
    from gatepost.cli import declared, telling
    from gatepost.edge.watch import rulefiles
    from gatepost.report.layout import paint

    loaded = rulefiles.load(declared.load(config).watching, config.parent if config else Path())
    _known(rule or (), loaded)
    wide = 120 if output is not None else telling.width()
    coloured = telling.colour() and output is None
    if rules:
        from gatepost.report.alerts import rule_list, rules_document

        rows = [_row(one) for one in loaded if not rule or one.id in rule]
        listed = paint(rule_list(rows, width=wide), colour=coloured)
        _out(listed if form is AlertFormat.TABLE else rules_document(rows), output)
        return
    found, sources = _asked(state, loaded, _since(since))
    found = _chosen(found, alert, rule, user, client)
    _out(_shown(found, sources, form, whole=alert is not None, width=wide, coloured=coloured), output)
    least = telling.floor(fail_on)
    if least is not None and any(one.severity.rank >= least.rank for one in found):
        raise typer.Exit(1)


def _known(asked: Iterable[str], loaded: tuple[Rule, ...]) -> None:
    """A misspelt rule would find nothing, and nothing found reads as all is well."""
    from difflib import get_close_matches

    from gatepost.errors import UsageError

    names = [one.id for one in loaded]
    for name in asked:
        if name not in names:
            near = get_close_matches(name, names, n=3)
            perhaps = f"meant perhaps: {', '.join(near)}; " if near else ""
            raise UsageError(f"--rule {name}: no rule has this ID; {perhaps}gatepost alerts --rules lists them")


def _asked(state: Path, rules: tuple[Rule, ...], since: int) -> tuple[tuple[Alert, ...], Mapping[int, str]]:
    from gatepost.cli.lakes import opened
    from gatepost.edge.watch import history

    with opened(state) as lake:
        connection = lake.connect()
        sources = dict(connection.execute("SELECT source, name FROM sources").fetchall())
        return history.alerts(connection, rules, since), sources


def _since(text: str) -> int:
    """Microseconds."""
    import re
    from datetime import UTC, datetime, timedelta

    from gatepost.errors import UsageError
    from gatepost.model.event import MICROSECONDS

    units = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    try:
        if ago := re.fullmatch(r"([0-9]{1,5})([mhdw])", text):
            at = datetime.now(UTC) - timedelta(**{units[ago[2]]: int(ago[1])})
        else:
            at = datetime.fromisoformat(text)
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"--since: {text!r} is no day (2026-08-01), nor how long ago (90m, 24h, 7d, 4w)") from None
    return round(at.timestamp() * MICROSECONDS)


def _chosen(
    found: tuple[Alert, ...], alert: str | None, rules: list[str] | None, user: str | None, client: str | None
) -> tuple[Alert, ...]:
    from gatepost.errors import UsageError

    wanted = set(rules or ())
    chosen = tuple(
        one
        for one in found
        if (alert is None or one.id == alert)
        and (not wanted or wanted & set(one.rules))
        and (user is None or user in one.users)
        and (client is None or client in one.clients or client in one.networks)
    )
    if alert is not None and not chosen:
        raise UsageError(f"no alert has the id {alert!r} in this time; --since looks further back")
    return chosen


def _shown(
    found: tuple[Alert, ...], sources: Mapping[int, str], form: AlertFormat, *, whole: bool, width: int, coloured: bool
) -> str:
    from datetime import UTC, datetime

    from gatepost.report.alerts import alert_list, alert_page, document, lines
    from gatepost.report.layout import paint

    if form is AlertFormat.JSON:
        return document(found, sources, datetime.now(UTC))
    if form is AlertFormat.JSONL:
        return lines(found, sources)
    page = alert_page(found[0], sources, width=width) if whole else alert_list(found, width=width)
    return paint(page, colour=coloured)


def _row(rule: Rule) -> RuleRow:
    from gatepost.detect.rule import Counting
    from gatepost.report.alerts import RuleRow
    from gatepost.report.tally import plural

    counts = {
        Counting.EVENTS: "signal", Counting.VALUES: rule.value, Counting.ORDERED: "step", Counting.TOGETHER: "kind",
    }[rule.counting]  # fmt: skip
    counted = plural(rule.threshold, counts) + (", in order," if rule.counting is Counting.ORDERED else "")
    kind = f" ({rule.normal.kind.value})" if rule.normal else ""
    each = f" of one {' and '.join(rule.groups)}" if rule.groups else ""
    return RuleRow(
        rule.id, rule.title, rule.severity, f"{counted}{each}{kind}", rule.window, rule.threshold, rule.response.value,
        "live" if rule.live else "lake", rule.owner, rule.controls, rule.tuning, rule.source,
    )  # fmt: skip


def _out(text: str, output: Path | None) -> None:
    from gatepost.cli import telling

    if output is not None:
        telling.write(output, text)
    else:
        sys.stdout.write(text)
