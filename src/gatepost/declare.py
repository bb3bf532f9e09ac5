"""The declaration: `gatepost.toml` in and out.

    read      text -> Architecture, or every problem at once
    overdue   what the declaration itself has let run out
    presume   a host nobody declared, with the services the catalogue expects
    adopted   what was found -> what is declared, with owners and end dates
    write     Architecture -> text that reads back the same
    schema    the JSON Schema for editors

The parts are in `declaration/`; pydantic is loaded only when a file is read or the schema is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

from gatepost.declaration.services import needs_end, presume
from gatepost.declaration.wording import dotted
from gatepost.errors import Problem
from gatepost.model.architecture import Architecture

__all__ = ["adopted", "needs_end", "overdue", "presume", "read", "schema", "schema_text", "write"]


def read(text: str, name: str, *, today: date) -> Architecture:
    """Raises DeclarationError with all problems at once, each with its path and line.

    `today` bounds dates from above: an end more than ten years away is none. A date in the past is not
    refused, because such a file must still load to be audited: see `overdue`.
    """
    from gatepost.declaration import reading

    return reading.read(text, name, today=today)


def overdue(architecture: Architecture, today: date) -> tuple[Problem, ...]:
    """Services past their `until`, waivers past their `expires`. The last day itself still counts."""
    return (*_late_services(architecture, today), *_late_waivers(architecture, today))


def _late_services(architecture: Architecture, today: date) -> Iterator[Problem]:
    for host in architecture.hosts:
        for n, service in enumerate(host.services):
            if service.until and service.until < today:
                said = f"{service.name} should have been closed by {service.until}"
                yield Problem(dotted(("hosts", host.name, "services", n, "until")), said, service.line)


def _late_waivers(architecture: Architecture, today: date) -> Iterator[Problem]:
    for n, waiver in enumerate(architecture.waivers):
        if waiver.expires < today:
            said = f"the waiver of {waiver.control} for {waiver.subject} ended on {waiver.expires}"
            yield Problem(f"waivers[{n}].expires", said, waiver.line)


def adopted(found: Architecture, *, today: date) -> Architecture:
    from gatepost.declaration import writing

    return writing.adopted(found, today=today)


def write(
    found: Architecture, zones: Sequence[str] = (), hosts: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> str:
    """The commented file of `gatepost init`. Services that need an end date must have one: see `adopted`.

    `zones` and `hosts` (by name) are further comments, a line each.
    """
    from gatepost.declaration import writing

    return writing.write(found, zones, hosts)


def schema() -> dict[str, Any]:
    from gatepost.declaration import published

    return published.schema()


def schema_text() -> str:
    """As published in the package (`catalogue/data/gatepost.schema.json`) and by `gatepost schema`."""
    from gatepost.declaration import published

    return published.schema_text()
