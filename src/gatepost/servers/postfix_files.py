"""main.cf and master.cf as written, for the places of settings, and for what `postconf` refuses to read.

Postfix reads logical lines: one that begins with a blank goes on with the one before; comments and empty lines in
between do not end it (postconf(5), master(5)).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

FIELDS = 7  # of master.cf before the command: service, type, private, unprivileged, chroot, wakeup, maxproc
MOST_LINES = 20000

Piece = tuple[int, str]  # line number from 1, words on it

_NAME = re.compile(r"[A-Za-z0-9_./:\[\]-]+")


@dataclass(frozen=True, slots=True)
class Written:
    """A setting in a file. `value` has its lines joined by blanks."""

    name: str
    value: str
    line: int


@dataclass(frozen=True, slots=True)
class MasterRow:
    """A service of master.cf. `key` is what `postconf -P` writes before the setting: `submission/inet`."""

    service: str
    type: str
    command: str
    options: tuple[Written, ...]
    line: int

    @property
    def key(self) -> str:
        return f"{self.service}/{self.type}"


def main_cf(text: str) -> dict[str, Written]:
    """The last assignment of a name wins. A line without `=` is skipped; the daemon complains of it itself."""
    found: dict[str, Written] = {}
    for pieces in _logical(text):
        name, equals, rest = pieces[0][1].partition("=")
        if equals and _NAME.fullmatch(name.strip()):
            value = " ".join(filter(None, (part.strip() for part in (rest, *(words for _, words in pieces[1:])))))
            found[name.strip()] = Written(name.strip(), value, pieces[0][0])
    return found


def master_cf(text: str) -> list[MasterRow]:
    """Rows with too few fields are skipped: master(8) refuses the whole file for them, and says so."""
    return [row for pieces in _logical(text) if (row := _row(pieces))]


def pairs(text: str) -> dict[str, str]:
    """The `name = value` lines of `postconf`."""
    split = (line.partition("=") for line in text.splitlines()[: 10 * MOST_LINES])
    return {name.strip(): value.strip() for name, equals, value in split if equals and _NAME.fullmatch(name.strip())}


def _logical(text: str) -> Iterator[list[Piece]]:
    pieces: list[Piece] = []
    for number, line in enumerate(text.splitlines()[:MOST_LINES], 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0] not in " \t" and pieces:
            yield pieces
            pieces = []
        pieces.append((number, line))
    if pieces:
        yield pieces


def _row(pieces: list[Piece]) -> MasterRow | None:
    words = [(number, word) for number, line in pieces for word in line.split()]
    if len(words) <= FIELDS:
        return None
    (line, service), (_, kind) = words[0], words[1]
    return MasterRow(service, kind, words[FIELDS][1], tuple(_options(words[FIELDS + 1 :])), line)


def _options(words: list[Piece]) -> Iterator[Written]:
    """`-o name=value` and `-o { name = value with blanks }`."""
    left = iter(words)
    for number, word in left:
        if not word.startswith("-o"):
            continue
        text = word[2:] or next(left, (0, ""))[1]
        if text.startswith("{"):
            text = _braced(text, left)
        name, equals, value = text.partition("=")
        if equals:
            yield Written(name.strip(), value.strip(), number)


def _braced(text: str, left: Iterator[Piece]) -> str:
    """What stands between this brace and the one that closes it."""
    words, depth = [text], _opened(text)
    while depth > 0 and (more := next(left, None)):
        words.append(more[1])
        depth += _opened(more[1])
    return " ".join(words)[1:].removesuffix("}")


def _opened(word: str) -> int:
    return word.count("{") - word.count("}")
