"""Alerts for a terminal and for programs: what happened, who did it, what is asked for, and the lines that prove it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import groupby

from rich.text import Text

from gatepost.model.alert import Alert, Proof
from gatepost.model.event import MICROSECONDS
from gatepost.model.words import Severity
from gatepost.report.escape import printable
from gatepost.report.layout import Column, fitted, hanging, joined, padded, table, text

SCHEMA = "gatepost/alerts/1"
SHOWN = 40  # alerts of a list
LISTED = 12  # names of one line
INDENT = 12
_STYLES = {
    Severity.CRITICAL: "bold red", Severity.HIGH: "red", Severity.MEDIUM: "yellow", Severity.LOW: "cyan",
    Severity.INFO: "dim",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One detection as `--rules` shows it."""

    id: str
    title: str
    severity: Severity
    counts: str  # how many of what, in words
    window: int  # seconds
    threshold: int
    response: str
    path: str  # live, or lake
    owner: str
    controls: tuple[str, ...]
    tuning: str
    source: str


def alert_list(alerts: Sequence[Alert], *, width: int) -> list[Text]:
    """Worst first, the newest of each severity first; the rest is counted."""
    if not alerts:
        return [text("No alerts.")]
    page: list[Text] = []
    for severity, same in groupby(alerts[:SHOWN], key=lambda a: a.severity):
        whole = sum(alert.severity is severity for alert in alerts)
        page += [text(f"{severity.value} ({whole:,})", _STYLES[severity])]
        for alert in same:
            page += _short(alert, width)
        page.append(text(""))
    if (more := len(alerts) - SHOWN) > 0:
        page.append(text(f"… and {more:,} more: --rule, --client and --user narrow it down, JSON has all", "dim"))
    blocked = {client for alert in alerts for client in alert.blockable}
    page.append(text(f"{_many(len(alerts), 'alert')}; {_many(len(blocked), 'address', 'addresses')} could be blocked."))
    page.append(text("gatepost alerts ID shows one with its log lines.", "dim"))
    return page


def _short(alert: Alert, width: int) -> list[Text]:
    facts = [when(alert.last)[:16], alert.response.value]
    head = joined("  ", text(alert.id, "bold"), "  ", padded(text("  ".join(facts), "dim"), 25), text(alert.title))
    return [head, *hanging(text(""), text(printable(alert.because)), indent=INDENT, width=width)]


def alert_page(alert: Alert, sources: Mapping[int, str], *, width: int) -> list[Text]:
    """One alert, with where each of its log lines stands."""
    facts = [
        ("because", alert.because),
        ("from", f"{when(alert.first)} to {when(alert.last)} UTC"),
        ("signals", f"{alert.count:,}"),
        ("addresses", _names(alert.clients)),
        ("accounts", _names(alert.users)),
        ("services", _names(alert.services)),
        ("hosts", _names(alert.hosts)),
        ("logged in", _names(alert.succeeded)),
        ("response", alert.response.value),
        ("may block", _names(alert.blockable) or "nobody"),
        ("rules", ", ".join(alert.rules)),
    ]
    page = [joined(text(alert.severity.value, _STYLES[alert.severity]), "  ", text(alert.title, "bold")), text("")]
    for label, words in facts:
        page += hanging(text(f"  {label}", "dim"), printable(words), indent=14, width=width) if words else []
    if alert.proofs:
        page += [text(""), text("  The first and the last of the lines behind it:", "dim")]
        page += fitted(_PROOF, [_proof(proof, sources) for proof in alert.proofs], indent=4, width=width)
    return page


_PROOF = [
    Column("WHEN (UTC)"), Column("SERVICE", spare=3), Column("WHAT"), Column("CLIENT", spare=1),
    Column("ACCOUNT", spare=2), Column("CAUSE", spare=4), Column("LINE"),
]  # fmt: skip


def _proof(proof: Proof, sources: Mapping[int, str]) -> list[Text]:
    cells = (
        when(proof.at), proof.service, proof.act, proof.client, printable(proof.user, 30), printable(proof.cause, 24),
        place(proof, sources),
    )  # fmt: skip
    return [text(printable(cell)) for cell in cells]


def place(proof: Proof, sources: Mapping[int, str]) -> str:
    """file:offset, as `tail -c +N` and editors take it."""
    return f"{sources.get(proof.source, f'source {proof.source}')}:{proof.offset}"


def rule_list(rows: Sequence[RuleRow], *, width: int) -> list[Text]:
    columns = [Column(name) for name in ("ID", "SEVERITY", "FIRES AT", "RESPONSE", "PATH", "CONTROLS")]
    shown = [
        [text(row.id, "bold"), text(row.severity.value, _STYLES[row.severity]),
         text(f"{row.counts} in {span(row.window)}"), text(row.response), text(row.path, "dim"),
         text(" ".join(row.controls), "dim")]
        for row in rows
    ]  # fmt: skip
    if width < 120:
        columns, shown = columns[:4], [cells[:4] for cells in shown]
    end = f"{len(rows)} rules. live: counted line by line; lake: asked of the lake every few minutes."
    return [*table(columns, shown, indent=2), text(""), text(end, "dim")]


def document(alerts: Sequence[Alert], sources: Mapping[int, str], now: datetime) -> str:
    """Escapes are ASCII: a name is never a command to the terminal, and turns no text around."""
    whole = {"schema": SCHEMA, "generated_at": now.isoformat(), "alerts": [plain(a, sources) for a in alerts]}
    return json.dumps(whole, indent=2) + "\n"


def lines(alerts: Sequence[Alert], sources: Mapping[int, str]) -> str:
    return "".join(json.dumps(plain(alert, sources)) + "\n" for alert in alerts)


def plain(alert: Alert, sources: Mapping[int, str]) -> dict[str, object]:
    """Times as ISO 8601 in UTC; a proof has the name of its source."""
    whole = asdict(alert)
    whole["first"], whole["last"] = _iso(alert.first), _iso(alert.last)
    whole["proofs"] = [
        asdict(p) | {"at": _iso(p.at), "source": sources.get(p.source, str(p.source))} for p in alert.proofs
    ]
    return whole


def rules_document(rows: Sequence[RuleRow]) -> str:
    return json.dumps({"schema": SCHEMA, "rules": [asdict(row) for row in rows]}, indent=2, ensure_ascii=False) + "\n"


def when(microseconds: int) -> str:
    return f"{datetime.fromtimestamp(microseconds // MICROSECONDS, UTC):%Y-%m-%d %H:%M:%S}"


def _iso(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / MICROSECONDS, UTC).isoformat()


def span(seconds: int) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _names(values: Sequence[str]) -> str:
    more = f" and {len(values) - LISTED:,} more" if len(values) > LISTED else ""
    return ", ".join(values[:LISTED]) + more


def _many(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
