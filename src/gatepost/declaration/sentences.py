"""What is wrong with a value, said to the person who wrote it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from gatepost.declaration.wording import did_you_mean, shown

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
        case "greater_than_equal" | "less_than_equal" | "int_parsing_size":
            return f"{shown(error['input'])} is no port number, which go from 1 to 65535"
        case _:
            return str(error["msg"]).lower()


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
