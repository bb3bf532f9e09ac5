"""What the control catalogue says about a control: its words, and the standards that ask for it.

Only references whose text was checked are ever shown. A control this version does not know, as in a run saved
by a newer one, is shown by its id.
"""

from __future__ import annotations

import re
from functools import cache

from gatepost.catalogue.controls import controls
from gatepost.model.finding import Control, Finding, Reference


@cache
def _by_id() -> dict[str, Control]:
    return {control.id: control for control in controls()}


def entry(control: str) -> Control | None:
    return _by_id().get(control)


def title(control: str) -> str:
    found = entry(control)
    return found.title if found else control


def area(control: str) -> str:
    found = entry(control)
    return found.area if found else "other"


def references(control: str) -> tuple[Reference, ...]:
    found = entry(control)
    return tuple(r for r in found.references if r.verified) if found else ()


def unjudged(finding: Finding) -> bool:
    """No judge was there to look: the run did not hear the witness that it needs, or there is none yet."""
    return finding.check == "manual"


def named(reference: Reference) -> str:
    """`RFC 8314 3.3, 4.1`, as an auditor would cite it."""
    standard = re.sub(r"^rfc(?=\d)", "RFC ", reference.standard)
    return f"{standard} {', '.join(reference.sections)}".rstrip()
