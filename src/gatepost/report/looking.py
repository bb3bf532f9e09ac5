"""What `gatepost watch` shows while it runs: what comes in, from which services, what was found and done."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from gatepost.report.escape import printable
from gatepost.report.layout import Column, cut, joined, table, text
from gatepost.report.tally import plural

MOST_SERVICES = 12
MOST_NOTES = 8


def view(
    *,
    lines: int,
    rate: float,
    services: dict[str, int],
    alerts: int,
    blocks: int,
    refused: int,
    standing: int,
    dry: bool,
    notes: Sequence[str],
    width: int,
) -> Text:
    """`notes` are the last sentences said, newest last."""
    mode = joined(text("rehearsing", "yellow"), ": --block carries blocks out") if dry else text("blocking", "bold red")
    head = [
        joined(text("gatepost watch", "bold"), "   ", mode),
        text(f"{lines:,} lines, {rate:,.0f} a second   {plural(alerts, 'alert')}"),
        text(f"{plural(blocks, 'block')}, {standing} standing, {refused} refused"),
        text(""),
    ]
    busiest = sorted(services.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_SERVICES]
    rows = [(text(printable(name) or "unknown"), text(f"{count:,}")) for name, count in busiest]
    body = table((Column("Service", least=14), Column("Signals", right=True)), rows, indent=0) if rows else []
    last = [cut(text(printable(note)), width) for note in notes[-MOST_NOTES:]]
    return Text("\n").join([*head, *body, text(""), *last])
