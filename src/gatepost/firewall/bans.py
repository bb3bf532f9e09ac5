"""Whether bans ban: every address that a set or a rule means to keep out, held against what gets in.

A ban is told by what it is, not by its name: sources in a set, or single sources, that a rule drops or rejects. Those
of fail2ban sit in input; a published container is reached by forward and never meets them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gatepost.firewall.effects import Ends
from gatepost.firewall.evaluation import Prepared
from gatepost.firewall.fates import DROP
from gatepost.firewall.matches import Condition
from gatepost.firewall.proof import Proof
from gatepost.firewall.regions import EMPTY, EVERY_PORT, Region, networks
from gatepost.firewall.rules import Ready
from gatepost.firewall.ruleset import ChainKey
from gatepost.firewall.wording import reference
from gatepost.model.architecture import Endpoint, Host
from gatepost.model.flows import Flow
from gatepost.model.rules import BanSeen

SINGLE = {4: 1 << 8, 6: 1 << 64}  # a ban is for addresses, not for half the world: at most a /24 or a /64 at a time
MOST_LEAKS = 20  # told of one set
MOST_BANS = 2000
DEEPEST = 16


@dataclass(slots=True)
class Ban:
    """`ports` are those it is meant for."""

    where: str
    family: int
    region: Region
    ports: Region
    count: int = field(default=1)


def bans_seen(proof: Proof, host: Host, flows: Sequence[Flow]) -> Iterator[BanSeen]:
    """One for each place that holds, and one for each address that gets in all the same."""
    for ban in list(bans(proof))[:MOST_BANS]:
        doors = [f for f in flows if f.family == ban.family and f.port in ban.ports and not f.management]
        if not doors or ban.family in proof.legacy:
            continue
        leaks = _leaks(proof, ban, doors)
        if leaks:
            yield from _told(proof, host, ban, leaks)
        else:
            first = next(networks(ban.region, ban.family))
            yield BanSeen(Endpoint(host.name), _short(str(first)), ban.where)


def _leaks(proof: Proof, ban: Ban, doors: Iterable[Flow]) -> dict[Flow, Region]:
    found = {}
    for flow in doors:
        if through := proof.inbound(flow.address, flow.port).accepted & ban.region & proof.outside(ban.family):
            found[flow] = through
    return found


def _told(proof: Proof, host: Host, ban: Ban, leaks: Mapping[Flow, Region]) -> Iterator[BanSeen]:
    together = Region.of(pair for region in leaks.values() for pair in region.pairs())
    for n, net in enumerate(networks(together, ban.family)):
        if n == MOST_LEAKS:
            return
        number = int(net.network_address)
        passing = [flow for flow, region in leaks.items() if number in region]
        flow = passing[0]
        trace = proof.why(proof.inbound_packets(flow.address, flow.port), number)
        ports = tuple(sorted({one.port for one in passing}))
        yield BanSeen(Endpoint(host.name), _short(str(net)), ban.where, ports, tuple(trace.rules), trace.path)


def _short(network: str) -> str:
    return network.removesuffix("/32").removesuffix("/128")


def bans(proof: Proof) -> Iterator[Ban]:
    """Sets by their names, single rules by theirs; several rules with one set make one ban."""
    scopes = _Scopes(proof)
    found: dict[tuple[str, int], Ban] = {}
    for prepared in proof.paths.evaluator.all_prepared():
        for rule in prepared.rules:
            for family in (4, 6):
                if (ban := _ban(rule, family, scopes)) is None:
                    continue
                known = found.get((ban.where, family))
                if known is None:
                    found[ban.where, family] = ban
                else:
                    known.region, known.ports = known.region | ban.region, known.ports | ban.ports
    yield from found.values()


def _ban(rule: Ready, family: int, scopes: _Scopes) -> Ban | None:
    if not isinstance(rule.effect, Ends) or rule.effect.mark != DROP:
        return None
    sources = [c for c in rule.conditions if c.sources and c.sources[0] == family]
    if len(sources) != 1 or sources[0].sources is None:
        return None
    region = sources[0].sources[1]
    if not region or any(high - low >= SINGLE[family] for low, high in region.pairs()):
        return None
    ports = scopes.of(rule.rule.chain) & (rule.ports if rule.ports is not None else EVERY_PORT)
    return Ban(_where(rule, sources[0]), family, region, ports) if ports else None


def _where(rule: Ready, condition: Condition) -> str:
    """The set's name where there is one, else the rule; a chain of single bans is told rule by rule."""
    family, table, _ = rule.rule.chain
    if condition.named:
        return f"{family} {table} {condition.named}"
    return str(reference(rule.rule))


class _Scopes:
    """Ports with which packets get to a chain: `-p tcp --dports 25,465 -j f2b-postfix` is a ban for those only."""

    def __init__(self, proof: Proof) -> None:
        self._callers: dict[ChainKey, list[tuple[ChainKey, Region]]] = {}
        self._base: set[ChainKey] = set()
        self._known: dict[ChainKey, Region] = {}
        for prepared in proof.paths.evaluator.all_prepared():
            self._note(prepared)

    def _note(self, prepared: Prepared) -> None:
        if prepared.chain.hook in {"ingress", "prerouting", "input", "forward"}:
            self._base.add(prepared.chain.key)
        for rule in prepared.rules:
            for target in rule.targets:
                ports = rule.ports if rule.ports is not None else EVERY_PORT
                self._callers.setdefault(target, []).append((prepared.chain.key, ports))

    def of(self, chain: ChainKey, depth: int = 0) -> Region:
        if chain in self._base:
            return EVERY_PORT
        if depth > DEEPEST:
            return EMPTY
        if chain not in self._known:
            self._known[chain] = EMPTY
            parts = [self.of(caller, depth + 1) & ports for caller, ports in self._callers.get(chain, ())]
            self._known[chain] = Region.of(pair for part in parts for pair in part.pairs())
        return self._known[chain]
