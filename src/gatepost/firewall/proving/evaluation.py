"""Chains evaluated from the last rule to the first, into what may become of each address.

First-to-last would have to carry on with packets that may or may not have left; last-to-first only adds to what is
below. Chains are asked again and again with packets that differ in what they never look at, so answers are kept by
what they do look at, and runs of rules that look at no port are evaluated once for all ports.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain as joined
from itertools import groupby

from gatepost.firewall.proving.effects import Chooses, Ends, Goes, Target, Translates
from gatepost.firewall.proving.fates import (
    ACCEPT,
    FALL,
    FIRST_TRANSLATION,
    LOST,
    ON,
    UNTRACKED_FALL,
    UNTRACKED_ON,
    Fates,
    untracked,
)
from gatepost.firewall.proving.packets import Knowledge, Packet
from gatepost.firewall.proving.regions import EVERYWHERE, TOP, Region
from gatepost.firewall.proving.rules import Ready, ready
from gatepost.firewall.proving.ruleset import Chain, ChainKey, Ruleset
from gatepost.firewall.proving.values import Unreadable

DEEPEST = 40  # jumps; the kernel takes 16
MOST_WORK = 60_000_000  # pieces looked at: some minutes, far above ten thousand rules
MOST_TARGETS = 2048  # places that translations lead to
RUN = 4  # rules that look at no port: from that many on, their answer is kept for all ports
NARROW = 64  # ports: rules for wider ranges are tried for every port

Outcome = tuple[Region, Ends | Goes | Target | None]
Key = tuple[object, ...]


class TooMuchWork(Exception):
    """The rule set is so large, or so made, that its evaluation would not end in time."""


@dataclass(slots=True)
class Block:
    """Neighbouring rules of a chain: all of them ask for a port (`by_port`), or none does."""

    rules: list[Ready]
    reads: frozenset[str]
    ported: bool
    by_port: dict[int, list[int]] = field(default_factory=dict)
    wide: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        for n, rule in enumerate(self.rules if self.ported else ()):
            for low, high in rule.ports.pairs() if rule.ports is not None else ():
                if high - low >= NARROW:
                    self.wide.append(n)
                else:
                    for port in range(low, high + 1):
                        self.by_port.setdefault(port, []).append(n)

    def for_port(self, port: int | None) -> Sequence[Ready]:
        """In order, those that can match."""
        if not self.ported or port is None:
            return self.rules
        found = self.by_port.get(port, [])
        if self.wide:
            found = sorted({*found, *self.wide})
        return [self.rules[n] for n in found]


@dataclass(slots=True)
class Prepared:
    """A chain ready to be asked. `reads` includes what the chains it leads to look at."""

    chain: Chain
    rules: list[Ready]
    blocks: list[Block]
    reads: tuple[str, ...] = ()

    @property
    def targets(self) -> set[ChainKey]:
        return {target for rule in self.rules for target in rule.targets}


class Evaluator:
    """`assuming` false makes rate limits and the like a matter of doubt instead of an assumption."""

    def __init__(self, rules: Ruleset, local: Mapping[int, Region] | None = None, *, assuming: bool = True,
                 by_interface: Mapping[str, Mapping[int, Region]] | None = None) -> None:  # fmt: skip
        self.rules = rules
        self.assumed: dict[str, None] = {}
        self._assuming = assuming
        self._work = 0
        self._known: dict[Key, Fates] = {}
        self._targets: dict[Target, int] = {}
        self._chains = {key: _prepared(chain, rules) for key, chain in rules.chains.items()}
        self._settle_reads()
        on_the_way = list(joined.from_iterable(c.rules for c in self._on_the_way()))
        self.untracking = any(rule.untracks for rule in on_the_way)
        self.knowledge = Knowledge(
            local or {},
            by_interface or {},
            marks=any(rule.marks for rule in on_the_way),
            zones=any(rule.zones for rule in on_the_way),
        )

    def all_prepared(self) -> Iterable[Prepared]:
        return self._chains.values()

    def prepared(self, key: ChainKey) -> Prepared | None:
        return self._chains.get(key)

    def targets(self, fates: Fates) -> list[tuple[int, Target]]:
        """Translations that occur, each with its bit."""
        together = 0
        for mark in fates.marks:
            together |= mark
        return self.targets_in(together)

    def targets_in(self, mark: int) -> list[tuple[int, Target]]:
        return [(bit, target) for target, bit in self._targets.items() if bit & mark]

    def ports_told_apart(self) -> list[Region]:
        """Sets of destination ports that some rule treats differently from the rest."""
        return list({one: None for c in self._chains.values() for rule in c.rules for one in rule.told_apart})

    def destinations_told_apart(self, family: int) -> list[Region]:
        """Sets of destination addresses that some rule names, as far as a single comparison does."""
        found = (c for chain in self._chains.values() for rule in chain.rules for c in rule.conditions)
        return list({one.targets[1]: None for one in found if one.targets and one.targets[0] == family})

    def reads(self, chains: Iterable[Chain]) -> frozenset[str]:
        return frozenset[str]().union(*(self._chains[chain.key].reads for chain in chains))

    def chain(self, key: ChainKey, packet: Packet, path: tuple[ChainKey, ...] = ()) -> Fates:
        """What the chain does, FALL where it has nothing (more) to say. Not to be changed by the caller."""
        prepared = self._chains.get(key)
        if prepared is None or key in path or len(path) > DEEPEST:
            return Fates(TOP[packet.family], LOST)  # the kernel would refuse it: then it is not what runs
        known = ("chain", key, *(getattr(packet, name) for name in prepared.reads), packet.family, packet.open)
        found = self._known.get(known)
        if found is None:
            found = Fates(TOP[packet.family], FALL)
            for block in reversed(prepared.blocks):
                found = self._block(block, packet, found, (*path, key))
            self._known[known] = found
        return found

    def _block(self, block: Block, packet: Packet, below: Fates, path: tuple[ChainKey, ...]) -> Fates:
        """A long run that looks at no port is evaluated by itself, once; a short one where it stands."""
        if "dport" in block.reads or len(block.rules) < RUN:
            return self._lay(block.for_port(packet.dport), packet, below, path)
        known = ("run", id(block), *(getattr(packet, name) for name in sorted(block.reads)), packet.family, packet.open)
        run = self._known.get(known)
        if run is None:
            run = self._lay(block.rules, packet, Fates(TOP[packet.family], ON), path)
            self._known[known] = run
        self.spend(len(run) + len(below))
        found = run.then({ON: below, UNTRACKED_ON: below.marked(untracked)})
        return found if found is not run else run.copy()

    def _lay(self, rules: Sequence[Ready], packet: Packet, below: Fates, path: tuple[ChainKey, ...]) -> Fates:
        """The rules over what is below them, last rule first. Rules in a row with one verdict go on together."""
        state = below
        alike: list[tuple[int, int]] = []
        alike_mark = 0
        for rule in reversed(rules):
            if rule.idle:
                continue
            region, doubts = self.matched(rule, packet)
            if not region:
                continue
            effect = rule.effect
            if isinstance(effect, Ends) and not doubts and not rule.untracks:
                if alike and alike_mark != effect.mark:
                    state.paint(Region.of(alike), alike_mark)
                    alike = []
                alike_mark = effect.mark
                alike.extend(region.pairs())
                continue
            if alike:
                state.paint(Region.of(alike), alike_mark)
                alike = []
            self._apply(rule, region, doubts, packet, state, path)
        if alike:
            state.paint(Region.of(alike), alike_mark)
        return state

    def matched(self, rule: Ready, packet: Packet) -> tuple[Region, list[str]]:
        """Where the readable part of a rule holds, and what else it asks that nobody can say."""
        everywhere = EVERYWHERE[packet.family]
        region, doubts = everywhere, list(rule.doubts)
        for condition in rule.conditions:
            held, why = condition.holds(packet, self.knowledge)
            if condition.assumes:
                held, why = self._assume(condition.assumes, held, why, packet)
            if why:
                doubts.append(why)
            region = held if region is everywhere else region if held is everywhere else region & held
            if not region:
                break
        self.spend(1 + len(region) // 8)
        return region, doubts

    def _assume(self, what: str, held: Region, why: str, packet: Packet) -> tuple[Region, str]:
        if not self._assuming:
            return EVERYWHERE[packet.family], why or what
        self.assumed[what] = None
        return held, why

    def outcomes(self, rule: Ready, region: Region, packet: Packet) -> tuple[list[Outcome], list[str]]:
        """What the effect of a rule is, where; parts that go on with the next rule are left out."""
        effect = rule.effect
        if effect is None:
            return ([(region, None)] if rule.untracks else []), []
        if isinstance(effect, (Ends, Goes)):
            return [(region, effect)], []
        if isinstance(effect, Translates):
            if packet.ct == "untracked":
                return [(region, Ends(ACCEPT))], []
            targets, why = effect.targets(packet, self.knowledge)
            lost = Ends(LOST, "target of a translation")
            return [(where & region, lost if target is None else target) for where, target in targets], (
                [why] if why else []
            )
        return self._chosen(effect, region, packet)

    def _chosen(self, effect: Chooses, region: Region, packet: Packet) -> tuple[list[Outcome], list[str]]:
        found, why = effect.table.found(packet, self.knowledge)
        together: dict[Ends | Goes, list[tuple[int, int]]] = {}
        for where, one in found or ():
            if one is not None:
                together.setdefault(one, []).extend(where.pairs())
        listed: list[Outcome] = [(Region.of(pairs) & region, one) for one, pairs in together.items()]
        return listed, [f"verdict map on {why}"] if why else []

    def _apply(self, rule: Ready, region: Region, doubts: list[str], packet: Packet, state: Fates,
               path: tuple[ChainKey, ...]) -> None:  # fmt: skip
        try:
            outcomes, more = self.outcomes(rule, region, packet)
        except Unreadable as error:
            outcomes, more = [(region, Ends(LOST, str(error)))], [str(error)]
        keep = bool(doubts or more)
        layers = [(where, self._fates(rule, effect, packet, state, path)) for where, effect in outcomes if where]
        for where, above in layers:
            self.spend(1 + len(where) + (len(state) >> 10))
            if isinstance(above, int):
                state.add(where, above) if keep else state.paint(where, above)
            elif above is not None:
                self.spend(len(above))
                state.lay(where, above, keep=keep)

    def _fates(self, rule: Ready, effect: Ends | Goes | Target | None, packet: Packet, state: Fates,
               path: tuple[ChainKey, ...]) -> Fates | int | None:  # fmt: skip
        """A single mark where that is all; None where nothing changes."""
        if isinstance(effect, Ends):
            return untracked(effect.mark) if rule.untracks else effect.mark
        if isinstance(effect, Target):
            return self._bit(effect)
        if effect is None:
            return state.marked(untracked)
        sub = self.chain(effect.chain, packet, path)
        if len(sub) == 1 and sub.marks[0] == FALL:
            found: Fates | int | None = FALL if not effect.returns else None
            return found if not rule.untracks else state.marked(untracked)
        if effect.returns:
            self.spend(len(sub) + len(state))
            sub = sub.then({FALL: state, UNTRACKED_FALL: state.marked(untracked)})
            if sub is state and not rule.untracks:
                return None
        return sub.marked(untracked) if rule.untracks else sub

    def _bit(self, target: Target) -> int:
        """A translation to one place too many leads nobody knows where."""
        if target not in self._targets and len(self._targets) >= MOST_TARGETS:
            return LOST
        return self._targets.setdefault(target, 1 << (FIRST_TRANSLATION + len(self._targets)))

    def spend(self, pieces: int) -> None:
        self._work += pieces
        if self._work > MOST_WORK:
            raise TooMuchWork("the rule set is too large to be evaluated in reasonable time")

    def _settle_reads(self) -> None:
        """Over all chains that can be reached. Real chains nest sixteen deep at most, so that many rounds settle it."""
        reads = {key: frozenset[str]().union(*(r.reads for r in c.rules)) for key, c in self._chains.items()}
        leads = {key: {t for t in c.targets if t in reads} for key, c in self._chains.items() if c.targets}
        for _ in range(DEEPEST + 1):
            settled = {key: reads[key].union(*(reads[t] for t in targets)) for key, targets in leads.items()}
            if all(settled[key] == reads[key] for key in leads):
                break
            reads |= settled
        for key, prepared in self._chains.items():
            prepared.reads = tuple(sorted(reads[key]))
            for block in prepared.blocks:
                further = {target for rule in block.rules for target in rule.targets if target in reads}
                block.reads = frozenset[str]().union(
                    *(rule.reads for rule in block.rules), *(reads[target] for target in further)
                )

    def _on_the_way(self) -> list[Prepared]:
        """Chains that a packet to or through the host can meet; what only postrouting sees marks nothing here."""
        found: dict[ChainKey, Prepared] = {}
        waiting = [c.key for c in self.rules.chains.values() if c.hook and c.hook != "postrouting"]
        while waiting:
            key = waiting.pop()
            if key not in found and key in self._chains:
                found[key] = self._chains[key]
                waiting += self._chains[key].targets
        return list(found.values())


def _prepared(chain: Chain, rules: Ruleset) -> Prepared:
    asked = [ready(rule, rules) for rule in chain.rules]
    acting = groupby((rule for rule in asked if not rule.idle), lambda rule: rule.ports is not None)
    return Prepared(chain, asked, [Block(list(group), frozenset(), ported) for ported, group in acting])
