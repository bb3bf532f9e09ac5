"""What is known of a retirement: the accounts that would break, how use goes, the dates, and who was lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from gatepost.retiring.target import Target


@dataclass(frozen=True, slots=True)
class Account:
    """One account that would break. `elsewhere`: it already uses another way, and may not notice."""

    user: str
    certain: bool
    sessions: int
    first: int
    last: int  # microseconds since 1970
    hosts: tuple[str, ...]
    services: tuple[str, ...]
    networks: tuple[str, ...]
    hints: tuple[str, ...]
    elsewhere: bool


@dataclass(frozen=True, slots=True)
class Assessment:
    """`weeks` counts sessions, the oldest first. `strangers` are sessions of nobody: no login, or a failed one."""

    target: Target
    since: date
    until: date
    accounts: tuple[Account, ...]
    weeks: tuple[int, ...]
    strangers: int
    networks: int

    @property
    def certain(self) -> tuple[Account, ...]:
        return tuple(one for one in self.accounts if one.certain)

    @property
    def maybe(self) -> tuple[Account, ...]:
        return tuple(one for one in self.accounts if not one.certain)


@dataclass(frozen=True, slots=True)
class Dates:
    rehearse: date
    close: date


@dataclass(frozen=True, slots=True)
class Fallout:
    """Accounts that used it in the weeks before it closed, by what became of them."""

    moved: tuple[str, ...]  # logged in another way since
    failing: tuple[str, ...]  # try, and fail
    silent: tuple[str, ...]  # not seen since
    knocking: int  # sessions that still arrive at what was closed


def trend(weeks: tuple[int, ...]) -> str:
    """falling, steady or rising: the last four weeks against the four before."""
    late, early = sum(weeks[-4:]), sum(weeks[-8:-4])
    if len(weeks) < 8 or late == early == 0:
        return "" if any(weeks) else "unused"
    return "falling" if late * 4 < early * 3 else "rising" if late * 3 > early * 4 else "steady"


def next_steps(assessment: Assessment, stage: str) -> Iterator[str]:
    """What an operator does next, in order."""
    name = assessment.target.name
    if not stage:
        if assessment.certain:
            yield f"gatepost retire {name} --notices DIR     drafts a mail to each of the accounts"
        yield f"gatepost retire {name} --announce        records the day, so that the plan can be followed"
    if stage == "announced":
        yield f"gatepost retire {name} --rehearse        shuts it for an hour; it opens again by itself"
    if stage in {"announced", "rehearsed"}:
        yield f"gatepost retire {name} --close           takes it out of the declaration and applies that"
