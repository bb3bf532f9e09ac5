"""What the control catalogue says about a control: its words, and the standards that ask for it.

Only references whose text was checked are ever shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from gatepost import catalogue
from gatepost.catalogue import Raw
from gatepost.model.finding import Reference


@dataclass(frozen=True, slots=True)
class Entry:
    """One control in words."""

    id: str
    title: str
    area: str
    severity: str
    roles: tuple[str, ...]
    witnesses: tuple[str, ...]
    rationale: str
    references: tuple[Reference, ...]


@cache
def entries() -> dict[str, Entry]:
    whole = catalogue.document("controls")
    return {row["id"]: _entry(row, whole["standards"]) for row in whole["controls"]}


def entry(control: str) -> Entry | None:
    """None for a control this version does not know, as in a run saved by a newer one."""
    return entries().get(control)


def title(control: str) -> str:
    found = entry(control)
    return found.title if found else control


def area(control: str) -> str:
    found = entry(control)
    return found.area if found else "other"


def references(control: str) -> tuple[Reference, ...]:
    found = entry(control)
    return tuple(r for r in found.references if r.verified) if found else ()


def witnessed(control: str) -> bool:
    """The network alone (the port itself, or DNS) can tell about this control."""
    found = entry(control)
    return found is None or bool({"probe", "dns"} & set(found.witnesses))


def named(reference: Reference) -> str:
    """`rfc8314 3.3, 4.1`, as an auditor would cite it."""
    return f"{reference.standard} {', '.join(reference.sections)}".rstrip()


def _entry(row: Raw, standards: Raw) -> Entry:
    return Entry(
        id=row["id"],
        title=row["title"],
        area=row["area"],
        severity=row["severity"],
        roles=tuple(row["applies_to"]),
        witnesses=tuple(row["evidence"]),
        rationale=row["rationale"],
        references=tuple(_reference(one, standards) for one in row["mappings"]),
    )


def _reference(one: Raw, standards: Raw) -> Reference:
    standard = one["std"]
    about = standards.get(standard, {})
    return Reference(standard, about.get("title", ""), tuple(one["ref"]), bool(one["verified"]))
