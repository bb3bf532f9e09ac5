"""What a rule carries beside Sigma's own words, under `gatepost:`. Unknown words are problems, not ignored."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import TypeVar

from gatepost.detect.rule import DAY, Baseline, Fold, Normal
from gatepost.model.alert import Response

LONGEST = 600  # characters of a sentence
PLACES = frozenset({"clients", "count", "group", "hosts", "networks", "services", "span", "users"})  # in `says`
_Word = TypeVar("_Word", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Attributes:
    response: Response = Response.TELL
    fold: Fold = Fold.ACTOR
    owner: str = "postmaster"
    controls: tuple[str, ...] = ()
    tuning: str = ""
    says: str = ""
    told: bool = False  # also where another rule counts it
    normal: Normal | None = None
    problems: tuple[str, ...] = ()


def read(raw: object) -> Attributes:
    if raw is None:
        return Attributes()
    if not isinstance(raw, dict):
        return Attributes(problems=("gatepost: expected a mapping",))
    reader = _Reader(raw, "gatepost")
    found = Attributes(
        reader.word("response", Response, Response.TELL), reader.word("fold", Fold, Fold.ACTOR),
        reader.text("owner", "postmaster"), reader.texts("controls"), reader.text("tuning"), reader.text("says"),
        reader.flag("told"), _normal(raw.get("baseline"), reader.problems),
    )  # fmt: skip
    reader.strangers({one.name for one in fields(Attributes)} - {"normal", "problems"} | {"baseline"})
    _sentence(found.says, reader.problems)
    return replace(found, problems=tuple(reader.problems))


def _normal(raw: object, problems: list[str]) -> Normal | None:
    if raw is None:
        return None
    if not isinstance(raw, dict) or "kind" not in raw:
        problems.append("gatepost.baseline: expected a mapping with kind")
        return None
    reader = _Reader(raw, "gatepost.baseline")
    found = Normal(
        reader.word("kind", Baseline, Baseline.BURST), reader.number("days", 30, 1, 366) * DAY,
        reader.number("warm", 7, 0, 366) * DAY, reader.number("least", 1, 1, 10**12),
        float(reader.number("factor", 6, 1, 1000)),
    )  # fmt: skip
    reader.strangers({"kind", "days", "warm", "least", "factor"})
    problems += reader.problems
    return found


def _sentence(says: str, problems: list[str]) -> None:
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(says) if name is not None}
    except ValueError as error:
        problems.append(f"gatepost.says: {error}")
        return
    if strange := sorted(names - PLACES):
        problems.append(f"gatepost.says: {{{strange[0]}}} is none of {', '.join(sorted(PLACES))}")


class _Reader:
    """Values of one mapping, each problem noted."""

    def __init__(self, raw: Mapping[object, object], at: str) -> None:
        self._raw = raw
        self._at = at
        self.problems: list[str] = []

    def word(self, name: str, words: type[_Word], usual: _Word) -> _Word:
        given = self._raw.get(name, usual)
        try:
            return words(str(given))
        except ValueError:
            self.problems.append(f"{self._at}.{name}: {str(given)[:40]!r} is none of {', '.join(words)}")
            return usual

    def text(self, name: str, usual: str = "") -> str:
        given = self._raw.get(name, usual)
        if isinstance(given, str) and len(given) <= LONGEST:
            return " ".join(given.split())
        self.problems.append(f"{self._at}.{name}: expected a text of at most {LONGEST} characters")
        return usual

    def texts(self, name: str) -> tuple[str, ...]:
        given = self._raw.get(name, [])
        if isinstance(given, list) and all(isinstance(one, str) for one in given):
            return tuple(given)
        self.problems.append(f"{self._at}.{name}: expected a list of texts")
        return ()

    def flag(self, name: str) -> bool:
        given = self._raw.get(name, False)
        if isinstance(given, bool):
            return given
        self.problems.append(f"{self._at}.{name}: expected true or false")
        return False

    def number(self, name: str, usual: int, low: int, high: int) -> int:
        given = self._raw.get(name, usual)
        if isinstance(given, int) and not isinstance(given, bool) and low <= given <= high:
            return given
        self.problems.append(f"{self._at}.{name}: expected a number between {low} and {high}")
        return usual

    def strangers(self, known: set[str]) -> None:
        self.problems += [f"{self._at}.{str(key)[:40]}: unknown" for key in self._raw if key not in known]
