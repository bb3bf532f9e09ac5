"""Who may reach what, as the declaration says it."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings

from gatepost.firewall.matrix import matrix, without
from gatepost.firewall.spans import holds, minus, prefixes, spans
from gatepost.model.architecture import Architecture, Host, Service
from gatepost.model.flows import Matrix, Network
from gatepost.model.words import Mode, Role
from tests.firewall.estate import TOML, architectures, estate

EVERYBODY = {4: ("0.0.0.0/0",), 6: ("::/0",)}


def sources(whole: Matrix, host: str, port: int, family: int = 4) -> tuple[str, ...]:
    return tuple(str(n) for f in whole.to(host) if f.port == port and f.family == family for n in f.sources)


def only(service: Service, **host: object) -> Matrix:
    made = {"addresses": ("192.0.2.1", "2001:db8::1"), **host}
    return matrix(Architecture(hosts=(Host("mx", services=(service,), **made),)))  # type: ignore[arg-type] # made up


@pytest.mark.parametrize(
    ("host", "port", "family", "expected"),
    [
        ("mx1.example.org", 25, 4, ("0.0.0.0/0",)),
        ("mx1.example.org", 25, 6, ("::/0",)),
        ("mx1.example.org", 465, 6, ("::/0",)),
        ("mx1.example.org", 993, 4, ("10.8.0.0/24", "192.0.2.0/24")),
        ("mx1.example.org", 993, 6, ("2001:db8:1::/48", "2001:db8:8::/64")),
        ("mx1.example.org", 110, 4, ("192.0.2.0/24",)),
        ("mx1.example.org", 22, 4, ("192.0.2.128/26",)),
        ("mx1.example.org", 22, 6, ()),  # admin has no IPv6: nobody, never everybody
        ("mx1.example.org", 11332, 4, ()),  # loopback
        ("store.example.org", 24, 4, ("10.8.0.64/28", "198.51.100.5/32")),
        ("store.example.org", 24, 6, ()),  # no address
        ("store.example.org", 6379, 4, ()),  # peers do not open what belongs on loopback
        ("store.example.org", 2425, 4, ("10.8.0.64/28", "192.0.2.128/26", "198.51.100.5/32")),
        ("store.example.org", 22, 4, ("0.0.0.0/0",)),  # no management named
        ("web.example.org", 3306, 4, ("10.8.0.7/32", "10.8.0.9/32", "198.51.100.5/32")),  # no peers: all hosts
        ("web.example.org", 3306, 6, ("2001:db8:8::5/128", "2001:db8:8::9/128")),
    ],
)
def test_sources(host: str, port: int, family: int, expected: tuple[str, ...]) -> None:
    assert sources(matrix(estate()), host, port, family) == expected


def test_a_flow_says_where_it_comes_from() -> None:
    whole = matrix(estate())
    (pop3,) = (f for f in whole.flows if f.port == 110 and f.family == 4)
    assert (pop3.id, pop3.zones, pop3.line) == ("mx1.example.org/pop3", ("office",), 16)
    assert {(f.id, f.management) for f in whole.flows if f.port == 22} == {
        (f"{host}.example.org/ssh", True) for host in ("mx1", "store", "web")
    }


def test_management_on_a_port_that_is_also_declared() -> None:
    """Named sources of the service are the operators' then; the usual exposure of SSH would lock them out."""
    ssh = Service("ssh", 22, "ssh", Role.HOST, Mode.IMPLICIT, exposure="internal")
    assert sources(only(ssh), "mx", 22) == EVERYBODY[4]
    assert sources(only(ssh, management=("192.0.2.7/32",)), "mx", 22) == ("192.0.2.7/32",)
    assert sources(only(ssh, management=("192.0.2.7/32",)), "mx", 22, 6) == ()
    assert len(only(ssh).flows) == 2
    own = only(ssh, management_ports=(2222, 2222))
    assert [f.id for f in own.flows if f.management and f.family == 4] == ["mx/port-2222"]


@pytest.mark.parametrize("exposure", ["loopback", "never", "outbound"])
def test_no_flow_to_what_must_not_be_reached(exposure: str) -> None:
    service = Service("redis", 6379, "redis", Role.BACKEND, Mode.NONE, exposure=exposure)
    assert sources(only(service, peers=("192.0.2.9",)), "mx", 6379) == ()


def out(whole: Matrix, host: str) -> dict[str, set[tuple[str, int, str]]]:
    told: dict[str, set[tuple[str, int, str]]] = {}
    for one in whole.out_of(host):
        told.setdefault(one.id.partition("/")[2], set()).update((str(t), one.port, one.transport) for t in one.targets)
    return told


