"""The 124 controls as typed rows, read on first use."""

from __future__ import annotations

from functools import cache

from gatepost.catalogue import Raw, document
from gatepost.errors import UsageError
from gatepost.model.finding import Control, Reference
from gatepost.model.words import Role, Severity


@cache
def controls() -> tuple[Control, ...]:
    """In catalogue order, which is the order of reports."""
    whole = document("controls")
    return tuple(_control(row, whole["standards"]) for row in whole["controls"])


def control(name: str) -> Control:
    """Raises UsageError for an id that is not in the catalogue."""
    found = _by_id().get(name)
    if found is None:
        raise UsageError(f"no control is named {name!r}")
    return found


@cache
def _by_id() -> dict[str, Control]:
    return {row.id: row for row in controls()}


def _control(row: Raw, standards: Raw) -> Control:
    return Control(
        id=row["id"],
        title=row["title"],
        area=row["area"],
        severity=Severity(row["severity"]),
        roles=tuple(Role(role) for role in row["applies_to"]),
        witnesses=tuple(row["evidence"]),
        rationale=row["rationale"],
        references=tuple(_reference(one, standards) for one in row["mappings"]),
    )


def _reference(one: Raw, standards: Raw) -> Reference:
    name = one["std"]
    return Reference(name, str(standards[name]["title"]), tuple(one["ref"]), bool(one["verified"]))
