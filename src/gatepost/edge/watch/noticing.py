"""From rows of events to alerts, as lines come: signals, rules that fire live, and hits folded into alerts.

It outlives a change of the declaration, so that no attack goes unseen because somebody edited a file.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from ipaddress import ip_network
from operator import attrgetter

import pyarrow as pa

from gatepost.detect.folding import Login, fold
from gatepost.detect.live import Live
from gatepost.detect.rule import Rule
from gatepost.logs.clients import one_client
from gatepost.logs.signalling import Signaller
from gatepost.model.alert import Alert, Hit
from gatepost.model.event import MICROSECONDS, Act, Cover, Event, Kind, Result, Signal
from gatepost.watching.spared import hides

HITS = 20_000  # that are folded together
REMEMBERED = 86400 * MICROSECONDS
HOMES = 200_000  # logins
CLIENTS = 20_000  # counted to see whether they are all one
_NAMES = tuple(one.name for one in fields(Event))
_ALERT = attrgetter("id", "last", "count", "severity", "response", "blockable", "succeeded")


@dataclass(slots=True)
class Noticing:
    """`homes` are logins seen here; those of before come from the lake."""

    rules: tuple[Rule, ...]
    signaller: Signaller = field(default_factory=Signaller)
    live: Live = field(init=False)
    hits: dict[tuple[object, ...], Hit] = field(default_factory=dict)
    homes: OrderedDict[tuple[str, str], Login] = field(default_factory=OrderedDict)
    clients: Counter[tuple[str, str]] = field(default_factory=Counter)
    told: dict[str, tuple[object, ...]] = field(default_factory=dict)
    fresh: bool = False

    def __post_init__(self) -> None:
        self.live = Live(self.rules)

    def ruled_by(self, rules: tuple[Rule, ...]) -> None:
        """Other rules begin anew; the connections and what was found stay."""
        if rules != self.rules:
            self.rules, self.live = rules, Live(rules)

    def take(self, events: Iterable[Event]) -> Iterator[Signal]:
        """Every signal, once the rules have seen it."""
        for event in events:
            for signal in self.signaller.feed(event):
                self._count(signal)
                for hit in self.live.feed(signal):
                    self.add(hit)
                yield signal

    def add(self, hit: Hit) -> None:
        """One that goes on replaces its earlier self."""
        self.hits[hit.rule, hit.group, hit.first] = hit
        self.fresh = True

    def alerts(self, now: int, logins: Iterable[Login] = ()) -> tuple[Alert, ...]:
        """Those that are new or have grown since they were asked for."""
        self.fresh = False
        self._forget(now)
        found = fold(self.hits.values(), self.rules, (*self.homes.values(), *logins))
        grown = tuple(one for one in found if self.told.get(one.id) != _ALERT(one))
        self.told = {one.id: _ALERT(one) for one in found}
        return grown

    def seen(self) -> frozenset[str]:
        """Clients of all hits: whose history of logins is asked for."""
        return frozenset(client for hit in self.hits.values() for client in hit.clients)

    def together(self) -> str:
        """A sentence when all clients of a service have one inner address; public ones may just be attacking."""
        by_service: dict[str, Counter[str]] = {}
        for (service, client), count in self.clients.items():
            by_service.setdefault(service, Counter())[client] += count
        for service, counted in sorted(by_service.items()):
            foremost = counted.most_common(1)[0][0]
            said = one_client((service, client, count) for client, count in counted.items())
            if said and hides(ip_network(foremost)):
                return said[0]
        return ""

    def _count(self, signal: Signal) -> None:
        if signal.client and (len(self.clients) < CLIENTS or (signal.service, signal.client) in self.clients):
            self.clients[signal.service, signal.client] += 1
        if signal.act is not Act.LOGIN or not signal.client:
            return
        key = (signal.client, signal.user)
        before = self.homes.pop(key, None)
        first = before.first if before else signal.at
        self.homes[key] = Login(signal.client, signal.user, min(first, signal.at), signal.at)
        if len(self.homes) > HOMES:
            self.homes.popitem(last=False)

    def _forget(self, now: int) -> None:
        old = [key for key, hit in self.hits.items() if hit.last < now - REMEMBERED]
        over = sorted(self.hits, key=lambda key: self.hits[key].last)[: max(0, len(self.hits) - HITS)]
        for key in {*old, *over}:
            del self.hits[key]


def events(table: pa.Table) -> Sequence[Event]:
    """The rows as the signaller takes them."""
    names = {"kind": Kind, "result": Result, "cover": Cover}
    columns = []
    for name in _NAMES:
        column = table.column(name)
        values = column.cast(pa.int64()).to_pylist() if pa.types.is_timestamp(column.type) else column.to_pylist()
        columns.append([names[name](value) for value in values] if name in names else values)
    return [Event(*row) for row in zip(*columns, strict=True)]
