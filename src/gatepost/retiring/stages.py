"""How far a retirement has come. Each stage is recorded once and in order; any can be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Stage(StrEnum):
    """In the order of `ORDER`."""

    ANNOUNCED = "announced"
    CANCELLED = "cancelled"
    CLOSED = "closed"
    REHEARSED = "rehearsed"


ORDER = (Stage.ANNOUNCED, Stage.REHEARSED, Stage.CLOSED)


@dataclass(frozen=True, slots=True)
class Milestone:
    """One stage that was reached. `on` is the day the port is to close (announced), or did (closed)."""

    target: str
    stage: Stage
    at: float  # seconds since 1970
    by: str
    on: date | None = None
    note: str = ""
    hosts: tuple[str, ...] = ()


def reached(milestones: tuple[Milestone, ...]) -> Milestone | None:
    """The last one of a target, None where nothing was begun or all was taken back."""
    last = max(milestones, key=lambda one: one.at, default=None)
    return None if last is None or last.stage is Stage.CANCELLED else last
