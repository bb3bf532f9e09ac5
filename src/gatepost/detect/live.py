"""The same rules, line by line: what fires, fires at the signal that makes it fire.

Exact in what fires and when: which groups, at which instant, until when. It differs from `sql` on purpose in two
things. A signal that comes late, by at most `LATE`, counts as if it had come at the newest instant of its group: the
lines of two hosts arrive in no order. And what a hit lists is bounded: of a rule that counts values only the latest
sighting of each value before the threshold stands behind it, lists end at a thousand, and groups that were quiet for
longest make room when there are too many (`crowded` counts them).

Rules with windows of a day and more, and those that compare with history, are left to SQL over the lake: `Rule.live`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from operator import attrgetter

from gatepost.detect.condition import function
from gatepost.detect.counters import Counter, counter
from gatepost.detect.rule import All, Any, Comparison, Counting, Not, Predicate, Rule, Selection, Test
from gatepost.detect.tally import Tally
from gatepost.model.alert import Hit
from gatepost.model.event import MICROSECONDS, Act, Signal

GROUPS = 50_000  # of one rule
LATE = 60 * MICROSECONDS
Take = Callable[[Signal, list[Hit]], None]


class Live:
    """Feed it signals. A hit is told when it begins, each time it has doubled, and as it ended.

    A later hit with the same rule, group and `first` replaces an earlier one.
    """

    def __init__(self, rules: Iterable[Rule], groups: int = GROUPS) -> None:
        self.rules = tuple(rule for rule in rules if rule.live)
        shared: dict[Rule, _Machine] = {}
        self._machines = [_Machine(rule, groups, shared) for rule in sorted(self.rules, key=_depth)]
        takers = [taker for machine in (*shared.values(), *self._machines) for taker in machine.takers()]
        self._acts = {act: _takers(act, takers) for act in Act}

    def feed(self, signal: Signal) -> tuple[Hit, ...]:
        found: list[Hit] = []
        for holds, take in self._acts[signal.act]:
            if holds is None or holds(signal):
                take(signal, found)
        return tuple(found) if found else ()

    def finish(self) -> tuple[Hit, ...]:
        """Every hit that has not ended, as it stands."""
        return tuple(hit for machine in self._machines for hit in machine.standing())

    @property
    def crowded(self) -> int:
        """Groups that were forgotten because there were too many."""
        return sum(machine.crowded for machine in self._machines)

    @property
    def late(self) -> int:
        """Signals that came too late to be counted here; SQL over the lake counts them."""
        return sum(machine.late for machine in self._machines)


def _depth(rule: Rule) -> int:
    return 1 + max((_depth(part) for part in rule.parts if isinstance(part, Rule)), default=0)


def _takers(
    act: Act, takers: Iterable[tuple[Selection, Take]]
) -> tuple[tuple[Callable[[Signal], bool] | None, Take], ...]:
    """Those that a signal of this act can concern; without a question where the act alone decides."""
    decided = ((part, take, _decided(part.where, act)) for part, take in takers)
    return tuple((None if yes else function(part.where), take) for part, take, yes in decided if yes is not False)


def _decided(where: Predicate, act: Act) -> bool | None:
    """Whether the act alone decides, and how."""
    if isinstance(where, Not):
        inner = _decided(where.part, act)
        return None if inner is None else not inner
    if isinstance(where, Test):
        if where.field != "act" or where.how not in {Comparison.EQUAL, Comparison.EXACT, Comparison.EXISTS}:
            return None
        return where.how is Comparison.EXISTS or where.value == act
    answers = {_decided(part, act) for part in where.parts}
    if isinstance(where, All):
        return False if False in answers else None if None in answers else True
    assert isinstance(where, Any)  # noqa: S101 - there are no others
    return True if True in answers else None if None in answers else False


class _Group:
    __slots__ = ("counter", "fired", "newest", "run")

    def __init__(self, counter: Counter, newest: int) -> None:
        self.counter, self.newest = counter, newest
        self.fired = -1
        self.run: _Run | None = None


class _Run:
    """One hit while it lasts. What came after it last fired is `pending`: it counts once the hit goes on."""

    __slots__ = ("last", "pending", "tally", "told")

    def __init__(self, tally: Tally, last: int) -> None:
        self.tally, self.last, self.told = tally, last, tally.signals
        self.pending: Tally | None = None


class _Machine:
    """One rule with all its groups. `fired` is called at each instant a group fires, once."""

    def __init__(self, rule: Rule, limit: int, shared: dict[Rule, _Machine], *, told: bool = True) -> None:
        self.rule, self.limit, self.told = rule, limit, told
        self.fired: list[Callable[[tuple[str, ...], int, Signal, list[Hit]], None]] = []
        self.crowded = self.late = 0
        self._groups: dict[tuple[str, ...], _Group] = {}
        self._back = rule.window * MICROSECONDS
        self._sums = rule.counting is Counting.EVENTS
        for n, part in enumerate(rule.parts):
            if isinstance(part, Rule):
                self._count(part, n, shared)

    def takers(self) -> Iterator[tuple[Selection, Take]]:
        for n, part in enumerate(self.rule.parts):
            if isinstance(part, Selection):
                yield part, self._taker(part, n)

    def _count(self, part: Rule, n: int, shared: dict[Rule, _Machine]) -> None:
        """Rules that count the same rule share its counters. Parts stand before those that count them."""
        plain = replace(part, fields=())
        if plain not in shared:
            machine = _Machine(plain, self.limit, shared, told=False)
            shared[plain] = machine
        places = [part.groups.index(field) for field in part.fields]
        counted = part.groups.index(self.rule.value) if self.rule.value in part.groups else None

        def fired(group: tuple[str, ...], at: int, signal: Signal, found: list[Hit]) -> None:
            value = group[counted] if counted is not None else ""
            if value or not self.rule.value:
                self.add(tuple(group[k] for k in places), at, 1, value, n, signal, found)

        shared[plain].fired.append(fired)

    def _taker(self, part: Selection, n: int) -> Take:
        key = _key(part.fields)
        value = attrgetter(self.rule.value) if self.rule.value else None
        sums, add = self._sums, self.add

        def take(signal: Signal, found: list[Hit]) -> None:
            group = key(signal)
            if group is None or (sums and signal.amount < 1):
                return
            counted = value(signal) if value is not None else ""
            if value is None or counted not in {"", None}:
                add(group, signal.at, max(signal.amount, 1), str(counted), n, signal, found)

        return take

    def add(
        self, key: tuple[str, ...], at: int, weight: int, value: str, part: int, signal: Signal, found: list[Hit]
    ) -> None:
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= self.limit:
                self._make_room(at, found)
            group = self._groups[key] = _Group(counter(self.rule), at)
        elif at > group.newest:
            group.newest = at
        elif group.newest - at > LATE:
            self.late += 1
            return
        else:
            at = group.newest
        fires = group.counter.add(at, weight, value, part, signal)
        if group.run is not None and at - group.run.last > self._back:
            self._told(key, group.run, found)
            group.run = None
        if self.told and (group.run is not None or fires):
            self._go_on(key, group, at, weight, value, signal, found, fires=fires)
        if fires and group.fired != at:
            group.fired = at
            for tell in self.fired:
                tell(key, at, signal, found)

    def _go_on(
        self,
        key: tuple[str, ...],
        group: _Group,
        at: int,
        weight: int,
        value: str,
        signal: Signal,
        found: list[Hit],
        *,
        fires: bool,
    ) -> None:
        run = group.run
        if run is None:
            run = group.run = _Run(Tally(), at)
            for kept in group.counter.kept():
                run.tally.add(*kept)
            run.told = run.tally.signals
            self._told(key, run, found)
            return
        if not fires:
            run.pending = run.pending or Tally()
            run.pending.add(at, weight, value, signal)
            return
        if run.pending is not None:
            run.tally.join(run.pending)
            run.pending = None
        run.tally.add(at, weight, value, signal)
        run.last = at
        if run.tally.signals >= 2 * run.told:
            run.told = run.tally.signals
            self._told(key, run, found)

    def _told(self, key: tuple[str, ...], run: _Run, found: list[Hit]) -> None:
        found.append(self._hit(key, run))

    def _hit(self, key: tuple[str, ...], run: _Run) -> Hit:
        tally = run.tally
        clients, users, services, hosts = (tuple(sorted(held)) for held in tally.lists)
        count = len(tally.values) if self.rule.counting is Counting.VALUES else tally.signals
        named = tuple(zip(self.rule.groups, key, strict=True))
        first = run.last if tally.first is None else tally.first
        return Hit(
            self.rule.id, named, first, run.last, count, clients, users, services, hosts, tally.proofs(), tally.signals
        )

    def standing(self) -> Iterator[Hit]:
        return (self._hit(key, group.run) for key, group in self._groups.items() if group.run is not None)

    def _make_room(self, now: int, found: list[Hit]) -> None:
        """First those whose window is empty, then a tenth of the rest, the quietest."""
        by_age = sorted(self._groups, key=lambda key: self._groups[key].newest)
        gone = sum(now - self._groups[key].newest > self._back + LATE for key in by_age)
        tenth = max(self.limit // 10, 1)
        self.crowded += max(tenth - gone, 0)
        for key in by_age[: max(gone, tenth)]:
            if (run := self._groups.pop(key).run) is not None:
                self._told(key, run, found)


def _key(fields: tuple[str, ...]) -> Callable[[Signal], tuple[str, ...] | None]:
    """The group of a signal; None where a field is empty."""
    if not fields:
        return lambda _: ()
    if fields == ("port",):
        return lambda signal: None if signal.port is None else (str(signal.port),)
    if len(fields) == 1:
        one = attrgetter(fields[0])
        return lambda signal: (value,) if (value := one(signal)) else None
    many = attrgetter(*fields)

    def key(signal: Signal) -> tuple[str, ...] | None:
        values = tuple("" if value is None else str(value) for value in many(signal))
        return values if all(values) else None

    return key
