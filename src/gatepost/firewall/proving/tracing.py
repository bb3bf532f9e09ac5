"""The rules that decide about one address, in the order a packet meets them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from gatepost.firewall.proving.effects import Ends, Goes, Target
from gatepost.firewall.proving.fates import DROP, FALL
from gatepost.firewall.proving.packets import CONNTRACK, TRANSLATION, Packet
from gatepost.firewall.proving.paths import Paths
from gatepost.firewall.proving.regions import address
from gatepost.firewall.proving.rules import Ready
from gatepost.firewall.proving.ruleset import Chain, ChainKey
from gatepost.firewall.proving.wording import policy, reference
from gatepost.model.rules import RuleRef

DEEPEST = 40
MOST_REASONS = 6
DROPPING = "policy drop"


@dataclass(slots=True)
class Trace:
    """`rules` decide; `translation` is the rule among them that changed the destination, if any."""

    rules: list[RuleRef] = field(default_factory=list)
    doubtful: list[RuleRef] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    path: str = "input"
    translation: RuleRef | None = None
    dropped: bool = False

    def doubt(self, rule: RuleRef, why: Sequence[str]) -> None:
        for one in why:
            sentence = f"{one} in {rule}"
            if sentence not in self.reasons and len(self.reasons) < MOST_REASONS:
                self.reasons.append(sentence)
                self.doubtful.append(rule)


_Verdict = Ends | Target | None


def trace(paths: Paths, packet: Packet, number: int, *, out: bool = False) -> Trace:
    """Of a packet whose open end is `number`. Where a rule may or may not match, it is noted and passed over."""
    walk = _Walk(paths, number, Trace(path="output" if out else "input"))
    walk.leave(packet) if out else walk.arrive(packet)
    walk.found.rules = _decisive(walk.found.rules)
    return walk.found


def _decisive(rules: list[RuleRef]) -> list[RuleRef]:
    """A policy counts where no rule does, or where it drops in the end."""
    explicit = [rule for rule in rules if rule.handle is not None]
    ends = rules[-1:]
    dropping = [rule for rule in ends if rule.handle is None and rule.text == DROPPING]
    return [*explicit, *dropping] if explicit else ends


@dataclass(slots=True)
class _Walk:
    paths: Paths
    number: int
    found: Trace
    loose: bool = False  # taken out of conntrack
    early: bool = False  # before conntrack has seen it

    def arrive(self, packet: Packet) -> None:
        chains = self.paths.chains_of("prerouting", packet)
        early = [c for c in chains if c.kind != "nat" and c.priority < TRANSLATION]
        if not (self._pass("ingress", self.paths.chains_of("ingress", packet), packet)
                and self._pass("prerouting", early, packet)):  # fmt: skip
            return
        if self.loose:
            packet = replace(packet, state="untracked")
        if packet.state == "new" and packet.iif != "lo":
            packet = self._translated(packet, [c for c in chains if c.kind == "nat"])
        late = [c for c in chains if c.kind != "nat" and c.priority >= TRANSLATION]
        if self._pass("prerouting", late, packet):
            self._deliver(packet)

    def leave(self, packet: Packet) -> None:
        chains = [c for c in self.paths.chains_of("output", packet) if c.kind != "nat"]
        if self._pass("output", chains, packet):
            self._pass("postrouting", self.paths.chains_of("postrouting", packet), packet)

    def _translated(self, packet: Packet, chains: Sequence[Chain]) -> Packet:
        for chain in chains:
            verdict = self._run(chain, packet.at(self.paths.ct("prerouting", TRANSLATION, packet)))
            if isinstance(verdict, Target):
                self.found.translation = self.found.rules[-1]
                moved = self.paths.moved(packet, verdict)
                self.found.path = _path(moved, verdict)
                return moved
        return packet

    def _deliver(self, packet: Packet) -> None:
        if packet.destination != "unicast":
            if self.paths.on_loopback_from_outside(packet):
                self.found.reasons.append("route_localnet of the interface")
            self._pass("input", self.paths.chains_of("input", packet), replace(packet, oif=""))
            return
        if not packet.translated:
            self.found.path = "forward"
        oif = self.paths.around.way(packet.daddr, packet.family) if packet.daddr is not None else None
        if oif is None:
            self.found.reasons.append("the interface towards the destination is not known")
        packet = replace(packet, oif=oif)
        if self._pass("forward", self.paths.chains_of("forward", packet), packet):
            self._pass("postrouting", self.paths.chains_of("postrouting", packet), packet)

    def _pass(self, hook: str, chains: Sequence[Chain], packet: Packet) -> bool:
        for chain in chains:
            before = len(self.found.rules)
            self.early = hook in {"output", "prerouting"} and chain.priority < CONNTRACK
            if self.loose:
                packet = replace(packet, state="untracked")
            verdict = self._run(chain, packet.at(self.paths.ct(hook, chain.priority, packet)))
            if verdict is None:
                drops = chain.policy == "drop"
                if len(self.found.rules) == before and (drops or hook in {"input", "forward", "output"}):
                    self.found.rules.append(policy(chain))
            else:
                drops = isinstance(verdict, Ends) and verdict.mark == DROP
                if hook == "postrouting" and not drops:
                    del self.found.rules[before:]  # a new source address, no decision
            if drops:
                self.found.dropped = True
                return False
        return True

    def _run(self, chain: Chain, packet: Packet) -> _Verdict:
        """None: its policy."""
        verdict = self._chain(chain.key, packet, 0)
        return None if isinstance(verdict, Ends) and verdict.mark == FALL else verdict

    def _chain(self, key: ChainKey, packet: Packet, depth: int) -> _Verdict:
        prepared = self.paths.evaluator.prepared(key)
        if prepared is None or depth > DEEPEST:
            return None
        for rule in (one for block in prepared.blocks for one in block.for_port(packet.dport)):
            for effect in self._effects(rule, packet):
                verdict, ends = self._follow(rule, effect, packet, depth)
                if ends:
                    return verdict
        return None

    def _effects(self, rule: Ready, packet: Packet) -> Iterator[Ends | Goes | Target]:
        evaluator = self.paths.evaluator
        region, doubts = evaluator.matched(rule, packet)
        if self.number not in region:
            return
        outcomes, more = evaluator.outcomes(rule, region, packet)
        self.loose |= rule.untracks and self.early and not doubts
        if doubts or more:
            if any(not isinstance(effect, Goes) or self._matters(effect, packet) for _, effect in outcomes if effect):
                self.found.doubt(reference(rule.rule), [*doubts, *more])
            return
        for where, effect in outcomes:
            if effect is not None and self.number in where:
                if isinstance(effect, Ends) and effect.what:
                    self.found.doubt(reference(rule.rule), [effect.what])
                else:
                    yield effect

    def _matters(self, effect: Goes, packet: Packet) -> bool:
        """A chain that does nothing with this address is no reason for doubt."""
        return self.paths.evaluator.chain(effect.chain, packet).at(self.number) != FALL

    def _follow(self, rule: Ready, effect: Ends | Goes | Target, packet: Packet, depth: int) -> tuple[_Verdict, bool]:
        """The verdict, and whether the chain ends with it."""
        here = len(self.found.rules)
        self.found.rules.append(reference(rule.rule))
        if not isinstance(effect, Goes):
            if isinstance(effect, Ends) and effect.mark == FALL:
                del self.found.rules[here:]
            return effect, True
        inner = self._chain(effect.chain, packet, depth + 1)
        if inner is None or (isinstance(inner, Ends) and inner.mark == FALL):
            del self.found.rules[here:]
            return None, not effect.returns
        return inner, True


def _path(packet: Packet, target: Target) -> str:
    hook = "input" if packet.destination == "local" else "forward"
    if target.address is None:
        return f"{hook} after redirect to port {packet.dport}"
    where = address(target.address, packet.family)
    return f"{hook} after dnat {f'[{where}]' if packet.family == 6 else where}:{packet.dport}"
