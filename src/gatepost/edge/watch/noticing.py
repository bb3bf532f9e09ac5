"""From rows of events to alerts, as lines come: signals, rules that fire live, and hits folded into alerts.

It outlives a change of the declaration, so that no attack goes unseen because somebody edited a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from operator import attrgetter

from gatepost.detect.folding import Folder, Login, by_place
from gatepost.detect.live import LATE, Live
from gatepost.detect.rule import Rule
from gatepost.edge.watch.callers import Callers
from gatepost.edge.watch.homes import LoggedIn
from gatepost.logs.signalling import Signaller
from gatepost.model.alert import Alert, Hit
from gatepost.model.event import MICROSECONDS, Act, Event, Signal

HITS = 20_000  # that are folded together
REMEMBERED = 86400 * MICROSECONDS
_ALERT = attrgetter("id", "last", "count", "severity", "response", "blockable", "succeeded")


@dataclass(slots=True)
class Noticing:
    """`homes` are logins seen here; those of before come from the lake."""

    rules: tuple[Rule, ...]
    signaller: Signaller = field(default_factory=Signaller)
    live: Live = field(init=False)
    folder: Folder = field(init=False)
    hits: dict[tuple[object, ...], Hit] = field(default_factory=dict)
    homes: LoggedIn = field(default_factory=LoggedIn)
    callers: Callers = field(default_factory=Callers)
    told: dict[str, tuple[object, ...]] = field(default_factory=dict)
    fresh: bool = False
    clock: int = 0

    def __post_init__(self) -> None:
        self.live, self.folder = Live(self.rules), Folder(self.rules)

    def ruled_by(self, rules: tuple[Rule, ...]) -> None:
        """Other rules begin anew; the connections and what was found stay."""
        if rules != self.rules:
            self.rules, self.live, self.folder = rules, Live(rules), Folder(rules)

    def take(self, events: Iterable[Event], now: int) -> Iterator[Signal]:
        """Every signal, once the rules have seen it. One from the future happened now, or all others would be late."""
        self._keep_time(now)
        for event in events:
            for told in self.signaller.feed(event):
                signal = told if told.at <= now + LATE else replace(told, at=now)
                self._count(signal)
                for hit in self.live.feed(signal):
                    self.add(hit)
                yield signal

    def warm(self, signals: Iterable[Signal], now: int) -> None:
        """What was seen before a restart goes on counting, and is not told again."""
        for signal in signals:
            self._count(signal)
            for hit in self.live.feed(signal):
                self.add(hit)
        self.alerts(now)

    def add(self, hit: Hit) -> None:
        """One that goes on replaces its earlier self."""
        self.hits[hit.rule, hit.group, hit.first] = hit
        self.fresh = True

    def alerts(self, now: int, logins: Iterable[Login] = ()) -> tuple[Alert, ...]:
        """Those that are new or have grown since they were asked for."""
        self.fresh = False
        self._forget(now)
        before = by_place(logins)
        found = self.folder.fold(self.hits.values(), lambda where: (*self.homes.of(where), *before(where)))
        grown = tuple(one for one in found if self.told.get(one.id) != _ALERT(one))
        self.told = {one.id: _ALERT(one) for one in found}
        return grown

    def seen(self) -> frozenset[str]:
        """Clients of all hits: whose history of logins is asked for."""
        return frozenset(client for hit in self.hits.values() for client in hit.clients)

    def together(self) -> str:
        """A sentence when all clients of a service have one inner address."""
        return self.callers.together()

    def _keep_time(self, now: int) -> None:
        """After the clock of this machine was put back every line would be late: the rules begin anew."""
        if now < self.clock - LATE:
            self.live = Live(self.rules)
        self.clock = now

    def _count(self, signal: Signal) -> None:
        if not signal.client:
            return
        self.callers.count(signal.service, signal.client)
        if signal.act is Act.LOGIN:
            self.homes.take(signal)

    def _forget(self, now: int) -> None:
        """When there are too many, a tenth goes at once: sorting them takes time."""
        gone = [key for key, hit in self.hits.items() if hit.last < now - REMEMBERED]
        if len(self.hits) - len(gone) > HITS:
            gone = sorted(self.hits, key=lambda key: self.hits[key].last)[: len(self.hits) - HITS * 9 // 10]
        for key in gone:
            del self.hits[key]
