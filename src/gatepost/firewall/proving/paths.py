"""The way of a packet through the hooks: to the host, through it, or out of it.

To the host: ingress, prerouting before the translation of destinations, the translation, prerouting after it, then
input, or forward and postrouting when the (translated) destination is elsewhere. All base chains of a hook run in the
order of their priorities; an accept ends a chain, not the hook. Every answer has only ACCEPT and DROP left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from gatepost.firewall.proving.effects import Target
from gatepost.firewall.proving.evaluation import Evaluator
from gatepost.firewall.proving.fates import (
    ACCEPT,
    DROP,
    FALL,
    LOST,
    UNTRACKED_ACCEPT,
    UNTRACKED_FALL,
    Fates,
    merged,
)
from gatepost.firewall.proving.packets import CONNTRACK, TRANSLATION, Packet
from gatepost.firewall.proving.regions import LOOPBACK, TOP, Region
from gatepost.firewall.proving.ruleset import Chain
from gatepost.firewall.proving.surroundings import Surroundings

FORWARDS = "the host forwards packets between interfaces, as its containers need"


class Paths:
    """Answers are kept by what the rules look at: addresses and ports that no rule tells apart share one."""

    def __init__(self, evaluator: Evaluator, around: Surroundings) -> None:
        self.evaluator = evaluator
        self.around = around
        self._known: dict[tuple[object, ...], Fates] = {}
        self._reads = tuple(sorted(evaluator.reads(evaluator.rules.chains.values()) | {"iif", "oif", "destination"}))

    def inbound(self, packet: Packet) -> Fates:
        """From outside to the packet's destination."""
        return self._kept("in", packet, self._arrive)

    def outbound(self, packet: Packet) -> Fates:
        """Opened by the host itself, to the open destination."""
        return self._kept("out", packet, self._leave)

    def _kept(self, way: str, packet: Packet, answer: Callable[[Packet], Fates]) -> Fates:
        where = packet.daddr if packet.destination != "local" else None
        key = (way, where, packet.state, packet.family, packet.open, *(getattr(packet, n) for n in self._reads))
        if key not in self._known:
            self._known[key] = answer(packet).marked(_settled)
        return self._known[key]

    def translation(self, packets: Iterable[tuple[Packet, Region]], number: int) -> Target | None:
        """Where connections from one address are led instead, if anywhere."""
        packet = next((packet for packet, region in packets if number in region), None)
        nat = self._nat_chains(packet) if packet else []
        if packet is None or not nat:
            return None
        mark = self._nat(nat, packet, "prerouting").at(number)
        return next((target for _, target in self.evaluator.targets_in(mark)), None)

    def translations(self, packet: Packet) -> list[Target]:
        """All that may happen to such a packet."""
        nat = self._nat_chains(packet)
        return [target for _, target in self.evaluator.targets(self._nat(nat, packet, "prerouting"))] if nat else []

    def _nat_chains(self, packet: Packet) -> list[Chain]:
        """Only the first packet of a connection goes there; over loopback, output has had its turn."""
        if packet.state != "new" or packet.iif == "lo":
            return []
        return [c for c in self.chains_of("prerouting", packet) if c.kind == "nat"]

    def _arrive(self, packet: Packet) -> Fates:
        ingress = self.chains_of("ingress", packet)
        first = self._through(ingress, packet, "ingress")
        if any(not chain.devices for chain in ingress):
            first = first.marked(lambda mark: mark | ACCEPT)  # perhaps on another device: older nft does not say
        return first.then({ACCEPT: self._prerouting(packet)})

    def _prerouting(self, packet: Packet) -> Fates:
        early = [c for c in self.chains_of("prerouting", packet) if c.kind != "nat" and c.priority < TRANSLATION]
        start = self._through(early, packet, "prerouting")
        follow = {ACCEPT: self._translated(packet)}
        if self.evaluator.untracking:
            follow[UNTRACKED_ACCEPT] = self._late(replace(packet, state="untracked"))
        return start.then(follow)

    def _translated(self, packet: Packet) -> Fates:
        nat = self._nat_chains(packet)
        if not nat:
            return self._late(packet)
        found = self._nat(nat, packet, "prerouting")
        follow = {bit: self._late(self.moved(packet, target)) for bit, target in self.evaluator.targets(found)}
        return found.then({ACCEPT: self._late(packet), **follow})

    def _nat(self, chains: Sequence[Chain], packet: Packet, hook: str) -> Fates:
        """The first chain that translates ends it. Chains of one priority run in an order that nobody tells."""
        together: dict[int, list[Chain]] = {}
        for chain in chains:
            together.setdefault(chain.priority, []).append(chain)
        found = Fates(TOP[packet.family], ACCEPT)
        for group in reversed(list(together.values())):
            orders = [[chain, *(c for c in group if c is not chain)] for chain in group]
            after = found
            found = self._in_order(orders[0], packet, hook, after)
            for order in orders[1:]:
                other = self._in_order(order, packet, hook, after)
                found = merged((found, other), lambda marks: marks[0] | marks[1], found.top)
        return found

    def _in_order(self, chains: Sequence[Chain], packet: Packet, hook: str, after: Fates) -> Fates:
        for chain in reversed(chains):
            after = self._ended(chain, packet.at(self.ct(hook, TRANSLATION, packet))).then({ACCEPT: after})
        return after

    def ct(self, hook: str, priority: int, packet: Packet) -> str | None:
        """What `ct state` says in a chain: nothing has been tracked before the priority of conntrack.

        None where it depends: at that very priority, and behind rules that take packets out of it.
        """
        if hook == "ingress":
            return "invalid"
        if hook == "prerouting" and packet.iif == "lo":
            return packet.state  # tracked on its way out
        if hook in {"prerouting", "output"} and priority <= CONNTRACK:
            if packet.state == "untracked":
                return "untracked"
            return None if priority == CONNTRACK or self.evaluator.untracking else "invalid"
        return packet.state

    def moved(self, packet: Packet, target: Target) -> Packet:
        port = packet.dport if target.port is None else target.port
        if target.address is None:
            iif = packet.iif or ""
            return packet.sent_to(self.around.primary.get((iif, packet.family)), port, "local")
        here = self.around.is_local(target.address, packet.family)
        return packet.sent_to(target.address, port, "local" if here else "unicast")

    def _late(self, packet: Packet) -> Fates:
        """Behind the translation: what is in its very place may see the packet before or after it."""
        late = [c for c in self.chains_of("prerouting", packet) if c.kind != "nat" and c.priority >= TRANSLATION]
        return self._through(late, packet, "prerouting").then({ACCEPT: self._delivered(packet)})

    def _delivered(self, packet: Packet) -> Fates:
        top, family = TOP[packet.family], packet.family
        if packet.destination != "unicast":
            if self.on_loopback_from_outside(packet):
                return Fates(top, ACCEPT | DROP)
            return self._through(self.chains_of("input", packet), replace(packet, oif=""), "input")
        if not self.around.forwarding.get(family, True):
            return Fates(top, DROP)
        if family not in self.around.forwarding:
            self.evaluator.assumed[FORWARDS] = None
        oif = self.around.way(packet.daddr, family) if packet.daddr is not None else None
        if oif == "":
            return Fates(top, DROP)
        return self.forwarded(replace(packet, oif=oif))

    def on_loopback_from_outside(self, packet: Packet) -> bool:
        """Led there by a translation: the kernel drops it, unless the interface says route_localnet."""
        onto = packet.daddr is not None and packet.daddr in LOOPBACK[packet.family]
        return onto and packet.translated is not False and packet.iif != "lo"

    def forwarded(self, packet: Packet) -> Fates:
        onward = self._through(self.chains_of("forward", packet), packet, "forward")
        return onward.then({ACCEPT: self._through(self.chains_of("postrouting", packet), packet, "postrouting")})

    def _leave(self, packet: Packet) -> Fates:
        chains = self.chains_of("output", packet)
        early = [c for c in chains if c.kind != "nat" and c.priority < TRANSLATION]
        late = [c for c in chains if c.kind != "nat" and c.priority >= TRANSLATION]
        nat = [c for c in chains if c.kind == "nat"]
        end = self._through(self.chains_of("postrouting", packet), packet, "postrouting")
        rest = self._through(late, packet, "output").then({ACCEPT: end})
        if nat and packet.state == "new":
            rest = self._led_away(self._nat(nat, packet, "output")).then({ACCEPT: rest})
        follow = {ACCEPT: rest}
        if self.evaluator.untracking:
            loose = replace(packet, state="untracked")
            follow[UNTRACKED_ACCEPT] = self._through(late, loose, "output").then({ACCEPT: end})
        return self._through(early, packet, "output").then(follow)

    def _led_away(self, found: Fates) -> Fates:
        """What is translated on its way out does not get where it was sent."""
        bits = 0
        for bit, _ in self.evaluator.targets(found):
            bits |= bit
        return found.marked(lambda mark: (mark & ~bits) | DROP if mark & bits else mark)

    def chains_of(self, hook: str, packet: Packet) -> list[Chain]:
        found = self.evaluator.rules.based_on(hook, packet.family)
        if hook != "ingress":
            return found
        return [c for c in found if c.rules and (not c.devices or packet.iif is None or packet.iif in c.devices)]

    def _through(self, chains: Sequence[Chain], packet: Packet, hook: str) -> Fates:
        """ACCEPT where every chain lets it pass."""
        self.evaluator.spend(16 + 8 * len(chains))
        top = TOP[packet.family]
        after, loose = Fates(top, ACCEPT), Fates(top, UNTRACKED_ACCEPT)
        for chain in reversed(chains):
            ended = self._ended(chain, packet.at(self.ct(hook, chain.priority, packet)))
            if not self.evaluator.untracking:
                after = ended.then({ACCEPT: after})
                continue
            apart = replace(packet, state="untracked")
            later = self._ended(chain, apart.at(self.ct(hook, chain.priority, apart)))
            after, loose = (
                ended.then({ACCEPT: after, UNTRACKED_ACCEPT: loose}),
                later.then({ACCEPT: loose, UNTRACKED_ACCEPT: loose}),
            )
        return after

    def _ended(self, chain: Chain, packet: Packet) -> Fates:
        """With the policy where the rules say nothing."""
        blurred = chain.kind != "nat" and chain.hook == "prerouting" and chain.priority == TRANSLATION
        if blurred and packet.translated is not False:
            packet = replace(packet, daddr=None, dport=None)
        drops = chain.policy == "drop"
        fates = self.evaluator.chain(chain.key, packet)
        tracked = chain.hook not in {"prerouting", "output"} or chain.priority >= CONNTRACK
        return fates.marked(lambda mark: _policed(_tracked(mark) if tracked else mark, drops=drops))


def _tracked(mark: int) -> int:
    """Conntrack has seen the packet by now: `notrack` comes too late."""
    if mark & UNTRACKED_ACCEPT:
        mark = (mark & ~UNTRACKED_ACCEPT) | ACCEPT
    return (mark & ~UNTRACKED_FALL) | FALL if mark & UNTRACKED_FALL else mark


def _policed(mark: int, *, drops: bool) -> int:
    ended = mark & ~(FALL | UNTRACKED_FALL)
    if mark & FALL:
        ended |= DROP if drops else ACCEPT
    if mark & UNTRACKED_FALL:
        ended |= DROP if drops else UNTRACKED_ACCEPT
    return ended


def _settled(mark: int) -> int:
    if mark & UNTRACKED_ACCEPT:
        mark |= ACCEPT
    return (mark & (ACCEPT | DROP)) | (ACCEPT | DROP if mark & LOST else 0)
