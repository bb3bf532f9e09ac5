"""Facts about rules, sockets and vantages for the rows of several tests."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from gatepost.model.architecture import Endpoint, Zone
from gatepost.model.host import BundleRead, SocketSeen
from gatepost.model.rules import (
    AdmissionSeen,
    DeviationSeen,
    Drift,
    FirewallSeen,
    Reach,
    ReachSeen,
    RuleRef,
)
from tests.checks.cases import HOST, NAME, NOW, V4, at

INTERNET = Zone("internet", (ip_network("0.0.0.0/0"), ip_network("::/0")))
OFFICE = Zone("office", (ip_network("198.51.100.0/24"), ip_network("2001:db8:1::/48")))
ADMIN = Zone("admin", (ip_network("203.0.113.0/25"), ip_network("2001:db8:2::/48")))
ZONES = (INTERNET, OFFICE, ADMIN)
CLERK, STRANGER, OPERATOR = "198.51.100.7", "192.0.2.200", "203.0.113.9"
ALL4, ALL6 = ("0.0.0.0/0",), ("::/0",)

INSIDE = BundleRead(HOST, NOW, "this machine")
READ = FirewallSeen(HOST, ("inet filter",), 12, "d1")
RULE = RuleRef("inet filter", "input", 12, "tcp dport 110 accept")
POLICY = RuleRef("inet filter", "input", None, "policy drop")
DOCKER = RuleRef("ip filter", "DOCKER", 7, "tcp dport 143 accept")


def admits(port: int, *accepted: str, address: str = V4, **more: Any) -> AdmissionSeen:
    return AdmissionSeen(at(port, address), accepted, **more)


def differs(drift: Drift, first: int, last: int = 0, *, sources: tuple[str, ...] = ALL4, **more: Any) -> DeviationSeen:
    facts: dict[str, Any] = {"witness": STRANGER, "rules": (RULE,), **more}
    return DeviationSeen(at(first), drift, (first, last or first), sources, **facts)


def wider(first: int, last: int = 0, **more: Any) -> DeviationSeen:
    return differs(Drift.WIDER, first, last, **more)


def shut(port: int, **more: Any) -> DeviationSeen:
    return differs(Drift.CLOSED, port, sources=("198.51.100.0/24",), **{"rules": (POLICY,), "witness": CLERK, **more})


def unclear(first: int, last: int = 0, **more: Any) -> DeviationSeen:
    return differs(Drift.CANNOT_TELL, first, last, reasons=("xt match 'geoip' is not understood",), **more)


def socket(port: int, process: str = "", address: str = "0.0.0.0", **more: Any) -> SocketSeen:
    return SocketSeen(HOST, address, port, 6 if ":" in address else 4, process=process, **more)


def reach(port: int, zone: str, result: Reach, source: str = "", host: str = NAME, address: str = V4) -> ReachSeen:
    known = {"office": CLERK, "internet": STRANGER, "admin": OPERATOR}
    return ReachSeen(Endpoint(host, address, port), zone, zone, source or known.get(zone, ""), result)


def reached(port: int, zone: str, **more: Any) -> ReachSeen:
    return reach(port, zone, Reach.REACHED, **more)


def silent(port: int, zone: str, **more: Any) -> ReachSeen:
    return reach(port, zone, Reach.SILENT, **more)
