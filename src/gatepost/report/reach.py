"""What each vantage reaches of each host, held against the declaration: a row a vantage, a column a declared port."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from gatepost import catalogue
from gatepost.firewall.vantages import Way, named, permitted, way
from gatepost.model.architecture import Architecture, Host
from gatepost.model.rules import Reach, ReachSeen
from gatepost.report.escape import printable
from gatepost.report.layout import Column, hanging, joined, paint, table, text
from gatepost.report.tally import plural

MARKS: Mapping[Way, tuple[str, str]] = {
    Way.AS_DECLARED: ("✔", "green"),
    Way.CLOSED: ("○", "yellow"),
    Way.OPEN: ("✖", "bold red"),
    Way.UNDECLARED: ("•", ""),
    Way.UNKNOWN: ("?", "blue"),
    Way.UNUSED: ("◆", "yellow"),
}
KEPT_OUT = ("·", "dim")
_LEGEND = (
    "✔ reached · kept out, both as declared   ✖ reached, and must not",
    "○ declared, not reached   ◆ must not, only nobody listens   ? not seen",
)
_BAD = (Way.OPEN, Way.CLOSED)
_MOST, _FEW = 12, 4  # ports of one sentence


@dataclass(frozen=True, slots=True)
class Cell:
    """One attempt, judged."""

    seen: ReachSeen
    way: Way
    vantage: str

    @property
    def mark(self) -> tuple[str, str]:
        kept = self.way is Way.AS_DECLARED and self.seen.result is not Reach.REACHED
        reached = self.seen.result is Reach.REACHED
        return KEPT_OUT if kept or (self.way is Way.UNDECLARED and not reached) else MARKS[self.way]


def cells(seen: Iterable[ReachSeen], architecture: Architecture) -> tuple[Cell, ...]:
    return tuple(Cell(one, way(one, architecture), named(one, architecture)) for one in seen)


def against(found: Iterable[Cell]) -> tuple[Cell, ...]:
    """What is not as the declaration has it."""
    return tuple(c for c in found if c.way in _BAD)


def reach_text(seen: Sequence[ReachSeen], architecture: Architecture, *, width: int = 100, colour: bool = False) -> str:
    found = cells(seen, architecture)
    lines: list[Text] = []
    for host in dict.fromkeys(c.seen.at.host for c in found):
        lines += [*_host([c for c in found if c.seen.at.host == host], host, architecture, width), text("")]
    return paint([*lines, *_legend(width), text(""), *_close(found, width)], colour=colour)


def _host(found: Sequence[Cell], host: str, architecture: Architecture, width: int) -> list[Text]:
    declared = architecture.host(host)
    addresses = " · ".join(printable(a) for a in dict.fromkeys(c.seen.at.address for c in found))
    head = hanging(
        text(""), joined(text(printable(host), "bold"), "   ", text(addresses, "dim")), indent=2, width=width
    )
    vantages = list(dict.fromkeys(c.vantage for c in found))
    ports = _columns(found, declared)
    columns = [Column("FROM"), *(Column(str(port)) for port in ports), Column("BESIDE")]
    rows = [_row([c for c in found if c.vantage == v], v, ports) for v in vantages]
    told = list(_sentences(found, declared, architecture, width))
    return [*head, *table(columns, rows, indent=2), *([text(""), *told] if told else [])]


def _columns(found: Iterable[Cell], host: Host | None) -> list[int]:
    """Declared ports, and those that some vantage may reach without a service there (the operator's)."""
    declared = {s.port for s in host.services} if host else set()
    expected = {c.seen.at.port for c in found if c.way is Way.CLOSED or (c.way is Way.AS_DECLARED and _came(c))}
    return sorted(declared | expected)


def _came(cell: Cell) -> bool:
    return cell.seen.result is Reach.REACHED


def _row(found: Sequence[Cell], vantage: str, ports: Sequence[int]) -> list[Text]:
    at: dict[int, list[Cell]] = defaultdict(list)
    for cell in found:
        at[cell.seen.at.port].append(cell)
    marks = [_marks(at.get(port, ())) for port in ports]
    return [text(printable(vantage)), *marks, _beside({p: c for p, c in at.items() if p not in ports})]


def _marks(same: Sequence[Cell]) -> Text:
    """One mark where both families agree."""
    marks = [c.mark for c in sorted(same, key=lambda c: c.seen.at.family)]
    shown = marks[:1] if len(set(marks)) == 1 else marks
    return joined(*(text(mark, style) for mark, style in shown))


def _beside(others: Mapping[int, Sequence[Cell]]) -> Text:
    """The ports nobody declared, counted by the worst that was seen of each."""
    worst = [max((c.way for c in same), key=_WORST.index) for same in others.values()]
    counted = [(mark, style, worst.count(way_)) for way_, (mark, style) in MARKS.items() if way_ is not Way.AS_DECLARED]
    shut = worst.count(Way.AS_DECLARED)
    parts = [joined(text(mark, style), f" {n}") for mark, style, n in (*counted, (*KEPT_OUT, shut)) if n]
    return joined(*(piece for part in parts for piece in (part, "   "))) if parts else text("")


_WORST = (Way.AS_DECLARED, Way.UNDECLARED, Way.UNKNOWN, Way.CLOSED, Way.UNUSED, Way.OPEN)


def _sentences(found: Sequence[Cell], host: Host | None, architecture: Architecture, width: int) -> Iterable[Text]:
    """One for each kind, and for all vantages that see the same."""
    for kind, words in _WORDS.items():
        by_vantage: dict[str, list[Cell]] = defaultdict(list)
        for cell in found:
            if cell.way is kind:
                by_vantage[cell.vantage].append(cell)
        alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for vantage, same in by_vantage.items():
            alike[_places(same, host, architecture)].append(vantage)
        for places, vantages in alike.items():
            who = ", ".join(map(printable, vantages))
            said = f"{who} {words if vantages[1:] else _SINGULAR.get(kind, words)} {_listed(kind, places)}"
            why = next((printable(c.seen.detail) for c in by_vantage[vantages[0]] if kind is Way.UNKNOWN), "")
            body = f"{said}  ({why})" if why else said
            yield from hanging(joined("  ", text(*MARKS[kind])), body, indent=5, width=width)


_WORDS = {
    Way.OPEN: "reach what they must not:",
    Way.CLOSED: "do not reach what is declared for them:",
    Way.UNUSED: "find no firewall in the way, only nobody listening:",
    Way.UNKNOWN: "could not tell of",
}
_SINGULAR = {
    Way.OPEN: "reaches what it must not:",
    Way.CLOSED: "does not reach what is declared for it:",
    Way.UNUSED: "finds no firewall in the way, only nobody listening:",
}


def _listed(kind: Way, places: Sequence[str]) -> str:
    most = _FEW if kind in {Way.UNKNOWN, Way.UNUSED} else _MOST
    more = f" and {len(places) - most} more" if len(places) > most else ""
    return f"{', '.join(places[:most])}{more}"


def _places(same: Sequence[Cell], host: Host | None, architecture: Architecture) -> tuple[str, ...]:
    ordered = sorted(same, key=lambda c: c.seen.at.port)
    return tuple(dict.fromkeys(_place(c, same, host, architecture) for c in ordered))


def _place(cell: Cell, same: Sequence[Cell], host: Host | None, architecture: Architecture) -> str:
    """`3306 mysql`; the family where only one of them is meant; what came and the line, where it should have worked."""
    port, family = cell.seen.at.port, cell.seen.at.family
    families = {c.seen.at.family for c in same if c.seen.at.port == port}
    service = host.service(port) if host else None
    row = catalogue.port_numbered(port)
    name = service.name if service else row.id if row else ""
    only = f"IPv{family}" if len(families) == 1 and _both(host) else ""
    if cell.way is not Way.CLOSED:
        return " ".join(filter(None, (str(port), printable(name), only)))
    line = f"{architecture.source}:{service.line}" if service and service.line and architecture.source else ""
    told = ", ".join(filter(None, (cell.seen.result.value, line)))
    return " ".join(filter(None, (str(port), printable(name), only, f"({told})")))


def _both(host: Host | None) -> bool:
    return host is not None and len({":" in a for a in host.addresses}) == 2


def _legend(width: int) -> list[Text]:
    return [line for words in _LEGEND for line in hanging(text("  "), text(words, "dim"), indent=2, width=width)]


def _close(found: Sequence[Cell], width: int) -> list[Text]:
    wrong, shut = (len({(c.vantage, c.seen.at.host, c.seen.at.port) for c in found if c.way is w}) for w in _BAD)
    blind = sum(c.way is Way.UNKNOWN for c in found)
    unsaid = sum(c.way is Way.UNDECLARED and _came(c) for c in found)
    told = [
        f"{plural(wrong, 'way')} open that must not be" if wrong else "",
        f"{plural(shut, 'declared way')} closed" if shut else "",
        f"{plural(unsaid, 'way')} open of which the declaration says nothing" if unsaid else "",
        f"{blind} of {len(found)} could not be seen" if blind else "",
    ]
    words = ", ".join(filter(None, told)) or "Everything that was tried is as declared"
    bad, unseen = bool(wrong or shut), bool(blind)
    good = MARKS[Way.UNDECLARED] if unsaid else MARKS[Way.AS_DECLARED]
    mark = text(*(MARKS[Way.OPEN] if bad else MARKS[Way.UNKNOWN] if unseen else good))
    return hanging(mark, joined(text(f"{words}.", "bold"), text(f"  {_tried(found)}", "dim")), indent=2, width=width)


def _tried(found: Sequence[Cell]) -> str:
    """What never left the vantage was not tried."""
    went = [c for c in found if c.seen.result is not Reach.UNKNOWN or c.seen.source]
    vantages = len({c.vantage for c in went})
    return f"{plural(len(went), 'connection')} from {plural(vantages, 'vantage')}" if went else "Nothing was tried"


def reach_json(seen: Sequence[ReachSeen], architecture: Architecture) -> str:
    results = [_plain(cell, architecture) for cell in cells(seen, architecture)]
    return json.dumps({"schema": "gatepost/probe/1", "results": results}, indent=2) + "\n"


def _plain(cell: Cell, architecture: Architecture) -> dict[str, object]:
    seen = cell.seen
    return {
        "host": seen.at.host,
        "address": seen.at.address,
        "port": seen.at.port,
        "vantage": seen.vantage,
        "zone": cell.vantage if any(z.name == cell.vantage for z in architecture.zones) else "",
        "source": seen.source,
        "result": seen.result.value,
        "permitted": permitted(seen, architecture),
        "way": cell.way.value,
        "detail": seen.detail,
    }
