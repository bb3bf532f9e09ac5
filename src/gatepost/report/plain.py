"""Dataclasses to plain JSON values and back, told by their type hints alone.

An observation carries its class name as `kind`. Reading is tolerant of additions (unknown keys, unknown
kinds of observation) and strict about everything it knows: a wrong type is named with its path.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from types import NoneType, UnionType
from typing import NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

from gatepost.errors import GatepostError
from gatepost.model.observation import Observation

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
Kind = TypeVar("Kind")

KINDS: Mapping[str, type] = {kind.__name__: kind for kind in get_args(Observation)}
LARGEST = 2**63 - 1  # no number of ours comes near; larger ones are noise
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")


class NotPlain(GatepostError):
    """A value that does not fit where it stands: `path` and one sentence."""

    def __init__(self, path: str, sentence: str) -> None:
        super().__init__(f"{path}: {sentence}" if path else sentence)


def loaded(text: str, kind: str, most: int) -> Plain:
    """Text of JSON that is to be a `kind` of at most so many characters. Raises NotPlain with what it is instead."""
    if len(text) > most:
        raise NotPlain("", f"larger than {most} characters, this is no {kind}")
    try:
        found: Plain = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise NotPlain("", f"nested too deeply to be a {kind}") from None
    except json.JSONDecodeError as error:
        raise NotPlain("", f"not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except ValueError as error:
        raise NotPlain("", f"not JSON: {error}") from None
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def to_plain(value: object) -> Plain:
    """Times become UTC with a Z; a mapping loses its order on purpose, so that output is stable."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return str(value)
    if isinstance(value, tuple | list):
        return [to_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): to_plain(value[key]) for key in sorted(value)}
    if is_dataclass(value) and not isinstance(value, type):
        return _record(value)
    raise TypeError(f"no plain form for {type(value).__name__}")


def _record(value: object) -> dict[str, Plain]:
    name = type(value).__name__
    start: dict[str, Plain] = {"kind": name} if name in KINDS else {}
    return start | {_key(field): to_plain(getattr(value, field)) for field, _ in _shape(type(value))}


def _key(field: str) -> str:
    """`kind` names the class, so a field of that name is written as `of`: `Accepted` of `suites`."""
    return "of" if field == "kind" else field


def observation(plain: Plain, path: str) -> Observation | None:
    """None for a kind this version does not know."""
    kind = member(plain, "kind", path)
    if not isinstance(kind, str):
        raise NotPlain(f"{path}.kind", f"expected text, got {word(kind)}")
    if kind not in KINDS:
        return None
    found: Observation = from_plain(KINDS[kind], plain, path)
    return found


def observations(plain: Plain, path: str) -> tuple[Observation, ...]:
    read = (observation(one, f"{path}[{n}]") for n, one in enumerate(sequence(plain, path)))
    return tuple(one for one in read if one is not None)


def from_plain(kind: type[Kind], plain: Plain, path: str = "") -> Kind:
    """Read one dataclass. A missing key takes the field's default when it has one."""
    given = mapping(plain, path)
    defaults = {f.name: f.default is not MISSING or f.default_factory is not MISSING for f in fields(kind)}  # type: ignore[arg-type] # Kind is always a dataclass
    taken: dict[str, object] = {}
    for name, hint in _shape(kind):
        key = _key(name)
        where = f"{path}.{key}" if path else key
        if key in given:
            taken[name] = _value(hint, given[key], where)
        elif not defaults[name]:
            raise NotPlain(where, "missing")
    return kind(**taken)


def _shape(kind: type) -> tuple[tuple[str, object], ...]:
    """Names and resolved hints of the fields a caller may set; resolved once, it is slow."""
    if kind not in _SHAPES:
        hints = get_type_hints(kind)
        _SHAPES[kind] = tuple((f.name, hints[f.name]) for f in fields(kind) if f.init)
    return _SHAPES[kind]


_SHAPES: dict[type, tuple[tuple[str, object], ...]] = {}


