"""Lines of styled text: the same words with and without colour, laid out by us so that nothing wraps by accident."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

NARROWEST = 40
WIDEST_PROSE = 110  # longer lines are hard to read


def text(words: str, style: str = "") -> Text:
    return Text(words, style=style, no_wrap=True, end="")


def joined(*parts: Text | str) -> Text:
    return Text.assemble(*parts, no_wrap=True, end="")


def wrapped(words: Text | str, width: int) -> list[Text]:
    """At least one line; a word longer than a line is cut."""
    whole = Text(words) if isinstance(words, str) else words
    lines = whole.wrap(Console(file=StringIO(), width=width), max(width, 1), overflow="fold", no_wrap=False)
    for line in lines:
        line.rstrip()
    return list(lines) or [Text("")]


def hanging(label: Text, body: Text | str, *, indent: int, width: int, style: str = "") -> list[Text]:
    """`label` once, then `body` in its own column."""
    whole = text(body, style) if isinstance(body, str) else body
    lines = wrapped(whole, min(width, WIDEST_PROSE) - indent)
    first = joined(padded(label, indent), lines[0])
    return [first, *(joined(" " * indent, line) for line in lines[1:])]


def padded(cell: Text, width: int, *, right: bool = False) -> Text:
    space = " " * max(width - cell_len(cell.plain), 0)
    return joined(space, cell) if right else joined(cell, space)


def cut(cell: Text, width: int) -> Text:
    if cell_len(cell.plain) <= width:
        return cell
    short = cell.copy()
    short.truncate(width, overflow="ellipsis")
    return short


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    right: bool = False
    least: int = 0
    spare: int = 0  # left away where a line would be too long, the highest first; 0 stays


def table(columns: Sequence[Column], rows: Sequence[Sequence[Text]], *, indent: int, gap: int = 2) -> list[Text]:
    """A heading line and one line a row; columns as wide as their widest cell."""
    widths = [
        max(column.least, cell_len(column.title), *(cell_len(row[n].plain) for row in rows))
        if rows
        else cell_len(column.title)
        for n, column in enumerate(columns)
    ]
    heads = [text(column.title, "dim") for column in columns]
    return [_row(cells, columns, widths, indent, gap) for cells in (heads, *rows)]


def fitted(columns: Sequence[Column], rows: Sequence[Sequence[Text]], *, indent: int, width: int) -> list[Text]:
    """A table without its empty columns and, where it is too wide, without spare ones; what is still long is cut."""
    kept = [n for n, column in enumerate(columns) if column.title or any(row[n].plain for row in rows)]
    while True:
        lines = table([columns[n] for n in kept], [[row[n] for n in kept] for row in rows], indent=indent)
        spare = max(kept, key=lambda n: columns[n].spare, default=None)
        if broadest(lines) <= width or spare is None or not columns[spare].spare:
            return [cut(line, width) for line in lines]
        kept.remove(spare)


def _row(cells: Sequence[Text], columns: Sequence[Column], widths: Sequence[int], indent: int, gap: int) -> Text:
    line = text(" " * indent)
    for n, (cell, column, width) in enumerate(zip(cells, columns, widths, strict=True)):
        line.append_text(padded(cell, width, right=column.right))
        line.append(" " * gap if n + 1 < len(columns) else "")
    line.rstrip()
    return line


def broadest(lines: Iterable[Text]) -> int:
    return max((cell_len(line.plain) for line in lines), default=0)


def paint(lines: Iterable[Text], *, colour: bool) -> str:
    """Plain text, or the same with ANSI colours of the terminal's own palette."""
    if not colour:
        return "".join(f"{line.plain.rstrip()}\n" for line in lines)
    out = StringIO()
    console = Console(
        file=out, force_terminal=True, color_system="standard", legacy_windows=False, width=10_000, highlight=False
    )
    for line in lines:
        console.print(line, soft_wrap=True, end="\n", markup=False, emoji=False)
    return out.getvalue()
