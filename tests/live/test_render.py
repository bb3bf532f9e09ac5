"""The rendered table in a real kernel: a mail host between two zones, with a container, in namespaces of our own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from gatepost.firewall.matrix import matrix
from gatepost.firewall.render import digest, removal, same, transaction
from gatepost.firewall.witness import LIST, facts
from gatepost.model.architecture import Architecture
from gatepost.model.bundle import Bundle, Ran
from gatepost.model.observation import Unobserved, of
from gatepost.model.rules import DeviationSeen, FirewallSeen, LifeSupportSeen
from tests.firewall.estate import estate
from tests.live.crossing import ADDRESSES, PORTS, SEND, TOML, Site, why_not

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=why_not())]


@pytest.fixture(scope="module")
def bare() -> Iterator[Site]:
    site = Site()
    try:
        site.up()
        yield site
    finally:
        site.down()


@pytest.fixture
def site(bare: Site) -> Site:
    bare.load(rendered())
    return bare


def rendered(**more: Any) -> dict[str, Any]:
    whole = declared()
    return transaction(matrix(whole), whole.hosts[0], whole, **more)


def declared() -> Architecture:
    return estate(TOML)


def test_each_zone_reaches_what_it_should_and_no_more(site: Site) -> None:
    places = [(address, port) for address in ADDRESSES["mx"] for port in PORTS]
    flows = matrix(declared()).flows
    for zone in ("office", "world"):
        wanted = {
            (f.address, f.port)
            for f in flows
            if f.port in PORTS and any(str(n) in {"0.0.0.0/0", "::/0"} or zone == "office" for n in f.sources)
        }
        assert site.reached(zone, *places) == wanted


def test_loopback_and_containers_are_alive(site: Site) -> None:
    inner = [("127.0.0.1", 6379), ("::1", 6379), *((a, 3306) for a in ADDRESSES["mx"]), ("172.17.0.2", 3306)]
    assert site.reached("mx", *inner) == set(inner)
    out = [("203.0.113.9", 25), ("203.0.113.9", 443), ("192.0.2.9", 25), ("192.0.2.9", 445)]
    assert site.reached("box", *out) == set(out[:3])  # the last one is in an internal zone


def test_published_and_redirected_ports_are_judged_by_the_number_dialled(site: Site) -> None:
    places = [("198.51.100.5", port) for port in (587, 2525, 3306)] + [("172.17.0.2", 3306), ("172.17.0.2", 10587)]
    assert site.reached("office", *places) == {("198.51.100.5", 587)}
    site.run("hop", "ip", "route", "replace", "172.17.0.0/16", "via", "100.64.0.1")
    assert site.reached("world", *places) == set()


def test_the_host_is_no_router_and_no_way_in(site: Site) -> None:
    places = [(a, p) for a in ADDRESSES["office"] for p in (25, 445)]
    assert site.reached("world", *places) == set()
    assert site.reached("mx", *places) == {(a, 25) for a in ADDRESSES["office"]}  # a relay delivers mail
    outside = [(a, p) for a in ADDRESSES["world"] for p in (25, 443)]
    assert site.reached("office", *outside) == set()
    assert site.reached("mx", *outside) == set(outside)


def test_large_messages_find_the_path_mtu(site: Site) -> None:
    """The link behind the hop takes 1300 octets, and only its ICMP messages say so."""
    for address in ADDRESSES["world"]:
        assert site.run("mx", sys.executable, "-c", SEND, address, "443") == "b''\n"
        assert "mtu 1300" in site.run("mx", "ip", "route", "get", address)


def test_loading_twice_changes_nothing_and_touches_no_other_table(site: Site) -> None:
    def others() -> list[dict[str, Any]]:
        listed = site.listed()["nftables"]
        return [
            one for one in listed if not {"gatepost"} & {v for o in one.values() for v in o.values() if v == "gatepost"}
        ]

    before = others()
    first = site.listed()
    assert same(rendered(), first)
    site.load(rendered())
    assert same(rendered(), site.listed())
    assert len(site.listed()["nftables"]) == len(first["nftables"])
    assert others() == before
    assert any(one.get("table", {}).get("name") == "dock" for one in before)
    site.run("mx", "nft", "add", "rule", "inet", "gatepost", "input", "tcp", "dport", "143", "accept")
    assert not same(rendered(), site.listed())
    site.load(removal())
    site.load(removal())
    assert others() == site.listed()["nftables"]
    assert others() == before


def test_an_emergency_closes_and_opens_again(site: Site) -> None:
    places = [("198.51.100.5", 25), ("198.51.100.5", 587), ("198.51.100.5", 993), ("2001:db8:8::5", 993)]
    site.load(rendered(closed={587, 993}))
    assert site.reached("office", *places) == {("198.51.100.5", 25)}
    site.load(rendered())
    assert site.reached("office", *places) == set(places)


def test_whatever_can_be_declared_loads(site: Site) -> None:
    """The kernel takes names, comments and sets as rendered; what it lists is what was meant."""
    odd = estate(TOML.replace("office = ", '"Büro \\"1\\"" = ').replace('["office"]', '["Büro \\"1\\""]'))
    for whole in (estate(), odd):
        for host in whole.hosts:
            document = transaction(matrix(whole), host, whole, closed={25})
            site.load(document)
            assert same(document, site.listed())


COMMANDS = (
    LIST, ("iptables-save",), ("ip6tables-save",), ("ip", "-j", "address"),
    ("ip", "-j", "-4", "route", "show", "table", "all"), ("ip", "-j", "-6", "route", "show", "table", "all"),
    ("sysctl", "-n", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"),
)  # fmt: skip


def test_the_prover_agrees_with_the_kernel(site: Site) -> None:
    """Nothing differs, containers and redirections included, and everything that must live does."""
    whole = declared()
    ran = tuple(Ran(argv, 0, site.run("mx", *argv)) for argv in COMMANDS)
    taken = Bundle("mx1.example.org", datetime(2026, 11, 24, tzinfo=UTC), "netns", ran)
    told = facts(taken, whole.hosts[0], matrix(whole))
    assert of(Unobserved, told) == []
    assert of(DeviationSeen, told) == []
    assert [one for one in of(LifeSupportSeen, told) if not one.alive] == []
    (seen,) = of(FirewallSeen, told)
    assert seen.ours == digest(rendered())
