"""What share of the lines was understood, run by run, kept in the lake."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from gatepost.edge.lake.lake import Lake
from gatepost.edge.logs.counting import summed
from gatepost.model.log import Coverage

KEY = "coverage"
RUNS = 50  # that are kept
LEAST = 0.9  # share of authentication lines that has to be understood
FALL = 0.05  # below the runs before
ENOUGH = 20  # lines; of fewer no share is told


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


def alarm(last: Coverage, before: Coverage | None) -> str:
    """Why the share of a daemon's authentication lines is worth a look; "" where it is not."""
    if last.auth < ENOUGH:
        return ""
    share = last.auth_understood / last.auth
    if before and before.auth >= ENOUGH and share < before.auth_understood / before.auth - FALL:
        return f"fell from {before.auth_understood / before.auth:.0%}"
    return f"below {LEAST:.0%}" if share < LEAST else ""


def _run(row: dict[str, object]) -> Run:
    rows = row["coverage"]
    if not isinstance(rows, list):
        raise TypeError
    found = (Coverage(**{**one, "samples": tuple(one["samples"])}) for one in rows)
    return Run(int(str(row["at"])), tuple(found))
