"""What is wrong with a value, said to the person who wrote it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from gatepost.declaration.positions import Path

BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
MAX_SHOWN = 60  # characters of a value repeated in a sentence

KINDS = {
    "bool_type": "true or false",
    "date_type": "a date without quotes, like 2027-03-31",
    "dict_type": "a table",
    "int_type": "a whole number",
    "list_type": "an array",
    "model_type": "a table",
    "string_type": "a string",
}


def sentence(error: ErrorDetails, shape: type[BaseModel]) -> str:
    kind, told = error["type"], error.get("ctx", {})
    if kind in KINDS:
        return f"expected {KINDS[kind]}, got {shown(error['input'])}"
    match kind:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return f"unknown key{did_you_mean(str(error['loc'][-1]), keys(shape, error['loc']))}"
        case "enum" | "literal_error":
            return f"expected {told['expected'].replace(chr(39), '')}, got {shown(error['input'])}"
        case "string_too_short" | "string_pattern_mismatch":
            return "is empty"
        case "string_too_long" | "too_long":
            return f"is too long: at most {told['max_length']}"
        case "greater_than_equal" | "less_than_equal":
            return f"{shown(error['input'])} is no port number, which go from 1 to 65535"
        case _:
            return str(error["msg"]).lower()


def shown(value: object) -> str:
    """A value in short. Tables and arrays are named, not repeated: they may be deep."""
    match value:
        case dict():
            return "a table"
        case list():
            return "an array"
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{clipped(value)}"'
        case int() if abs(value) > 10**MAX_SHOWN:
            return "a very large number"
        case _:
            return clipped(str(value))


def clipped(text: str) -> str:
    """One line of it, control characters escaped."""
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:MAX_SHOWN])
    return plain if len(text) <= MAX_SHOWN else f"{plain}…"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?` when something known is close, else nothing."""
    near = get_close_matches(word[:MAX_SHOWN].lower(), list(known), n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def keys(shape: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """The keys that would have been right where `loc` went wrong, one level of nesting deep."""
    for part in loc[:-1]:
        inner = _inner(shape, part)
        shape = inner or shape
    return [field.alias or name for name, field in shape.model_fields.items()]


def _inner(shape: type[BaseModel], part: str | int) -> type[BaseModel] | None:
    """The model of the elements of an array field."""
    field = shape.model_fields.get(str(part))
    arguments: tuple[Any, ...] = getattr(field.annotation, "__args__", ()) if field else ()
    return next((a for a in arguments if isinstance(a, type) and issubclass(a, BaseModel)), None)


def dotted(path: Path) -> str:
    """`hosts."mx1.example.org".services[0].port`: as it would be written in TOML."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            plain = part if part and set(part) <= BARE else f'"{clipped(part)}"'
            text += f".{plain}" if text else plain
    return text