def test_exits_of_a_relay() -> None:
    whole = matrix(estate())
    assert out(whole, "mx1.example.org") == {
        "to-declared-22": {("10.8.0.7/32", 22, "tcp"), ("10.8.0.9/32", 22, "tcp"), ("2001:db8:8::9/128", 22, "tcp")},
        "to-declared-24": {("10.8.0.7/32", 24, "tcp")},
        "to-declared-443": {("10.8.0.9/32", 443, "tcp"), ("2001:db8:8::9/128", 443, "tcp")},
        "to-declared-2425": {("10.8.0.7/32", 2425, "tcp")},
        "to-declared-3306": {("10.8.0.9/32", 3306, "tcp"), ("2001:db8:8::9/128", 3306, "tcp")},
        "to-dns": {(n, 53, t) for n in ("0.0.0.0/0", "::/0") for t in ("tcp", "udp")},
        "to-smtp": {("0.0.0.0/0", 25, "tcp"), ("::/0", 25, "tcp")},
    }
    assert dict(whole.kept_from)["mx1.example.org"] == tuple(
        map(ip_network, ("10.8.0.0/24", "192.0.2.0/24", "2001:db8:1::/48", "2001:db8:8::/64"))
    )


def test_exits_of_a_host_that_is_no_relay() -> None:
    """It reaches the declared relay, and no other host on the port for mail."""
    whole = matrix(estate())
    assert whole.muted == {"store.example.org", "web.example.org"}
    told = out(whole, "web.example.org")
    assert "to-smtp" not in told
    assert told["to-declared-25"] == {("198.51.100.5/32", 25, "tcp"), ("2001:db8:8::5/128", 25, "tcp")}


def test_declared_egress_is_all_there_is() -> None:
    whole = matrix(estate())
    assert out(whole, "store.example.org") == {
        "egress-1": {(a, p, "tcp") for a in ("198.51.100.5/32", "2001:db8:8::5/128") for p in (587, 25)},
        "egress-2": {("192.0.2.128/26", 514, "udp")},
        "egress-3": {("10.8.0.0/24", 0, "tcp")},
    }
    assert dict(whole.kept_from)["store.example.org"] == (ip_network("0.0.0.0/0"), ip_network("::/0"))


def test_a_resolver_on_a_port_of_its_own() -> None:
    whole = matrix(estate(TOML + '[dns]\nresolver = "10.8.0.53#5353"\n'))
    assert out(whole, "web.example.org")["to-resolver"] == {("10.8.0.53/32", 5353, t) for t in ("tcp", "udp")}


def test_without_shuts_ports_of_one_host() -> None:
    whole = matrix(estate())
    shut = without(whole, "mx1.example.org", (25, 993))
    assert {f.port for f in shut.to("mx1.example.org")} == {22, 110, 465}
    assert shut.to("web.example.org") == whole.to("web.example.org")


def test_nothing_declared() -> None:
    assert matrix(Architecture()) == Matrix()


@settings(max_examples=50, deadline=None)
@given(architectures())
def test_a_flow_has_sources_of_its_family_and_one_place(architecture: Architecture) -> None:
    whole = matrix(architecture)
    assert all(f.sources and {n.version for n in f.sources} == {f.family} for f in whole.flows)
    places = [(f.host, f.address, f.port) for f in whole.flows]
    assert len(places) == len(set(places))
    assert all(e.targets and len({n.version for n in e.targets}) == 1 for e in whole.exits)


@settings(max_examples=50, deadline=None)
@given(architectures())
def test_who_is_named_may_come_and_nobody_else(architecture: Architecture) -> None:
    """Said again, in the plainest way: by membership of single addresses."""
    whole = matrix(architecture)
    known = {h.name: tuple(map(ip_network, h.addresses)) for h in architecture.hosts}
    known |= {zone.name: zone.networks for zone in architecture.zones}
    for host in architecture.hosts:
        for service in host.services:
            if service.sources and service.port not in (host.management_ports or (22,)):
                inner = service.role in {Role.FILTER, Role.BACKEND}
                names = [*service.sources, *(host.peers if inner else ())]
                named = [n for name in names for n in (known[name] if name in known else (ip_network(name),))]
                for address in host.addresses:
                    to = [f for f in whole.to(host.name) if (f.address, f.port) == (address, service.port)]
                    check(6 if ":" in address else 4, [n for f in to for n in f.sources], named)


def check(family: int, admitted: list[Network], named: list[Network]) -> None:
    for network in [*admitted, *(n for n in named if n.version == family)]:
        for edge in (network.network_address, network.broadcast_address):
            assert any(edge in n for n in admitted) == any(edge in n for n in named)


@settings(max_examples=50, deadline=None)
@given(architectures())
def test_spans_are_sets_of_addresses(architecture: Architecture) -> None:
    listed = [[n for n in zone.networks if n.version == 4] for zone in architecture.zones]
    for one in listed:
        for other in listed:
            left = minus(spans(one), spans(other))
            assert spans(prefixes(left, 4)) == left
            for network in [*one, *other]:
                for edge in (network.network_address, network.broadcast_address, ip_address("10.2.255.255")):
                    wanted = any(edge in n for n in one) and not any(edge in n for n in other)
                    assert holds(left, int(edge)) == wanted
