"""Coverage of several runs of lines, and of the compiled scanner's beside the patterns'."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from gatepost.edge.logs.shapes import Counted
from gatepost.logs.understanding import about_authentication
from gatepost.model.event import Event, Kind
from gatepost.model.log import Coverage, Line

SAMPLES = 10  # of lines not understood, for each daemon
DAEMONS = 256  # a source may invent daemons: the others are counted together
OTHERS = "…"


class Count:
    """Lines that the complete patterns read."""

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = {}
        self._samples: dict[str, dict[str, None]] = {}

    def add(self, line: Line, event: Event) -> None:
        daemon = event.daemon if event.daemon in self._counts or len(self._counts) < DAEMONS else OTHERS
        counts = self._counts.setdefault(daemon, [0, 0, 0, 0])
        understood = event.kind is not Kind.UNKNOWN
        auth = about_authentication(line)
        counts[0] += 1
        counts[1] += understood
        counts[2] += auth
        counts[3] += auth and understood
        if not understood:
            samples = self._samples.setdefault(daemon, {})
            if len(samples) < SAMPLES:
                samples[event.reason] = None

    def coverage(self) -> tuple[Coverage, ...]:
        return tuple(
            Coverage(daemon, lines, understood, auth, auth_understood, lines, tuple(self._samples.get(daemon, ())))
            for daemon, (lines, understood, auth, auth_understood) in sorted(self._counts.items())
        )


def summed(parts: Iterable[Coverage]) -> tuple[Coverage, ...]:
    """One for each daemon, in the order of their names; of the samples the first ones, each once."""
    by_daemon: defaultdict[str, list[Coverage]] = defaultdict(list)
    for part in parts:
        by_daemon[part.daemon].append(part)
    return tuple(_sum(daemon, by_daemon[daemon]) for daemon in sorted(by_daemon))


def recognised(counts: Mapping[Counted, int]) -> Iterable[Coverage]:
    """What the compiled scanner took: all of it is understood."""
    for counted, lines in counts.items():
        if lines:
            auth = lines if counted.auth else 0
            yield Coverage(counted.daemon, lines, lines, auth, auth, 0)


def _sum(daemon: str, parts: list[Coverage]) -> Coverage:
    samples = dict.fromkeys(sample for part in parts for sample in part.samples)
    return Coverage(
        daemon,
        sum(part.lines for part in parts),
        sum(part.understood for part in parts),
        sum(part.auth for part in parts),
        sum(part.auth_understood for part in parts),
        sum(part.slow for part in parts),
        tuple(samples)[:SAMPLES],
    )
