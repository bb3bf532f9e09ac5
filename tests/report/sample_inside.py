"""A host looked at from everywhere: from outside, from inside, through its rules, and from three zones."""

from __future__ import annotations

from ipaddress import ip_network

from gatepost.model.architecture import Architecture, Endpoint, Host, Service, Zone
from gatepost.model.audit import Audit
from gatepost.model.host import BundleRead, SocketSeen
from gatepost.model.observation import (
    Closed,
    Handshake,
    Identified,
    Listening,
    Observation,
    Run,
    Seen,
    Tried,
    Unobserved,
    Upgrade,
    Vantage,
)
from gatepost.model.rules import AdmissionSeen, DeviationSeen, Drift, FirewallSeen, Reach, ReachSeen, RuleRef
from gatepost.model.words import Mode, Reason, Role
from tests.report.sample import NOW

MX, V4, V6 = "mx1.example.org", "192.0.2.5", "2001:db8::5"
HOST = Endpoint(MX)
STRANGER, CLERK = "203.0.113.9", "198.51.100.7"
OFFICE = Zone("office", (ip_network("198.51.100.0/24"), ip_network("2001:db8:1::/48")))
ADMIN = Zone("admin", (ip_network("198.18.0.0/24"), ip_network("2001:db8:2::/48")))
INTERNET = Zone("internet", (ip_network("0.0.0.0/0"), ip_network("::/0")))
SERVICES = (
    Service("smtp", 25, "smtp", Role.MX, Mode.STARTTLS, "internet", line=12),
    Service("pop3", 110, "pop3", Role.ACCESS, Mode.STARTTLS, sources=("office",), line=14),
    Service("submissions", 465, "smtp", Role.SUBMISSION, Mode.IMPLICIT, line=15),
    Service("submission", 587, "smtp", Role.SUBMISSION, Mode.STARTTLS, sources=("office",), line=16),
    Service("imaps", 993, "imap", Role.ACCESS, Mode.IMPLICIT, line=17),
    Service("pop3s", 995, "pop3", Role.ACCESS, Mode.IMPLICIT, sources=("office",), line=18),
    Service("managesieve", 4190, "managesieve", Role.SIEVE, Mode.STARTTLS, sources=("office",), line=19),
)
ARCHITECTURE = Architecture(
    zones=(INTERNET, OFFICE, ADMIN),
    hosts=(Host(MX, (V4, V6), SERVICES, line=10, management=("admin",)),),
    source="gatepost.toml",
)
ALL4, ALL6 = ("0.0.0.0/0",), ("::/0",)
OFFICE4, OFFICE6 = ("198.51.100.0/24",), ("2001:db8:1::/48",)
RULE = RuleRef("inet filter", "input", 12, "tcp dport 110 accept")
POLICY = RuleRef("inet filter", "input", None, "policy drop")
DOCKER = RuleRef("ip filter", "DOCKER", 7, "tcp dport 143 accept")


def at(port: int, address: str = V4) -> Endpoint:
    return Endpoint(MX, address, port)


def socket(port: int, process: str, *addresses: str) -> tuple[SocketSeen, ...]:
    bound = addresses or ("0.0.0.0", "::")
    return tuple(SocketSeen(HOST, a, port, 6 if ":" in a else 4, process=process) for a in bound)


def speaks(port: int, protocol: str, mode: Mode) -> tuple[Observation, ...]:
    found: list[Observation] = []
    for one in (at(port), at(port, V6)):
        found += [Vantage(one, STRANGER if one.family == 4 else "2001:db8:9::9"), Listening(one)]
        found += [Identified(one, protocol, mode, "hello"), Handshake(one, MX, "TLSv1.3", "x")]
        if mode is Mode.STARTTLS:
            found += [Upgrade(one, offered=True, accepted=True, answer="220 go")]
            found += [Tried(one, "mail-before-tls", accepted=False, encrypted=False, sent="MAIL", answer="530 no")]
    return tuple(found)


