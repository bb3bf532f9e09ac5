"""Every key of a TOML text has its line."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.declaration.positions import Path, line_of, positions

TEXT = '''version = 1  # [not.a.table]
[zones]
a = ["x",
  # "c", in a comment
  "y", ["z"]]
"q.r" = 5
[hosts."mx1.example.org"]
services = [
 "smtp", { name = "x", from = [
   "office"] },
 {name="y"}
]
text = """
[hosts.no]
quote: ""\\""" """
after.dotted = 1.5
when = 2027-03-31 07:32:00
literal = \'\'\'
a = 1\'\'\'\'
[[waivers]]
control = 1
[[waivers]]
control = 2
[waivers.sub]
x = {}
y = []
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("version",), 1),
        (("zones",), 2),
        (("zones", "a"), 3),
        (("zones", "a", 0), 3),
        (("zones", "a", 1), 5),
        (("zones", "a", 2, 0), 5),
        (("zones", "q.r"), 6),
        (("hosts",), 7),
        (("hosts", "mx1.example.org"), 7),
        (("hosts", "mx1.example.org", "services"), 8),
        (("hosts", "mx1.example.org", "services", 0), 9),
        (("hosts", "mx1.example.org", "services", 1, "from", 0), 10),
        (("hosts", "mx1.example.org", "services", 2, "name"), 11),
        (("hosts", "mx1.example.org", "text"), 13),
        (("hosts", "mx1.example.org", "after", "dotted"), 16),
        (("hosts", "mx1.example.org", "literal"), 18),
        (("waivers", 0, "control"), 21),
        (("waivers", 1), 22),
        (("waivers", 1, "control"), 23),
        (("waivers", 1, "sub", "y"), 26),
    ],
)
def test_line(path: Path, line: int) -> None:
    assert positions(TEXT)[path] == line


def test_nothing_is_invented() -> None:
    assert {path for path in positions(TEXT) if "no" in path or "not" in path} == set()
    assert tomllib.loads(TEXT)["waivers"][1]["control"] == 2


def test_line_of_what_is_missing() -> None:
    lines = positions(TEXT)
    assert line_of(("waivers", 1, "owner"), lines) == 22
    assert line_of(("hosts", "mx1.example.org", "addresses", 3), lines) == 7
    assert line_of(("profile",), lines) is None


keys = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=6)
leaves = st.booleans() | st.integers(-5, 5) | keys
values: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)


def toml(value: Any) -> str:
    """Inline TOML, with line breaks inside arrays."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[\n" + ",\n".join(map(toml, value)) + "\n]"
    if isinstance(value, str):
        return '"' + "".join(c if c.isalnum() or c in "#[]{}=,." else f"\\U{ord(c):08X}" for c in value) + '"'
    return str(value).lower()


def paths(value: Any, path: Path = ()) -> set[Path]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {path} | {found for key, one in inside for found in paths(one, (*path, key))}


@given(st.dictionaries(keys, values, max_size=4))
def test_same_paths_as_the_parser(document: dict[str, Any]) -> None:
    text = "\n".join(f"{toml(key)} = {toml(value)}" for key, value in document.items())
    assert tomllib.loads(text) == document
    assert set(positions(text)) | {()} == paths(document)
    found = list(positions(text).values())
    assert found == sorted(found)
