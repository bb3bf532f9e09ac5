"""Whether bans ban: every address that a set or a rule means to keep out, held against what gets in.

A ban is told by what it is, not by its name: sources in a set, or single sources, that a rule drops or rejects. Those
of fail2ban sit in input; a published container is reached by forward and never meets them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from gatepost.firewall.proving.effects import Ends
from gatepost.firewall.proving.evaluation import Prepared
from gatepost.firewall.proving.fates import DROP
from gatepost.firewall.proving.matches import Condition
from gatepost.firewall.proving.proof import Proof, sample
from gatepost.firewall.proving.regions import EMPTY, EVERY_PORT, Region, networks
from gatepost.firewall.proving.rules import Ready
from gatepost.firewall.proving.ruleset import ChainKey
from gatepost.model.architecture import Endpoint, Host
from gatepost.model.flows import Flow
from gatepost.model.observation import Unobserved
from gatepost.model.rules import BanSeen
from gatepost.model.words import Reason

SINGLE = {4: 1, 6: 1 << 64}  # addresses: without a set, a ban is of one address, or of the /64 that somebody holds
MOST_TOLD = 20  # of one set or chain
MOST_PLACES = 500
DEEPEST = 16


@dataclass(frozen=True, slots=True)
class Ban:
    """`ports` are those it is meant for."""

    where: str
    family: int
    region: Region
    ports: Region


def bans_seen(proof: Proof, host: Host, flows: Sequence[Flow]) -> Iterator[BanSeen | Unobserved]:
    """Leaks first. Of a place that holds, some of its addresses, so that it is seen to have been looked at."""
    held: list[BanSeen] = []
    for ban in bans(proof):
        doors = [f for f in flows if f.family == ban.family and f.port in ban.ports and not f.management]
        if not doors or ban.family in proof.legacy:
            continue
        if leaks := _leaks(proof, ban, doors):
            yield from _told(proof, host, ban, leaks)
        elif doubt := _doubtful(proof, ban, doors):
            detail = f"cannot tell whether those banned in {ban.where} stay out: {doubt}"
            yield Unobserved(Endpoint(host.name), "bans", Reason.GARBLED, detail)
        elif len(held) < MOST_PLACES:
            first = islice(networks(ban.region, ban.family), MOST_TOLD)
            held += [BanSeen(Endpoint(host.name), _short(str(net)), ban.where) for net in first]
    yield from held


def _leaks(proof: Proof, ban: Ban, doors: Iterable[Flow]) -> dict[Flow, Region]:
    found = {}
    for flow in doors:
        if through := proof.inbound(flow.address, flow.port).accepted & ban.region & proof.outside(ban.family):
            found[flow] = through
    return found


def _doubtful(proof: Proof, ban: Ban, doors: Iterable[Flow]) -> str:
    """Why the rules leave it open for some banned address; empty when they do not."""
    for flow in doors:
        if open_ := proof.inbound(flow.address, flow.port).undecided & ban.region:
            found = proof.why(proof.inbound_packets(flow.address, flow.port), sample(open_))
            return found.reasons[0] if found.reasons else f"the rules do not decide about port {flow.port}"
    return ""


def _told(proof: Proof, host: Host, ban: Ban, leaks: Mapping[Flow, Region]) -> Iterator[BanSeen]:
    together = Region.of(pair for region in leaks.values() for pair in region.pairs())
    for net in islice(networks(together, ban.family), MOST_TOLD):
        number = int(net.network_address)
        passing = [flow for flow, region in leaks.items() if number in region]
        flow = passing[0]
        trace = proof.why(proof.inbound_packets(flow.address, flow.port), number)
        ports = tuple(sorted({one.port for one in passing}))
        yield BanSeen(Endpoint(host.name), _short(str(net)), ban.where, ports, tuple(trace.rules), trace.path)


def _short(network: str) -> str:
    return network.removesuffix("/32").removesuffix("/128")


def bans(proof: Proof) -> list[Ban]:
    """Sets by their names; single addresses by their chain, as there may be thousands."""
    scopes = _Scopes(proof)
    found: dict[tuple[str, int, Region], list[Region]] = {}
    for prepared in proof.paths.evaluator.all_prepared():
        for rule in prepared.rules:
            for family in (4, 6):
                if ban := _ban(rule, family, scopes):
                    found.setdefault((ban.where, family, ban.ports), []).append(ban.region)
    return [
        Ban(where, family, Region.of(pair for region in regions for pair in region.pairs()), ports)
        for (where, family, ports), regions in found.items()
    ]


def _ban(rule: Ready, family: int, scopes: _Scopes) -> Ban | None:
    if not isinstance(rule.effect, Ends) or rule.effect.mark != DROP:
        return None
    sources = [c for c in rule.conditions if c.sources and c.sources[0] == family]
    if len(sources) != 1 or sources[0].sources is None:
        return None
    region = sources[0].sources[1]
    if not region or (not sources[0].named and any(high - low >= SINGLE[family] for low, high in region.pairs())):
        return None
    ports = scopes.of(rule.rule.chain) & (rule.ports if rule.ports is not None else EVERY_PORT)
    return Ban(_where(rule, sources[0]), family, region, ports) if ports else None


def _where(rule: Ready, condition: Condition) -> str:
    """The set's name where there is one, else that of the chain."""
    family, table, chain = rule.rule.chain
    return f"{family} {table} {condition.named or chain}"


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
