"""The prover, which knows nothing of how rules are rendered, finds no difference between them and the matrix."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given, settings

from gatepost.firewall.matrix import matrix
from gatepost.firewall.render import digest, transaction
from gatepost.firewall.witness import LIST, facts
from gatepost.model.architecture import Architecture, Host
from gatepost.model.bundle import Bundle, Ran
from gatepost.model.flows import Matrix
from gatepost.model.observation import Observation, Unobserved, of
from gatepost.model.rules import DeviationSeen, Drift, FirewallSeen, LifeSupportSeen
from tests.firewall.estate import architectures, estate
from tests.firewall.test_render import listed

ROUTES = {4: "203.0.113.254", 6: "fe80::1"}


def bundle(host: Host, rendered: dict[str, object]) -> Bundle:
    """A host with one interface, forwarding switched on, and no rules but ours."""
    addresses = [
        {"family": "inet6" if ":" in a else "inet", "local": a, "prefixlen": 128 if ":" in a else 32}
        for a in host.addresses
    ]
    interfaces = [
        {"ifname": "lo", "addr_info": [{"family": "inet", "local": "127.0.0.1", "prefixlen": 8},
                                       {"family": "inet6", "local": "::1", "prefixlen": 128}]},
        {"ifname": "eth0", "addr_info": addresses},
    ]  # fmt: skip
    ran = {
        LIST: json.dumps(listed(rendered)),
        ("ip", "-j", "address"): json.dumps(interfaces),
        ("sysctl", "-n", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"): "1\n1\n",
        ("iptables-save",): "",
        ("ip6tables-save",): "",
    }
    for family, gateway in ROUTES.items():
        route = [{"dst": "default", "gateway": gateway, "dev": "eth0"}]
        ran["ip", "-j", f"-{family}", "route", "show", "table", "all"] = json.dumps(route)
    return Bundle(
        host.name, datetime(2026, 11, 24, tzinfo=UTC), "test", tuple(Ran(a, 0, out) for a, out in ran.items())
    )


def wrong(told: tuple[Observation, ...]) -> list[Observation]:
    dead = [one for one in of(LifeSupportSeen, told) if one.alive is not True and one.what != "management"]
    return [*of(DeviationSeen, told), *of(Unobserved, told), *dead]


@settings(max_examples=25, deadline=None)
@given(architectures())
def test_nothing_differs(architecture: Architecture) -> None:
    whole = matrix(architecture)
    for host in architecture.hosts:
        told = facts(bundle(host, transaction(whole, host, architecture)), host, whole)
        assert wrong(told) == []


def test_the_prover_is_awake() -> None:
    """A matrix that says something else is told from the rules: wider, and closed."""
    architecture = estate()
    host, whole = architecture.hosts[0], matrix(architecture)
    taken = bundle(host, transaction(whole, host, architecture))
    fewer: Matrix = replace(whole, flows=tuple(f for f in whole.flows if f.port != 110))
    assert {(d.drift, d.ports) for d in of(DeviationSeen, facts(taken, host, fewer))} == {(Drift.WIDER, (110, 110))}
    more = replace(whole, flows=(*whole.flows, replace(whole.flows[0], port=995, id="mx1.example.org/pop3s")))
    assert {(d.drift, d.ports) for d in of(DeviationSeen, facts(taken, host, more))} == {(Drift.CLOSED, (995, 995))}


def test_the_witness_has_our_digest_of_our_table() -> None:
    architecture = estate()
    host, whole = architecture.hosts[0], matrix(architecture)
    rendered = transaction(whole, host, architecture)
    (seen,) = of(FirewallSeen, facts(bundle(host, rendered), host, whole))
    assert seen.ours == digest(rendered)
