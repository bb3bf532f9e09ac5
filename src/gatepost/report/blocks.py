"""Blocks on the terminal: who is shut out, for how long still, why, and how we know that it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.text import Text

from gatepost.model.alert import BlockEnd
from gatepost.model.event import MICROSECONDS
from gatepost.model.ledger import Entry
from gatepost.report.escape import printable
from gatepost.report.layout import Column, hanging, paint, table, text
from gatepost.report.page import document
from gatepost.report.plain import to_plain
from gatepost.report.tally import plural

SCHEMA = "gatepost/blocks/1"
COLUMNS = (Column("address", least=15), Column("state", least=8), Column("until"), Column("by"), Column("rule"))
LABEL = 12
UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
STYLES = {"blocked": "red", "rehearsed": "yellow", "refused": "dim", "expired": "dim", "removed": "green"}


def to_text(
    entries: Sequence[Entry], now: int, *, width: int, colour: bool, verbose: bool = False, history: bool = False
) -> str:
    """Standing ones, or the whole history, newest first."""
    if not entries:
        return "Nothing was ever blocked.\n" if history else "Nobody is blocked.\n"
    ordered = sorted(entries, key=lambda one: (-one.block.since, one.block.address))
    lines = table(COLUMNS, [_row(one, now) for one in ordered], indent=0)
    if verbose or len(ordered) <= 3:
        for one in ordered:
            lines += [text(""), text(one.block.address, "bold"), *_details(one, now, width)]
    lines += [text(""), text(_sum(ordered, now), "dim")]
    return paint(lines, colour=colour)


def to_json(entries: Sequence[Entry], now: int) -> str:
    told = [{**dict(_plain(one)), "state": state(one, now)} for one in entries]
    return document(SCHEMA, {"blocks": to_plain(tuple(told))})


def state(one: Entry, now: int) -> str:
    if one.block.end is not BlockEnd.OPEN:
        return one.block.end.value
    if one.block.until <= now:
        return "expired"
    return "rehearsed" if one.block.dry else "blocked"


def lasting(seconds: int) -> str:
    """The two largest units: 1h 20m."""
    parts = []
    left = max(0, seconds)
    for size, unit in UNITS:
        if left >= size:
            parts.append(f"{left // size}{unit}")
            left %= size
    return " ".join(parts[:2]) or "0s"


def _row(one: Entry, now: int) -> tuple[Text, ...]:
    said = state(one, now)
    return (
        text(printable(one.block.address)),
        text(said, STYLES.get(said, "")),
        text(_until(one, now)),
        text(printable(one.block.by, 20)),
        text(printable(one.block.rule, 30)),
    )


def _until(one: Entry, now: int) -> str:
    if state(one, now) in {"blocked", "rehearsed"}:
        return f"{_moment(one.block.until)}, {lasting((one.block.until - now) // MICROSECONDS)} left"
    if one.block.end is BlockEnd.REFUSED:
        return "never set"
    return f"ended {_moment(one.ended or one.block.until)}"


def _details(one: Entry, now: int, width: int) -> Iterator[Text]:
    block = one.block
    told = [
        ("since", _moment(block.since)),
        ("why", printable(block.why)),
        ("alert", printable(block.alert)),
        ("evidence", printable(", ".join(one.evidence), 400)),
        ("cut", f"{plural(block.cut, 'connection')} ended" if block.cut else ""),
        ("proof", block.proved or ("not looked at yet" if state(one, now) == "blocked" else "")),
        ("ended by", " ".join(filter(None, (printable(one.ended_by), printable(one.ended_why))))),
    ]
    for name, words in told:
        if words:
            yield from hanging(text(f"  {name}", "dim"), words, indent=LABEL, width=width)


def _sum(entries: Sequence[Entry], now: int) -> str:
    counted: dict[str, int] = {}
    for one in entries:
        counted[state(one, now)] = counted.get(state(one, now), 0) + 1
    told = ", ".join(f"{count} {name}" for name, count in sorted(counted.items()))
    return f"{told}.{' gatepost unblock ADDRESS lets somebody in again.' if 'blocked' in counted else ''}"


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / MICROSECONDS, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _plain(one: Entry) -> Iterator[tuple[str, object]]:
    block = one.block
    yield "address", block.address
    for name, at in (("since", block.since), ("until", block.until), ("ended", one.ended)):
        yield name, datetime.fromtimestamp(at / MICROSECONDS, UTC).isoformat() if at is not None else None
    for name in ("alert", "rule", "by", "why", "dry", "cut", "proved"):
        yield name, getattr(block, name)
    yield "evidence", one.evidence
    yield "ended_by", one.ended_by
    yield "ended_why", one.ended_why
