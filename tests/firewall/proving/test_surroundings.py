"""Which sources come in where, by the routes back to them."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from gatepost.firewall.proving import surroundings
from gatepost.firewall.proving.regions import EVERYWHERE, networks
from gatepost.firewall.proving.surroundings import Surroundings
from gatepost.model.bundle import Ran
from tests.firewall.around import ADDRESSES, around, bundle, listed


def by_interface(found: Surroundings, family: int = 4) -> dict[str | None, list[str]]:
    return {name: [str(n) for n in networks(region, family)] for name, region in found.arrivals(family)}


def of(*routes: dict[str, Any]) -> Surroundings:
    return surroundings.surroundings([], {4: routes}, {})


DEFAULT = {"dst": "default", "gateway": "192.0.2.1", "dev": "eth0"}


def test_the_longest_prefix_wins() -> None:
    found = of(DEFAULT, {"dst": "10.0.0.0/8", "dev": "wg0"}, {"dst": "10.1.0.0/16", "dev": "eth1"})
    assert found.way(int(ip_address("10.1.2.3")), 4) == "eth1"
    assert found.way(int(ip_address("10.2.2.3")), 4) == "wg0"
    assert found.way(int(ip_address("192.0.2.9")), 4) == "eth0"
    assert "10.1.0.0/16" in by_interface(found)["eth1"]


def test_of_two_routes_the_smaller_metric() -> None:
    found = of({**DEFAULT, "metric": 100}, {**DEFAULT, "dev": "wlan0", "metric": 600})
    assert set(by_interface(found)) == {"eth0"}


def test_a_network_on_two_interfaces_comes_in_by_both() -> None:
    paths = {"dst": "default", "nexthops": [{"dev": "eth0"}, {"dev": "eth1"}]}
    assert set(by_interface(of(paths))) == {"eth0", "eth1"}
    assert of(paths).way(int(ip_address("192.0.2.9")), 4) is None


@pytest.mark.parametrize("kind", ["blackhole", "unreachable", "prohibit"])
def test_no_way_back_no_connection(kind: str) -> None:
    found = of(DEFAULT, {"dst": "10.0.0.0/8", "type": kind})
    assert found.way(int(ip_address("10.0.0.1")), 4) == ""
    assert int(ip_address("10.0.0.1")) not in found.outside(4)


def test_without_routes_nothing_is_known_and_without_a_default_few_get_in() -> None:
    assert surroundings.surroundings(None, {4: None}, {}).arrivals(4) == [(None, EVERYWHERE[4])]
    assert by_interface(of({"dst": "192.0.2.0/24", "dev": "eth0"})) == {"eth0": ["192.0.2.0/24"]}


def test_other_tables_are_noted_and_not_followed() -> None:
    found = of(DEFAULT, {"dst": "10.0.0.0/8", "dev": "wg0", "table": "51820"})
    assert set(by_interface(found)) == {"eth0"}
    assert found.notes == ("policy routing is not followed: table 51820",)


def test_addresses_of_the_host_and_its_local_routes_are_itself() -> None:
    anyip = {"dst": "203.0.113.0/24", "type": "local", "table": "local", "dev": "lo"}
    found = surroundings.surroundings(ADDRESSES, {4: [DEFAULT, anyip]}, {})
    for own in ("198.51.100.5", "127.0.0.53", "203.0.113.77"):
        assert found.is_local(int(ip_address(own)), 4)
        assert int(ip_address(own)) not in found.outside(4)


def test_the_address_that_a_redirect_leads_to_is_known_where_there_is_one() -> None:
    assert around().primary["eth0", 6] == int(ip_address("2001:db8::5"))
    two = [{"ifname": "eth0", "addr_info": [{"local": "192.0.2.5"}, {"local": "192.0.2.6"}]}]
    assert surroundings.surroundings(two, {}, {}).primary["eth0", 4] is None


@pytest.mark.parametrize(
    "text", ["", "{}", "[3]", '[{"dst": 3}]', "[" * 5000, "no json", '[{"ifname": "x", "addr_info": 7}]']
)
def test_what_ip_never_says(text: str) -> None:
    taken = bundle(listed())
    odd = tuple(Ran(r.argv, 0, text) if r.argv[0] == "ip" else r for r in taken.ran)
    found = surroundings.read(type(taken)(taken.host, taken.taken_at, taken.via, odd))
    assert found.is_local(int(ip_address("127.0.0.1")), 4)


def test_what_was_not_run_is_not_known() -> None:
    taken = bundle(listed())
    found = surroundings.read(type(taken)(taken.host, taken.taken_at, taken.via, ()))
    assert (found.routed, found.forwarding, found.addresses_known) == ({}, {}, False)
