"""Who logged in from where since the watch began: nobody is shut out from where they work."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field

from gatepost.detect.folding import Login, place
from gatepost.model.event import Signal

MOST = 200_000  # logins; those that were silent longest are forgotten


@dataclass(slots=True)
class LoggedIn:
    """`of` asks for one place, because alerts ask for few places and there are many logins."""

    known: OrderedDict[tuple[str, str], Login] = field(default_factory=OrderedDict)
    places: dict[str, dict[tuple[str, str], Login]] = field(default_factory=dict)

    def take(self, signal: Signal) -> None:
        key = signal.client, signal.user
        before = self.known.pop(key, None)
        first = min(before.first, signal.at) if before else signal.at
        self.known[key] = Login(*key, first, max(before.last, signal.at) if before else signal.at)
        self.places.setdefault(place(signal.client), {})[key] = self.known[key]
        if len(self.known) > MOST:
            self._forget()

    def of(self, where: str) -> Collection[Login]:
        return self.places.get(where, {}).values()

    def values(self) -> Collection[Login]:
        return self.known.values()

    def _forget(self) -> None:
        key, _ = self.known.popitem(last=False)
        where = place(key[0])
        del self.places[where][key]
        if not self.places[where]:
            del self.places[where]
