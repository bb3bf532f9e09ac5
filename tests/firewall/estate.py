"""Declarations for the tests of the firewall: one to read, and any number made up."""

from __future__ import annotations

from datetime import date
from ipaddress import IPv4Network, IPv6Network, ip_network

from hypothesis import strategies as st

from gatepost.declare import read
from gatepost.model.architecture import Architecture, Egress, Host, Service, Zone
from gatepost.model.words import Mode, Role

TOML = """\
version = 1

[zones]
internet = ["0.0.0.0/0", "::/0"]
office = ["192.0.2.0/24", "2001:db8:1::/48"]
admin = ["192.0.2.128/26"]
servers = ["10.8.0.0/24", "2001:db8:8::/64"]

[hosts."mx1.example.org"]
addresses = ["198.51.100.5", "2001:db8:8::5"]
management = ["admin"]
services = [
  "smtp",
  "submissions",
  { name = "imaps", from = ["office", "servers"] },
  { name = "pop3", from = ["office"], owner = "helpdesk", until = 2027-03-31, reason = "scanners in building B" },
  "rspamd-proxy",
]

[hosts."store.example.org"]
addresses = ["10.8.0.7"]
peers = ["mx1.example.org", "10.8.0.64/28"]
services = ["lmtp", "redis", { name = "doveadm", from = ["admin"] }]
egress = [
  { to = ["mx1.example.org"], ports = ["submission", 25] },
  { to = ["admin"], ports = [514], transport = "udp" },
  { to = ["10.8.0.0/24"] },
]

[hosts."web.example.org"]
addresses = ["10.8.0.9", "2001:db8:8::9"]
services = ["https", { name = "mysql" }]
"""


def estate(text: str = TOML) -> Architecture:
    return read(text, "gatepost.toml", today=date(2026, 11, 24))


def _network(version: int) -> st.SearchStrategy[IPv4Network | IPv6Network]:
    """From a small space, so that networks meet, nest and adjoin."""
    if version == 4:
        return st.builds(
            lambda a, b, n: ip_network((f"10.{a}.{b}.0", n), strict=False), st.integers(0, 3), st.integers(0, 255),
            st.sampled_from([0, 8, 15, 16, 23, 24, 25, 32]),
        )  # fmt: skip
    return st.builds(
        lambda a, n: ip_network((f"2001:db8:{a:x}::", n), strict=False), st.integers(0, 15),
        st.sampled_from([0, 32, 46, 48, 64, 128]),
    )  # fmt: skip


_PORTS = st.sampled_from([22, 24, 25, 110, 143, 465, 587, 993, 3306, 4190, 11332])
_NAMES = st.sampled_from(["office", "Office", "a b", 'q"uo\\te', "büro", "ip", "x" * 60, "x" * 61, "9", "inner__", "-"])
_EXPOSURES = ("clients", "internal", "internet", "loopback", "never")


def _service(zones: list[str]) -> st.SearchStrategy[Service]:
    sources = st.lists(st.sampled_from(zones), max_size=min(2, len(zones)), unique=True) if zones else st.just([])
    return st.builds(
        Service,
        name=st.sampled_from(["smtp", "imaps", "own name", "ü" * 200, 'x"\n']),
        port=_PORTS,
        protocol=st.just("smtp"),
        role=st.sampled_from(Role),
        mode=st.just(Mode.STARTTLS),
        exposure=st.sampled_from(_EXPOSURES),
        sources=sources.map(tuple),
        line=st.none() | st.integers(1, 99),
    )


def _addresses() -> st.SearchStrategy[tuple[str, ...]]:
    four = st.integers(1, 250).map(lambda n: f"10.0.0.{n}")
    six = st.integers(1, 250).map(lambda n: f"2001:db8::{n:x}")
    return st.lists(four | six, min_size=1, max_size=3, unique=True).map(tuple)


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    names = draw(st.lists(_NAMES, max_size=4, unique=True))
    networks = st.lists(_network(4) | _network(6), max_size=5, unique=True).map(tuple)
    zones = tuple(Zone(name, draw(networks)) for name in names)
    hosts = draw(
        st.lists(st.sampled_from(["mx1.test", "mx2.test", "a" * 60 + ".test"]), min_size=1, max_size=3, unique=True)
    )
    known = st.sampled_from([*names, *hosts, "10.1.0.0/16"])
    whom = st.lists(known, max_size=2, unique=True).map(tuple)
    where = st.lists(known, min_size=1, max_size=2, unique=True).map(tuple)
    egress = st.builds(
        Egress, where, st.lists(_PORTS, max_size=2, unique=True).map(tuple), st.sampled_from(["tcp", "udp"])
    )
    return Architecture(
        zones=zones,
        hosts=tuple(
            Host(
                name,
                draw(_addresses()),
                tuple(draw(st.lists(_service(names), max_size=4, unique_by=lambda s: s.port))),
                line=7,
                management=draw(whom),
                management_ports=tuple(draw(st.lists(_PORTS, max_size=2, unique=True))),
                peers=draw(whom),
                egress=draw(st.none() | st.lists(egress, max_size=3).map(tuple)),
                routes=draw(st.booleans()),
            )
            for name in hosts
        ),
        resolver=draw(st.sampled_from(["", "10.0.0.53", "10.1.0.53#5353", "::1#5353", "fe80::1%eth0#54"])),
    )
