"""The proof against the kernel: random rule sets, and what every sampled connection was said to become."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from random import Random

from gatepost.firewall.proving import overlay, ruleset, surroundings
from gatepost.firewall.proving.evaluation import Evaluator
from gatepost.firewall.proving.fates import ACCEPT, DROP, Fates
from gatepost.firewall.proving.packets import DESTINATION, Packet
from gatepost.firewall.proving.paths import Paths
from gatepost.firewall.proving.surroundings import Surroundings
from lab.packets import LONG, Lanes, Read, Try
from lab.rulesets import PORTS, SOURCES, iptables, nft

SAID = {ACCEPT: "accept", DROP: "drop", ACCEPT | DROP: "cannot tell"}


@dataclass(slots=True)
class Count:
    rulesets: int = 0
    refused: int = 0
    said: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SAID.values(), 0))
    by_way: dict[str, int] = field(default_factory=dict)
    again: int = 0  # agreed when tried once more with more patience
    wrong: list[tuple[Try, str, str]] = field(default_factory=list)  # with the rules

    @property
    def flows(self) -> int:
        return sum(self.said.values())

    def __str__(self) -> str:
        said = ", ".join(f"{word} {n}" for word, n in self.said.items())
        ways = ", ".join(f"{way} {n}" for way, n in sorted(self.by_way.items()))
        return (
            f"{self.flows} connections ({ways}), {self.rulesets} rule sets: said {said}; wrong {len(self.wrong)}; "
            f"agreed on a second try {self.again}; rule sets the kernel refused {self.refused}"
        )


def prove(lanes: Lanes, random: Random, flows: int, each: int = 64) -> Count:
    """At least so many connections, `each` of them per rule set."""
    count = Count()
    around = [_around(lanes, n) for n in range(lanes.count)]
    while count.flows < flows:
        round_: list[tuple[Try, int, str]] = []
        for lane in range(lanes.count):
            rules, read = _loaded(lanes, lane, random, count)
            paths = _paths(read, around[lane])
            tries = list(_tries(lanes, lane, random, each))
            round_ += [(one, said(paths, one, lanes), rules) for one in tries]
        _compare(lanes, round_, count)
    return count


def said(paths: Paths, one: Try, lanes: Lanes) -> int:
    """The mark of one connection."""
    place = lanes.place(one.lane)
    source, target = int(ip_address(one.source)), int(ip_address(one.target))
    if one.way == "out":
        packet = Packet(one.family, one.port, DESTINATION, iif="", oif=paths.around.way(target, one.family),
                        saddr=source, destination="unicast")  # fmt: skip
        found: Fates = paths.outbound(packet)
        return found.at(target)
    packet = Packet(one.family, one.port, iif=place.outer, daddr=target,
                    destination="local" if one.way == "in" else "unicast")  # fmt: skip
    return paths.inbound(packet).at(source)


def _paths(read: Read, around: Surroundings) -> Paths:
    rules = overlay.joined(ruleset.read(read.rules), dict(read.saves))
    return Paths(Evaluator(rules, around.local, by_interface=around.by_interface), around)


def _around(lanes: Lanes, lane: int) -> Surroundings:
    addresses = json.loads(lanes.told(lane, *surroundings.ADDRESSES))
    routes = {v: json.loads(lanes.told(lane, *argv)) for v, argv in surroundings.ROUTES.items()}
    return surroundings.surroundings(addresses, routes, {4: True, 6: True})


def _loaded(lanes: Lanes, lane: int, random: Random, count: Count) -> tuple[str, Read]:
    """Rules the kernel takes: nft's own, iptables', or both."""
    while True:
        kind = random.random()
        place = lanes.place(lane)
        text = nft(random, place) if kind < 0.75 else ""
        saves = {v: iptables(random, place, v) for v in (4, 6)} if kind > 0.65 else {}
        if not lanes.load(lane, text, saves):
            count.rulesets += 1
            return "\n".join([text, *saves.values()]), lanes.read(lane)
        count.refused += 1


def _tries(lanes: Lanes, lane: int, random: Random, each: int) -> Iterator[Try]:
    place = lanes.place(lane)
    for _ in range(each):
        way, v = random.choice(("in",) * 6 + ("through", "out")), random.choice((4, 4, 6))
        other, port = random.choice(SOURCES[v]), random.choice(PORTS)
        if way == "out":
            yield Try(way, lane, place.own[v], random.choice((other, place.behind[v])), port)
        else:
            yield Try(way, lane, other, place.own[v] if way == "in" else place.behind[v], port)


def _compare(lanes: Lanes, tried: Sequence[tuple[Try, int, str]], count: Count) -> None:
    seen = lanes.attempt([one for one, _, _ in tried])
    doubtful = []
    for (one, mark, rules), reached in zip(tried, seen, strict=True):
        count.said[SAID[mark]] += 1
        count.by_way[one.way] = count.by_way.get(one.way, 0) + 1
        if mark == (DROP if reached else ACCEPT):
            doubtful.append((one, mark, rules))
    if not doubtful:
        return
    again = lanes.attempt([one for one, _, _ in doubtful], LONG)
    for (one, mark, rules), reached in zip(doubtful, again, strict=True):
        if mark == (DROP if reached else ACCEPT):
            count.wrong.append((one, SAID[mark], rules))
        else:
            count.again += 1