def admits(port: int, four: tuple[str, ...], six: tuple[str, ...], **more: str) -> tuple[AdmissionSeen, ...]:
    return AdmissionSeen(at(port), four, **more), AdmissionSeen(at(port, V6), six, **more)  # type: ignore[arg-type] # path


def silence(port: int) -> tuple[Unobserved, ...]:
    return tuple(Unobserved(one, "connection", Reason.FILTERED, "no answer in 8 s") for one in (at(port), at(port, V6)))


def reach(port: int, **zones: Reach) -> tuple[ReachSeen, ...]:
    sources = {"internet": STRANGER, "office": CLERK, "admin": "198.18.0.3"}
    return tuple(ReachSeen(at(port), zone, zone, sources[zone], result) for zone, result in zones.items())


def seen() -> tuple[Observation, ...]:
    inner = ("127.0.0.1", "::1")
    return (
        BundleRead(HOST, NOW, "ssh root@mx1.example.org"),
        FirewallSeen(HOST, ("inet filter", "ip nat"), 31, "d1"),
        *socket(22, "sshd"), *socket(25, "master"), *socket(110, "dovecot"), *socket(465, "master"),
        *socket(587, "master"), *socket(993, "dovecot"), *socket(4190, "dovecot", *inner),
        *socket(3306, "mysqld", *inner), *socket(10025, "master", *inner), *socket(6379, "redis-server"),
        *socket(11334, "rspamd"),
        *speaks(25, "smtp", Mode.STARTTLS), *speaks(110, "pop3", Mode.STARTTLS), *speaks(465, "smtp", Mode.IMPLICIT),
        *speaks(143, "imap", Mode.STARTTLS), *silence(587), *silence(993), *silence(995), *silence(22),
        *(Closed(at(port, a), "connection refused") for port in (24, 109) for a in (V4, V6)),
        *admits(22, ("198.18.0.0/24",), ("2001:db8:2::/48",)), *admits(25, ALL4, ALL6), *admits(110, ALL4, ALL6),
        *admits(143, ALL4, (), path="forward after dnat 172.17.0.2:143"), *admits(465, ALL4, ALL6),
        *admits(587, OFFICE4, OFFICE6), *admits(995, OFFICE4, OFFICE6), *admits(4190, OFFICE4, OFFICE6),
        AdmissionSeen(at(993), ()), AdmissionSeen(at(993, V6), (), ALL6, reasons=("bpf match",)),
        *admits(6379, (), ()), *admits(11334, ("198.51.100.0/24", "10.0.0.0/8"), OFFICE6),
        DeviationSeen(at(110), Drift.WIDER, (110, 110), ALL4, STRANGER, rules=(RULE,)),
        DeviationSeen(at(110, V6), Drift.WIDER, (110, 110), ALL6, "2001:db8:9::9", rules=(RULE,)),
        DeviationSeen(
            at(143), Drift.WIDER, (143, 143), ALL4, STRANGER, path="forward after dnat 172.17.0.2:143",
            rules=(DOCKER,), because="docker published 143 past ufw: chain DOCKER rule 7",
        ),
        DeviationSeen(at(993), Drift.CLOSED, (993, 993), ALL4, STRANGER, rules=(POLICY,)),
        DeviationSeen(at(993, V6), Drift.CANNOT_TELL, (993, 993), ALL6, "2001:db8:9::9", reasons=("bpf match",)),
        DeviationSeen(at(11334), Drift.WIDER, (11334, 11334), OFFICE4, CLERK, rules=(RULE,)),
        *reach(587, office=Reach.REACHED, internet=Reach.SILENT, admin=Reach.REJECTED),
        *reach(11334, office=Reach.REACHED, internet=Reach.SILENT),
        *reach(6379, office=Reach.SILENT, internet=Reach.SILENT),
    )  # fmt: skip


def inside() -> Audit:
    run = Run(Seen(seen()), NOW)
    return Audit(NOW, "rfc9325", (MX,), (), run, ARCHITECTURE)
