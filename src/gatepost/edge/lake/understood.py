"""What share of the lines was understood, run by run, kept in the lake."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from gatepost.edge.lake.lake import Lake
from gatepost.logs import coverage as counting
from gatepost.logs.coverage import Alarm, Tally
from gatepost.model.log import Coverage

KEY = "coverage"
RUNS = 50  # that are kept


@dataclass(frozen=True, slots=True)
class Run:
    """One import, or one stretch of watching, that ended at this time in microseconds."""

    at: int
    coverage: tuple[Coverage, ...]


def note(lake: Lake, at: int, coverage: Iterable[Coverage]) -> None:
    """To be kept with the next commit."""
    new = Run(at, summed(coverage))
    if new.coverage:
        lake.remember(KEY, json.dumps([asdict(one) for one in (*runs(lake), new)[-RUNS:]]))


def runs(lake: Lake) -> tuple[Run, ...]:
    """The oldest first. What an older version wrote otherwise is left out."""
    try:
        return tuple(_run(one) for one in json.loads(lake.memory(KEY) or "[]"))
    except (ValueError, KeyError, TypeError):
        return ()


def alarms(kept: Sequence[Run]) -> tuple[Alarm, ...]:
    """Daemons of the newest run of whose authentication lines too few were understood, against all runs before."""
    if not kept:
        return ()
    before = summed(part for run in kept[:-1] for part in run.coverage)
    return counting.alarms(before, kept[-1].coverage)


def summed(parts: Iterable[Coverage]) -> tuple[Coverage, ...]:
    tally = Tally()
    for part in parts:
        tally.merge(part)
    return tally.coverage()


def _run(row: dict[str, object]) -> Run:
    rows = row["coverage"]
    if not isinstance(rows, list):
        raise TypeError
    found = (Coverage(**{**one, "samples": tuple(one["samples"])}) for one in rows)
    return Run(int(str(row["at"])), tuple(found))
