"""Ports that no rule tells apart share an answer: 65535 of them fall into a few classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

from gatepost.firewall.proving.regions import HIGHEST_PORT, Region

UNTOLD = 0  # the kind of ports that no rule mentions


@dataclass(frozen=True, slots=True)
class PortClass:
    """Neighbouring ports first .. last. Classes of one `kind` are treated alike by every rule."""

    first: int
    last: int
    kind: int


def port_classes(told_apart: Iterable[Region], cuts: Iterable[int] = ()) -> list[PortClass]:
    """All ports from 1 up, in order. `cuts` are ports that stand alone whatever the rules say."""
    changes: dict[int, int] = {1: 0}
    for n, region in enumerate(told_apart):
        name = _name(n)
        for low, high in region.pairs():
            for at in (max(low, 1), high + 1):
                changes[at] = changes.get(at, 0) ^ name
    for port in cuts:
        changes.setdefault(max(port, 1), 0)
        changes.setdefault(port + 1, 0)
    return list(_between(changes))


def kind_of(classes: Iterable[PortClass], port: int) -> int:
    return next((one.kind for one in classes if one.first <= port <= one.last), UNTOLD)


def _between(changes: dict[int, int]) -> Iterator[PortClass]:
    starts = sorted(at for at in changes if at <= HIGHEST_PORT)
    kind = UNTOLD
    for at, following in zip(starts, [*starts[1:], HIGHEST_PORT + 1], strict=True):
        kind ^= changes[at]
        yield PortClass(at, following - 1, kind)


def _name(number: int) -> int:
    """Sets of these are told apart by their exclusive or; 128 bits make a mix-up impossible in practice."""
    return int.from_bytes(blake2b(number.to_bytes(8, "big"), digest_size=16).digest(), "big")
