"""An apply as a person follows it: step by step with ticks and times, on stderr."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field

from rich.text import Text

from gatepost.cli import telling
from gatepost.edge.host.applying import Moment, Stage
from gatepost.model.plan import Step
from gatepost.report.applied import note_line, step_line
from gatepost.report.layout import paint
from gatepost.report.truth import Standing


@dataclass(slots=True)
class Follower:
    """What is under way stands on a line that is written over; a file or pipe gets only what is done."""

    steps: int
    within: float
    quiet: bool = False
    number: int = 0
    begun: float = 0.0
    current: Step | None = field(default=None)

    def __call__(self, moment: Moment) -> None:
        if self.quiet:
            return
        match moment.stage:
            case Stage.ARMED:
                self._note(
                    f"{moment.host}: saved; its guardian undoes all after {self.within:g} s without a word of us"
                )
            case Stage.BEGUN:
                self._begin(moment.step)
            case Stage.CHECKED:
                self._end(Standing.GOOD)
            case Stage.SETTLING:
                self._passing(f"{moment.host}: {moment.said}")
            case Stage.SETTLED:
                self._note(f"{moment.host}: {moment.said}", Standing.GOOD)
            case Stage.LOOKING:
                self._passing("looking again, from outside and inside")
            case Stage.LOOKED:
                self._note("looked again: what was promised is so, and nothing else broke", Standing.GOOD)
            case Stage.UNDOING:
                self._failed(moment.said)
            case Stage.UNDONE:
                self._note(f"{moment.host}: everything is as before")
            case _:
                return

    def _begin(self, step: Step | None) -> None:
        self.number += 1
        self.current, self.begun = step, time.monotonic()
        if step is not None:
            self._over([step_line(self.number, self.steps, step, Standing.QUIET, None, telling.width())])

    def _end(self, standing: Standing) -> None:
        if self.current is None:
            return
        seconds = time.monotonic() - self.begun
        self._line([step_line(self.number, self.steps, self.current, standing, seconds, telling.width())])
        self.current = None

    def _failed(self, why: str) -> None:
        self._end(Standing.BAD)
        self._note(why, Standing.BAD)
        self._passing("undoing")

    def _note(self, words: str, standing: Standing = Standing.QUIET) -> None:
        self._line(note_line(words, standing, telling.width()))

    def _passing(self, words: str) -> None:
        self._over(note_line(f"{words} …", Standing.QUIET, telling.width())[:1])

    def _over(self, lines: list[Text]) -> None:
        if _watched():
            sys.stderr.write("\r\x1b[K" + paint(lines, colour=True).rstrip("\n"))
            sys.stderr.flush()

    def _line(self, lines: list[Text]) -> None:
        sys.stderr.write(("\r\x1b[K" if _watched() else "") + paint(lines, colour=_watched()))
        sys.stderr.flush()


def _watched() -> bool:
    """A person is, at a terminal that can write over a line."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
