"""The port truth table as lines for a terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from rich.text import Text

from gatepost.report.columns import brief
from gatepost.report.encryption import Word
from gatepost.report.escape import printable
from gatepost.report.layout import Column, broadest, cut, hanging, joined, table, text
from gatepost.report.truth import NOT_ASKED, UNSEEN, Row, Standing, absent, merged

MARKS: Mapping[Standing, tuple[str, str]] = {
    Standing.ATTENTION: ("◆", "yellow"),
    Standing.BAD: ("✖", "bold red"),
    Standing.GOOD: ("✔", "green"),
    Standing.QUIET: ("·", "dim"),
    Standing.UNKNOWN: ("?", "blue"),
}
_COMPACT = ("declared", "firewalled", "answers", "advertised")
_WHOLE = ("declared", "listening", "firewalled", "reachable", "encrypted", "advertised", "used")
_CAUSE_INDENT = 9

_AIRY, _CLOSE, _SHORT, _SHORTEST = (2, 40), (1, 40), (1, 12), (1, 10)  # between columns, and of one cell at most

Measure = tuple[int, int]
Held = tuple[str, Row]  # where it holds (empty: on every address of the host), and the row


def wall(rows: Sequence[Row], *, width: int, whole: bool = False) -> list[Text]:
    """One table a host, all with the same columns. `whole` asks for every column, as `gatepost ports` does."""
    hosts = [[row for row in rows if row.host == host] for host in dict.fromkeys(row.host for row in rows)]
    tables = [merged([row for row in same if not absent(row)]) for same in hosts]
    names, measure, left = _fitting(tables, width, whole=whole)
    lines: list[Text] = []
    for same, held in zip(hosts, tables, strict=True):
        table_ = _draw(held, names, width, measure, whole=whole) if held else []
        lines += [*_heading(same, width), *table_, *_collapsed_lines(same, width), text("")]
    note = _notes(names, left, [one for held in tables for one in held], width) if whole else []
    return [*lines, *note][:-1]


def _notes(names: Sequence[str], left: Sequence[str], every: Sequence[Held], width: int) -> list[Text]:
    """What a sign means, and what a wider terminal would show as well."""
    wider = "firewalled" in names and any(row.firewalled.rstrip(", ?").endswith("+") for _, row in every)
    dull = "reachable" in left and _dull(every)
    listed = ", ".join(name for name in left if not (dull and name == "reachable"))
    told = [
        "+ lets in more than is declared" if wider else "",
        "whatever listens is reachable" if dull else "",
        f"no room here for: {listed}" if listed else "",
    ]
    words = "; ".join(filter(None, told))
    return [*hanging(text("  "), text(words, "dim"), indent=2, width=width), text("")] if words else []


def _heading(rows: Sequence[Row], width: int) -> list[Text]:
    outer = (row.address for row in rows if row.verdict is not Word.LOOPBACK)
    addresses = " · ".join(printable(a) for a in dict.fromkeys(outer) if a)
    named = joined(text(printable(rows[0].host), "bold"), "   ", text(addresses, "dim"))
    return hanging(text(""), named, indent=2, width=width)


def _fitting(tables: Sequence[Sequence[Held]], width: int, *, whole: bool) -> tuple[list[str], Measure, list[str]]:
    """Columns go one by one until the widest table fits, those that nobody filled first.

    The last are the columns with something in them that had to go.
    """
    every = [one for held in tables for one in held]
    names = [n for n in (_WHOLE if whole else _COMPACT) if whole or _told(n, every)]
    left: list[str] = []
    empty = tuple(name for name in names if not _told(name, every))
    for group, measure in (((), _AIRY), (empty, _AIRY), *_first_to_go(every)):
        left += [name for name in group if name in names and name not in empty]
        names = [name for name in names if name not in group]
        widths = (_table_width(_draw(held, names, width, measure, whole=whole)) for held in tables)
        if max(widths, default=0) <= width:
            return names, measure, left
    return names, _SHORTEST, left


def _first_to_go(every: Sequence[Held]) -> Iterable[tuple[tuple[str, ...], Measure]]:
    """Where the terminal is too narrow: shorter cells, then a column less. What other columns tell goes first."""
    repeats = ("reachable",) if _dull(every) else ()
    for name in ("advertised", *repeats, "listening", "encrypted"):
        yield (name,), _AIRY
        yield from (((), measure) for measure in (_CLOSE, _SHORT, _SHORTEST))


def _dull(every: Sequence[Held]) -> bool:
    """Reached wherever somebody listens, and nowhere else."""
    return all(_REACHED.get(row.reachable) is (row.listening not in {"no", UNSEEN}) for _, row in every)


_REACHED = {"yes": True, "refused": False}


def _collapsed_lines(rows: Iterable[Row], width: int) -> list[Text]:
    ports: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if absent(row) and (shown := _collapsed(row)) not in ports[row.verdict.value]:
            ports[row.verdict.value].append(shown)
    words = {"closed": "closed as well", "filtered": "no answer from", "loopback": "on loopback only"}
    return [
        line
        for verdict, listed in sorted(ports.items())
        if listed
        for line in hanging(
            text("  ·  ", "dim"), f"{words[verdict]}: {_spans(listed)}", indent=5, width=width, style="dim"
        )
    ]


def _collapsed(row: Row) -> str:
    """With the process where the host told it."""
    process = row.listening.removeprefix("yes (").removesuffix(")") if row.listening.startswith("yes (") else ""
    return f"{row.port} {process}".strip()


def _spans(ports: Sequence[str]) -> str:
    shown = ", ".join(ports[:12])
    return f"{shown} and {len(ports) - 12} more" if len(ports) > 12 else shown


def _table_width(lines: Sequence[Text]) -> int:
    return broadest(line for line in lines if "└─" not in line.plain)


def _told(name: str, held: Sequence[Held]) -> bool:
    """Without a declaration or DNS the audit page drops the empty column."""
    return any(_value(name, row) != NOT_ASKED for _, row in held)


def _value(name: str, row: Row) -> str:
    match name:
        case "answers":
            return row.encrypted or brief(row.reachable)
        case "listening":
            return row.listening.removeprefix("yes (").removesuffix(")")  # the process says more than a yes
        case "reachable":
            return brief(row.reachable)
    found: str = getattr(row, name)
    return found


def _draw(held: Sequence[Held], names: Sequence[str], width: int, measure: Measure, *, whole: bool) -> list[Text]:
    split = any(where for where, _ in held)
    columns = [Column("PORT", right=True), Column("SERVICE"), *([Column("ON")] if split else [])]
    columns += [*(Column(name.upper()) for name in names), Column("VERDICT")]
    digits = max([4, *(len(str(row.port)) for _, row in held)])
    gap, widest = measure
    cells = [_cells(where, row, names, digits, split=split, widest=widest) for where, row in held]
    drawn = table(columns, cells, indent=2, gap=gap)
    lines = drawn[:1]
    for line, (_, row) in zip(drawn[1:], held, strict=True):
        lines.append(line)
        lines += _cause(row, width, whole=whole) if row.cause else []
    return lines


def _cells(where: str, row: Row, names: Sequence[str], digits: int, *, split: bool, widest: int) -> list[Text]:
    mark, style = MARKS[row.standing]
    start = [joined(text(mark, style), f" {row.port:>{digits}}"), text(printable(row.service))]
    address = [text(printable(where) or "all", "" if where else "dim")] if split else []
    facts = [cut(_fact(name, _value(name, row)), widest) for name in names]
    return [*start, *address, *facts, text(row.verdict.value, style)]


def _fact(name: str, value: str) -> Text:
    quiet = not value or value == NOT_ASKED or (value == "no" and name not in {"encrypted", "answers"})
    shown = "no TLS" if (name, value) == ("answers", "no") else value or NOT_ASKED
    return text(printable(shown), "dim" if quiet else "")


def _cause(row: Row, width: int, *, whole: bool) -> list[Text]:
    """One line on the audit page, where the finding follows below; the whole sentence in `ports`."""
    label = text(f"{' ' * (_CAUSE_INDENT - 3)}└─ ", "dim")
    if whole:
        return hanging(label, printable(row.cause), indent=_CAUSE_INDENT, width=width, style="dim")
    return [joined(label, cut(text(printable(row.cause), "dim"), max(width - _CAUSE_INDENT, 20)))]
