"""The JSON Schema of `gatepost.toml`, for editors that complete and check while one types."""

from __future__ import annotations

import json
from typing import Any

from gatepost import catalogue
from gatepost.declaration.services import tcp
from gatepost.declaration.shapes import SHORT, DeclarationShape

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """What one file may look like. Some problems need the whole file, or the catalogue, and are found by `read`."""
    built: dict[str, Any] = _without_null(DeclarationShape.model_json_schema(by_alias=True))
    definitions = built["$defs"]
    words = {"name": sorted(row.id for row in catalogue.ports() if tcp(row))}
    for shape, key in SHORT.items():
        name = shape.__name__
        definitions[f"{name}Table"] = definitions.pop(name)
        definitions[name] = {"anyOf": [_bare(words.get(key)), {"$ref": f"#/$defs/{name}Table"}]}
    built["properties"]["profile"]["enum"] = list(catalogue.profile_names())
    built["properties"]["zones"]["additionalProperties"]["minItems"] = 1
    return {"$schema": DIALECT, **built, "title": "gatepost.toml"}


def schema_text() -> str:
    """As it lies in the package: `gatepost schema` prints the same."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _bare(words: list[str] | None) -> dict[str, Any]:
    return {"type": "string", "minLength": 1} if words is None else {"enum": words}


def _without_null(node: Any) -> Any:  # noqa: ANN401 - any JSON value, as it comes
    """TOML has no null: a key is there or it is not. The titles pydantic makes up say nothing either."""
    if isinstance(node, list):
        return [_without_null(one) for one in node if one != {"type": "null"}]
    if not isinstance(node, dict):
        return node
    kept = {key: _without_null(one) for key, one in node.items() if not (key == "default" and one is None)}
    if isinstance(kept.get("title"), str):
        del kept["title"]
    choices = kept.pop("anyOf", None)
    if choices is not None:
        kept |= choices[0] if len(choices) == 1 else {"anyOf": choices}
    return kept
