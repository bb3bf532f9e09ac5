"""The table of nftables that drops whom `watch` blocks: `inet gatepost_watch`, beside the one that `apply` replaces.

It hooks into prerouting before the connection tracking and before any translation of addresses: ports of containers
are met under the number that strangers use, and a packet of an established connection is dropped like any other.
Elements carry the time they have left, so a block ends although nobody of us is running. Only JSON goes in: an address
can be no command. Each change is one transaction; on kernels before 6.12 an element that exists keeps its time, so it
is made, taken out and made again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from gatepost.edge.host.runner import Runner
from gatepost.errors import CannotLook, StepFailed
from gatepost.model.bundle import Ran

FAMILY, TABLE = "inet", "gatepost_watch"
PLACE = f"{FAMILY} {TABLE}"
PRIORITY = -290  # behind raw (-300), before connection tracking (-200)
MOST = 65536  # elements of one set
LOGGED = 10  # lines a minute
AT_ONCE = 4096  # elements of one transaction
CUT_AT_ONCE = 100  # connections of one ss
PATIENCE = 20.0  # seconds
_SETS = {"v4": "ipv4_addr", "v6": "ipv6_addr", "net4": "ipv4_addr", "net6": "ipv6_addr"}
_PEER = re.compile(r"\[?(?P<address>[0-9A-Fa-f:.]+)(?:%\w+)?\]?:(?P<port>\d+)")
Json = dict[str, Any]
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Held:
    """One element of our sets: an address, or a network in CIDR form, and the seconds it has left."""

    address: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What the kernel holds of ours. `whole`: chain and rules are as we make them for these ports."""

    held: tuple[Held, ...] = ()
    whole: bool = False
    dropped: int = 0  # packets


@dataclass(frozen=True, slots=True)
class Wall:
    """No `ports`: every port is shut to who is blocked."""

    runner: Runner
    ports: tuple[int, ...] = ()

    def standing(self) -> Standing:
        """Raises CannotLook when the kernel cannot be asked."""
        ran = self.runner.run(("nft", "-j", "list", "table", FAMILY, TABLE), patience=PATIENCE)
        if not ran.ok and "No such file" in ran.stderr:
            return Standing()
        if not ran.ok:
            raise CannotLook(f"{self.runner.where}: {_complaint(ran)}")
        return _standing(ran.stdout, self.ports)

    def raised(self, held: Sequence[Held]) -> None:
        """The whole table anew, holding these and no others: after a start, a flush, or a change of the ports."""
        first, *rest = _batches(held) or [()]
        self._do([*_table(self.ports), *_added(first)])
        for batch in rest:
            self._do(_added(batch))

    def shut(self, held: Sequence[Held]) -> None:
        """Raises StepFailed, also when the table is not there: see `raised`."""
        for batch in _batches(held):
            self._do([*_added(batch), *_taken([one.address for one in batch]), *_added(batch)])

    def opened(self, addresses: Sequence[str]) -> None:
        """Those that are not held do no harm."""
        for batch in _batches([Held(address, 1) for address in addresses]):
            self._do([*_added(batch), *_taken([one.address for one in batch])])

    def gone(self) -> None:
        self._do([_a("add", "table"), _a("delete", "table")])

    def cut(self, addresses: Iterable[str]) -> dict[str, int]:
        """Connections to our ports that were ended, by address; the kernel must have CONFIG_INET_DIAG_DESTROY.

        What remains gets no packet through the wall any more, and dies of silence. Those of containers are not seen.
        """
        nets = [ip_network(address) for address in addresses]
        before = self._connections(nets)
        for n in range(0, len(before), CUT_AT_ONCE):
            words = " or ".join(f"( src {own} and dst {peer} )" for own, peer, _ in before[n : n + CUT_AT_ONCE])
            self.runner.run(("ss", "-HntK", words), patience=PATIENCE)
        left = {(own, peer) for own, peer, _ in self._connections(nets)} if before else set()
        counted = dict.fromkeys(map(_short, nets), 0)
        for own, peer, net in before:
            counted[_short(net)] += (own, peer) not in left
        return counted

    def _connections(self, nets: Sequence[Network]) -> list[tuple[str, str, Network]]:
        """Our end, theirs, and whom they belong to."""
        ran = self.runner.run(("ss", "-Hnt", "state", "established"), patience=PATIENCE)
        single = {net.network_address: net for net in nets if net.prefixlen == net.max_prefixlen}
        wide = [net for net in nets if net.prefixlen != net.max_prefixlen]
        found = []
        for line in ran.stdout.splitlines() if ran.ok else ():
            own, peer = [*line.split(), "", "", "", ""][2:4]
            here, there = _PEER.fullmatch(own), _PEER.fullmatch(peer)
            if not here or not there or (self.ports and int(here["port"]) not in self.ports):
                continue
            try:
                address = ip_address(there["address"])
            except ValueError:
                continue
            plain = getattr(address, "ipv4_mapped", None) or address
            net = single.get(plain) or next((n for n in wide if plain in n), None)
            if net is not None:
                found.append((own, peer, net))
        return found

    def _do(self, commands: Sequence[Json]) -> None:
        ran = self.runner.run(("nft", "-j", "-f", "-"), stdin=json.dumps({"nftables": commands}), patience=PATIENCE)
        if not ran.ok:
            raise StepFailed(f"{self.runner.where}: {_complaint(ran)}")


