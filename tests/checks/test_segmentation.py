"""Judges of what stands beside the mail ports: by sockets and rules, and by what vantages reached."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gatepost.checks import segmentation
from gatepost.checks.case import Check
from gatepost.model.architecture import Endpoint
from gatepost.model.host import ListenerConfigured
from gatepost.model.observation import Identified
from gatepost.model.rules import Reach, ReachSeen
from gatepost.model.words import Mode, Outcome, Severity
from tests.checks.cases import HOST, NAME, V4, Row, at, lost, of_row, row, service
from tests.checks.rules_told import (
    CLERK,
    DOCKER,
    INSIDE,
    READ,
    ZONES,
    admits,
    reach,
    reached,
    silent,
    socket,
    unclear,
    wider,
)

DECLARED = (service(25, sources=("internet",)), service(993, sources=("internet",)))
INNER = (service(25, sources=("office",)),)
OF: dict[str, Any] = {"declared": DECLARED, "zones": ZONES}
MANAGED: dict[str, Any] = OF | {"host": {"management": ("admin",), "line": 9}}
NOT_TRIED, NOT_READ = "not tried from any vantage", "the host was not looked at from inside"
INTO: dict[str, Any] = {
    "direction": "output",
    "target": "198.51.100.0/24",
    "rules": (),
    "sources": ("198.51.100.0/24",),
}
FROM_HERE = ReachSeen(Endpoint(CLERK, CLERK, 445), NAME, "", V4, Reach.REACHED)
PUBLISHED: dict[str, Any] = {
    "path": "forward after dnat 172.17.0.2:143",
    "rules": (DOCKER,),
    "because": "docker published 143 past ufw",
}


def kept_in(check: Check, port: int, process: str) -> tuple[Row, ...]:
    """The rows that every kind of inner listener has."""
    out, inward = socket(port, process), socket(port, process, "127.0.0.1")
    return (
        row(check, HOST, "pass", INSIDE, inward, says=f"on loopback only: {port} {process}", **OF),
        row(check, HOST, "pass", INSIDE, READ, out, admits(port), says="only declared sources", **OF),
        row(
            check, HOST, "fail", INSIDE, READ, out, wider(26, 20000),
            says=f"{process} listens on 0.0.0.0:{port}, and inet filter input rule 12 accepts {port} (",
            **OF,
        ),
        row(check, HOST, "unknown", INSIDE, out, says="the rules that say who gets there were not read", **OF),
        row(check, HOST, "unknown", INSIDE, READ, out, says="nothing is declared for this host"),
        row(check, HOST, "unknown", INSIDE, READ, out, unclear(port), says="xt match 'geoip'", **OF),
        row(check, HOST, "unknown", INSIDE, lost(HOST, "sockets"), says="timeout", **OF),
        row(check, HOST, "unknown", says=NOT_READ, **OF),
        row(check, HOST, "not-applicable", INSIDE, READ, socket(25, "master"), says="none listens", **OF),
    )  # fmt: skip


def out_of_reach(check: Check, port: int, word: str) -> tuple[Row, ...]:
    return (
        row(check, HOST, "pass", silent(port, "office"), silent(port, "internet"), says="internet and office", **OF),
        row(
            check, HOST, "fail", reached(port, "office"), silent(port, "internet"),
            says=f"office reached {port} ({word}) from {CLERK}: whoever is there has a way into the mail system", **OF,
        ),
        row(check, HOST, "unknown", reach(port, "office", Reach.UNKNOWN), **OF),
        row(check, HOST, "unknown", reached(25, "office"), says=NOT_TRIED, **OF),
    )  # fmt: skip


ROWS: tuple[Row, ...] = (
    *kept_in(segmentation.stores_kept_in, 3306, "mysqld"),
    *kept_in(segmentation.filters_kept_in, 8891, "opendkim"),
    *kept_in(segmentation.reinjection_kept_in, 10025, "master"),
    *kept_in(segmentation.consoles_kept_in, 11334, "rspamd"),
    *out_of_reach(segmentation.stores_out_of_reach, 3306, "mysql"),
    *out_of_reach(segmentation.filters_out_of_reach, 24, "lmtp"),
    *out_of_reach(segmentation.reinjection_out_of_reach, 10025, "filter-reinject"),
    *out_of_reach(segmentation.consoles_out_of_reach, 8080, "http-alt"),
    row(segmentation.consoles_out_of_reach, HOST, "fail", reached(22, "office"), says="22 (ssh)", **MANAGED),
    row(segmentation.consoles_out_of_reach, HOST, "pass", reached(22, "admin"), **MANAGED),
    row(
        segmentation.kept_from_inner_networks, HOST, "pass", READ,
        wider(25, direction="output", target="0.0.0.0/0", rules=()), **OF,
    ),
    row(
        segmentation.kept_from_inner_networks, HOST, "fail", READ, wider(1, 65535, **INTO),
        says="the host may connect into office: no rule forbids it", **OF,
    ),
    row(
        segmentation.kept_from_inner_networks, HOST, "fail", READ,
        wider(445, **INTO), wider(1, 65535, direction="forward", target="203.0.113.1/32", rules=(DOCKER,)),
        says="the host may connect into office, and forwards into admin: ip filter DOCKER rule 7 allows it", **OF,
    ),
    row(segmentation.kept_from_inner_networks, HOST, "unknown", READ, unclear(445, **INTO), **OF),
    row(segmentation.kept_from_inner_networks, HOST, "unknown", says=NOT_READ, **OF),
    row(
        segmentation.kept_from_inner_networks, HOST, "not-applicable", READ, wider(1, 65535, **INTO),
        says="nothing of this host is declared for the internet", declared=INNER, zones=ZONES,
    ),
    row(
        segmentation.inner_networks_out_of_its_reach, HOST, "fail", FROM_HERE,
        says="whoever takes this host over reaches 198.51.100.7 on 445", **OF,
    ),
    row(segmentation.inner_networks_out_of_its_reach, HOST, "pass", replace(FROM_HERE, result=Reach.REJECTED), **OF),
    row(segmentation.inner_networks_out_of_its_reach, HOST, "unknown", reached(25, "office"), says=NOT_TRIED, **OF),
    row(segmentation.logins_from_the_management_network, HOST, "pass", READ, admits(22, "203.0.113.0/25"), **MANAGED),
    row(
        segmentation.logins_from_the_management_network, HOST, "fail", READ, wider(22),
        says="accepts 22 (ssh) from everybody; meant for admin only (gatepost.toml:9)", **MANAGED,
    ),
    row(
        segmentation.logins_from_the_management_network, HOST, "fail", READ, admits(22, "0.0.0.0/0"),
        says="22 is open to everybody, and no management network is declared", **OF,
    ),
    row(segmentation.logins_from_the_management_network, HOST, "unknown", READ, unclear(22), **MANAGED),
    row(segmentation.tiers_encrypted, HOST, "pass", INSIDE, socket(24, "dovecot", "::1"), says="none of it", **OF),
    row(
        segmentation.tiers_encrypted, HOST, "pass", INSIDE, socket(24, "dovecot"),
        ListenerConfigured(HOST, "dovecot", "/etc/dovecot", "lmtp/lmtp", 24, tls=True), **OF,
    ),
    row(segmentation.tiers_encrypted, HOST, "pass", INSIDE, READ, socket(8891), admits(8891), says="none of it", **OF),
    row(
        segmentation.tiers_encrypted, HOST, "fail", INSIDE, socket(8891, "opendkim"),
        says="opendkim listens on 0.0.0.0:8891, for other hosts, and offers no encryption", **OF,
    ),
    row(
        segmentation.tiers_encrypted, HOST, "fail", INSIDE, socket(24, "dovecot"),
        Identified(at(24), "lmtp", Mode.NONE, "220 lmtp"), **OF,
    ),
    row(segmentation.tiers_encrypted, HOST, "unknown", INSIDE, socket(24, "dovecot"), says="was not seen", **OF),
    row(segmentation.tiers_encrypted, HOST, "unknown", says=NOT_READ, **OF),
    row(segmentation.containers_behind_the_firewall, HOST, "pass", READ, wider(110), says="nothing is published", **OF),
    row(
        segmentation.containers_behind_the_firewall, HOST, "fail", READ, wider(143, **PUBLISHED),
        says="docker published 143 past ufw; nothing is declared there", **OF,
    ),
    row(segmentation.containers_behind_the_firewall, HOST, "unknown", READ, unclear(143, path="forward"), **OF),
)  # fmt: skip


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_what_each_judge_says(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because


def test_a_port_declared_as_something_else_is_not_taken_for_what_its_number_means() -> None:
    """8080 may be a declared webmail; only what it is declared for counts."""
    webmail = replace(service(8080), protocol="imap")
    made = row(segmentation.consoles_kept_in, HOST, "not-applicable", INSIDE, READ, socket(8080, "nginx"), wider(8080))
    verdict = made.check.judge(of_row(replace(made, options=OF | {"declared": (*DECLARED, webmail)})))
    assert verdict.outcome is Outcome.NOT_APPLICABLE


def test_the_exposed_ports_are_named_though_the_rule_is_about_a_range() -> None:
    made = row(
        segmentation.stores_kept_in, HOST, "fail", INSIDE, READ, socket(3306), socket(6379), wider(1, 65535), **OF
    )
    assert made.check.judge(of_row(made)).ports == (3306, 6379)


def test_no_management_network_is_a_lesser_fault_than_one_that_does_not_hold() -> None:
    made = row(segmentation.logins_from_the_management_network, HOST, "fail", READ, admits(22, "0.0.0.0/0"), **OF)
    assert made.check.judge(of_row(made)).severity is Severity.MEDIUM
