"""For every address: what may become of a packet from (or to) it.

The space of addresses is cut into pieces; each has a mark, a set of possible outcomes as bits. Where one bit is set
the outcome is proved; where several are, an unreadable match decides between them. Rules are laid on from the last to
the first, so what is laid later wins: a readable rule replaces what is below it, an unreadable one only adds to it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping

from gatepost.firewall.proving.regions import Region

ACCEPT = 1
DROP = 2
FALL = 4  # off the end of a chain, or `return`
ON = 8  # past the end of a run of rules inside a chain
_UNTRACK = 4  # how far the same outcomes are shifted once conntrack was told to keep its hands off
UNTRACKED_ACCEPT = ACCEPT << _UNTRACK
UNTRACKED_FALL = FALL << _UNTRACK
UNTRACKED_ON = ON << _UNTRACK
_MOVING = ACCEPT | FALL | ON
LOST = 1 << 8  # whatever comes later: nobody can say, not even where the packet goes
FIRST_TRANSLATION = 9  # bits from here on: translations of the destination

_FEW = 48  # intervals: above that, one sweep over all is quicker than one cut each


def untracked(mark: int) -> int:
    return (mark & ~_MOVING) | ((mark & _MOVING) << _UNTRACK)


class Fates:
    """`starts[n]` is the first address with `marks[n]`; the last piece ends at `top`."""

    __slots__ = ("marks", "starts", "top")

    def __init__(self, top: int, mark: int) -> None:
        self.top = top
        self.starts = [0]
        self.marks = [mark]

    def __len__(self) -> int:
        return len(self.starts)

    def at(self, number: int) -> int:
        return self.marks[bisect_right(self.starts, number) - 1]

    def where(self, wanted: Callable[[int], bool]) -> Region:
        lo: list[int] = []
        hi: list[int] = []
        for start, end, mark in self.pieces():
            if wanted(mark):
                if hi and hi[-1] == start - 1:
                    hi[-1] = end
                else:
                    lo.append(start)
                    hi.append(end)
        return Region(tuple(lo), tuple(hi))

    def pieces(self) -> Iterable[tuple[int, int, int]]:
        ends = [*(s - 1 for s in self.starts[1:]), self.top]
        return zip(self.starts, ends, self.marks, strict=True)

    def paint(self, region: Region, mark: int) -> None:
        """Nothing else is possible there."""
        self.change(region, lambda _: mark)

    def add(self, region: Region, mark: int) -> None:
        """Possible there as well."""
        self.change(region, lambda old: old | mark)

    def change(self, region: Region, to: Callable[[int], int]) -> None:
        if len(region) <= _FEW:
            for lo, hi in region.pairs():
                self._change(lo, hi, to)
        else:
            self._take(_sweep(self, region, to))

    def lay(self, region: Region, above: Fates, *, keep: bool) -> None:
        """What `above` says, within the region; with `keep` on top of what is there."""
        if len(region) <= _FEW:
            for lo, hi in region.pairs():
                self._lay(lo, hi, above, keep=keep)
            return
        inside = Fates(self.top, 0)
        inside.change(region, lambda _: 1)
        self._take(merged((self, above, inside), lambda m: (m[1] | (m[0] if keep else 0)) if m[2] else m[0], self.top))

    def then(self, follow: Mapping[int, Fates]) -> Fates:
        """Each outcome that is a key goes on as its value says, address by address; the others stay.

        What comes back may be one of those that went in: not to be changed.
        """
        moving = 0
        for bit in follow:
            moving |= bit
        if len(self.marks) == 1 and (not self.marks[0] & moving or self.marks[0] in follow):
            return follow.get(self.marks[0], self)
        out = Fates(self.top, 0)
        out.starts, out.marks = [], []
        for start, end, mark in self.pieces():
            if not mark & moving:
                out._append(start, mark)
                continue
            ways = _ways(mark & moving, follow)
            rest = mark & ~moving
            if len(ways) == 1:
                out._copy(ways[0], start, end, rest)
            else:
                for a, m in _cut(ways, start, end):
                    out._append(a, m | rest)
        return out

    def marked(self, to: Callable[[int], int]) -> Fates:
        """The same with every mark changed; itself where none does. Not to be changed."""
        changes = {mark: to(mark) for mark in set(self.marks)}
        if all(mark == changed for mark, changed in changes.items()):
            return self
        out = Fates(self.top, 0)
        out.starts, out.marks = [], []
        for start, mark in zip(self.starts, self.marks, strict=True):
            out._append(start, changes[mark])
        return out

    def copy(self) -> Fates:
        out = Fates(self.top, 0)
        out.starts, out.marks = self.starts[:], self.marks[:]
        return out

    def _take(self, other: Fates) -> None:
        self.starts, self.marks = other.starts, other.marks

    def _append(self, start: int, mark: int) -> None:
        if not self.marks or self.marks[-1] != mark:
            self.starts.append(start)
            self.marks.append(mark)

    def _copy(self, other: Fates, start: int, end: int, more: int) -> None:
        at = bisect_right(other.starts, start) - 1
        self._append(start, other.marks[at] | more)
        at += 1
        while at < len(other.starts) and other.starts[at] <= end:
            self._append(other.starts[at], other.marks[at] | more)
            at += 1

    def _change(self, lo: int, hi: int, to: Callable[[int], int]) -> None:
        starts, marks = self.starts, self.marks
        first = bisect_right(starts, lo) - 1
        last = bisect_right(starts, hi, first)  # first .. last - 1 are touched
        new_starts: list[int] = []
        new_marks: list[int] = []
        if starts[first] < lo:
            new_starts.append(starts[first])
            new_marks.append(marks[first])
        for at in range(first, last):
            mark = to(marks[at])
            if not new_marks or new_marks[-1] != mark:
                new_starts.append(max(starts[at], lo))
                new_marks.append(mark)
        self._replace(first, last, hi, new_starts, new_marks)

    def _lay(self, lo: int, hi: int, above: Fates, *, keep: bool) -> None:
        first = bisect_right(self.starts, lo) - 1
        last = bisect_right(self.starts, hi, first)
        piece = Fates(self.top, 0)
        piece.starts, piece.marks = [], []
        if self.starts[first] < lo:
            piece._append(self.starts[first], self.marks[first])
        if keep:
            for a, m in _cut((self, above), lo, hi):
                piece._append(a, m)
        else:
            piece._copy(above, lo, hi, 0)
        self._replace(first, last, hi, piece.starts, piece.marks)

    def _replace(self, first: int, last: int, hi: int, starts: list[int], marks: list[int]) -> None:
        """Pieces first .. last - 1 give way; what the last of them had behind `hi` stays."""
        end = self.starts[last] - 1 if last < len(self.starts) else self.top
        if end > hi and self.marks[last - 1] != marks[-1]:
            starts.append(hi + 1)
            marks.append(self.marks[last - 1])
        elif last < len(self.starts) and self.marks[last] == marks[-1]:
            last += 1  # the next piece becomes one with ours
        if first and self.marks[first - 1] == marks[0]:
            del starts[0], marks[0]
        self.starts[first:last] = starts
        self.marks[first:last] = marks


def _ways(bits: int, follow: Mapping[int, Fates]) -> list[Fates]:
    """One bit after the other: with thousands of translations most pieces have just one."""
    found = []
    while bits:
        lowest = bits & -bits
        found.append(follow[lowest])
        bits ^= lowest
    return found


def merged(layers: tuple[Fates, ...], to: Callable[[tuple[int, ...]], int], top: int) -> Fates:
    """One from several: `to` makes a mark of theirs at each place."""
    out = Fates(top, 0)
    out.starts, out.marks = [], []
    positions = [0] * len(layers)
    for start in sorted({s for layer in layers for s in layer.starts}):
        for n, layer in enumerate(layers):
            at = positions[n]
            if at + 1 < len(layer.starts) and layer.starts[at + 1] <= start:
                positions[n] = at + 1
        out._append(start, to(tuple(layer.marks[at] for layer, at in zip(layers, positions, strict=True))))  # noqa: SLF001 - our own
    return out


def _sweep(below: Fates, region: Region, to: Callable[[int], int]) -> Fates:
    """Both lists once, from left to right."""
    out = Fates(below.top, 0)
    out.starts, out.marks = [], []
    intervals = list(region.pairs())
    at, count = 0, len(intervals)
    for start, end, mark in below.pieces():
        position = start
        while at < count and intervals[at][0] <= end:
            lo, hi = intervals[at]
            if lo > position:
                out._append(position, mark)  # noqa: SLF001 - our own
            out._append(max(lo, position), to(mark))  # noqa: SLF001 - our own
            position = hi + 1
            if hi > end:
                break
            at += 1
        if position <= end:
            out._append(position, mark)  # noqa: SLF001 - our own
    return out


def _cut(layers: Iterable[Fates], lo: int, hi: int) -> Iterable[tuple[int, int]]:
    """Starts and united marks of several within lo .. hi."""
    parts = []
    for layer in layers:
        first = bisect_right(layer.starts, lo) - 1
        last = bisect_left(layer.starts, hi + 1)
        parts.append((layer.starts[first:last], layer.marks[first:last]))
    cuts = sorted({max(start, lo) for starts, _ in parts for start in starts})
    for cut in cuts:
        mark = 0
        for starts, marks in parts:
            mark |= marks[bisect_right(starts, cut) - 1]
        yield cut, mark
