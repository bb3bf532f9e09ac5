"""Sets of addresses of one family as sorted, disjoint, inclusive spans of numbers: quick to look up and to subtract."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network

from gatepost.model.flows import Network

Spans = tuple[tuple[int, int], ...]


def spans(networks: Iterable[Network]) -> Spans:
    """Of networks of one family, in any order, nested or not."""
    found: list[tuple[int, int]] = []
    for low, high in sorted((int(n.network_address), int(n.broadcast_address)) for n in networks):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return tuple(found)


def holds(whole: Spans, number: int) -> bool:
    at = bisect_right(whole, (number, 1 << 128)) - 1
    return at >= 0 and whole[at][1] >= number


def minus(whole: Spans, taken: Spans) -> Spans:
    return tuple(_left(whole, taken))


def _left(whole: Spans, taken: Spans) -> Iterator[tuple[int, int]]:
    for low, high in whole:
        start = low
        for first, last in taken[max(bisect_right(taken, (low, 1 << 128)) - 1, 0) :]:
            if first > high:
                break
            if first > start:
                yield start, first - 1
            start = max(start, last + 1)
        if start <= high:
            yield start, high


def within(network: Network, allowed: Iterable[Network]) -> bool:
    """Whether the allowed networks together hold all of it."""
    return not minus(spans((network,)), spans(n for n in allowed if n.version == network.version))


def prefixes(whole: Spans, family: int) -> tuple[Network, ...]:
    """The fewest networks that make up the same addresses."""
    return tuple(network for low, high in whole for network in _summed(low, high, family))


def _summed(low: int, high: int, family: int) -> Iterator[Network]:
    """Each time the largest block that begins here: its size divides the address and fits into what is left."""
    bits = 128 if family == 6 else 32
    while low <= high:
        aligned = (low & -low).bit_length() - 1 if low else bits
        size = min(aligned, (high - low + 1).bit_length() - 1)
        yield IPv6Network((low, bits - size)) if family == 6 else IPv4Network((low, bits - size))
        low += 1 << size
