"""Judges of the ports family: one row per outcome."""

from __future__ import annotations

from datetime import date
from ipaddress import ip_network

import pytest

from gatepost.checks import ports
from gatepost.model.architecture import Endpoint, Zone
from gatepost.model.observation import Closed, Identified, Vantage
from gatepost.model.rules import FirewallSeen
from gatepost.model.words import Mode, Reason, Role, Severity
from tests.checks.cases import (
    HOST,
    IMAP,
    IMAPS,
    MX,
    POP3,
    SUBMISSION,
    SUBMISSIONS,
    V6,
    Row,
    at,
    greeting,
    listening,
    lost,
    of_row,
    offers,
    row,
    service,
    upgrade,
)

ODMR, ALT, SSH, SINK = at(366), at(2525), at(22), at(8025)
DECLARED = (service(25), service(465))
UNTIL = date(2027, 3, 31)
OFFICE = Zone("office", (ip_network("198.51.100.0/24"),))


def said(where: Endpoint, protocol: str, mode: Mode = Mode.STARTTLS) -> Identified:
    return Identified(where, protocol, mode, "220 hello")


ROWS: tuple[Row, ...] = (
    row(ports.host_declared, HOST, "pass", *listening(MX), declared=DECLARED),
    row(ports.host_declared, HOST, "fail", *listening(MX), source="gatepost.toml", says="does not have this host"),
    row(ports.host_declared, HOST, "unknown", *listening(MX), says="nothing is declared"),
    row(ports.listener_declared, MX, "pass", *listening(MX), declared=DECLARED),
    row(ports.listener_declared, SSH, "pass", *listening(SSH), declared=DECLARED, host={"management": ("office",)}),
    row(ports.listener_declared, ALT, "fail", *listening(ALT), said(ALT, "smtp"), declared=DECLARED, says="smtp"),
    row(ports.listener_declared, MX, "unknown", *listening(MX), says="nothing is declared"),
    row(ports.begins_as_declared, SUBMISSIONS, "pass", greeting(SUBMISSIONS, encrypted=True), declared=DECLARED),
    row(ports.begins_as_declared, SUBMISSION, "pass", greeting(SUBMISSION), upgrade(SUBMISSION)),
    row(ports.begins_as_declared, SUBMISSIONS, "fail", said(SUBMISSIONS, "smtp"), greeting(SUBMISSIONS),
        upgrade(SUBMISSIONS), declared=DECLARED, says="begins in clear, declared as implicit TLS"),
    row(ports.begins_as_declared, IMAP, "fail", said(IMAP, "imap", Mode.IMPLICIT), greeting(IMAP, encrypted=True),
        says="begins with TLS at once, usual is starttls"),
    row(ports.begins_as_declared, MX, "fail", said(MX, "imap"), declared=DECLARED, says="speaks imap, declared as"),
    row(ports.begins_as_declared, SINK, "not-applicable", said(SINK, "ssh", Mode.NONE)),
    row(ports.begins_as_declared, MX, "unknown", lost(MX, "greeting", Reason.LIMITED), says="limited"),
    row(ports.declared_port_answers, HOST, "pass", *listening(SUBMISSIONS), declared=DECLARED, role=Role.SUBMISSION),
    row(ports.declared_port_answers, HOST, "fail", Closed(SUBMISSIONS, "refused"), declared=DECLARED,
        role=Role.SUBMISSION, says="nothing listens"),
    row(ports.declared_port_answers, HOST, "unknown", lost(MX, "connection", Reason.FILTERED), declared=DECLARED,
        role=Role.MX, says="no answer from here"),
    row(ports.declared_port_answers, HOST, "unknown", Closed(SUBMISSIONS, "refused"),
        Vantage(MX, "203.0.113.9"), declared=(service(465, sources=("office",)),), zones=(OFFICE,),
        role=Role.SUBMISSION, says="other networks"),
    row(ports.declared_port_answers, HOST, "fail", Closed(SUBMISSIONS, "refused"),
        Vantage(MX, "198.51.100.9"), declared=(service(465, sources=("office",)),), zones=(OFFICE,),
        role=Role.SUBMISSION),
    row(ports.implicit_tls_offered, HOST, "pass", *listening(SUBMISSION, SUBMISSIONS), role=Role.SUBMISSION),
    row(ports.implicit_tls_offered, HOST, "fail", *listening(IMAP), Closed(IMAPS, "refused"), role=Role.ACCESS,
        says="imap begins in clear only"),
    row(ports.implicit_tls_offered, HOST, "unknown", *listening(IMAP), role=Role.ACCESS, says="993 was not seen"),
    row(ports.clear_text_access_ends, HOST, "pass", *listening(POP3), declared=(service(110, until=UNTIL),)),
    row(ports.clear_text_access_ends, HOST, "pass", Closed(POP3, "refused"), role=Role.ACCESS),
    row(ports.clear_text_access_ends, HOST, "fail", *listening(POP3),
        declared=(service(110, until=date(2026, 11, 23)),), says="missing or past"),
    row(ports.clear_text_access_ends, HOST, "fail", *listening(IMAP), says="nobody wrote down"),
    row(ports.clear_text_access_ends, HOST, "unknown", lost(IMAP, "connection")),
    row(ports.no_login_on_the_mx_port, MX, "pass", offers(MX, "STARTTLS"), upgrade(MX), offers(MX, encrypted=True)),
    row(ports.no_login_on_the_mx_port, MX, "fail", offers(MX, "STARTTLS"), offers(MX, "AUTH PLAIN", encrypted=True),
        says="PLAIN"),
    row(ports.no_login_on_the_mx_port, MX, "unknown", offers(MX, "STARTTLS"), upgrade(MX), says="not seen"),
    row(ports.no_historic_port, MX, "pass", *listening(MX)),
    row(ports.no_historic_port, ALT, "pass", said(ALT, "smtp"), declared=(service(2525, until=UNTIL),)),
    row(ports.no_historic_port, ALT, "fail", said(ALT, "smtp"), says="submissions took its place"),
    row(ports.no_historic_port, ALT, "not-applicable", said(ALT, "http", Mode.NONE)),
    row(ports.no_historic_port, ODMR, "unknown", said(ODMR, "silent", Mode.NONE), says="does not say"),
    row(ports.mail_where_expected, MX, "pass", *listening(MX), greeting(MX)),
    row(ports.mail_where_expected, SSH, "pass", said(SSH, "ssh", Mode.NONE)),
    row(ports.mail_where_expected, SINK, "fail", said(SINK, "smtp"), says="speaks smtp where http is usual"),
    row(ports.mail_where_expected, at(8026), "fail", said(at(8026), "smtp"), says="a number of no mail service"),
    row(ports.mail_where_expected, SINK, "unknown", *listening(SINK), lost(SINK, "identity"), says="timeout"),
    row(ports.both_families_alike, HOST, "fail", *listening(MX, IMAPS, at(25, V6)), Closed(at(993, V6), "refused"),
        says="over IPv4 and not over IPv6"),
    row(ports.both_families_alike, HOST, "unknown", *listening(MX, at(25, V6)), says="alike"),
    row(ports.both_families_alike, HOST, "pass", *listening(MX, at(25, V6)), FirewallSeen(HOST, (), 9, "d1")),
    row(ports.both_families_alike, HOST, "unknown", *listening(MX), lost(at(25, V6), "connection"), says="one address"),
)  # fmt: skip


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_row(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because


def test_a_port_declared_for_other_networks_does_not_excuse_the_rest() -> None:
    declared = (service(465, sources=("office",)), service(587))
    one = row(ports.declared_port_answers, HOST, "fail", Closed(SUBMISSIONS, "refused"), Closed(SUBMISSION, "refused"),
              Vantage(MX, "203.0.113.9"), declared=declared, zones=(OFFICE,), role=Role.SUBMISSION)  # fmt: skip
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, [e.at for e in verdict.evidence]) == (one.outcome, [SUBMISSION])


def test_an_undeclared_ssh_weighs_less_than_an_undeclared_mail_port() -> None:
    ssh = ports.listener_declared.judge(
        of_row(row(ports.listener_declared, SSH, "fail", *listening(SSH), declared=DECLARED))
    )
    assert ssh.severity is Severity.LOW
    assert 'management = ["ZONE"] in gatepost.toml' in ssh.remedy


def test_a_bare_audit_does_not_blame_a_legacy_port_as_hard_as_a_declaration_does() -> None:
    bare = ports.clear_text_access_ends.judge(of_row(row(ports.clear_text_access_ends, HOST, "fail", *listening(IMAP))))
    assert bare.severity is Severity.LOW


def test_a_declared_port_with_implicit_tls_that_is_down_is_one_finding_not_two() -> None:
    down = row(ports.implicit_tls_offered, HOST, "pass", *listening(POP3), Closed(at(995), "refused"),
               declared=(service(110), service(995)), role=Role.ACCESS)  # fmt: skip
    assert down.check.judge(of_row(down)).outcome is down.outcome
