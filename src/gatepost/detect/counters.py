"""What each kind of rule keeps of one group: enough to say exactly when it fires, and no more than that.

The sum needs only the newest signals that reach the threshold by themselves; the number of values only the newest
sighting of that many values; a sequence only the latest start of each of its beginnings. Whatever is older can change
no answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Protocol

from gatepost.detect.rule import Counting, Rule
from gatepost.model.event import MICROSECONDS, Signal


class Counter(Protocol):
    def add(self, at: int, weight: int, value: str, part: int, signal: Signal) -> bool:
        """True where the rule fires at this instant. Instants never go back."""

    def kept(self) -> Iterator[tuple[int, int, str, Signal]]:
        """Instant, weight, value and signal of what stands in the window."""


def counter(rule: Rule) -> Counter:
    back = rule.window * MICROSECONDS
    if rule.counting is Counting.EVENTS:
        return Sum(back, rule.threshold)
    if rule.counting is Counting.VALUES:
        return Values(back, rule.threshold)
    if rule.counting is Counting.TOGETHER:
        return Together(back, rule.threshold)
    return Ordered(back, len(rule.parts))


class Sum:
    __slots__ = ("back", "held", "threshold", "total")

    def __init__(self, back: int, threshold: int) -> None:
        self.back, self.threshold, self.total = back, threshold, 0
        self.held: deque[tuple[int, int, Signal]] = deque()

    def add(self, at: int, weight: int, value: str, part: int, signal: Signal) -> bool:  # noqa: ARG002 - all counters are asked alike
        held, total = self.held, self.total
        while held and total - held[0][1] >= self.threshold:  # before this one: a hit tells of its whole first window
            total -= held.popleft()[1]
        held.append((at, weight, signal))
        total += weight
        oldest = at - self.back
        while held[0][0] < oldest:
            total -= held.popleft()[1]
        self.total = total
        return total >= self.threshold

    def kept(self) -> Iterator[tuple[int, int, str, Signal]]:
        return ((at, weight, "", signal) for at, weight, signal in self.held)


class Values:
    __slots__ = ("back", "seen", "threshold")

    def __init__(self, back: int, threshold: int) -> None:
        self.back, self.threshold = back, threshold
        self.seen: dict[str, tuple[int, int, Signal]] = {}  # by latest sighting, the newest last

    def add(self, at: int, weight: int, value: str, part: int, signal: Signal) -> bool:  # noqa: ARG002 - all counters are asked alike
        seen = self.seen
        seen.pop(value, None)
        seen[value] = (at, weight, signal)
        oldest = at - self.back
        while len(seen) > self.threshold or next(iter(seen.values()))[0] < oldest:
            del seen[next(iter(seen))]
        return len(seen) >= self.threshold

    def kept(self) -> Iterator[tuple[int, int, str, Signal]]:
        return ((at, weight, value, signal) for value, (at, weight, signal) in self.seen.items())


class Together:
    __slots__ = ("back", "seen", "threshold")

    def __init__(self, back: int, threshold: int) -> None:
        self.back, self.threshold = back, threshold
        self.seen: dict[int, tuple[int, int, Signal]] = {}

    def add(self, at: int, weight: int, value: str, part: int, signal: Signal) -> bool:  # noqa: ARG002 - all counters are asked alike
        self.seen[part] = (at, weight, signal)
        return sum(one[0] >= at - self.back for one in self.seen.values()) >= self.threshold

    def kept(self) -> Iterator[tuple[int, int, str, Signal]]:
        newest = max((one[0] for one in self.seen.values()), default=0)
        return ((at, w, "", signal) for at, w, signal in self.seen.values() if at >= newest - self.back)


class Ordered:
    """`starts[n]`: the latest start of a sequence of the first n + 1 parts. Equal instants stand in order."""

    __slots__ = ("back", "here", "newest", "seen", "starts")

    def __init__(self, back: int, parts: int) -> None:
        self.back = back
        self.starts: list[int | None] = [None] * parts
        self.newest = -1
        self.here: set[int] = set()
        self.seen: dict[int, tuple[int, int, Signal]] = {}

    def add(self, at: int, weight: int, value: str, part: int, signal: Signal) -> bool:  # noqa: ARG002 - all counters are asked alike
        if part and self.starts[part - 1] is None and at != self.newest:
            self.newest, self.here = at, {part}
            self.seen[part] = (at, weight, signal)
            return False
        if at != self.newest:
            self.newest, self.here = at, set()
        self.here.add(part)
        self.seen[part] = (at, weight, signal)
        for n in sorted(self.here):
            before = at if n == 0 else self.starts[n - 1]
            if before is not None:
                self.starts[n] = max(before, self.starts[n] or before)
        last = self.starts[-1]
        return len(self.starts) - 1 in self.here and last is not None and at - last <= self.back

    def kept(self) -> Iterator[tuple[int, int, str, Signal]]:
        return ((at, w, "", signal) for at, w, signal in self.seen.values() if at >= self.newest - self.back)
