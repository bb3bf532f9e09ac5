"""Chance that is quick and can be repeated: one seed, one run."""

from __future__ import annotations

import string
from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")
SESSION = string.ascii_letters + string.digits + "+/"
QUEUE = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"  # long queue ids of Postfix have no vowels
POOL = 1 << 20


class Dice:
    """Letters are cut out of one long run of random ones, which costs a tenth of drawing each."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - nothing here is a secret
        self.chance = self.random.random
        self._letters = "".join(self.random.choices(SESSION, k=POOL))
        self._queue = "".join(self.random.choices(QUEUE, k=POOL))

    def below(self, limit: int) -> int:
        return int(self.chance() * limit)

    def pick(self, among: Sequence[T]) -> T:
        return among[int(self.chance() * len(among))]

    def letters(self, count: int) -> str:
        at = int(self.chance() * (POOL - count))
        return self._letters[at : at + count]

    def queue(self) -> str:
        at = int(self.chance() * (POOL - 14))
        return f"{self._queue[at : at + 11]}z{self._queue[at + 11 : at + 14]}"
