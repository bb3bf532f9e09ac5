"""Who uses what, on the terminal, as JSON and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from io import StringIO

from rich.text import Text

from gatepost.model.event import MICROSECONDS, Cover
from gatepost.model.using import Peer, Peers, Used, Way, WayUsed, Who, spoken
from gatepost.report.escape import printable
from gatepost.report.layout import Column, fitted, joined, paint, text, wrapped
from gatepost.report.page import UNASKED, document, heading, listed, spaced
from gatepost.report.plain import to_plain
from gatepost.report.tally import plural
from gatepost.report.weeks import day, sparkline

SCHEMA = "gatepost/usage/1"
PEERS_SCHEMA = "gatepost/peers/1"
OLD, WELL = "yellow", "green"
RISING = {"falling": "green", "gone": "green", "new": "red", "rising": "red"}  # of what should go away
COVERED = {
    Cover.LOCAL: "local",
    Cover.NONE: "in clear",
    Cover.OUTSIDE: "TLS, at a proxy",
    Cover.TLS: "TLS",
    Cover.UNKNOWN: "not told",
}


def to_text(used: Used, *, width: int, colour: bool, most: int, named: bool) -> str:
    """Accounts are named in ways that are old; in all of them when `named`."""
    told = [one for one in used.ways if one.accounts or any(who.messages for who in one.strangers)]
    idle = sum(one.sessions for one in used.ways if one not in told)
    parts = [
        wrapped(_head(used), width),
        [*_ways(told, width), *([text(f"  {idle:,} sessions more came to nothing", "dim")] if idle else [])],
        *(_accounts(one, width, most) for one in told if one.accounts and (named or one.legacy)),
        listed(UNASKED, used.unknown, width, "These logs do not tell"),
    ]
    return paint(spaced(parts), colour=colour)


def peers_to_text(found: Peers, *, width: int, colour: bool, most: int) -> str:
    parts: list[Sequence[Text]] = [wrapped(_peers_head(found), width)]
    for direction, words in (("in", "Who gives us mail in clear"), ("out", "To whom we send mail in clear")):
        mine = [one for one in found.peers if one.direction == direction and one.clear]
        parts.append(_peers(words, mine, width, most))
    parts.append(listed(UNASKED, found.unknown, width, "These logs do not tell"))
    return paint(spaced(parts), colour=colour)


def to_json(used: Used) -> str:
    told = {"since": day(used.since).isoformat(), "until": day(used.until).isoformat()}
    return document(SCHEMA, {**told, "ways": to_plain(used.ways), "unknown": to_plain(used.unknown)})


def peers_to_json(found: Peers) -> str:
    told = {"since": day(found.since).isoformat(), "until": day(found.until).isoformat()}
    return document(PEERS_SCHEMA, {**told, "peers": to_plain(found.peers), "unknown": to_plain(found.unknown)})


def to_csv(used: Used) -> str:
    """A line for each account in each way; connections without a login are one line a way and network."""
    head = ("service", "port", "encryption", "starttls", "tls", "mechanism", "legacy", "account", "address", "networks",
            "hint", "sessions", "failures", "messages", "first", "last")  # fmt: skip
    rows = [
        (one.way.service, one.way.port, one.way.cover.value or "unknown", one.way.starttls, one.way.tls,
         one.way.method, one.legacy, who.user, who.client, who.networks, who.hint, who.sessions, who.failures,
         who.messages, _moment(who.first), _moment(who.last))
        for one in used.ways for who in (*one.accounts, *one.strangers)
    ]  # fmt: skip
    return _written(head, rows)


def peers_to_csv(found: Peers) -> str:
    head = ("direction", "peer", "server", "clear", "encrypted", "unknown", "tls", "first", "last", "trend")
    rows = [
        (one.direction, one.name, one.server, one.clear, one.covered, one.unknown, " ".join(one.tls),
         _moment(one.first), _moment(one.last), one.trend)
        for one in found.peers
    ]  # fmt: skip
    return _written(head, rows)


def _head(used: Used) -> Text:
    accounts = {who.user for one in used.ways for who in one.accounts}
    old = {who.user for one in used.ways if one.legacy for who in one.accounts}
    days = text(f"{day(used.since)} to {day(used.until)}  ", "dim")
    if not used.ways:
        return joined(days, "nobody connected, as far as the lake tells")
    words = f"{plural(len(accounts), 'account')} in {plural(sum(1 for one in used.ways if one.accounts), 'way')}"
    if not old:
        return joined(days, text(words, "bold"), text(", none of them old", WELL))
    return joined(days, text(words, "bold"), text(f", {len(old):,} of them in an old one", OLD))


def _ways(ways: Sequence[WayUsed], width: int) -> list[Text]:
    columns = (
        Column("port", right=True), Column("service"), Column("encryption"), Column("mechanism"),
        Column("accounts", right=True), Column("sessions", right=True, spare=1), Column("since", spare=3),
        Column("last"), Column("by week", spare=2), Column(""),
    )  # fmt: skip
    rows = [_way(one) for one in ways]
    return fitted(columns, rows, indent=2, width=width) if rows else []


def _way(one: WayUsed) -> list[Text]:
    style = OLD if one.legacy else ""
    return [
        text(str(one.way.port) if one.way.port else "?", style),
        text(printable(one.way.service or "?", 20), style),
        text(_encryption(one.way), style),
        text(printable(one.way.method or "-", 16)),
        text(f"{len(one.accounts):,}" if one.accounts else "-"),
        text(f"{one.sessions:,}"),
        text(f"{day(one.first)}", "dim"),
        text(f"{day(one.last)}"),
        text(sparkline(one.weeks[-26:])),
        text(one.trend, RISING.get(one.trend, "") if one.legacy else "dim"),
    ]


def _encryption(way: Way) -> str:
    begun = " by STARTTLS" if way.starttls and way.cover is Cover.TLS else ""
    version = spoken(way.tls) if way.tls else COVERED[way.cover]
    return printable(version, 20) + begun


def _accounts(one: WayUsed, width: int, most: int) -> list[Text]:
    where = f"{one.way.port} {one.way.service}" if one.way.port else one.way.service
    title = heading(f"{where}, {_encryption(one.way)}{f', {one.way.method}' if one.way.method else ''}", one.legacy)
    columns = (
        Column("account"), Column("last used"), Column("from"), Column("networks", right=True, spare=1),
        Column("sessions", right=True), Column("since", spare=3), Column("by week", spare=2), Column(""),
    )  # fmt: skip
    lines = fitted(columns, [_who(who) for who in one.accounts[:most]], indent=2, width=width)
    more = len(one.accounts) - most
    return [title, *lines, *_more(more)]


def _more(count: int) -> list[Text]:
    return [text(f"  … and {count:,} more: --most N, or --format csv", "dim")] if count > 0 else []


def _who(who: Who) -> list[Text]:
    return [
        text(printable(who.user, 44)),
        text(f"{datetime.fromtimestamp(who.last / MICROSECONDS, UTC):%Y-%m-%d %H:%M}"),
        text(printable(who.client, 40)),
        text(f"{who.networks:,}"),
        text(f"{who.sessions:,}"),
        text(f"{day(who.first)}", "dim"),
        text(sparkline(who.weeks[-26:])),
        text(printable(who.hint, 30), "dim"),
    ]


def _peers_head(found: Peers) -> Text:
    days = text(f"{day(found.since)} to {day(found.until)}  ", "dim")
    if not found.peers:
        return joined(days, "no mail from or to others, as far as the lake tells")
    clear = sum(1 for one in found.peers if one.clear)
    words = text(f", {clear:,} with mail in clear", OLD) if clear else text(", none in clear", WELL)
    return joined(days, text(plural(len(found.peers), "peer"), "bold"), words)


def _peers(title: str, found: Sequence[Peer], width: int, most: int) -> list[Text]:
    if not found:
        return []
    columns = (
        Column("peer"), Column("in clear", right=True), Column("encrypted", right=True), Column("last"),
        Column("clear by week", spare=1), Column(""), Column("server", spare=2),
    )  # fmt: skip
    lines = fitted(columns, [_peer(one) for one in found[:most]], indent=2, width=width)
    more = len(found) - most
    return [heading(title), *lines, *_more(more)]


def _peer(one: Peer) -> list[Text]:
    return [
        text(printable(one.name, 44)),
        text(f"{one.clear:,}", OLD),
        text(f"{one.covered:,}"),
        text(f"{day(one.last)}"),
        text(sparkline(one.weeks[-26:])),
        text(one.trend, RISING.get(one.trend, "")),
        text(printable(one.server, 44), "dim"),
    ]


def _written(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: object) -> str:
    """A cell that a spreadsheet would take for a formula gets an apostrophe: strangers choose these words."""
    said = "" if value is None else str(value).lower() if isinstance(value, bool) else printable(str(value), 256)
    return f"'{said}" if said[:1] in {"=", "+", "-", "@", "\t"} else said


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / MICROSECONDS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
