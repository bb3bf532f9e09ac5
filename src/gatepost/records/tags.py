"""Lists of `name=value` tags, the form of DKIM keys and DMARC policies (RFC 6376 section 3.2).

White space is free around names and values and foldable inside values; a final semicolon is allowed. Whoever
reads a list judges the values; here only the form is judged.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from gatepost.records.sentences import bounded, shown

MAX_TEXT = 16384  # octets of a record; RSA 16384 needs 2,900
MAX_TAGS = 64
BLANKS = " \t\r\n"

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_FOREIGN = re.compile(r"[A-Za-z][A-Za-z0-9_]*[-.][A-Za-z0-9_.-]*")
_VALUE = re.compile(r"[\x21-\x3a\x3c-\x7e \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags in order, values stripped. `problems` break the form; what breaks it is left out of `pairs`.

    `slips` are those among the problems that can hide no tag that means anything: a semicolon too many, a name with
    a hyphen or a dot in it.
    """

    pairs: tuple[tuple[str, str], ...]
    problems: tuple[str, ...] = ()
    slips: tuple[str, ...] = ()

    def first(self, name: str) -> str | None:
        """The value of a tag; of a repeated one, the first. Names are told apart by case."""
        return next((value for one, value in self.pairs if one == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.pairs)

    @property
    def repeated(self) -> tuple[str, ...]:
        """Names given more than once, which makes a list invalid; what follows, each reader says for itself."""
        return tuple(name for name, times in Counter(self.names).items() if times > 1)


def read(text: str) -> Tags:
    """Never fails: what is no tag becomes a problem."""
    parts = text[:MAX_TEXT].split(";")
    if not parts[-1].strip(BLANKS):
        parts.pop()
    problems = [f"{len(text)} octets, of which the first {MAX_TEXT} were read"] if len(text) > MAX_TEXT else []
    if len(parts) > MAX_TAGS:
        problems.append(f"{len(parts)} tags, of which the first {MAX_TAGS} were read")
    pairs: list[tuple[str, str]] = []
    slips: list[str] = []
    for part in parts[:MAX_TAGS]:
        name, equals, value = (piece.strip(BLANKS) for piece in part.partition("="))
        if objection := _objection(part, name, equals, value):
            problems.append(objection)
            slips += [objection] if _harmless(part, name, equals) else []
        else:
            pairs.append((name, value))
    return Tags(tuple(pairs), bounded(problems), tuple(dict.fromkeys(slips)))


def render(pairs: Iterable[tuple[str, str]]) -> str:
    """The usual spelling: `v=DKIM1; k=rsa; p=MIIB…`."""
    return "; ".join(f"{name}={value}" for name, value in pairs)


def words(value: str) -> tuple[str, ...]:
    """A list of words between colons, each stripped; empty for an empty value."""
    return tuple(word.strip(BLANKS) for word in value.split(":")) if value else ()


def _harmless(part: str, name: str, equals: str) -> bool:
    return not part.strip(BLANKS) or bool(equals and _FOREIGN.fullmatch(name))


def _objection(part: str, name: str, equals: str, value: str) -> str:
    if not part.strip(BLANKS):
        return "nothing between two semicolons"
    if not equals:
        return f"{shown(part.strip(BLANKS))} is no tag: it has no equals sign"
    if not _NAME.fullmatch(name):
        return f"{shown(name)} is no name of a tag"
    return "" if _VALUE.fullmatch(value) else f"{name}= has a character that no value may contain"
