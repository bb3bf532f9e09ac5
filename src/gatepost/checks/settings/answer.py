"""What a predicate says of one value: it holds, it fails, or that cannot be told, and because of what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gatepost.model.observation import Observation
from gatepost.model.words import Severity


class Held(StrEnum):
    ABOUT_ELSE = "about-else"  # the question does not arise here
    CANNOT_TELL = "cannot-tell"
    FAILS = "fails"
    HOLDS = "holds"


@dataclass(frozen=True, slots=True)
class Answer:
    held: Held
    because: str = ""
    seen: tuple[Observation, ...] = ()
    severity: Severity | None = None  # where it weighs other than the row says

    @property
    def holds(self) -> bool:
        return self.held is Held.HOLDS

    @property
    def fails(self) -> bool:
        return self.held is Held.FAILS


HOLDS = Answer(Held.HOLDS)


def fails(because: str, severity: Severity | None = None) -> Answer:
    return Answer(Held.FAILS, because, severity=severity)


def cannot_tell(because: str) -> Answer:
    return Answer(Held.CANNOT_TELL, because)


def about_else(because: str) -> Answer:
    return Answer(Held.ABOUT_ELSE, because)


_WORST = (Held.FAILS, Held.CANNOT_TELL, Held.HOLDS, Held.ABOUT_ELSE)


def all_of(answers: Iterable[Answer]) -> Answer:
    """The first failure, one that weighs as the row says before others; else the first doubt."""
    return min(answers, key=lambda a: (_WORST.index(a.held), a.severity is not None), default=HOLDS)


def any_of(answers: Iterable[Answer]) -> Answer:
    """One that holds is enough; else the first doubt; else the first failure, which is the usual way of the row."""
    order = (Held.HOLDS, Held.CANNOT_TELL, Held.FAILS, Held.ABOUT_ELSE)
    return min(answers, key=lambda a: order.index(a.held), default=fails("nothing of it is set"))
