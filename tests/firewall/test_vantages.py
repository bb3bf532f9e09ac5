"""A connection attempt held against the declaration."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from gatepost import catalogue
from gatepost.firewall.vantages import Way, alone, named, past_the_relay, targets, way, zone_of
from gatepost.model.architecture import Architecture, Egress, Endpoint, Host, Service, Zone
from gatepost.model.rules import Reach, ReachSeen
from gatepost.model.words import Mode, Role

MX, V4, V6 = "mx1.example.org", "192.0.2.5", "2001:db8::5"
STORE = "store.example.org"
ZONES = (
    Zone("internet", (ip_network("0.0.0.0/0"), ip_network("::/0"))),
    Zone("office", (ip_network("198.51.100.0/24"), ip_network("2001:db8:1::/48"))),
    Zone("front", (ip_network("198.51.100.0/28"),)),
    Zone("printer", (ip_network("203.0.113.77/32"),)),
    Zone("mail", (ip_network("10.9.0.0/24"),)),
)
SERVICES = (
    Service("smtp", 25, "smtp", Role.MX, Mode.STARTTLS, "internet"),
    Service("submission", 587, "smtp", Role.SUBMISSION, Mode.STARTTLS, sources=("office",)),
    Service("desk", 2500, "imap", Role.ACCESS, Mode.STARTTLS, sources=("front",)),
)
INNER = (Service("lmtp", 24, "lmtp", Role.FILTER, Mode.OPTIONAL, "internal"),)
HOUSE = Architecture(
    zones=ZONES,
    hosts=(
        Host(MX, (V4, V6), SERVICES, management=("office",)),
        Host(STORE, ("10.9.0.7",), INNER, egress=(Egress(("office",), (8080,)),)),
    ),
)
CLERK, DESK, STRANGER = "198.51.100.200", "198.51.100.3", "203.0.113.9"


def tried(port: int, source: str, result: Reach = Reach.REACHED, *, zone: str = "", to: str = V4) -> ReachSeen:
    return ReachSeen(Endpoint(MX, to, port), zone or source, zone, source, result)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (tried(25, STRANGER), Way.AS_DECLARED),
        (tried(25, STRANGER, Reach.SILENT), Way.CLOSED),
        (tried(25, STRANGER, Reach.REFUSED), Way.CLOSED),
        (tried(587, CLERK), Way.AS_DECLARED),
        (tried(587, STRANGER), Way.OPEN),
        (tried(587, STRANGER, Reach.REFUSED), Way.UNUSED),
        (tried(587, STRANGER, Reach.SILENT), Way.AS_DECLARED),
        (tried(587, STRANGER, Reach.REJECTED), Way.AS_DECLARED),
        (tried(587, STRANGER, Reach.NO_ROUTE), Way.AS_DECLARED),
        (tried(587, CLERK, Reach.UNKNOWN), Way.UNKNOWN),
        (tried(2500, DESK), Way.AS_DECLARED),
        (tried(2500, CLERK), Way.OPEN),
        (tried(3306, CLERK), Way.OPEN),
        (tried(22, CLERK), Way.AS_DECLARED),
        (tried(22, STRANGER), Way.OPEN),
        (tried(587, "2001:db8:1::7", to=V6), Way.AS_DECLARED),
        (tried(587, "2001:db8:9::7", to=V6), Way.OPEN),
    ],
)
def test_to_a_declared_host(one: ReachSeen, expected: Way) -> None:
    assert way(one, HOUSE) is expected


def test_a_zone_stands_in_for_a_source_that_was_not_seen_or_was_translated() -> None:
    assert way(tried(587, "", zone="office"), HOUSE) is Way.AS_DECLARED
    assert way(tried(587, "10.0.0.9", zone="office"), HOUSE) is Way.AS_DECLARED
    assert way(tried(587, "", zone="internet"), HOUSE) is Way.UNDECLARED  # some of everybody may
    assert way(tried(2500, "", zone="office"), HOUSE) is Way.UNDECLARED
    assert way(tried(3306, "", zone="office"), HOUSE) is Way.OPEN
    assert way(tried(3306, ""), HOUSE) is Way.UNDECLARED


@pytest.mark.parametrize(
    ("vantage", "source", "to", "port", "expected"),
    [
        (MX, V4, CLERK, 445, Way.OPEN),  # into an internal zone
        (MX, V4, STRANGER, 443, Way.UNDECLARED),
        (MX, V4, STRANGER, 25, Way.UNDECLARED),  # it is a relay
        ("", V4, CLERK, 445, Way.OPEN),  # known by its address
        (STORE, "10.9.0.7", CLERK, 8080, Way.UNDECLARED),  # an exit names it
        (STORE, "10.9.0.7", CLERK, 445, Way.OPEN),
        (STORE, "10.9.0.7", STRANGER, 25, Way.OPEN),  # no relay
        ("office", CLERK, STRANGER, 25, Way.OPEN),  # mail past the relay
        ("office", CLERK, STRANGER, 443, Way.UNDECLARED),
        ("office", CLERK, "10.9.0.99", 25, Way.OPEN),  # inside, where nobody declares anything
        ("office", CLERK, "198.51.100.1", 3306, Way.OPEN),
        ("", "", "198.51.100.1", 3306, Way.UNDECLARED),  # from nowhere in particular
    ],
)
def test_from_a_host_or_a_zone_to_others(vantage: str, source: str, to: str, port: int, expected: Way) -> None:
    zone = vantage if vantage == "office" else ""
    assert way(ReachSeen(Endpoint(to, to, port), vantage, zone, source, Reach.REACHED), HOUSE) is expected


@pytest.mark.parametrize(
    ("vantage", "source", "to", "past"),
    [
        ("office", CLERK, STRANGER, True),
        ("office", CLERK, "10.9.0.99", False),  # a mail server of the house, not the world
        (STORE, "10.9.0.7", "10.9.0.99", True),
    ],
)
def test_mail_past_the_relay(vantage: str, source: str, to: str, *, past: bool) -> None:
    zone = vantage if vantage == "office" else ""
    assert past_the_relay(ReachSeen(Endpoint(to, to, 25), vantage, zone, source, Reach.REACHED), HOUSE) is past
    assert not past_the_relay(ReachSeen(Endpoint(to, to, 26), vantage, zone, source, Reach.REACHED), HOUSE)


def test_a_host_that_reaches_itself_says_nothing() -> None:
    assert way(ReachSeen(Endpoint(MX, V4, 3306), MX, "", V4, Reach.REACHED), HOUSE) is Way.UNDECLARED


def test_the_narrowest_zone_names_an_address() -> None:
    assert (zone_of(DESK, HOUSE), zone_of(CLERK, HOUSE), zone_of(STRANGER, HOUSE)) == ("front", "office", "internet")
    assert zone_of("", HOUSE) == ""


def test_a_vantage_is_called_what_the_declaration_calls_it() -> None:
    assert named(tried(25, CLERK), HOUSE) == "office"
    assert named(ReachSeen(Endpoint("x", CLERK, 25), MX, "", V4, Reach.REACHED), HOUSE) == MX
    assert named(tried(25, "10.250.0.1"), Architecture()) == "10.250.0.1"


def test_what_must_not_be_reached_is_tried_beside_what_is_declared() -> None:
    ports = {at.port for at in targets(HOUSE.hosts[:1], (31337,))}
    known = (
        "filter-reinject",
        "rspamd-controller",
        "dovecot-auth-tcp",
        "doveadm",
        "http-alt",
        "mysql",
        "redis",
        "lmtp",
    )
    assert ports >= {25, 587, 2500, 22, 31337, *map(catalogue.number, known)}
    assert catalogue.number("https") not in ports
    assert {at.address for at in targets(HOUSE.hosts[:1])} == {V4, V6}


def test_single_hosts_of_zones_are_what_a_mail_host_is_tried_against() -> None:
    assert [host.addresses for host in alone(HOUSE)] == [("203.0.113.77",)]
