"""What the records behind a domain cost a receiver that finds no match and so evaluates everything.

Look-ups are counted as RFC 7208 section 4.6.4 does: one for each include, a, mx, ptr, exists and redirect that is
reached. A void look-up is one that is empty whatever the client: a name with neither A nor AAAA, no MX, no A behind
exists. Names with addresses of one family only are void for clients of the other; that is told apart.
"""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.records.spf.evaluate import MOST_LOOKUPS, MOST_VOIDS
from gatepost.records.spf.lint import Remark, Weight, advice, permerror, problem

FAMILIES = (4, 6)


class Costs:
    def __init__(self) -> None:
        self.lookups = 0
        self.voids = 0
        self._over = ""  # the term that is one look-up too many
        self._void: list[str] = []
        self._empty: dict[int, list[str]] = {family: [] for family in FAMILIES}  # names, by the family of the client
        self._late: dict[int, str] = {}  # the first term that lets a family send after too many void look-ups

    def spend(self, term: str) -> Iterator[Remark]:
        self.lookups += 1
        if self.lookups == MOST_LOOKUPS + 1:
            self._over = term
            yield Remark(Weight.TELLING, f"only {MOST_LOOKUPS} look-ups are allowed: receivers stop here")

    def void(self, name: str, lacks: str, *families: int) -> Iterator[Remark]:
        """`families`: the clients whose receiver gets an empty answer."""
        for family in families:
            self._empty[family].append(name)
        if families != FAMILIES:
            return
        self.voids += 1
        self._void.append(f"{name} has no {lacks}")
        over = f"; only {MOST_VOIDS} are allowed: receivers stop here" if self.voids == MOST_VOIDS + 1 else ""
        yield Remark(Weight.TELLING if self.voids > MOST_VOIDS else Weight.ADVICE, f"void: {name} has no {lacks}{over}")

    def admitted(self, family: int, term: str) -> None:
        """`term` lets clients of a family send, if their receiver still gets there."""
        if len(self._empty[family]) > MOST_VOIDS:
            self._late.setdefault(family, term)

    def summed_up(self, ending: str) -> Iterator[Remark]:
        """`ending` is what meets clients that nothing matches."""
        if self.lookups > MOST_LOOKUPS:
            needed = f"{self.lookups} DNS look-ups are needed and {MOST_LOOKUPS} allowed"
            yield permerror(f"{needed}: receivers stop at {self._over} with permerror")
        if self.voids > MOST_VOIDS:
            names = ", ".join(dict.fromkeys(self._void))
            yield permerror(f"{self.voids} look-ups are void and {MOST_VOIDS} allowed: {names}")
            return
        for family in FAMILIES:
            if len(self._empty[family]) > MOST_VOIDS:
                yield self._one_family(family, ending)

    def _one_family(self, family: int, ending: str) -> Remark:
        names = ", ".join(dict.fromkeys(self._empty[family]))
        void = (
            f"for IPv{family} clients {len(self._empty[family])} look-ups are void ({names}) and {MOST_VOIDS} allowed"
        )
        if late := self._late.get(family):
            return problem(f"{void}: strict receivers answer permerror before they reach {late}")
        return advice(f"{void}: strict receivers answer permerror in place of {ending or 'neutral'}")
