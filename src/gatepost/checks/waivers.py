"""Dated exceptions: which failure one covers, and what becomes of it when its day is past (GP-GOV-002)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from gatepost.catalogue.controls import control
from gatepost.model.architecture import Architecture, Endpoint, Waiver
from gatepost.model.finding import Finding
from gatepost.model.words import Outcome, Role

EVERYTHING = "*"
GOVERNANCE = "GP-GOV-002"


def covering(architecture: Architecture, name: str, at: Endpoint, now: datetime) -> Waiver | None:
    """The running waiver for this control here; the last to expire where there are several."""
    running = [
        w for w in architecture.waivers if w.control == name and in_force(w, now) and _meant(w, at, architecture)
    ]
    return max(running, key=lambda w: w.expires, default=None)


def in_force(waiver: Waiver, now: datetime) -> bool:
    """To the end of its last day."""
    return waiver.expires >= now.date()


def _meant(waiver: Waiver, at: Endpoint, architecture: Architecture) -> bool:
    if waiver.subject in {EVERYTHING, at.place, at.host, str(at)}:
        return True
    domain = next((d for d in architecture.domains if d.name == waiver.subject), None)
    return domain is not None and (at.host in domain.mx or at.host.endswith(f".{domain.name}"))


def waiver_findings(architecture: Architecture, now: datetime) -> Iterable[Finding]:
    """A verdict on every waiver: an exception without an end becomes the architecture."""
    severity = control(GOVERNANCE).severity
    if not architecture.waivers:
        subject = architecture.organization or "this organisation"
        outcome = Outcome.NOT_APPLICABLE if architecture.source else Outcome.UNKNOWN
        because = "nothing is waived" if architecture.source else "needs the declaration"
        yield Finding(GOVERNANCE, "waivers", subject, Role.ORG, outcome, severity, because, (), "", (subject,))
    for one in dict.fromkeys(architecture.waivers):
        past = not in_force(one, now)
        because = f"the waiver of {one.control} ended on {one.expires}: {one.reason} ({one.owner})" if past else (
            f"{one.control} is waived until {one.expires}: {one.reason} ({one.owner})"
        )  # fmt: skip
        yield Finding(
            GOVERNANCE, f"waiver-{one.control.lower()}", one.subject, Role.ORG,
            Outcome.FAIL if past else Outcome.PASS, severity, because, (),
            f"{_source(architecture, one)}: remove the waiver, or give it a new owner, reason and date" if past else "",
            (one.subject,),
        )  # fmt: skip


def _source(architecture: Architecture, waiver: Waiver) -> str:
    name = architecture.source or "the declaration"
    return f"{name}:{waiver.line}" if waiver.line else name