def _value(hint: object, plain: Plain, path: str) -> object:
    origin = get_origin(hint)
    if origin in {Union, UnionType}:
        return _either(get_args(hint), plain, path)
    if origin is tuple:
        inner = get_args(hint)[0]
        if inner == Observation:
            return observations(plain, path)
        return tuple(_value(inner, one, f"{path}[{n}]") for n, one in enumerate(sequence(plain, path)))
    if origin is dict:
        inner = get_args(hint)[1]
        return {key: _value(inner, one, f"{path}.{key}") for key, one in mapping(plain, path).items()}
    if isinstance(hint, type):
        return _scalar(hint, plain, path)
    raise TypeError(f"{path}: no reader for {hint!r}")


def _either(options: tuple[object, ...], plain: Plain, path: str) -> object:
    """`X | None`; the model has no other unions inside a record."""
    if plain is None and NoneType in options:
        return None
    return _value(next(o for o in options if o is not NoneType), plain, path)


def _scalar(kind: type, plain: Plain, path: str) -> object:
    if is_dataclass(kind):
        return from_plain(kind, plain, path)
    if issubclass(kind, StrEnum):
        return _choice(kind, plain, path)
    reader = _READERS[kind]
    try:
        return reader(plain)
    except (ValueError, TypeError, OverflowError):
        raise NotPlain(path, f"expected {_WANTED[kind]}, got {word(plain)}") from None


def _choice(kind: type[StrEnum], plain: Plain, path: str) -> StrEnum:
    known = [one.value for one in kind]
    if not isinstance(plain, str) or plain not in known:
        raise NotPlain(path, f"expected one of {', '.join(known)}, got {word(plain)}")
    return kind(plain)


def _text(plain: Plain) -> str:
    if not isinstance(plain, str):
        raise TypeError
    return plain


def _flag(plain: Plain) -> bool:
    if not isinstance(plain, bool):
        raise TypeError
    return plain


def _whole(plain: Plain) -> int:
    if isinstance(plain, bool) or not isinstance(plain, int) or abs(plain) > LARGEST:
        raise TypeError
    return plain


def _number(plain: Plain) -> float:
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        raise TypeError
    return float(plain)


def time(plain: Plain) -> datetime:
    if not isinstance(plain, str) or not _TIME.fullmatch(plain):
        raise ValueError
    return datetime.fromisoformat(plain).astimezone(UTC)


def _day(plain: Plain) -> date:
    if not isinstance(plain, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", plain):
        raise ValueError
    return date.fromisoformat(plain)


_READERS: Mapping[type, Callable[[Plain], object]] = {
    str: _text, bool: _flag, int: _whole, float: _number, datetime: time, date: _day,
}  # fmt: skip
_WANTED = {
    str: "text", bool: "true or false", int: "a whole number", float: "a number",
    datetime: "a time like 2026-01-31T12:00:00Z", date: "a date like 2026-01-31",
}  # fmt: skip


def mapping(plain: Plain, path: str) -> dict[str, Plain]:
    if not isinstance(plain, dict):
        raise NotPlain(path, f"expected an object, got {word(plain)}")
    return plain


def sequence(plain: Plain, path: str) -> Iterable[Plain]:
    if not isinstance(plain, list):
        raise NotPlain(path, f"expected a list, got {word(plain)}")
    return plain


def member(plain: Plain, key: str, path: str) -> Plain:
    given = mapping(plain, path)
    if key not in given:
        raise NotPlain(f"{path}.{key}" if path else key, "missing")
    return given[key]


def word(plain: Plain) -> str:
    """What stands there, short enough for one line."""
    if isinstance(plain, dict):
        return "an object"
    if isinstance(plain, list):
        return "a list"
    if plain is None or isinstance(plain, bool):
        return {None: "null", True: "true", False: "false"}[plain]
    shown = repr(plain) if isinstance(plain, str) else str(plain)
    return shown if len(shown) <= 40 else f"{shown[:37]}…"
