"""Sets of addresses or ports as sorted, disjoint, inclusive intervals of whole numbers.

Quick at what a proof does a million times: intersections of a small set with a large one, and unions of many.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, summarize_address_range

from gatepost.model.flows import Network

TOP = {4: (1 << 32) - 1, 6: (1 << 128) - 1}
HIGHEST_PORT = (1 << 16) - 1

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Region:
    """`lo` and `hi` are the ends of the intervals, in order, never touching one another."""

    lo: tuple[int, ...] = ()
    hi: tuple[int, ...] = ()

    @staticmethod
    def of(pairs: Iterable[Pair]) -> Region:
        lo: list[int] = []
        hi: list[int] = []
        last = -2
        for a, b in sorted(pairs):
            if a <= last + 1:
                if b > last:
                    hi[-1] = last = b
            else:
                lo.append(a)
                hi.append(b)
                last = b
        return Region(tuple(lo), tuple(hi))

    def pairs(self) -> Iterator[Pair]:
        return zip(self.lo, self.hi, strict=True)

    def __bool__(self) -> bool:
        return bool(self.lo)

    def __len__(self) -> int:
        return len(self.lo)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self.lo, number) - 1
        return at >= 0 and self.hi[at] >= number

    def __and__(self, other: Region) -> Region:
        small, large = (self, other) if len(self.lo) <= len(other.lo) else (other, self)
        if len(small.lo) == 1:
            return large.between(small.lo[0], small.hi[0])
        if len(small.lo) * 8 > len(large.lo):
            return _zipped(small, large)
        lo: list[int] = []
        hi: list[int] = []
        ends, starts, count = large.hi, large.lo, len(large.lo)
        for a, b in small.pairs():
            at = bisect_left(ends, a)
            while at < count and starts[at] <= b:
                lo.append(max(a, starts[at]))
                hi.append(min(b, ends[at]))
                at += 1
        return Region(tuple(lo), tuple(hi))

    def between(self, low: int, high: int) -> Region:
        first, last = bisect_left(self.hi, low), bisect_right(self.lo, high)
        if first >= last:
            return EMPTY
        if last - first == len(self.lo) and self.lo[0] >= low and self.hi[-1] <= high:
            return self
        lo, hi = self.lo[first:last], self.hi[first:last]
        return Region((max(lo[0], low), *lo[1:]), (*hi[:-1], min(hi[-1], high)))

    def __or__(self, other: Region) -> Region:
        if not other.lo:
            return self
        if not self.lo:
            return other
        return Region.of([*self.pairs(), *other.pairs()])

    def __sub__(self, other: Region) -> Region:
        if not other.lo or not self.lo:
            return self
        return self & other.complement(self.hi[-1])

    def complement(self, top: int) -> Region:
        """Everything from 0 to `top` that is not in here."""
        lo: list[int] = []
        hi: list[int] = []
        start = 0
        for a, b in self.pairs():
            if a > top:
                break
            if a > start:
                lo.append(start)
                hi.append(a - 1)
            start = b + 1
        if start <= top:
            lo.append(start)
            hi.append(top)
        return Region(tuple(lo), tuple(hi))

    def size(self) -> int:
        return sum(b - a + 1 for a, b in self.pairs())

    def without_gaps(self, unimportant: Region, top: int) -> Region:
        """The same where it matters, in fewer pieces: a part that is unimportant goes with what surrounds it."""
        if not self or not unimportant:
            return self
        bare = self - unimportant
        fill = [
            (a, b)
            for a, b in unimportant.pairs()
            if (a == 0 or a - 1 in bare) and (b >= top or b + 1 in bare) and (a > 0 or b < top)
        ]
        return bare | Region(tuple(a for a, _ in fill), tuple(b for _, b in fill))


def _zipped(one: Region, other: Region) -> Region:
    """Intersection in one pass over both."""
    lo: list[int] = []
    hi: list[int] = []
    at, los, his, count = 0, other.lo, other.hi, len(other.lo)
    for a, b in one.pairs():
        while at < count and his[at] < a:
            at += 1
        while at < count and los[at] <= b:
            low, high = los[at], his[at]
            lo.append(low if low > a else a)  # noqa: FURB136 - twice as quick as max here
            hi.append(high if high < b else b)  # noqa: FURB136 - likewise
            if high > b:
                break
            at += 1
    return Region(tuple(lo), tuple(hi))


EMPTY = Region()
EVERYWHERE = {family: Region((0,), (top,)) for family, top in TOP.items()}
EVERY_PORT = Region((0,), (HIGHEST_PORT,))


def of_networks(networks: Iterable[Network]) -> Region:
    """Of networks of one family, in any order, nested or not."""
    return Region.of((int(n.network_address), int(n.broadcast_address)) for n in networks)


def networks(region: Region, family: int) -> Iterator[Network]:
    """The fewest networks that make up the region, in order of addresses."""
    for a, b in region.pairs():
        if family == 4:
            yield from summarize_address_range(IPv4Address(a), IPv4Address(b))
        else:
            yield from summarize_address_range(IPv6Address(a), IPv6Address(b))


def prefixes(region: Region, family: int, most: int) -> tuple[tuple[str, ...], int]:
    """The largest networks first, at most so many, and how many were left out (none when it had to guess a lot)."""
    cut = Region(region.lo[: 16 * most], region.hi[: 16 * most])
    found = sorted(networks(cut, family), key=lambda n: (n.prefixlen, int(n.network_address)))
    left = len(found) - most + len(region) - len(cut)
    return tuple(map(str, found[:most])), max(left, 0)


def address(number: int, family: int) -> str:
    return str(IPv4Address(number) if family == 4 else IPv6Address(number))


def _spread(*texts: str) -> dict[int, Region]:
    read = [IPv6Network(t) if ":" in t else IPv4Network(t) for t in texts]
    return {family: of_networks(n for n in read if n.version == family) for family in (4, 6)}


# No packet from outside with such a source gets past the kernel, whatever the rules say (ip_route_input, ip6_rcv).
MARTIAN = _spread(
    "0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32", "::/127", "::ffff:0:0/96", "ff00::/8"
)
MULTICAST = _spread("224.0.0.0/4", "ff00::/8")
LINK_LOCAL = _spread("169.254.0.0/16", "fe80::/10")
LOOPBACK = _spread("127.0.0.0/8", "::1/128")
