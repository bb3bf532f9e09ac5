"""What is told of alerts, in words that fit a mail, a chat and a line of syslog, and as JSON for machines.

Names and reasons in alerts were written by strangers: everything that does not print is escaped, and lines are cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from gatepost.model.alert import Alert, Block, BlockEnd, Proof
from gatepost.model.event import MICROSECONDS
from gatepost.model.words import Severity
from gatepost.report.escape import printable

SCHEMA = "gatepost/alerts/1"
MOST_NAMED = 8
MOST_ALERTS = 30  # told in full in one message
LONGEST_SUBJECT = 120
LONGEST = 300  # characters of one text


@dataclass(frozen=True, slots=True)
class Letter:
    """One message about some alerts. `payload` is the JSON of a webhook."""

    subject: str
    text: str
    severity: Severity
    payload: Mapping[str, object]


def letter(alerts: Sequence[Alert], blocks: Sequence[Block] = (), *, host: str = "", untold: int = 0) -> Letter:
    """Worst first. `untold` are alerts that were given up because too many waited."""
    ordered = sorted(alerts, key=lambda one: (-one.severity.rank, one.first))
    worst = ordered[0].severity if ordered else Severity.INFO
    return Letter(_subject(ordered, host), _text(ordered, blocks, untold), worst, _payload(ordered, host, untold))


def trial(host: str, where: str) -> Letter:
    """For `gatepost watch --test-delivery`."""
    said = f"This is a test from gatepost on {clean(host)}: alerts for {clean(where)} arrive."
    payload = {"schema": SCHEMA, "host": host, "test": True, "alerts": [], "untold": 0}
    return Letter(f"gatepost on {clean(host)}: test", f"{said}\n", Severity.INFO, MappingProxyType(payload))


def line(alert: Alert) -> str:
    """One alert on one line."""
    return f"{alert.severity.value}: {clean(alert.title)}: {clean(alert.because)}"


def moment(at: int) -> str:
    return datetime.fromtimestamp(at / MICROSECONDS, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def clean(text: str) -> str:
    """One line that prints, cut where it is too long."""
    plain = printable(text).replace("\n", "\\n")
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1]}…"


def _subject(alerts: Sequence[Alert], host: str) -> str:
    where = f" on {clean(host)}" if host else ""
    if not alerts:
        return f"gatepost{where}: nothing"
    more = f" and {len(alerts) - 1} more" if len(alerts) > 1 else ""
    said = f"gatepost{where}: {alerts[0].severity.value}: {clean(alerts[0].title)}"
    return f"{said[: LONGEST_SUBJECT - len(more)]}{more}"


def _text(alerts: Sequence[Alert], blocks: Sequence[Block], untold: int) -> str:
    parts = ["\n".join(_told(one, blocks)) for one in alerts[:MOST_ALERTS]]
    if len(alerts) > MOST_ALERTS:
        parts.append(f"And {len(alerts) - MOST_ALERTS} more alerts: gatepost alerts lists them.")
    if untold:
        parts.append(f"{untold} older alerts were given up because too many waited: gatepost alerts lists them.")
    return "\n\n".join(parts) + "\n"


def _told(alert: Alert, blocks: Sequence[Block]) -> Iterator[str]:
    yield f"[{alert.severity.value}] {clean(alert.title)}"
    yield clean(alert.because)
    yield f"  when       {moment(alert.first)} to {moment(alert.last)}"
    for name, words in (
        ("from", alert.clients), ("accounts", alert.users), ("services", alert.services), ("hosts", alert.hosts),
        ("got in", alert.succeeded),
    ):  # fmt: skip
        if words:
            yield f"  {name:<10} {_named(words)}"
    yield from _done(alert, blocks)
    yield f"  alert      {clean(alert.id)}, rules {_named(alert.rules)}"
    yield from (f"  line       {_place(one)}" for one in alert.proofs[:3])


def _done(alert: Alert, blocks: Sequence[Block]) -> Iterator[str]:
    mine = [one for one in blocks if one.alert == alert.id]
    for verb, some in (
        ("blocked", [b for b in mine if b.end is BlockEnd.OPEN and not b.dry]),
        ("would block", [b for b in mine if b.end is BlockEnd.OPEN and b.dry]),
    ):
        if some:
            yield f"  {verb:<10} {_named([b.address for b in some])} until {moment(max(b.until for b in some))}"
    for one in mine[:MOST_NAMED]:
        if one.end is BlockEnd.REFUSED:
            yield f"  not blocked {clean(one.address)}: {clean(one.why)}"


def _place(one: Proof) -> str:
    who = " ".join(filter(None, (one.client, one.user and f"as {one.user}", one.cause)))
    return f"{moment(one.at)} {clean(one.service)} {clean(one.act)} {clean(who)}"


def _named(words: Sequence[str]) -> str:
    shown = ", ".join(clean(word) for word in words[:MOST_NAMED])
    return f"{shown} and {len(words) - MOST_NAMED} more" if len(words) > MOST_NAMED else shown


def _payload(alerts: Sequence[Alert], host: str, untold: int) -> Mapping[str, object]:
    return MappingProxyType(
        {"schema": SCHEMA, "host": host, "test": False, "alerts": [_plain(one) for one in alerts], "untold": untold}
    )


def _plain(one: Alert) -> dict[str, object]:
    return {
        "id": one.id,
        "title": one.title,
        "severity": one.severity.value,
        "because": one.because,
        "first": moment(one.first),
        "last": moment(one.last),
        "count": one.count,
        "rules": list(one.rules),
        "clients": list(one.clients[:1000]),
        "accounts": list(one.users[:1000]),
        "services": list(one.services),
        "hosts": list(one.hosts),
        "succeeded": list(one.succeeded),
        "response": one.response.value,
    }
