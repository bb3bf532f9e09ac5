"""The dead man's switch on a host: a process of its own that undoes everything unless it is told to keep it.

It outlives gatepost, the connection and the terminal. What decides is one file made on the host, once.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from gatepost.edge.host.hand import UNDOING, Hand
from gatepost.errors import StepFailed

TROUBLE = "trouble: "
ALONE = 60.0  # seconds after which a host goes on taking back by itself


class Fate(StrEnum):
    """What became of an apply on one host."""

    KEPT = "kept"
    NOTHING = "nothing"  # nothing was changed there yet
    OPEN = "open"  # undecided: begun, and neither kept nor undone
    UNDO = "undo"  # decided, not finished
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Told:
    fate: Fate
    guarded: bool = False  # its guardian is alive
    log: tuple[str, ...] = ()


def arm(hand: Hand, seconds: float) -> None:
    """Start it; it undoes after so many seconds of silence. Raises StepFailed when it cannot be started."""
    hand.do("arm", _whole(seconds))


def beat(hand: Hand, seconds: float) -> None:
    """A sign of life: so many seconds from now on."""
    hand.do("beat", _whole(seconds))


def keep(hand: Hand) -> None:
    """Keep it for good. Raises TakenBack when the guardian was faster."""
    hand.do("keep")


def told(hand: Hand) -> Told:
    lines = hand.do("ask").split("\n")
    fate = lines[0].strip()
    if fate not in set(Fate):
        raise StepFailed(f"{hand.host}: {hand.directory} is damaged")
    return Told(Fate(fate), "guarded" in lines[1:2], tuple(line for line in lines[1:] if line and line != "guarded"))


def take_back(hand: Hand) -> str:
    """Undo it as far as it went, also what was kept, and prove that the files are as before.

    What was kept is guarded again while it is taken back: if we are cut off, the host finishes that by itself.
    Returns what went wrong beside that: a daemon that would not reload. Raises StepFailed when a file is not as before.
    """
    if told(hand).fate is Fate.KEPT:
        hand.do("reopen")
        with suppress(StepFailed):  # a full disk keeps nobody from taking back
            arm(hand, ALONE)
    said = hand.do("undo", patience=UNDOING)
    return "; ".join(line.removeprefix(TROUBLE) for line in said.splitlines() if line.startswith(TROUBLE))


def _whole(seconds: float) -> str:
    return str(max(1, math.ceil(seconds)))