def _complaint(ran: Ran) -> str:
    if ran.absent:
        return "nft is not installed"
    said = [line for line in ran.stderr.splitlines() if line.strip()]
    return ran.why or (said[0].strip()[:200] if said else f"nft ended with status {ran.code}")


def _table(ports: Sequence[int]) -> list[Json]:
    wide = {"net4", "net6"}
    sets = [
        _a("add", "set", name=name, type=kind, flags=["timeout", *(["interval"] if name in wide else [])], size=MOST)
        for name, kind in _SETS.items()
    ]
    rules = [[_is({"meta": {"key": "iifname"}}, "lo"), {"accept": None}]]
    for name, kind in _SETS.items():
        own = [_is({"payload": {"protocol": "ip" if kind == "ipv4_addr" else "ip6", "field": "saddr"}}, f"@{name}")]
        if ports:
            own.append(_is({"payload": {"protocol": "tcp", "field": "dport"}}, _any(ports)))
        rules.append([*own, {"jump": {"target": "blocked"}}])
    log = {"log": {"prefix": "gatepost blocked: "}}
    return [
        _a("add", "table"),
        _a("delete", "table"),
        _a("add", "table"),
        *sets,
        _a("add", "chain", name="blocked"),
        _rule("blocked", [{"limit": {"rate": LOGGED, "burst": 5, "per": "minute"}}, log]),
        _rule("blocked", [{"counter": None}, {"drop": None}]),
        _a("add", "chain", name="arriving", type="filter", hook="prerouting", prio=PRIORITY, policy="accept"),
        *(_rule("arriving", rule) for rule in rules),
    ]


def _any(ports: Sequence[int]) -> object:
    """As nft prints it: a set of one is that one."""
    return {"set": sorted(ports)} if len(ports) > 1 else ports[0]


def _a(verb: str, kind: str, **more: object) -> Json:
    named = {"name": TABLE} if kind == "table" else {"table": TABLE}
    return {verb: {kind: {"family": FAMILY, **named, **more}}}


def _rule(chain: str, expression: list[Json]) -> Json:
    return _a("add", "rule", chain=chain, expr=expression)


def _is(left: Json, right: object) -> Json:
    return {"match": {"op": "==", "left": left, "right": right}}


def _added(held: Sequence[Held]) -> list[Json]:
    return _elements("add", ((one.address, max(1, one.seconds)) for one in held))


def _taken(addresses: Sequence[str]) -> list[Json]:
    return _elements("delete", ((address, 0) for address in addresses))


def _elements(verb: str, timed: Iterable[tuple[str, int]]) -> list[Json]:
    """Grouped by set. Two addresses that are one are one element."""
    sets: dict[str, dict[str, Any]] = {}
    for address, seconds in timed:
        net = ip_network(address)
        single = net.prefixlen == net.max_prefixlen
        value: Any = str(net.network_address)
        if not single:
            value = {"prefix": {"addr": value, "len": net.prefixlen}}
        name = f"{'v' if single else 'net'}{net.version}"
        sets.setdefault(name, {})[str(net)] = {"elem": {"val": value, "timeout": seconds}} if seconds else value
    return [_a(verb, "element", name=name, elem=list(found.values())) for name, found in sets.items()]


def _batches(held: Sequence[Held]) -> list[Sequence[Held]]:
    return [held[n : n + AT_ONCE] for n in range(0, len(held), AT_ONCE)]


def _standing(text: str, ports: Sequence[int]) -> Standing:
    try:
        objects = json.loads(text)["nftables"]
    except (ValueError, KeyError, TypeError):
        return Standing()
    held: list[Held] = []
    rules: list[Any] = []
    hooked, dropped = False, 0
    for one in objects:
        if "set" in one:
            held += [_held(elem["elem"]) for elem in one["set"].get("elem", ()) if "elem" in elem]
        elif "rule" in one:
            rules.append(_bare(one["rule"]))
            dropped += sum((e["counter"] or {}).get("packets", 0) for e in one["rule"]["expr"] if "counter" in e)
        elif "chain" in one:
            chain = one["chain"]
            hooked |= chain.get("hook") == "prerouting" and chain.get("prio") == PRIORITY
    wanted = [_bare(one["add"]["rule"]) for one in _table(ports) if "rule" in one.get("add", {})]
    return Standing(tuple(held), hooked and sorted(rules) == sorted(wanted), dropped)


def _bare(rule: Json) -> str:
    """What a rule does, without what the kernel adds: handles, counts, defaults of a limit."""
    kept = [
        {"limit": part["limit"]["rate"]} if "limit" in part else {"counter": None} if "counter" in part else part
        for part in rule["expr"]
    ]
    return json.dumps([rule["chain"], kept], sort_keys=True)


def _held(elem: Json) -> Held:
    value = elem["val"]
    if isinstance(value, dict):
        value = f"{value['prefix']['addr']}/{value['prefix']['len']}"
    return Held(value, int(elem.get("expires") or elem.get("timeout") or 0))


def _short(net: Network) -> str:
    """As the ledger has it: an address alone without its length."""
    return str(net.network_address if net.prefixlen == net.max_prefixlen else net)
