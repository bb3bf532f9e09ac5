"""Carrying out a plan from the command line: look, show, ask, do, look again."""

from __future__ import annotations

import select
import shlex
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import typer

from gatepost.cli import plan as planning
from gatepost.cli import telling
from gatepost.cli.following import Follower
from gatepost.cli.looking import Looked, look, watched
from gatepost.cli.request import Request
from gatepost.edge.host import applying, journal
from gatepost.edge.host.here import way
from gatepost.edge.host.runner import Ways
from gatepost.enforce import kept
from gatepost.enforcement.wishes import Wishes
from gatepost.errors import CannotLook, UsageError
from gatepost.model.audit import Audit
from gatepost.model.plan import Applied, Ending, Plan
from gatepost.report.deeds import deeds, others
from gatepost.report.escape import printable
from gatepost.report.plan import render
from gatepost.report.tally import plural

TRIES = 3  # a daemon may still be at its reload when it is first looked at
PAUSE = 3.0  # seconds between them
TICK = 0.2  # seconds between looks at a terminal and at a second session
NOT_APPLIED = 1


@dataclass(slots=True)
class Session:
    request: Request
    state: Path
    terms: applying.Terms
    wishes: Wishes
    sure: bool = False
    verbose: bool = False
    quiet: bool = False
    looked: Looked = field(init=False)

    def run(self, saved: Path | None, *, as_json: bool = False) -> Applied:
        """Raises UsageError and CannotLook while nothing is changed, and Exit when the operator says no."""
        given = planning.load(saved) if saved else None
        self.looked = watched(self.request, quiet=self.quiet)
        planning.refuse_undeclared(self.looked)
        before = planning.judged(self.looked)
        plan = given or planning.planned(self.looked, self.wishes, before)
        if given is None:
            planning.refuse_blind(plan, self.looked)
        out = sys.stderr if as_json else sys.stdout
        self._show(plan, out)
        if given:
            self._show_deeds(given, before, out)
        if not plan.doing:
            now = datetime.now(UTC)
            return Applied(plan, now, Ending.KEPT, now, by=self.terms.by)
        self._ask(plan)
        return self._apply(plan, before)

    def _show(self, plan: Plan, out: TextIO) -> None:
        if plan.steps:
            colour = out is sys.stdout and telling.colour()
            shown = render(plan, width=telling.width(), colour=colour, verbose=self.verbose, only_shown=False)
            out.write(f"{shown}\n")
            out.flush()

    def _show_deeds(self, given: Plan, before: Audit, out: TextIO) -> None:
        """A plan from a file may say one thing and do another."""
        if strange := others(given, planning.planned(self.looked, self.wishes, before)):
            colour = out is sys.stdout and telling.colour()
            out.write(deeds(strange, width=telling.width(), colour=colour))
            out.flush()

    def _ask(self, plan: Plan) -> None:
        if self.sure:
            return
        if not sys.stdin.isatty():
            raise UsageError("nobody is there to be asked: look at the plan, then pass --yes")
        if not agreed(question(plan)):
            sys.stdout.write("nothing was changed\n")
            raise typer.Exit(NOT_APPLIED)

    def _apply(self, plan: Plan, before: Audit) -> Applied:
        follower = Follower(len(plan.doing), self.terms.within, quiet=self.quiet)
        via = self._ways(plan)
        with Ways() as ways, Ways() as fresh:
            return applying.apply(
                plan,
                {host: ways.to(words) for host, words in via.items()},
                lambda: self._look_again(plan, before),
                state=self.state,
                ways=via,
                terms=self.terms,
                afresh=lambda host: fresh.to(via[host]),
                confirmed=self._confirmed,
                watch=follower,
            )

    def _ways(self, plan: Plan) -> dict[str, str]:
        found = {}
        for host in dict.fromkeys(step.host for step in plan.doing):
            declared = self.looked.architecture.host(host)
            if declared and (words := self.request.via or way(declared)):
                found[host] = words
        return found

    def _look_again(self, plan: Plan, before: Audit) -> str:
        why = self._look_once(plan, before)
        for _ in range(TRIES - 1):
            if not why:
                break
            time.sleep(PAUSE)
            why = self._look_once(plan, before)
        return why

    def _look_once(self, plan: Plan, before: Audit) -> str:
        try:
            return kept(plan, before, planning.judged(look(self.request)))
        except CannotLook as error:
            return f"it could not be looked at again: {error}"

    def _confirmed(self, record: Applied) -> str:
        """A word on this terminal, or a second session that runs `gatepost apply --keep`."""
        seconds = self.terms.confirm
        sys.stderr.write(
            "\n   Try a new session to each host. When it works, type keep here, or in a second\n"
            f"   session on this machine: gatepost apply --keep --state {shlex.quote(str(self.state.absolute()))}\n"
            f"   Without that, all is taken back in {seconds:g} seconds.\n"
        )
        deadline, listening = time.monotonic() + seconds, sys.stdin.isatty()
        while time.monotonic() < deadline:
            if journal.answered(self.state, record.id):
                return ""
            if not listening:
                time.sleep(TICK)
            elif said := heard(TICK):
                if said.strip().lower() == journal.KEEP:
                    return ""
                if said.strip():
                    return f"the operator said {said.strip()[:40]!r}, not keep"
        return f"nobody said keep within {seconds:g} seconds"


def question(plan: Plan) -> str:
    """In one line, as the plan may be long and what it is about has scrolled away."""
    hosts = dict.fromkeys(printable(step.host, 60) for step in plan.doing)
    where = next(iter(hosts)) if len(hosts) == 1 else plural(len(hosts), "host")
    left = len(plan.steps) - len(plan.doing)
    beside = f" ({left} more by hand)" if left else ""
    return f"apply {'this step' if len(plan.doing) == 1 else f'these {len(plan.doing)} steps'} on {where}{beside}?"


def agreed(question: str) -> bool:
    """Raises Exit when the terminal goes away."""
    sys.stdout.write(f"\n{question} [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def heard(seconds: float) -> str:
    """A line from the terminal, empty when none came in time."""
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    return sys.stdin.readline() if ready else ""
