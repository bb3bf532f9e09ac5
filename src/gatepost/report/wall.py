"""The port truth table as lines for a terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from rich.text import Text

from gatepost.report.encryption import Word
from gatepost.report.layout import Column, broadest, cut, hanging, joined, table, text
from gatepost.report.truth import NOT_ASKED, UNSEEN, Row, Standing

MARKS: Mapping[Standing, tuple[str, str]] = {
    Standing.ATTENTION: ("◆", "yellow"),
    Standing.BAD: ("✖", "bold red"),
    Standing.GOOD: ("✔", "green"),
    Standing.QUIET: ("·", "dim"),
    Standing.UNKNOWN: ("?", "blue"),
}
_COMPACT = ("declared", "answers", "advertised")
_WHOLE = ("declared", "listening", "firewalled", "reachable", "encrypted", "advertised", "used")
_FIRST_TO_GO = ("firewalled", "used", "advertised", "listening")  # where the terminal is too narrow
_CAUSE_INDENT = 10


def wall(rows: Sequence[Row], *, width: int, whole: bool = False) -> list[Text]:
    """One table a host. `whole` shows every column, as `gatepost ports` does, where the width allows."""
    lines: list[Text] = []
    for host in dict.fromkeys(row.host for row in rows):
        lines += [*_host([row for row in rows if row.host == host], width, whole=whole), text("")]
    return lines[:-1]


def _host(rows: Sequence[Row], width: int, *, whole: bool) -> list[Text]:
    addresses = list(dict.fromkeys(row.address for row in rows))
    shown = [row for row in rows if not _collapsed(row)]
    heading = joined("  ", text(rows[0].host, "bold"), "   ", text(" · ".join(a for a in addresses if a), "dim"))
    body = _table(_merged(shown, addresses), width, whole=whole) if shown else []
    return [heading, *body, *_collapsed_lines(rows, width)]


def _collapsed(row: Row) -> bool:
    """Nothing listens, and nobody said it should."""
    return row.verdict in {Word.CLOSED, Word.FILTERED} and row.declared != "yes"


def _collapsed_lines(rows: Iterable[Row], width: int) -> list[Text]:
    ports: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if _collapsed(row) and row.port not in ports[row.verdict.value]:
            ports[row.verdict.value].append(row.port)
    words = {"closed": "closed as well", "filtered": "no answer from"}
    return [
        line
        for verdict, listed in sorted(ports.items())
        if listed
        for line in hanging(
            text("  ·  ", "dim"), f"{words[verdict]}: {_spans(listed)}", indent=5, width=width, style="dim"
        )
    ]


def _spans(ports: Sequence[int]) -> str:
    shown = ", ".join(str(port) for port in ports[:12])
    return f"{shown} and {len(ports) - 12} more" if len(ports) > 12 else shown


def _merged(rows: Sequence[Row], addresses: Sequence[str]) -> list[tuple[str, Row]]:
    """Rows that say the same on several addresses become one, labelled with where it holds."""
    groups: dict[Row, list[Row]] = defaultdict(list)
    for row in rows:
        groups[replace(row, address="")].append(row)
    labelled = [(_where([r.address for r in same], addresses), same[0]) for same in groups.values()]
    return sorted(labelled, key=lambda pair: (pair[1].port, pair[1].at.family, pair[1].address))


def _where(held: Sequence[str], addresses: Sequence[str]) -> str:
    if len(held) == len(addresses):
        return ""
    families = {4: [a for a in addresses if ":" not in a], 6: [a for a in addresses if ":" in a]}
    for family, ours in families.items():
        if sorted(held) == sorted(ours):
            return f"IPv{family}"
    return ", ".join(held)


def _table(merged: Sequence[tuple[str, Row]], width: int, *, whole: bool) -> list[Text]:
    names = list(_WHOLE) if whole else [n for n in _COMPACT if _told(n, merged)]
    left: list[str] = []
    lines = _draw(merged, names, width, whole=whole)
    for name in _FIRST_TO_GO:
        if _table_width(lines) > width and name in names:
            names.remove(name)
            left.append(name)
            lines = _draw(merged, names, width, whole=whole)
    return [*lines, text(f"  ·  no room here for: {', '.join(left)}", "dim")] if left and whole else lines


def _table_width(lines: Sequence[Text]) -> int:
    return broadest(line for line in lines if "└─" not in line.plain)


def _told(name: str, merged: Sequence[tuple[str, Row]]) -> bool:
    """Without a declaration or DNS the audit page drops the empty column."""
    return any(_value(name, row) != NOT_ASKED for _, row in merged)


def _value(name: str, row: Row) -> str:
    if name != "answers":
        found: str = getattr(row, name)
        return found
    return {"yes": row.encrypted, UNSEEN: "?"}.get(row.reachable, row.reachable)


def _draw(merged: Sequence[tuple[str, Row]], names: Sequence[str], width: int, *, whole: bool) -> list[Text]:
    split = any(where for where, _ in merged)
    columns = [Column(""), Column("PORT", right=True), Column("SERVICE")]
    columns += [Column("ON")] if split else []
    columns += [*(Column(name.upper()) for name in names), Column("VERDICT")]
    drawn = table(columns, [_cells(where, row, names, split=split) for where, row in merged], indent=2)
    lines = [drawn[0]]
    for line, (_, row) in zip(drawn[1:], merged, strict=True):
        lines.append(line)
        lines += _cause(row, width, whole=whole) if row.cause else []
    return lines


def _cells(where: str, row: Row, names: Sequence[str], *, split: bool) -> list[Text]:
    mark, style = MARKS[row.standing]
    start = [text(mark, style), text(str(row.port)), text(row.service)]
    address = [text(where or "all", "" if where else "dim")] if split else []
    facts = [_fact(name, _value(name, row)) for name in names]
    return [*start, *address, *facts, text(row.verdict.value, style)]


def _fact(name: str, value: str) -> Text:
    quiet = not value or value == NOT_ASKED or (value == "no" and name not in {"encrypted", "answers"})
    shown = "no TLS" if (name, value) == ("answers", "no") else value or NOT_ASKED
    return text(shown, "dim" if quiet else "")


def _cause(row: Row, width: int, *, whole: bool) -> list[Text]:
    """One line on the audit page, where the finding follows below; the whole sentence in `ports`."""
    label = text(f"{' ' * (_CAUSE_INDENT - 3)}└─ ", "dim")
    if whole:
        return hanging(label, row.cause, indent=_CAUSE_INDENT, width=width, style="dim")
    return [joined(label, cut(text(row.cause, "dim"), max(width - _CAUSE_INDENT, 20)))]
