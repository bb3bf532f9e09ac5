"""What a dialect is made of: rows, tables, and how a message finds its row."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from gatepost.logs.addresses import address
from gatepost.logs.dialects.draft import Draft
from gatepost.logs.masking import masked
from gatepost.model.event import LONGEST, Kind, Result

Finish = Callable[[Draft, re.Match[str]], None]
Setting = str | int | Kind | Result | None

VERSIONS = {"TLSv1.0": "TLSv1", "TLS1.0": "TLSv1", "TLS1.1": "TLSv1.1", "TLS1.2": "TLSv1.2", "TLS1.3": "TLSv1.3"}


def text(said: str) -> str:
    """A stranger's text: bounded."""
    return said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"


def secretive(said: str) -> str:
    """A text in which a password may stand: masked before it is cut, lest half of one remains."""
    return text(masked(said))


def number(digits: str) -> int | None:
    """None for more digits than a 32-bit counter has: no daemon writes them."""
    return int(digits) if digits and len(digits) <= 9 else None


def size(digits: str) -> int | None:
    return int(digits) if digits and len(digits) <= 18 else None


def version(said: str) -> str:
    return VERSIONS.get(said, said)


CONVERT: dict[str, Callable[[str], str | int | None]] = {
    "attempts": number,
    "client": address,
    "client_port": number,
    "local": address,
    "method": lambda said: text(said.upper()),
    "pid": number,
    "port": number,
    "queue": lambda said: "" if said == "NOQUEUE" else said,
    "reason": secretive,
    "recipients": number,
    "size": size,
    "tls": version,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One shape of a message. `places` are its groups: the field it fills, "" for none, and how to convert."""

    name: str
    kind: Kind
    pattern: re.Pattern[str]
    starts: tuple[str, ...]
    literal: str
    result: Result
    places: tuple[tuple[str, Callable[[str], str | int | None]], ...]
    settings: tuple[tuple[str, Setting], ...]
    finish: Finish | None

    def fill(self, draft: Draft, match: re.Match[str]) -> None:
        draft.kind = self.kind
        draft.result = self.result
        for said, (field, convert) in zip(match.groups(), self.places, strict=True):
            if said and field:
                setattr(draft, field, convert(said))
        for field, value in self.settings:
            setattr(draft, field, value)
        if self.finish is not None:
            self.finish(draft, match)


def row(
    name: str,
    kind: Kind,
    pattern: str,
    *,
    starts: str = "",
    literal: str = "",
    result: Result = Result.NONE,
    finish: Finish | None = None,
    **settings: Setting,
) -> Row:
    """A row; `starts` has its first words divided by `|`."""
    compiled = re.compile(pattern, re.DOTALL)  # a daemon's free text may hold a line break
    names = {place: "" if name.endswith("_") else name for name, place in compiled.groupindex.items()}
    fields = (names.get(place, "") for place in range(1, compiled.groups + 1))
    places = tuple((field, CONVERT.get(field, text)) for field in fields)
    words = tuple(starts.split("|")) if starts else ()
    return Row(name, kind, compiled, words, literal, result, places, tuple(settings.items()), finish)


class Table:
    """The rows of one daemon, found by the first word of a message."""

    def __init__(self, *rows: Row) -> None:
        self.rows = rows
        self._any = tuple(one for one in rows if not one.starts)
        words = {word for one in rows for word in one.starts}
        self._by_word = {word: tuple(one for one in rows if word in one.starts or not one.starts) for word in words}

    def find(self, message: str) -> tuple[Row, re.Match[str]] | None:
        """The first row that tells the whole message."""
        for one in self._by_word.get(message.partition(" ")[0], self._any):
            if one.literal in message:
                match = one.pattern.fullmatch(message)
                if match is not None:
                    return one, match
        return None


@dataclass(frozen=True, slots=True)
class Part:
    """What a tag, or the first words of a message, tell before any row is tried."""

    daemon: str
    service: str
    table: Table


@dataclass(frozen=True, slots=True)
class Dialect:
    """Daemons of one family.

    `claims` is asked once for each tag: None if it is not the family's. `unwrap`, where a family logs all its daemons
    under one tag, takes the message apart once more: it fills what the prefix tells into the draft, and returns the
    table with the rest of the message. `tables` are all tables by their daemon, for the tests.
    """

    name: str
    claims: Callable[[str], Part | None]
    tables: tuple[tuple[str, Table], ...]
    unwrap: Callable[[Draft, str], tuple[Table, str]] | None = None
