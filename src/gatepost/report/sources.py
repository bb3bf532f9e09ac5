"""Who sends as a domain, by the DMARC reports of others: the unaligned first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from rich.text import Text

from gatepost.feedback.contents import Reporter
from gatepost.model.domain import SourceSeen
from gatepost.report.escape import printable
from gatepost.report.layout import Column, broadest, cut, hanging, joined, paint, table, text, wrapped
from gatepost.report.plain import to_plain
from gatepost.report.reporters import LONGEST_NAME, Asked, dated, remarks, silent
from gatepost.report.sheet import sheet
from gatepost.report.tally import plural
from gatepost.report.truth import Standing
from gatepost.report.wall import MARKS

SCHEMA = "gatepost/sources/1"
SHOWN = 40  # sources of a domain, unless all are asked for
_COUNTS = ("messages", "aligned", "spf", "dkim", "delivered", "quarantined", "rejected")


def sources_text(
    asked: Asked,
    sources: Sequence[SourceSeen],
    reporters: Sequence[Reporter],
    today: date,
    *,
    width: int = 100,
    colour: bool = False,
    everything: bool = False,
) -> str:
    """One page: a table for each domain in the From header, then what it comes to."""
    names = {name for one in sources for name in one.reporters}
    head = text(f"Who sends as {asked.of}: {asked.days}, by {plural(len(names), 'reporter')}", "bold")
    page = [*wrapped(head, width), text("")]
    shown = {one.at.host: [two for two in sources if two.at.host == one.at.host] for one in sources}
    limit = None if everything else SHOWN
    columns = _columns([one for same in shown.values() for one in same[:limit]], width)
    for domain, same in shown.items():
        page += [
            text(f"  {printable(domain, 80)}", "bold"),
            *(cut(line, width) for line in _draw(same[:limit], columns)),
        ]
        page += [*_hidden(same[SHOWN:], everything=everything), text("")]
    page += [line for one in _totals(sources) for line in hanging(text(" "), one, indent=2, width=width)]
    return paint([*page, *remarks(reporters, today, width=width)], colour=colour)


def _columns(sources: Sequence[SourceSeen], width: int) -> list[str]:
    """As many as fit, the same for every domain."""
    names = list(_COLUMNS)
    for name in _FIRST_TO_GO:
        if broadest(_draw(sources, names)) > width:
            names.remove(name)
    return names


def _draw(sources: Sequence[SourceSeen], names: Sequence[str]) -> list[Text]:
    columns = [Column(name, right=name in _NUMBERS) for name in names]
    return table(columns, [[_COLUMNS[name](one) for name in names] for one in sources], indent=4)


def _hidden(rest: Sequence[SourceSeen], *, everything: bool) -> list[Text]:
    if everything or not rest:
        return []
    messages = sum(one.messages for one in rest)
    return [text(f"    and {plural(len(rest), 'source')} more with {messages:,} messages: --all shows them", "dim")]


def _totals(sources: Sequence[SourceSeen]) -> list[Text]:
    if not sources:
        return []
    sums = {name: sum(getattr(one, name) for one in sources) for name in _COUNTS}
    total, aligned = sums["messages"], sums["aligned"]
    share = f" ({aligned / total:.1%})" if total else ""
    astray = text(f"{total - aligned:,} not", "yellow" if total > aligned else "")
    head = joined(
        f"{total:,} messages from {plural(len(sources), 'source')}: {aligned:,} aligned{share}, ", astray,
        f"; {sums['delivered']:,} delivered, {sums['quarantined']:,} quarantined, {sums['rejected']:,} rejected.",
    )  # fmt: skip
    if total == aligned:
        return [head]
    advice = "A source of yours that is not aligned needs a DKIM key of the domain; for all others there is the policy."
    return [head, text(advice, "dim")]


def _standing(one: SourceSeen) -> Standing:
    if one.aligned >= one.messages:
        return Standing.GOOD
    return Standing.ATTENTION if one.aligned else Standing.BAD


def _source(one: SourceSeen) -> Text:
    mark, style = MARKS[_standing(one)]
    return joined(text(mark, style), f" {printable(one.source, 45)}")


def _aligned(one: SourceSeen) -> Text:
    if one.aligned >= one.messages:
        return text("all", "green")
    if not one.aligned:
        return text("none", "bold red")
    return text(f"{min(one.aligned / one.messages, 0.99):.0%}", "yellow")


def _means(one: SourceSeen) -> str:
    return ", ".join(word for count, word in ((one.spf, "spf"), (one.dkim, "dkim")) if count)


def _fate(one: SourceSeen) -> Text:
    told = ((one.rejected, "rejected"), (one.quarantined, "quarantined"), (one.delivered, "delivered"))
    words = [(count, word) for count, word in told if count]
    if len(words) == 1 and words[0][0] == one.messages:
        return text(words[0][1])
    return text(", ".join(f"{count:,} {word}" for count, word in words) or "not told")


def _listed(names: Sequence[str], most: int) -> str:
    shown = [printable(name, LONGEST_NAME) for name in names[:most]]
    return ", ".join(shown) + (f" +{len(names) - most}" if len(names) > most else "")


_COLUMNS: Mapping[str, Callable[[SourceSeen], Text]] = {
    "SOURCE": _source,
    "MESSAGES": lambda one: text(f"{one.messages:,}"),
    "ALIGNED": _aligned,
    "BY": lambda one: text(_means(one) or "-", "" if one.aligned else "dim"),
    "FATE": _fate,
    "PASSES AS": lambda one: text(_listed(sorted(one.domains, key=len), 1) or "nobody", "" if one.domains else "dim"),
    "LAST": lambda one: text(str(one.last)),
    "REPORTED BY": lambda one: text(_listed(one.reporters, 1), "dim"),
}
_NUMBERS = frozenset({"MESSAGES", "ALIGNED"})
_FIRST_TO_GO = ("REPORTED BY", "LAST", "PASSES AS", "BY")  # where the terminal is too narrow


def sources_json(asked: Asked, sources: Sequence[SourceSeen], reporters: Sequence[Reporter], today: date) -> str:
    totals = {name: sum(getattr(one, name) for one in sources) for name in _COUNTS}
    told = {
        "totals": to_plain(totals), "sources": to_plain(tuple(sources)), "silent": to_plain(silent(reporters, today)),
    }  # fmt: skip
    return dated(SCHEMA, asked, told)


def sources_csv(sources: Sequence[SourceSeen]) -> str:
    columns = ("from", "source", *_COUNTS, "passes_as", "first", "last", "reporters")
    return sheet(columns, (_cells(one) for one in sources))


def _cells(one: SourceSeen) -> tuple[object, ...]:
    counts = (getattr(one, name) for name in _COUNTS)
    return one.at.host, one.source, *counts, "; ".join(one.domains), one.first, one.last, "; ".join(one.reporters)
