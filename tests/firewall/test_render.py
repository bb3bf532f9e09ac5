"""The rendered rules, read by the small kernel of the tests, do what the matrix says and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given, settings

from gatepost import catalogue
from gatepost.errors import UsageError
from gatepost.firewall.exits import relays
from gatepost.firewall.matrix import matrix
from gatepost.firewall.render import digest, removal, same, transaction
from gatepost.firewall.rendering.inward import watched
from gatepost.firewall.rendering.words import commented, set_name
from gatepost.model.architecture import Architecture, Host, Zone
from gatepost.model.flows import Flow, Matrix, Network
from tests.firewall.estate import architectures, estate
from tests.firewall.kernel import ACCEPT, DROP, Kernel, Packet

PORTS = (22, 25, 53, 587, 3306, 11332)  # four that a made-up service may have, and two that none has
OUTSIDE = ("203.0.113.9", "2001:db8:ffff::9", "10.3.255.255", "192.168.1.1")


def edges(networks: Iterable[Network]) -> list[str]:
    """Addresses where an answer can change: both ends of each network, and their neighbours."""
    found: set[str] = set(OUTSIDE)
    for network in networks:
        for number in (int(network.network_address), int(network.broadcast_address)):
            for near in (number - 1, number, number + 1):
                if 0 < near < 2**network.max_prefixlen:
                    found.add(str(ip_address(near) if network.version == 4 else ip_address(near.to_bytes(16, "big"))))
    return sorted(found)


def family(address: str) -> int:
    return 6 if ":" in address else 4


@cache
def among(address: str, networks: tuple[Network, ...]) -> bool:
    return any(ip_address(address) in network for network in networks)


def permits(flows: Iterable[Flow], source: str, target: str, port: int) -> bool:
    return any((f.address, f.port) == (target, port) and among(source, f.sources) for f in flows)


def may_go(whole: Matrix, host: Host, target: str, port: int) -> bool:
    """The contract of a matrix: kept from networks, and muted, but for exits."""
    for one in whole.out_of(host.name):
        if one.transport == "tcp" and among(target, one.targets):
            if one.port == port:
                return True
            if one.port == 0 and not (host.name in whole.muted and port == 25):
                return True
    if host.name in whole.muted and port == 25:
        return False
    return not among(target, dict(whole.kept_from).get(host.name, ()))


def networks_of(architecture: Architecture) -> list[Network]:
    zones = [n for zone in architecture.zones for n in zone.networks]
    return [*zones, *(ip_network(a) for host in architecture.hosts for a in host.addresses)]


@settings(max_examples=40, deadline=None)
@given(architectures())
def test_in_and_out_exactly_as_the_matrix(architecture: Architecture) -> None:
    whole, near = matrix(architecture), edges(networks_of(architecture))
    for host in architecture.hosts:
        kernel = Kernel.loaded(transaction(whole, host, architecture))
        flows = whole.to(host.name)
        for own in host.addresses:
            for other in (a for a in near if family(a) == family(own)):
                for port in PORTS:
                    here = kernel.verdict("input", Packet(other, own, port))
                    assert (here == ACCEPT) == permits(flows, other, own, port), (host.name, other, own, port)
                    there = kernel.verdict("output", Packet(own, other, port))
                    assert (there == ACCEPT) == may_go(whole, host, other, port), (host.name, other, port)


@settings(max_examples=25, deadline=None)
@given(architectures())
def test_published_ports_follow_the_matrix_by_the_port_dialled(architecture: Architecture) -> None:
    whole, near = matrix(architecture), edges(networks_of(architecture))
    for host in architecture.hosts:
        kernel = Kernel.loaded(transaction(whole, host, architecture))
        routes = "forward" not in kernel.chains
        assert routes == host.routes
        for own, inner in ((a, {4: "172.17.0.2", 6: "fd00::2"}[family(a)]) for a in host.addresses):
            for other in (a for a in near if family(a) == family(own)):
                for port in PORTS:
                    packet = Packet(other, inner, 25, oif="docker0", dialled=port, dialled_at=own)
                    wanted = permits(whole.to(host.name), other, own, port)
                    assert routes or (kernel.verdict("forward", packet) == ACCEPT) == wanted
                    here = replace(packet, target=own, oif="")  # a redirection within the host
                    assert (kernel.verdict("input", here) == ACCEPT) == wanted


@settings(max_examples=25, deadline=None)
@given(architectures())
def test_what_the_kernel_asks_of_names(architecture: Architecture) -> None:
    whole = matrix(architecture)
    for host in architecture.hosts:
        entries = transaction(whole, host, architecture)["nftables"]
        objects = [one for entry in entries for one in entry.get("add", {}).items()]
        names = [one["name"] for kind, one in objects if kind == "set"]
        assert len(names) == len(set(names))
        assert all(re.fullmatch("[a-z][A-Za-z0-9_]{0,30}", name) for name in names)
        comments = [one["comment"] for kind, one in objects if kind == "rule"]
        assert all(c.isprintable() and len(c.encode()) <= 128 and '"' not in c for c in comments)
        assert all("log" not in e or len(e["log"]["prefix"]) < 64 for k, o in objects if k == "rule" for e in o["expr"])


HOST = "mx1.example.org"
FIVE = "198.51.100.5"


def mx(**more: Any) -> Kernel:
    whole = estate()
    return Kernel.loaded(transaction(matrix(whole), whole.hosts[0], whole, **more))


def test_only_our_table_and_it_is_made_anew() -> None:
    whole = estate()
    entries = transaction(matrix(whole), whole.hosts[0], whole)["nftables"]
    table = {"table": {"family": "inet", "name": "gatepost"}}
    assert entries[:3] == [{"add": table}, {"delete": table}, {"add": table}]
    assert all(set(entry) == {"add"} for entry in entries[2:])
    assert removal() == {"nftables": [{"add": table}, {"delete": table}]}
    assert transaction(matrix(whole), whole.hosts[0], whole) == transaction(matrix(whole), whole.hosts[0], whole)


@pytest.mark.parametrize(
    "packet",
    [
        Packet("127.0.0.1", "127.0.0.1", 6379, iif="lo"),
        Packet("203.0.113.9", FIVE, 40000, state="established"),
        Packet("203.0.113.9", FIVE, 0, "icmp", state="related", icmp="destination-unreachable"),
        Packet("203.0.113.9", FIVE, 0, "icmp", state="invalid", icmp="destination-unreachable"),
        Packet("203.0.113.9", FIVE, 0, "icmp", icmp="time-exceeded"),
        Packet("203.0.113.9", FIVE, 0, "icmp", icmp="echo-request"),
        Packet("fe80::1", "fe80::5", 0, "ipv6-icmp", state="untracked", icmp="nd-neighbor-solicit", hops=255),
        Packet("fe80::1", "fe80::5", 0, "ipv6-icmp", state="untracked", icmp="nd-router-advert", hops=255),
        Packet("2001:db8::9", "2001:db8:8::5", 0, "ipv6-icmp", state="invalid", icmp="packet-too-big"),
        Packet("fe80::1", "ff02::1", 0, "ipv6-icmp", state="untracked", icmp="mld-listener-query", hops=1),
        Packet("192.0.2.1", "255.255.255.255", 68, "udp", sport=67),
        Packet("fe80::1", "fe80::5", 546, "udp"),
        Packet("10.88.0.7", "10.88.0.1", 53, "udp", iif="podman0"),
    ],
    ids=str,
)
def test_what_always_lives(packet: Packet) -> None:
    assert mx().verdict("input", packet) == ACCEPT


@pytest.mark.parametrize(
    "packet",
    [
        Packet("203.0.113.9", FIVE, 25, state="invalid"),
        Packet("fe80::1", "fe80::5", 0, "ipv6-icmp", state="untracked", icmp="nd-neighbor-solicit", hops=254),
        Packet("203.0.113.9", "fe80::5", 0, "ipv6-icmp", icmp="nd-redirect", hops=255),
        Packet("203.0.113.9", FIVE, 53, "udp"),
        Packet("203.0.113.9", FIVE, 53),
        Packet("203.0.113.9", FIVE, 68, "udp"),
        Packet("203.0.113.9", FIVE, 25, "udp"),
    ],
    ids=str,
)
def test_what_never_comes_in(packet: Packet) -> None:
    assert mx().verdict("input", packet) == DROP


def test_the_host_reaches_its_life_support() -> None:
    kernel = mx()
    for packet in (
        Packet(FIVE, "192.0.2.1", 0, "icmp", icmp="echo-request"),
        Packet("fe80::5", "ff02::1", 0, "ipv6-icmp", icmp="nd-neighbor-solicit", hops=255),
        Packet(FIVE, "192.0.2.1", 67, "udp", sport=68),
        Packet("fe80::5", "ff02::1:2", 547, "udp"),
        Packet("127.0.0.1", "127.0.0.1", 3306, oif="lo"),
        Packet(FIVE, "192.0.2.9", 40000, state="established"),
        Packet(FIVE, "192.0.2.9", 53),
        Packet(FIVE, "192.0.2.9", 123, "udp"),
        Packet("172.17.0.1", "172.17.0.2", 8080, oif="docker0"),
    ):
        assert kernel.verdict("output", packet) == ACCEPT, packet
    assert kernel.verdict("output", Packet(FIVE, "192.0.2.9", 445)) == DROP


def test_nobody_is_forwarded_between_zones() -> None:
    kernel = mx()
    for source, target in (("192.0.2.9", "10.8.0.7"), ("203.0.113.9", "192.0.2.9"), ("10.8.0.7", "203.0.113.9")):
        for port in PORTS:
            assert kernel.verdict("forward", Packet(source, target, port, iif="eth1", oif="eth2")) == DROP
    # nor to the address of a container, past the port it publishes
    assert kernel.verdict("forward", Packet("192.0.2.9", "172.17.0.2", 25, oif="docker0")) == DROP


def test_containers_go_where_the_host_may() -> None:
    kernel = mx()

    def go(target: str, port: int, oif: str = "eth0") -> str:
        return kernel.verdict("forward", Packet("172.17.0.2", target, port, iif="br-0f1e2d", oif=oif))

    assert (go("203.0.113.9", 25), go("203.0.113.9", 443), go("10.8.0.7", 24)) == (ACCEPT, ACCEPT, ACCEPT)
    assert (go("192.0.2.9", 445), go("10.8.0.7", 22)) == (DROP, ACCEPT)
    assert go("172.18.0.3", 3306, oif="docker0") == ACCEPT
    hairpin = Packet("172.17.0.2", "172.18.0.3", 143, iif="docker0", oif="br-1", dialled=143, dialled_at=FIVE)
    assert kernel.verdict("forward", hairpin) == ACCEPT


def test_an_emergency_shuts_at_once_and_open_sessions_too() -> None:
    kernel, before = mx(closed={25, 993}), mx()
    for state in ("new", "established"):
        for port in (25, 993):
            packet = Packet("192.0.2.9", FIVE, port, state=state)
            assert (kernel.verdict("input", packet), before.verdict("input", packet)) == (DROP, ACCEPT)
            inner = replace(packet, target="172.17.0.2", port=2525, dialled=port, oif="docker0")
            assert (kernel.verdict("forward", inner), before.verdict("forward", inner)) == (DROP, ACCEPT)
    assert kernel.verdict("input", Packet("192.0.2.9", FIVE, 465)) == ACCEPT
    assert kernel.verdict("input", Packet("127.0.0.1", "127.0.0.1", 25, iif="lo")) == ACCEPT
    answer = Packet("203.0.113.9", FIVE, 40000, state="established", sport=25)  # of a delivery we made
    assert kernel.verdict("input", answer) == ACCEPT


def test_an_emergency_never_shuts_operators_out() -> None:
    with pytest.raises(UsageError, match=r"mx1\.example\.org: port 22 is where operators log in"):
        mx(closed={22, 25})


def test_flows_that_differ_between_addresses_are_told_apart() -> None:
    """Not what a declaration can say today, but what a matrix can."""
    host = Host("mx", ("192.0.2.1", "192.0.2.2", "2001:db8::1"), ())
    office = (ip_network("10.1.0.0/16"),)
    flows = (Flow("mx/imaps", "mx", "192.0.2.2", 993, office, ("office",)),)
    kernel = Kernel.loaded(transaction(Matrix(flows), host, Architecture(hosts=(host,))))
    inner = Packet("10.1.0.9", "172.17.0.2", 143, dialled=993, oif="docker0")
    for address, wanted in (("192.0.2.1", DROP), ("192.0.2.2", ACCEPT)):
        assert kernel.verdict("input", Packet("10.1.0.9", address, 993)) == wanted
        assert kernel.verdict("forward", replace(inner, dialled_at=address)) == wanted
    assert kernel.verdict("input", Packet("10.2.0.9", "192.0.2.2", 993)) == DROP


def test_each_rule_says_what_it_comes_from_and_is_counted() -> None:
    flows = matrix(estate()).to(HOST)
    rules = mx().rules["input"]
    for flow in flows:
        ours = [r for r in rules if r["comment"].startswith(f"{flow.id} from ")]
        assert ours
        assert all({"counter": None} in r["expr"] and r["expr"][-1] == {"accept": None} for r in ours)
    comments = [r["comment"] for r in rules]
    assert f"{HOST}/imaps from office" in comments
    for port in watched(estate().hosts[0]):
        assert {f"gatepost: log {port}", f"gatepost: drop {port}"} <= set(comments)
    assert {25, 110, 143, 465, 587, 993, 995, 4190, 11332, 22} <= set(watched(estate().hosts[0]))


def test_a_log_is_always_limited() -> None:
    for host in estate().hosts:
        kernel = Kernel.loaded(transaction(matrix(estate()), host, estate()))
        for rule in (r for rules in kernel.rules.values() for r in rules):
            kinds = [next(iter(expression)) for expression in rule["expr"]]
            assert "log" not in kinds or kinds.index("limit") < kinds.index("log")


def test_a_relay_may_send_mail_and_others_may_not() -> None:
    whole = estate()
    for host in whole.hosts:
        kernel = Kernel.loaded(transaction(matrix(whole), host, whole))
        out = kernel.verdict("output", Packet(host.addresses[0], "203.0.113.9", catalogue.number("smtp")))
        assert (out == ACCEPT) == relays(host)
        there = kernel.verdict("output", Packet(host.addresses[0], FIVE, catalogue.number("smtp")))
        assert there == ACCEPT  # the declared relay


LISTED_SHUFFLED = {"metainfo": {"version": "1.0.6"}}


def listed(rendered: dict[str, Any]) -> dict[str, Any]:
    """As a kernel hands it back: handles, numbers in counters, sets in its own order, other tables around it."""
    found: list[dict[str, Any]] = [LISTED_SHUFFLED, {"table": {"family": "ip", "name": "nat", "handle": 9}}]
    for handle, entry in enumerate(rendered["nftables"][2:]):
        ((kind, one),) = entry["add"].items()
        found.append({kind: {**one, "handle": handle}})
        if kind == "set":
            found[-1][kind]["elem"] = one["elem"][::-1]
        if kind == "rule":
            counted = {"counter": {"packets": 7, "bytes": 420}}
            found[-1][kind]["expr"] = [counted if "counter" in e else e for e in one["expr"]]
    found.append({"rule": {"family": "ip", "table": "nat", "chain": "x", "handle": 1, "expr": [{"drop": None}]}})
    return {"nftables": found}


@settings(max_examples=12, deadline=None)
@given(architectures())
def test_a_table_read_back_is_the_same_and_a_changed_one_is_not(architecture: Architecture) -> None:
    host = architecture.hosts[0]
    rendered = transaction(matrix(architecture), host, architecture)
    running = listed(rendered)
    assert same(rendered, running)
    assert digest(rendered) == digest(running) != ""
    for n, entry in list(enumerate(running["nftables"]))[::6]:
        if "table" not in entry and "metainfo" not in entry and "nat" not in str(entry):
            assert not same(rendered, {"nftables": running["nftables"][:n] + running["nftables"][n + 1 :]})
    added = {
        "rule": {"family": "inet", "table": "gatepost", "chain": "input", "handle": 99, "expr": [{"accept": None}]}
    }
    assert not same(rendered, {"nftables": [*running["nftables"], added]})


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"nftables": None},
        {"nftables": [None, 7, {"table": 3}, {"add": None}, {"rule": {"table": []}}]},
        {"nftables": [{"table": {"family": "inet", "name": "gatepost"}},
                      {"set": {"family": "inet", "table": "gatepost"}}]},
        {"nftables": [{"table": {"family": "inet", "name": "gatepost"}},
                      {"rule": {"family": "inet", "table": "gatepost", "chain": "x", "expr": {"a": [[]]}}}]},
    ],
)  # fmt: skip
def test_a_listing_that_makes_no_sense_is_not_the_same(document: dict[str, Any]) -> None:
    whole = estate()
    assert not same(transaction(matrix(whole), whole.hosts[0], whole), document)
    assert digest({}) == ""


def test_names_of_sets_stay_apart() -> None:
    words = ["office", "Office", "off ice", "off_ice", "off__ice", "office_", "büro", "x" * 40, "x" * 41, "", "_", "ip"]
    names = [set_name("zone", w, f) for w in words for f in (4, 6)]
    assert len(set(names)) == len(names)
    assert set_name("zone", "office", 4) == "zone_office_v4"
    assert commented("mx/a from b") == "mx/a from b"
    odd = [commented(w) for w in ('a"b', "a?b", "a\nb", "a\\b", "ü" * 70, "ü" * 71)]
    assert len(set(odd)) == len(odd)


def test_an_estate_without_zones_or_services_still_lets_operators_in() -> None:
    host = Host("mx", ("192.0.2.1",), ())
    whole = Architecture(zones=(Zone("empty", ()),), hosts=(host,))
    kernel = Kernel.loaded(transaction(matrix(whole), host, whole))
    assert kernel.verdict("input", Packet("203.0.113.9", "192.0.2.1", 22)) == ACCEPT
    assert kernel.verdict("input", Packet("203.0.113.9", "192.0.2.1", 25)) == DROP
    assert kernel.verdict("input", Packet("2001:db8::9", "2001:db8::1", 22)) == DROP  # no address declared


def test_an_estate_at_the_limits_of_a_declaration() -> None:
    """2000 networks in 100 zones, 200 hosts: some tenths of a second for the matrix, some hundredths for a host."""
    zones = tuple(Zone(f"zone {n}", tuple(ip_network(f"10.{n}.{2 * m}.0/24") for m in range(20))) for n in range(100))
    (imaps,) = (s for s in estate().hosts[0].services if s.name == "imaps")
    hosts = tuple(
        Host(f"mx{n}.test", (f"10.{n % 100}.1.{n + 1}", f"2001:db8::{n + 1:x}"),
             (replace(imaps, sources=tuple(f"zone {(n + m) % 100}" for m in range(50))),))
        for n in range(200)
    )  # fmt: skip
    whole = Architecture(zones=zones, hosts=hosts)
    found = matrix(whole)
    kernel = Kernel.loaded(transaction(found, hosts[7], whole))
    assert sum(len(elements) for name, elements in kernel.sets.items() if name.startswith("zone_")) == 50 * 20
    assert len(kernel.sets["kept_zones_v4"]) == 2000
    assert kernel.verdict("input", Packet("10.7.0.9", hosts[7].addresses[0], 993)) == ACCEPT
    assert kernel.verdict("input", Packet("10.60.0.9", hosts[7].addresses[0], 993)) == DROP
