"""On which line of a TOML text does a key stand?

`tomllib` keeps no positions, so the text is walked a second time. Only text that `tomllib` accepted gets here:
the walk trusts the grammar and looks for keys, brackets and commas.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field

Path = tuple[str | int, ...]

TOKEN = re.compile(
    r"""
      (?P<string>\"{3}(?:[^\\]|\\.)*?\"{3,5} | '{3}.*?'{3,5} | "(?:[^"\\\n]|\\.)*" | '[^'\n]*')
    | (?P<comment>\#[^\n]*)
    | (?P<newline>\n)
    | (?P<mark>[\[\]{},=.])
    | (?P<bare>[^\s\[\]{},=.\#"']+)
    | (?P<space>[^\S\n]+)
    """,
    re.DOTALL | re.VERBOSE,
)


def positions(text: str) -> dict[Path, int]:
    """Every table, key and array element with its line, counted from 1."""
    walk = _Walk()
    for match in TOKEN.finditer(text):
        sign = match[0]
        match match.lastgroup:
            case "newline":
                walk.newline()
            case "mark":
                walk.mark(sign)
            case "string" | "bare":
                walk.word(sign)
        walk.line += sign.count("\n")
    return walk.lines


def line_of(path: Path, lines: dict[Path, int]) -> int | None:
    """The line of the path, or of the nearest thing around it that was written down."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


@dataclass(slots=True)
class _Open:
    """A bracket not closed yet. `index` counts array elements; None inside an inline table."""

    path: Path
    index: int | None
    fresh: bool = True  # no sign of the current element seen yet


@dataclass(slots=True)
class _Walk:
    lines: dict[Path, int] = field(default_factory=dict)
    line: int = 1
    table: Path = ()
    keys: list[str] = field(default_factory=list)
    value: Path | None = None  # the key whose value is being read
    stack: list[_Open] = field(default_factory=list)
    header: int = 0  # opening brackets of a table header seen
    tables: dict[Path, int] = field(default_factory=dict)  # last index of each array of tables

    def newline(self) -> None:
        if not self.stack:
            self.value = None
            self.keys.clear()

    def word(self, sign: str) -> None:
        if self.value is None:
            self.keys.append(_plain(sign))
        else:
            self._element()

    def mark(self, sign: str) -> None:
        if self.value is None and not self.stack and sign in "[]":
            self._header(sign)
        elif sign in "[{":
            self._open(sign)
        elif sign in "]}":
            self._close()
        elif sign == ",":
            self._next()
        elif sign == "=" and self.value is None:
            self._key()

    def _header(self, sign: str) -> None:
        if sign == "[":
            self.header += 1
            return
        if not self.header:
            return  # the second bracket of `]]`
        self.table = self._table(self.keys, array=self.header == 2)
        self.lines.setdefault(self.table, self.line)
        self.header = 0
        self.keys.clear()

    def _table(self, keys: list[str], *, array: bool) -> Path:
        path: Path = ()
        for n, key in enumerate(keys, 1):
            path += (key,)
            self.lines.setdefault(path, self.line)
            if array and n == len(keys):
                self.tables[path] = self.tables.get(path, -1) + 1
            if path in self.tables:
                path += (self.tables[path],)
        return path

    def _key(self) -> None:
        path = self.stack[-1].path if self.stack else self.table
        for key in self.keys:
            path += (key,)
            self.lines.setdefault(path, self.line)
        self.value = path
        self.keys.clear()

    def _element(self) -> Path:
        """Where a value that starts here belongs; notes the line of an array element once."""
        assert self.value is not None  # noqa: S101 - every caller looked
        if not self.stack or self.stack[-1].index is None:
            return self.value
        top = self.stack[-1]
        assert top.index is not None  # noqa: S101 - looked at above
        path = (*top.path, top.index)
        if top.fresh:
            self.lines.setdefault(path, self.line)
            top.fresh = False
        return path

    def _open(self, sign: str) -> None:
        path = self._element()
        if sign == "[":
            self.stack.append(_Open(path, 0))
            self.value = path
        else:
            self.stack.append(_Open(path, None))
            self.value = None

    def _close(self) -> None:
        closed = self.stack.pop()
        self.value = closed.path
        self.keys.clear()

    def _next(self) -> None:
        top = self.stack[-1]
        if top.index is None:
            self.value = None
        else:
            top.index += 1
            top.fresh = True


def _plain(sign: str) -> str:
    if sign[0] in "\"'":
        return str(tomllib.loads(f"key = {sign}")["key"])
    return sign
