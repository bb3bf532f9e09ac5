"""A block as the ledger keeps it."""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.model.alert import Block


@dataclass(frozen=True, slots=True)
class Entry:
    """`evidence` are places of log lines; `ended` is microseconds, None while it stands."""

    number: int
    block: Block
    evidence: tuple[str, ...] = ()
    ended: int | None = None
    ended_by: str = ""
    ended_why: str = ""
