"""A declaration as written: text, tables, lines, and the problems found in it so far."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from gatepost.declaration.positions import Path, line_of, positions
from gatepost.declaration.sentences import sentence
from gatepost.declaration.shapes import SHORT
from gatepost.declaration.wording import dotted, shown
from gatepost.errors import DeclarationError, Problem

MAX_TEXT = 262144  # characters: some thousand hosts
MAX_LINE = 4096
MAX_DOTS = 300  # in one line: tomllib takes time by the square of the dots in one key
MAX_PROBLEMS = 500  # nobody reads more, and guessing at what was meant takes time
AT_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")

Raw = dict[str, Any]
AnyShape = TypeVar("AnyShape", bound=BaseModel)


@dataclass(slots=True)
class Paper:
    name: str
    tables: Raw
    lines: dict[Path, int]
    problems: list[Problem] = field(default_factory=list)

    def problem(self, path: Path, sentence_: str) -> None:
        if len(self.problems) == MAX_PROBLEMS:
            more = Problem("", f"more than {MAX_PROBLEMS} problems: the rest is not listed")
            raise DeclarationError(self.name, (*self.problems, more))
        written = self._written(path)
        self.problems.append(Problem(dotted(written), sentence_, self.line(written)))

    def line(self, path: Path) -> int | None:
        return line_of(path, self.lines)

    def shape(
        self, kind: type[AnyShape], raw: object, path: Path, whole: type[BaseModel] | None = None
    ) -> AnyShape | None:
        """One table read into its model; None and a problem for each thing that is wrong in it.

        `whole` is the model that knows all the keys of the place, when `kind` is only a part of it.
        """
        found, wrong = self._shape(kind, raw, path, whole or kind)
        return None if wrong else found

    def rest(self, kind: type[AnyShape], raw: object, path: Path) -> AnyShape | None:
        """Like `shape`, but what is right in a table with mistakes is still handed on to be looked at.

        Nothing comes of it: a paper with problems is refused. It only hides no further mistake.
        """
        found, wrong = self._shape(kind, raw, path, kind)
        if not wrong or not isinstance(raw, dict):
            return found
        try:
            return kind.model_validate(_spelled_out({k: v for k, v in raw.items() if k not in wrong}, kind))
        except ValidationError:
            return None

    def _shape(
        self, kind: type[AnyShape], raw: object, path: Path, whole: type[BaseModel]
    ) -> tuple[AnyShape | None, frozenset[str | int]]:
        """The model, or the keys that are wrong, each told as a problem."""
        try:
            return kind.model_validate(_spelled_out(raw, kind)), frozenset()
        except ValidationError as error:
            told = error.errors(include_url=False)
        for one in told:
            self.problem((*path, *one["loc"]), sentence(one, whole))
        return None, frozenset(one["loc"][0] for one in told if one["loc"]) | {""}

    def table(self, raw: Raw, key: str, path: Path = ()) -> Raw:
        """A table of tables under `key`, empty when absent or not a table."""
        found = raw.get(key, {})
        if isinstance(found, dict):
            return found
        self.problem((*path, key), f"expected a table, got {shown(found)}")
        return {}

    def array(self, raw: Raw, key: str, path: Path = ()) -> list[Any]:
        found = raw.get(key, [])
        if isinstance(found, list):
            return found
        self.problem((*path, key), f"expected an array, got {shown(found)}")
        return []

    def _written(self, path: Path) -> Path:
        """As far as the text goes: `services[0]` for the name of a service written as a bare string."""
        here: Any = self.tables
        for n, part in enumerate(path):
            if not isinstance(here, dict | list):
                return path[:n]
            inside: dict[object, Any] = here if isinstance(here, dict) else dict(enumerate(here))
            if part not in inside:
                return path[: n + 1]
            here = inside[part]
        return path


def paper(text: str, name: str) -> Paper:
    """Parse the TOML. Raises DeclarationError when it is none."""
    if len(text) > MAX_TEXT:
        raise DeclarationError(name, (Problem("", f"longer than {MAX_TEXT} characters"),))
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_LINE:
            raise DeclarationError(name, (Problem("", f"a line longer than {MAX_LINE} characters", number),))
        if line.count(".") > MAX_DOTS:
            raise DeclarationError(name, (Problem("", f"a line with more than {MAX_DOTS} dots", number),))
    try:
        return Paper(name, tomllib.loads(text), positions(text))
    except ValueError as error:  # also numbers too long for Python
        raise DeclarationError(name, (_syntax(str(error), text),)) from None
    except RecursionError:
        raise DeclarationError(name, (Problem("", "brackets nested too deeply"),)) from None


def _syntax(message: str, text: str) -> Problem:
    """`tomllib` tells the line in its sentence only (before Python 3.14)."""
    found = AT_LINE.search(message)
    if found is None:
        return Problem("", f"not TOML: {message[:200]}")
    line = int(found[1]) if found[1] else text.count("\n") + 1
    return Problem("", f"not TOML: {message[: found.start()][:200]}", line)


def _spelled_out(raw: object, kind: type[BaseModel]) -> object:
    """Bare strings become the table they are short for, here and one level down."""
    if isinstance(raw, str) and kind in SHORT:
        return {SHORT[kind]: raw}
    if not isinstance(raw, dict):
        return raw
    return {key: _elements(value, kind, str(key)) for key, value in raw.items()}


def _elements(value: object, kind: type[BaseModel], key: str) -> object:
    field_ = kind.model_fields.get(key)
    short = next((SHORT[a] for a in getattr(field_.annotation, "__args__", ()) if a in SHORT), "") if field_ else ""
    if short and isinstance(value, list):
        return [{short: one} if isinstance(one, str) else one for one in value]
    return value
