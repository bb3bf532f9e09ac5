"""Judges of what the host itself says listens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gatepost.checks import listeners
from gatepost.model.host import ListenerConfigured, Place
from gatepost.model.observation import Closed
from gatepost.model.words import Role, Severity
from tests.checks.cases import HOST, V6, Row, at, listening, lost, of_row, row, service
from tests.checks.rules_told import INSIDE, READ, ZONES, admits, socket

DECLARED = (service(25), service(993, line=14))
OF: dict[str, Any] = {"declared": DECLARED, "zones": ZONES}
BOTH = (socket(25, "master"), socket(25, "master", "::"), socket(993, "dovecot"), socket(993, "dovecot", "::"))
SUBMISSION = ListenerConfigured(HOST, "postfix", "/etc/postfix", "submission/inet", 587, place=Place("master.cf", 17))
NOT_READ = "the host was not looked at from inside"
ACCESS: dict[str, Any] = OF | {"role": Role.ACCESS}

ROWS: tuple[Row, ...] = (
    row(listeners.configured_services_declared, HOST, "pass", INSIDE, replace(SUBMISSION, port=25), **OF),
    row(
        listeners.configured_services_declared, HOST, "fail", INSIDE, *BOTH, SUBMISSION,
        says="master.cf:17: postfix submission/inet will open 587, which is not declared", **OF,
    ),
    row(
        listeners.configured_services_declared, HOST, "pass", INSIDE, replace(SUBMISSION, port=25),
        replace(SUBMISSION, addresses=("127.0.0.1", "localhost")), **OF,
    ),
    row(listeners.configured_services_declared, HOST, "unknown", INSIDE, SUBMISSION, says="nothing is declared"),
    row(listeners.configured_services_declared, HOST, "unknown", INSIDE, says="no listener of a mail server", **OF),
    row(listeners.configured_services_declared, HOST, "unknown", says=NOT_READ, **OF),
    row(listeners.sockets_declared, HOST, "pass", INSIDE, *BOTH, socket(3306, "mysqld", "127.0.0.1"), **OF),
    row(listeners.sockets_declared, HOST, "pass", INSIDE, *BOTH, socket(22, "sshd"), host={"management": ("a",)}, **OF),
    row(
        listeners.sockets_declared, HOST, "fail", INSIDE, *BOTH, socket(110, "dovecot", "::"), socket(587, "master"),
        SUBMISSION, says="dovecot listens on [::]:110 (pop3), and is not declared (also 587 master)", **OF,
    ),
    row(
        listeners.sockets_declared, HOST, "fail", INSIDE, socket(587, "master"), SUBMISSION,
        says="listens on 0.0.0.0:587 (submission), see master.cf:17, and is not declared", **OF,
    ),
    row(listeners.sockets_declared, HOST, "pass", INSIDE, READ, socket(110), admits(110), **OF),
    row(listeners.sockets_declared, HOST, "pass", INSIDE, socket(587), *listening(at(587)), **OF),
    row(listeners.sockets_declared, HOST, "unknown", INSIDE, lost(HOST, "sockets"), says="timeout", **OF),
    row(listeners.sockets_declared, HOST, "unknown", INSIDE, *BOTH, says="nothing is declared"),
    row(listeners.nothing_hides_behind_the_firewall, HOST, "pass", INSIDE, READ, *BOTH, **OF),
    row(
        listeners.nothing_hides_behind_the_firewall, HOST, "fail", INSIDE, READ, socket(6379, "redis-server"),
        admits(6379), admits(6379, address=V6),
        says="redis-server listens on 0.0.0.0:6379 (redis), is not declared, and only the firewall keeps it closed",
        **OF,
    ),
    row(listeners.nothing_hides_behind_the_firewall, HOST, "unknown", INSIDE, *BOTH, says="not seen: firewall", **OF),
    row(listeners.declared_ports_have_listeners, HOST, "pass", INSIDE, *BOTH, **ACCESS),
    row(
        listeners.declared_ports_have_listeners, HOST, "fail", INSIDE, *BOTH[:2],
        says="declared, but nothing listens: 993 (imaps) (gatepost.toml:14)", **ACCESS,
    ),
    row(
        listeners.declared_ports_have_listeners, HOST, "fail", INSIDE, *BOTH[:3],
        says=f"nothing listens on {V6}: 993", **ACCESS,
    ),
    row(
        listeners.declared_ports_have_listeners, HOST, "fail", INSIDE, socket(993, "dovecot", "127.0.0.1"), **ACCESS,
    ),
    row(listeners.declared_ports_have_listeners, HOST, "pass", INSIDE, socket(993, address="::", dual=True), **ACCESS),
    row(listeners.declared_ports_have_listeners, HOST, "unknown", says=NOT_READ, **ACCESS),
)  # fmt: skip


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_what_each_judge_says(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because


def test_only_the_address_without_a_listener_is_blamed() -> None:
    made = row(listeners.declared_ports_have_listeners, HOST, "fail", INSIDE, *BOTH[:3], **ACCESS)
    assert made.check.judge(of_row(made)).places == (at(993, V6),)


def test_behind_address_translation_the_inner_address_serves_the_outer_one() -> None:
    inner = (socket(993, "dovecot", "10.0.0.5"), socket(993, "dovecot", "fd00::5"))
    made = row(listeners.declared_ports_have_listeners, HOST, "pass", INSIDE, *inner, **ACCESS)
    assert made.check.judge(of_row(made)).outcome is made.outcome


def test_a_container_that_serves_a_published_port_needs_no_socket_of_the_host() -> None:
    led = (admits(993, "0.0.0.0/0", path="forward after dnat 172.17.0.2:993"), Closed(at(993, V6), "refused"))
    made = row(listeners.declared_ports_have_listeners, HOST, "pass", INSIDE, socket(25), *led, **ACCESS)
    assert made.check.judge(of_row(made)).outcome is made.outcome


def test_what_is_no_mail_service_is_a_lesser_fault() -> None:
    made = row(listeners.sockets_declared, HOST, "fail", INSIDE, socket(80, "nginx"), **OF)
    assert made.check.judge(of_row(made)).severity is Severity.LOW


def test_behind_the_firewall_what_a_mail_server_opens_weighs_more() -> None:
    check = listeners.nothing_hides_behind_the_firewall
    both = (socket(587, "master"), admits(587), socket(6379), admits(6379))
    mine = row(check, HOST, "fail", INSIDE, READ, *both, SUBMISSION, says="master listens on 0.0.0.0:587", **OF)
    verdict = check.judge(of_row(mine))
    assert (verdict.severity, verdict.ports) == (Severity.MEDIUM, (587, 6379))
    assert "see master.cf:17" in verdict.because
    assert check.judge(of_row(replace(mine, seen=mine.seen[:-1]))).severity is Severity.LOW
