"""The `v=…; name=value` records of MTA-STS (RFC 8461 section 3.1) and TLS-RPT (RFC 8460 section 3).

Both share one grammar, stricter than the tag lists of DKIM and DMARC: the version comes first and in its own
case, names are told apart by case, and white space may stand only around semicolons.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gatepost.records.sentences import bounded, shown

MAX_TEXT = 4096  # characters of a record; longer ones are cut and said so
BLANKS = " \t"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_EXTENSION = re.compile(r"[\x21-\x3a\x3c\x3e-\x7e]+")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Of all TXT records of a name, those meant for us, and the one that counts; empty when none does."""

    records: tuple[str, ...]
    text: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fields:
    """What stands behind the version, in order. `problems` break the grammar."""

    pairs: tuple[tuple[str, str], ...]
    problems: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()

    def first(self, name: str) -> str | None:
        """Of a repeated field the first one counts (RFC 8461 section 3.1)."""
        return next((value for one, value in self.pairs if one == name), None)


def choose(values: Iterable[str], version: str) -> Chosen:
    """Senders discard what does not begin with `v=<version>;` and then want exactly one (RFC 8461 section 3.1)."""
    meant = re.compile(rf"\s*v\s*=\s*{re.escape(version)}\b", re.IGNORECASE)
    exact = re.compile(rf"v={re.escape(version)}[ \t]*;")
    records = tuple(one for one in values if meant.match(one))
    kept = [one for one in records if exact.match(one)]
    problems = [
        f"{shown(one)} is ignored: a record has to begin with 'v={version};', in this case"
        for one in records
        if one not in kept
    ]
    if len(kept) > 1:
        problems.append(f"{len(kept)} records: with more than one, none counts")
    return Chosen(records, kept[0] if len(kept) == 1 else "", bounded(problems))


def read(text: str, known: tuple[str, ...]) -> Fields:
    """A record that begins with its version. Values of `known` fields are the caller's to judge."""
    whole = text[:MAX_TEXT]
    problems = [f"a record of {len(text)} characters, more than {MAX_TEXT}"] if whole != text else []
    parts = [part.strip(BLANKS) for part in whole.split(";")[1:]]
    if parts and not parts[-1]:
        parts.pop()  # a final semicolon is allowed
    pairs: list[tuple[str, str]] = []
    for part in parts:
        name, equals, value = part.partition("=")
        if objection := _objection(part, name, equals, value, known):
            problems.append(objection)
        else:
            pairs.append((name, value))
    return Fields(tuple(pairs), bounded([*problems, *_changed(pairs)]), bounded(_repeated(pairs)))


def render(version: str, pairs: Iterable[tuple[str, str]]) -> str:
    return f"v={version}; " + "".join(f"{name}={value}; " for name, value in pairs).rstrip()


def _objection(part: str, name: str, equals: str, value: str, known: tuple[str, ...]) -> str:
    if not part:
        return "an empty field between two semicolons"
    if not equals:
        return f"{shown(part)} is not of the form name=value"
    if name.strip(BLANKS) != name or value.strip(BLANKS) != value:
        return f"{shown(part)} has white space around the equals sign"
    if not _NAME.fullmatch(name):
        return f"{shown(name)} is no field name"
    if name in known:
        return "" if value else f"{name}= is empty"
    if (plain := name.lower()) in known:
        return f"{name}= is not understood: it has to be written {plain}="
    return "" if _EXTENSION.fullmatch(value) else f"{name}= has a character that its value may not contain"


def _repeated(pairs: list[tuple[str, str]]) -> list[str]:
    names = [name for name, _ in dict.fromkeys(pairs)]
    twice = {name for name, _ in pairs if names.count(name) == 1 and [n for n, _ in pairs].count(name) > 1}
    return [f"{name}= is given twice" for name in sorted(twice)]


def _changed(pairs: list[tuple[str, str]]) -> list[str]:
    names = [name for name, _ in dict.fromkeys(pairs)]
    twice = dict.fromkeys(name for name in names if names.count(name) > 1)
    return [f"{name}= is given twice and differently: the first one counts" for name in twice]
