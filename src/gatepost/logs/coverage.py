"""How much of each daemon's log was understood, and an alarm when that falls.

Authentication lines are counted apart: they are told by simple words, without the patterns they measure. A new wording
after an upgrade shows as a falling share, with samples of what it says now.
"""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.logs.masking import masked
from gatepost.logs.understanding import about_authentication
from gatepost.model.event import Event, Kind
from gatepost.model.log import Coverage, Line

SAMPLES = 5  # kept for each daemon, the first of each shape
SAMPLE = 200  # characters
DAEMONS = 512  # a log may name any number; those beyond are counted as one
REST = "(others)"
ENOUGH = 20  # authentication lines, before a share of them says anything
FALLEN = 0.9  # of the share it had before


class Tally:
    """Counts lines as they are understood. Bounded, whatever a source sends."""

    def __init__(self) -> None:
        self._counts: dict[str, _Count] = {}

    def add(self, line: Line, event: Event, *, slow: bool = False) -> None:
        """`slow`: the compiled scanner left the line to the complete patterns."""
        count = self._count(event.daemon)
        understood = event.kind is not Kind.UNKNOWN
        count.lines += 1
        count.understood += understood
        count.slow += slow
        if about_authentication(line):
            count.auth += 1
            count.auth_understood += understood
        if not understood:
            count.sample(line.message)

    def merge(self, coverage: Coverage) -> None:
        """What was counted elsewhere, by the compiled scanner or in another chunk."""
        count = self._count(coverage.daemon)
        count.lines += coverage.lines
        count.understood += coverage.understood
        count.auth += coverage.auth
        count.auth_understood += coverage.auth_understood
        count.slow += coverage.slow
        for said in coverage.samples:
            count.sample(said)

    def coverage(self) -> tuple[Coverage, ...]:
        return tuple(
            Coverage(
                daemon, one.lines, one.understood, one.auth, one.auth_understood, one.slow, tuple(one.samples.values())
            )
            for daemon, one in sorted(self._counts.items())
        )

    def _count(self, daemon: str) -> _Count:
        if daemon not in self._counts and len(self._counts) >= DAEMONS:
            daemon = REST
        return self._counts.setdefault(daemon, _Count())


class _Count:
    __slots__ = ("auth", "auth_understood", "lines", "samples", "slow", "understood")

    def __init__(self) -> None:
        self.lines = self.understood = self.auth = self.auth_understood = self.slow = 0
        self.samples: dict[str, str] = {}

    def sample(self, message: str) -> None:
        shape = " ".join(word for word in message[:SAMPLE].split() if word.isalpha())
        if len(self.samples) < SAMPLES and shape not in self.samples:
            cut = masked(message)
            self.samples[shape] = cut if len(cut) <= SAMPLE else cut[: SAMPLE - 1] + "…"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Authentication lines that no longer parse."""

    daemon: str
    before: float
    now: float
    sample: str

    @property
    def sentence(self) -> str:
        said = f": “{self.sample}”" if self.sample else ""
        return (
            f"Of what {self.daemon} logs about logins, {self.now:.0%} is understood (before: {self.before:.0%}); "
            f"failed logins may go unseen{said}"
        )


def alarms(before: tuple[Coverage, ...], now: tuple[Coverage, ...]) -> tuple[Alarm, ...]:
    """Daemons whose share of understood authentication lines fell. One never seen before is held to all of them."""
    known = {one.daemon: share(one) for one in before}
    return tuple(
        Alarm(one.daemon, known.get(one.daemon) or 1.0, share(one) or 0.0, one.samples[0] if one.samples else "")
        for one in now
        if one.auth >= ENOUGH and (share(one) or 0.0) < FALLEN * (known.get(one.daemon) or 1.0)
    )


def share(one: Coverage) -> float | None:
    """Of the authentication lines; None where too few were seen to tell."""
    return one.auth_understood / one.auth if one.auth >= ENOUGH else None
