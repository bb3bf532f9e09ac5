"""Four zones around a real firewall: the agent in each sees exactly what the rules do, over both families."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product

import pytest

from gatepost.edge.host.reaching import Job, ask, read
from gatepost.edge.host.runner import Ways
from gatepost.model.architecture import Endpoint
from gatepost.model.rules import Reach, ReachSeen
from lab.places import program
from lab.realm.ground import HOST, PUBLIC, ZONES, Ground, why_no_ground

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_no_ground()), reason=why_no_ground())]

NAME = "mx1.example.org"
LISTENER = """
import socket, sys, threading
kept = [
    socket.create_server(("::", int(p)), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64) for p in sys.argv[1:]
]
print("listening", flush=True)
threading.Event().wait()
"""
LISTENING = (22, 24, 25, 110, 143, 465, 587, 993, 2425, 3306, 6379, 8080, 10025, 11334, 12345)
UNUSED = (26, 995, 5432, 8891)
FATES = ("accept", "drop", "reject", "reject with icmpx type admin-prohibited", "reject with tcp reset")
KEPT_OUT = {
    "drop": Reach.SILENT,
    "reject": Reach.REJECTED,
    "reject with icmpx type admin-prohibited": Reach.REJECTED,
    "reject with tcp reset": Reach.REFUSED,
}


@dataclass(frozen=True)
class Field:
    """Namespaces, and what the rules on the host do with each zone, family and port."""

    ground: Ground
    fates: dict[tuple[str, int, int], str]

    def from_(self, zone: str, *targets: Endpoint) -> tuple[ReachSeen, ...]:
        job = Job(zone, zone, targets)
        with Ways() as ways:
            return read(ask(ways.to(f"netns {self.ground.namespace(zone)}"), job), zone).seen

    def expected(self, zone: str, family: int, port: int) -> Reach:
        fate = self.fates[zone, family, port]
        reached = Reach.REACHED if port in LISTENING else Reach.REFUSED
        return KEPT_OUT.get(fate, reached)


@pytest.fixture(scope="module")
def field() -> Iterator[Field]:
    ground = Ground(f"seg{os.getpid()}")
    chance = random.Random(20261124)  # noqa: S311 - the same rules in every run
    fates = {key: chance.choice(FATES) for key in product((z.name for z in ZONES), (4, 6), (*LISTENING, *UNUSED))}
    fates["store", 4, 25] = "accept"
    try:
        ground.up()
        _rule(ground, fates)
        listener = _listen(ground)
        try:
            yield Field(ground, fates)
        finally:
            listener.kill()
            listener.wait()
    finally:
        ground.down()


def _rule(ground: Ground, fates: dict[tuple[str, int, int], str]) -> None:
    """ICMP errors without a limit: a kernel sends six at once and then falls silent."""
    rules = [
        f'    iifname "{zone}" meta nfproto ipv{family} tcp dport {port} ct state new {fate}'
        for (zone, family, port), fate in fates.items()
    ]
    text = "\n".join([
        "table inet fates {", "  chain input {", "    type filter hook input priority filter; policy accept;",
        *rules, "  }", "}", "",
    ])  # fmt: skip
    subprocess.run(ground.inside(HOST, program("nft"), "-f", "-"), input=text, text=True, check=True)
    unlimited = "echo 0 > /proc/sys/net/ipv4/icmp_ratelimit; echo 0 > /proc/sys/net/ipv6/icmp/ratelimit"
    subprocess.run(ground.inside(HOST, "sh", "-ec", unlimited), check=True)


def _listen(ground: Ground) -> subprocess.Popen[str]:
    command = ground.inside(HOST, sys.executable, "-c", LISTENER, *map(str, LISTENING))
    started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert started.stdout
    with started.stdout as said:
        assert said.readline().strip() == "listening"
    return started


def targets() -> tuple[Endpoint, ...]:
    return tuple(Endpoint(NAME, address, port) for address in PUBLIC for port in (*LISTENING, *UNUSED))


def test_every_zone_sees_exactly_what_the_rules_do(field: Field) -> None:
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda zone: field.from_(zone.name, *targets()), ZONES))
    wrong = {
        (zone.name, one.at.address, one.at.port): (one.result, field.expected(zone.name, one.at.family, one.at.port))
        for zone, seen in zip(ZONES, told, strict=True)
        for one in seen
        if one.result is not field.expected(zone.name, one.at.family, one.at.port)
    }
    assert wrong == {}
    assert {one.result for seen in told for one in seen} >= {
        Reach.REACHED, Reach.REFUSED, Reach.REJECTED, Reach.SILENT,
    }  # fmt: skip


def test_the_source_that_the_host_sees_is_told(field: Field) -> None:
    """It decides which zone somebody stands in."""
    for zone in ZONES:
        seen = field.from_(zone.name, *(Endpoint(NAME, address, 26) for address in PUBLIC))
        assert {one.source for one in seen} == set(zone.here)


def test_the_host_itself_as_a_client_of_the_zones(field: Field) -> None:
    """The other direction: nobody listens in the zones, and nothing stands in the way of whoever takes the host."""
    inner = [Endpoint(address, address, 445) for zone in ZONES for address in zone.here]
    with Ways() as ways:
        via = ways.to(f"netns {field.ground.namespace(HOST)}")
        seen = read(ask(via, Job(NAME, "", tuple(inner))), "mx").seen
    assert {one.result for one in seen} == {Reach.REFUSED}


def test_where_no_road_leads_is_told_apart_from_silence(field: Field) -> None:
    seen = field.from_("office", Endpoint("far", "100.64.0.1", 25), Endpoint("far", "2001:db8:ffff::1", 25))
    assert {one.result for one in seen} <= {Reach.NO_ROUTE, Reach.REJECTED}


def test_a_middlebox_that_answers_for_everybody_is_unmasked(field: Field) -> None:
    """High ports all lead to one listener: what was reached proves nothing, what was kept out still does."""
    nat = """
table ip box {
  chain pre {
    type nat hook prerouting priority dstnat
    iifname "store" tcp dport 30000-65535 redirect to :25
  }
}
"""
    shut = next(p for p in LISTENING if field.fates["store", 4, p] == "drop")
    host = field.ground.inside(HOST, program("nft"))
    subprocess.run((*host, "-f", "-"), input=nat, text=True, check=True)
    try:
        job = Job("store", "store", (at(25), at(shut)), canaries=(at(54321),))
        with Ways() as ways:
            seen = read(ask(ways.to(f"netns {field.ground.namespace('store')}"), job), "store").seen
    finally:
        subprocess.run((*host, "delete", "table", "ip", "box"), check=True)
    assert [one.result for one in seen] == [Reach.UNKNOWN, Reach.SILENT]


def at(port: int) -> Endpoint:
    return Endpoint(NAME, PUBLIC[0], port)


def test_results_are_plain_json_lines(field: Field) -> None:
    with Ways() as ways:
        via = ways.to(f"netns {field.ground.namespace('admin')}")
        text = ask(via, Job("admin", "admin", targets()[:3]))
    assert [sorted(json.loads(line))[:1] for line in text.splitlines()] == [["on"], *[["address"]] * 3, ["end"]]
