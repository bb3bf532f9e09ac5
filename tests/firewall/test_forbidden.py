"""What zones must not reach: everything the matrix does not permit them, asked address by address."""

from __future__ import annotations

from ipaddress import ip_network

from hypothesis import given, settings

from gatepost.firewall.forbidden import Barrier, forbidden
from gatepost.firewall.matrix import matrix
from gatepost.model.architecture import Architecture
from tests.firewall.estate import architectures, estate


def barriers() -> dict[tuple[str, str], Barrier]:
    whole = estate()
    return {(b.zone, b.address): b for b in forbidden(matrix(whole), whole)}


def test_beside_the_mail_ports() -> None:
    office = barriers()["office", "10.8.0.7"]
    assert {24, 2425, 3306, 5432, 6379, 10025, 11334, 12345, 143} <= set(office.ports)
    assert 22 not in office.ports  # nobody was named for management, so everybody may try


def test_the_internet_is_no_internal_zone_and_a_family_without_networks_no_way() -> None:
    zones = {zone for zone, _ in barriers()}
    assert zones == {"office", "admin", "servers"}
    assert ("admin", "2001:db8:8::5") not in barriers()


def test_a_zone_within_a_zone_is_judged_for_itself() -> None:
    told = barriers()
    assert 22 in told["office", "198.51.100.5"].ports
    assert 22 not in told["admin", "198.51.100.5"].ports
    assert 110 not in told["admin", "198.51.100.5"].ports  # inside office, which may


def test_peers_within_a_zone_are_named() -> None:
    servers = barriers()["servers", "10.8.0.7"]
    assert dict(servers.partly)[24] == (ip_network("10.8.0.64/28"),)
    assert 24 not in servers.ports


def test_only_the_hosts_asked_for() -> None:
    whole = estate()
    assert {b.host for b in forbidden(matrix(whole), whole, hosts=whole.hosts[2:])} == {"web.example.org"}


@settings(max_examples=40, deadline=None)
@given(architectures())
def test_every_address_of_a_zone_is_either_permitted_or_forbidden(architecture: Architecture) -> None:
    whole = matrix(architecture)
    nets = {zone.name: zone.networks for zone in architecture.zones}
    for one in forbidden(whole, architecture):
        family = 6 if ":" in one.address else 4
        mine = [n for n in nets[one.zone] if n.version == family]
        assert mine
        assert not any(n.prefixlen == 0 for n in nets[one.zone])
        let_in = {f.port: f.sources for f in whole.flows if (f.host, f.address) == (one.host, one.address)}
        inner = [n for name in nets if name != one.zone for n in nets[name] if n.version == family]
        for network in mine:
            for edge in (network.network_address, network.broadcast_address):
                if any(edge in n for n in inner):
                    continue  # of a zone that lies inside, or around
                for port, sources in let_in.items():
                    allowed = any(edge in n for n in sources)
                    named = dict(one.partly).get(port)
                    if port in one.ports:
                        assert not allowed
                    elif named is not None:
                        assert allowed == any(edge in n for n in named)
                    else:
                        assert allowed
