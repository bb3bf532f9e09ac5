"""Judges of the firewall family: one row per outcome, and the words that an administrator reads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gatepost.catalogue import profile
from gatepost.checks import CHECKS, firewall
from gatepost.checks.judge import judge
from gatepost.model.architecture import Architecture, Endpoint, Host
from gatepost.model.observation import Run, Seen, Unobserved
from gatepost.model.rules import BanSeen, LifeSupportSeen, Reach, ReachSeen
from gatepost.model.words import Outcome, Reason, Role, Severity
from tests.checks.cases import HOST, NAME, NOW, V4, V6, Row, lost, of_row, row, service
from tests.checks.rules_told import (
    ALL6,
    CLERK,
    DOCKER,
    INSIDE,
    POLICY,
    READ,
    ZONES,
    admits,
    reach,
    reached,
    shut,
    silent,
    unclear,
    wider,
)

OFFICE_ONLY = replace(service(110), sources=("office",), line=14)
DECLARED = (service(25, line=12), OFFICE_ONLY)
ND = LifeSupportSeen(HOST, "neighbour-discovery", 6, alive=False, rules=(POLICY,))
DOUBTED = Unobserved(HOST, "bans", Reason.GARBLED, "xt match set")
BAN = BanSeen(HOST, "192.0.2.66", "inet f2b-table addr-set-postfix")
ELSEWHERE = ReachSeen(Endpoint("192.0.2.250", "192.0.2.250", 25), "office", "office", CLERK, Reach.REACHED)
OF: dict[str, Any] = {"declared": DECLARED, "zones": ZONES}
POP: dict[str, Any] = OF | {"role": Role.ACCESS}
EVEN = (admits(25, "0.0.0.0/0"), admits(25, *ALL6, address=V6))
NOT_READ = "the host was not looked at from inside"
NOT_TRIED = "not tried from any vantage"

ROWS: tuple[Row, ...] = (
    row(firewall.denied_by_default, HOST, "pass", READ, **OF),
    row(firewall.denied_by_default, HOST, "pass", READ, wider(110), **OF),
    row(
        firewall.denied_by_default, HOST, "fail", READ, wider(26, 109), wider(8080), wider(26, 109, witness="::1"),
        says="85 undeclared ports are open: inet filter input rule 12 accepts 26-109 from everybody; nothing is declar",
        **OF,
    ),
    row(firewall.denied_by_default, HOST, "fail", READ, wider(24), says="1 undeclared port is open: ", **OF),
    row(firewall.denied_by_default, HOST, "fail", READ, wider(24, rules=()), says="no rule keeps everybody from", **OF),
    row(firewall.denied_by_default, HOST, "unknown", READ, unclear(111, 2000), says="xt match 'geoip'", **OF),
    row(firewall.denied_by_default, HOST, "unknown", READ, says="nothing is declared"),
    row(firewall.denied_by_default, HOST, "unknown", says=NOT_READ, **OF),
    row(firewall.denied_by_default, HOST, "unknown", INSIDE, lost(HOST, "firewall"), says="timeout: nothing", **OF),
    row(firewall.denied_by_default, HOST, "unknown", INSIDE, says="not seen: firewall", **OF),
    row(firewall.families_admitted_alike, HOST, "pass", READ, *EVEN, **OF),
    row(
        firewall.families_admitted_alike, HOST, "fail", READ, EVEN[0], admits(25, address=V6),
        says="25 admits everybody over IPv4 and nobody over IPv6", **OF,
    ),
    row(
        firewall.families_admitted_alike, HOST, "fail", READ, admits(110, "198.51.100.0/24"), admits(110, address=V6),
        says="110 admits office over IPv4 and nobody over IPv6", **OF,
    ),
    row(
        firewall.families_admitted_alike, HOST, "unknown", READ, EVEN[0],
        admits(25, address=V6, undecided=ALL6, reasons=("ebpf",)), says="cannot tell who gets to 25: ebpf", **OF,
    ),
    row(firewall.families_admitted_alike, HOST, "not-applicable", READ, EVEN[0], says="one address family", **OF),
    row(firewall.ways_closed_and_not_only_unused, HOST, "pass", silent(3306, "office"), **OF),
    row(
        firewall.ways_closed_and_not_only_unused, HOST, "fail", reach(3306, "office", Reach.REFUSED),
        says="office met no firewall on 1 undeclared port,", **OF,
    ),
    row(
        firewall.ways_closed_and_not_only_unused, HOST, "not-applicable", READ, reach(3306, "office", Reach.REFUSED),
        says="the rules themselves", **OF,
    ),
    row(firewall.ways_closed_and_not_only_unused, HOST, "unknown", says=NOT_TRIED, **OF),
    row(firewall.limited_to_the_declared, HOST, "pass", READ, admits(110, "198.51.100.0/24"), **POP),
    row(
        firewall.limited_to_the_declared, HOST, "fail", READ, wider(110),
        says="inet filter input rule 12 accepts 110 (pop3) from everybody else; declared for office only "
        "(gatepost.toml:14)",
        **POP,
    ),
    row(
        firewall.limited_to_the_declared, HOST, "fail", READ, wider(110, sources=("203.0.113.0/25", "192.0.2.9/32")),
        says="accepts 110 (pop3) from admin, 192.0.2.9; declared for office only", **POP,
    ),
    row(
        firewall.limited_to_the_declared, HOST, "fail", READ,
        wider(110, rules=(DOCKER,), path="forward after dnat 172.17.0.2:110", because="docker published 110 past ufw"),
        says="docker published 110 past ufw; declared for office only (gatepost.toml:14)", **POP,
    ),
    row(firewall.limited_to_the_declared, HOST, "unknown", READ, unclear(110), says="cannot tell who gets to", **POP),
    row(firewall.limited_to_the_declared, HOST, "not-applicable", READ, role=Role.SIEVE, says="as sieve", **OF),
    row(firewall.reached_from_the_declared_only, HOST, "pass", reached(110, "office"), silent(110, "internet"), **POP),
    row(
        firewall.reached_from_the_declared_only, HOST, "fail", reached(110, "internet"), reached(110, "admin"),
        says="admin and internet may not, and reached 110 (pop3)", **POP,
    ),
    row(firewall.reached_from_the_declared_only, HOST, "unknown", says=NOT_TRIED, **POP),
    row(firewall.reached_from_the_declared_only, HOST, "unknown", reach(110, "office", Reach.UNKNOWN), **POP),
    row(firewall.mail_leaves_only_from_relays, HOST, "pass", READ, **OF),
    row(
        firewall.mail_leaves_only_from_relays, HOST, "fail", READ,
        wider(25, direction="forward", target="0.0.0.0/0", sources=("198.51.100.0/24",), witness=CLERK),
        says="lets mail of office through to anywhere, past the relay: inet filter input rule 12 allows it", **OF,
    ),
    row(
        firewall.mail_leaves_only_from_relays, HOST, "fail", READ,
        wider(1, 65535, direction="output", target="0.0.0.0/0", rules=()),
        says="it is no relay, and may send mail to anywhere by itself: no rule forbids it", **OF,
    ),
    row(
        firewall.mail_leaves_only_from_relays, HOST, "pass", READ,
        wider(1, 65535, direction="forward", target="198.51.100.0/24", rules=()), **OF,
    ),
    row(
        firewall.mail_leaves_only_from_relays, HOST, "unknown", READ,
        unclear(25, direction="output", target="0.0.0.0/0"), says="whether it may connect to anywhere on 25", **OF,
    ),
    row(firewall.no_mail_past_the_relay, HOST, "fail", ELSEWHERE, says="office reached 25 of 192.0.2.250 past", **OF),
    row(firewall.no_mail_past_the_relay, HOST, "pass", replace(ELSEWHERE, result=Reach.SILENT), **OF),
    row(firewall.no_mail_past_the_relay, HOST, "unknown", says=NOT_TRIED, **OF),
    row(
        firewall.no_mail_past_the_relay, HOST, "not-applicable", ELSEWHERE, says="with the first declared host",
        hosts=(Host("a.example.org", ("192.0.2.77",), ()),), **OF,
    ),
    row(firewall.rules_as_declared, HOST, "pass", READ, says="12 rules read", **OF),
    row(
        firewall.rules_as_declared, HOST, "fail", READ, wider(110),
        wider(143, because="docker published 143 past ufw", path="forward after dnat 172.17.0.2:143"),
        says="docker published 143 past ufw; nothing is declared there (and 1 more)", **OF,
    ),
    row(
        firewall.rules_as_declared, HOST, "fail", READ,
        wider(1, 65535, direction="output", target="198.51.100.0/24", sources=("198.51.100.0/24",), witness=CLERK),
        says="lets it connect to office on all ports", **OF,
    ),
    row(firewall.rules_as_declared, HOST, "unknown", READ, unclear(110), **OF),
    row(firewall.declared_ports_admitted, HOST, "pass", READ, EVEN[0], **OF),
    row(
        firewall.declared_ports_admitted, HOST, "fail", READ, shut(110),
        says="inet filter input policy keeps office from 110 (pop3); declared for office (gatepost.toml:14)", **OF,
    ),
    row(
        firewall.declared_ports_admitted, HOST, "fail", READ, shut(53, direction="output", target="198.51.100.0/24"),
        says="policy keeps it from office on 53 (dns)", **OF,
    ),
    row(firewall.declared_ports_admitted, HOST, "unknown", READ, unclear(110), **OF),
    row(firewall.reached_where_declared, HOST, "pass", reached(110, "office"), **OF),
    row(
        firewall.reached_where_declared, HOST, "fail", silent(110, "office"),
        says="office got no way to 110, declared for it (silent)", **OF,
    ),
    row(firewall.reached_where_declared, HOST, "unknown", silent(110, "internet"), says="no vantage stands", **OF),
    row(firewall.reached_where_declared, HOST, "unknown", says=NOT_TRIED, **OF),
    row(firewall.life_support_passes, HOST, "pass", READ, replace(ND, alive=True), **OF),
    row(
        firewall.life_support_passes, HOST, "fail", READ, ND, replace(ND, what="loopback", alive=True),
        says="inet filter input policy stops IPv6 neighbour discovery: IPv6 stops as soon as", **OF,
    ),
    row(firewall.life_support_passes, HOST, "unknown", READ, replace(ND, alive=None, detail="ct helper"), **OF),
    row(firewall.life_support_passes, HOST, "unknown", says=NOT_READ, **OF),
    row(firewall.bans_hold, HOST, "pass", READ, BAN, says="1 banned, none gets in", **OF),
    row(
        firewall.bans_hold, HOST, "fail", READ,
        replace(BAN, passes=(25, 587), path="forward after dnat 172.17.0.2:25", rules=(DOCKER,)),
        says="192.0.2.66 is banned in inet f2b-table addr-set-postfix, and gets to 25, 587 by forward after dnat "
        "172.17.0.2:25: ip filter DOCKER rule 7",
        **OF,
    ),
    row(firewall.bans_hold, HOST, "not-applicable", READ, says="no address is banned", **OF),
    row(firewall.bans_hold, HOST, "unknown", says=NOT_READ, **OF),
    row(firewall.bans_hold, HOST, "unknown", READ, BAN, DOUBTED, says="cannot be told: xt match set", **OF),
    row(firewall.bans_hold, HOST, "unknown", READ, DOUBTED, says="cannot be told: xt match set", **OF),
)  # fmt: skip


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_what_each_judge_says(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because


def findings(*seen: object) -> dict[tuple[str, str], str]:
    """Every verdict on a declared host of which just this was seen."""
    host = Host(NAME, (V4, V6), DECLARED, line=10)
    architecture = Architecture(zones=ZONES, hosts=(host,), source="gatepost.toml")
    services = {Endpoint(NAME, a, s.port): s for s in DECLARED for a in (V4, V6)}
    run = Run(Seen(tuple(seen)), NOW)  # type: ignore[arg-type] # rows of facts
    judged = judge(run, architecture, profile("rfc9325"), services=services, now=NOW, mine=True)
    return {(f.control, f.check): f.outcome.value for f in judged}


def test_a_run_from_outside_names_the_witness_once_and_is_quiet_otherwise() -> None:
    told = findings()
    inside = {name for control, name in told if control.startswith(("GP-FW", "GP-SEG"))}
    assert inside == {"manual", "both-families-alike"}
    assert ("GP-PORT-002", "sockets-declared") not in told


def test_a_look_inside_is_judged_and_not_listed_as_missing() -> None:
    told = findings(INSIDE, READ)
    assert told["GP-FW-004", "rules-as-declared"] == "pass"
    assert ("GP-FW-004", "manual") not in told
    assert ("GP-FW-004", "reached-where-declared") not in told


def test_a_range_of_ports_is_about_the_host_and_a_port_about_itself() -> None:
    host = Host(NAME, (V4,), DECLARED)
    run = Run(Seen((INSIDE, READ, wider(26, 109), wider(110))), NOW)
    architecture = Architecture(zones=ZONES, hosts=(host,), source="gatepost.toml")
    services = {Endpoint(NAME, V4, s.port): s for s in DECLARED}
    judged = judge(run, architecture, profile("rfc9325"), services=services, now=NOW, mine=True)
    subjects = {f.check: f.subject for f in judged if f.outcome is Outcome.FAIL}
    assert subjects["denied-by-default"] == NAME
    assert subjects["limited-to-the-declared"] == f"{NAME}:110"


def test_the_registry_has_every_judge_of_this_file() -> None:
    assert {r.check.name for r in ROWS} <= {c.name for c in CHECKS}


def test_severity_follows_what_can_happen() -> None:
    verdict = firewall.reached_where_declared.judge(
        of_row(row(firewall.reached_where_declared, HOST, "fail", silent(110, "office"), **OF))
    )
    assert verdict.severity is Severity.MEDIUM
