"""What stands behind a hit, added up signal by signal and bounded."""

from __future__ import annotations

from collections import deque

from gatepost.model.alert import Proof
from gatepost.model.event import Signal

LISTED = 1000  # values of one list; what is beyond is not listed
PROOFS = 3  # at each end
FIELDS = ("client", "user", "service", "host")


class Tally:
    __slots__ = ("first", "firsts", "lasts", "lists", "signals", "values")

    def __init__(self) -> None:
        self.first: int | None = None
        self.signals = 0
        self.values: set[str] = set()
        self.lists: tuple[set[str], ...] = (set(), set(), set(), set())
        self.firsts: list[Signal] = []
        self.lasts: deque[Signal] = deque(maxlen=PROOFS)

    def add(self, at: int, weight: int, value: str, signal: Signal) -> None:
        if self.first is None or at < self.first:
            self.first = at
        self.signals += weight
        if value:
            self.values.add(value)
        for held, name in zip(self.lists, FIELDS, strict=True):
            if len(held) < LISTED and (one := getattr(signal, name)):
                held.add(one)
        if len(self.firsts) < PROOFS:
            self.firsts.append(signal)
        else:
            self.lasts.append(signal)

    def join(self, later: Tally) -> None:
        self.first = later.first if self.first is None else self.first
        self.signals += later.signals
        self.values |= later.values
        for held, more in zip(self.lists, later.lists, strict=True):
            held.update(sorted(more)[: LISTED - len(held)])
        for signal in (*later.firsts, *later.lasts):
            if len(self.firsts) < PROOFS:
                self.firsts.append(signal)
            else:
                self.lasts.append(signal)

    def proofs(self) -> tuple[Proof, ...]:
        return tuple(
            Proof(s.at, s.host, s.service, s.act, s.client, s.user, s.cause, s.source, s.offset)
            for s in (*self.firsts, *self.lasts)
        )
