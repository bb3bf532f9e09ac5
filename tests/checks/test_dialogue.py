"""Judges of logins, relaying and patches."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from gatepost.checks import authentication as auth
from gatepost.checks import patching, relay
from gatepost.checks.patching import vulnerable
from gatepost.model.architecture import Zone
from gatepost.model.observation import Feature, Tried, Unobserved, Vantage
from gatepost.model.words import Outcome, Reason, Severity
from tests.checks.cases import (
    IMAP,
    IMAPS,
    LMTP,
    MX,
    POP3,
    SUBMISSION,
    V4,
    Row,
    greeting,
    hello,
    listening,
    lost,
    modern,
    of_row,
    offers,
    row,
    service,
    shake,
    trial,
)

TIER = Zone("tier", (ip_network("198.51.100.0/24"),))
FROM_TIER = service(24, sources=("tier",))
NEAR = Vantage(MX, V4)
OLD_EXIM: dict[str, Any] = {"software": "Exim", "version": "4.94"}


def form(name: str, *, accepted: bool) -> Tried:
    return trial(MX, name, accepted=accepted, encrypted=True)


def flaw(name: str, present: bool | None) -> Feature:  # noqa: FBT001 - a fact's own field
    return Feature(IMAPS, name, present, "what was seen")


AUTH: tuple[Row, ...] = (
    row(auth.mail_needs_login, SUBMISSION, "pass", trial(SUBMISSION, "mail-before-auth", accepted=False)),
    row(auth.mail_needs_login, SUBMISSION, "fail", trial(SUBMISSION, "mail-before-auth", accepted=True)),
    row(auth.mail_needs_login, SUBMISSION, "unknown", Vantage(SUBMISSION, V4),
        trial(SUBMISSION, "mail-before-auth", accepted=True), says="own address"),
    row(auth.mail_needs_login, SUBMISSION, "unknown", lost(SUBMISSION, "tls")),
    row(auth.login_offered, SUBMISSION, "pass", offers(SUBMISSION, "AUTH PLAIN", encrypted=True)),
    row(auth.login_offered, SUBMISSION, "fail", offers(SUBMISSION, "SIZE", encrypted=True), says="nobody can submit"),
    row(auth.login_offered, SUBMISSION, "unknown", offers(SUBMISSION, "STARTTLS")),
    row(auth.no_anonymous_login, IMAPS, "pass", offers(IMAPS, "AUTH=PLAIN", encrypted=True)),
    row(auth.no_anonymous_login, IMAPS, "fail", offers(IMAPS, "AUTH=ANONYMOUS", encrypted=True), says="offers"),
    row(auth.no_anonymous_login, IMAPS, "fail", trial(IMAPS, "auth-anonymous", accepted=True), says="lets anyone in"),
    row(auth.no_anonymous_login, IMAP, "unknown", offers(IMAP, "STARTTLS", "LOGINDISABLED")),
    row(auth.no_outdated_mechanism, IMAPS, "pass", offers(IMAPS, "AUTH=PLAIN", encrypted=True)),
    row(auth.no_outdated_mechanism, IMAPS, "fail", offers(IMAPS, "AUTH=CRAM-MD5", encrypted=True), says="CRAM-MD5"),
    row(auth.no_outdated_mechanism, POP3, "fail", greeting(POP3, "ready <1896.697@mail.test>"), says="APOP"),
    row(auth.no_outdated_mechanism, IMAP, "unknown", lost(IMAP, "greeting")),
    row(auth.client_certificates_only_where_used, IMAPS, "pass", shake(IMAPS)),
    row(auth.client_certificates_only_where_used, IMAPS, "pass", shake(IMAPS, client_certificate_requested=True),
        offers(IMAPS, "AUTH=EXTERNAL", encrypted=True), says="as login"),
    row(auth.client_certificates_only_where_used, IMAPS, "fail", shake(IMAPS, client_certificate_requested=True),
        offers(IMAPS, "AUTH=PLAIN", encrypted=True), says="no use for it"),
    row(auth.client_certificates_only_where_used, IMAPS, "unknown", shake(IMAPS, client_certificate_requested=True)),
)  # fmt: skip

RELAY: tuple[Row, ...] = (
    row(relay.no_open_relay, MX, "pass", form("relay:percent", accepted=False), says="1 form refused"),
    row(relay.no_open_relay, MX, "unknown", form("relay:percent", accepted=False), lost(MX, "relay"),
        says="1 form refused, then timeout"),
    row(relay.no_open_relay, MX, "fail", form("relay:percent", accepted=True), form("relay:bang", accepted=True),
        says="2 of 2 forms: bang, percent"),
    row(relay.no_open_relay, MX, "unknown", NEAR, form("relay:percent", accepted=True), says="own address"),
    row(relay.no_open_relay, MX, "unknown", NEAR, form("relay:percent", accepted=False), says="own address"),
    row(relay.no_open_relay, MX, "unknown", mine=False, says="--mine"),
    row(relay.inner_listener_out_of_reach, LMTP, "pass", *listening(LMTP), Vantage(LMTP, "198.51.100.9"),
        declared=(FROM_TIER,), zones=(TIER,)),
    row(relay.inner_listener_out_of_reach, LMTP, "fail", *listening(LMTP), Vantage(LMTP, "203.0.113.9"),
        declared=(FROM_TIER,), zones=(TIER,), says="none of the networks"),
    row(relay.inner_listener_out_of_reach, LMTP, "fail", *listening(LMTP), Vantage(LMTP, "8.8.8.8"), says="outside"),
    row(relay.inner_listener_out_of_reach, LMTP, "unknown", *listening(LMTP), Vantage(LMTP, "10.0.0.9")),
    row(relay.inner_listener_out_of_reach, LMTP, "unknown", *listening(LMTP), Vantage(LMTP, V4), says="vantage"),
    row(relay.identity_not_overridden, MX, "pass", offers(MX, "SIZE"), trial(MX, "proxy-header", accepted=False)),
    row(relay.identity_not_overridden, MX, "fail", trial(MX, "proxy-header", accepted=True), says="PROXY"),
    row(relay.identity_not_overridden, MX, "fail", offers(MX, "XCLIENT NAME ADDR"), says="XCLIENT"),
    row(relay.identity_not_overridden, MX, "unknown", offers(MX, "SIZE"), mine=False, says="--mine"),
    row(relay.messages_end_once, MX, "pass", form("smuggle:lf-dot-lf", accepted=False)),
    row(relay.messages_end_once, MX, "fail", form("smuggle:lf-dot-lf", accepted=True), says="lf-dot-lf"),
    row(relay.messages_end_once, MX, "unknown", Unobserved(MX, "smuggling", Reason.NOT_ASKED, "needs a recipient"),
        says="recipient"),
    row(relay.lines_end_in_crlf, MX, "pass", form("bare-lf", accepted=False)),
    row(relay.lines_end_in_crlf, MX, "fail", form("bare-lf", accepted=True)),
    row(relay.lines_end_in_crlf, MX, "unknown", mine=False),
    row(relay.clients_wait_for_the_greeting, MX, "pass", trial(MX, "early-talker", accepted=False)),
    row(relay.clients_wait_for_the_greeting, MX, "fail", trial(MX, "early-talker", accepted=True)),
    row(relay.clients_wait_for_the_greeting, MX, "unknown"),
    row(relay.clients_wait_for_the_greeting, MX, "unknown", lost(MX, "early-talker"), says="nothing came"),
    row(relay.users_not_told, MX, "pass", form("vrfy", accepted=False), form("expn", accepted=False)),
    row(relay.users_not_told, MX, "fail", form("vrfy", accepted=True), says="VRFY"),
    row(relay.users_not_told, MX, "unknown", lost(MX, "vrfy")),
    row(relay.unknown_users_refused, MX, "pass", form("rcpt-unknown", accepted=False)),
    row(relay.unknown_users_refused, MX, "fail", form("rcpt-unknown", accepted=True), says="bounce"),
    row(relay.unknown_users_refused, MX, "unknown"),
    row(relay.helo_checked, MX, "pass", form("helo-invalid", accepted=False)),
    row(relay.helo_checked, MX, "fail", form("helo-invalid", accepted=True)),
    row(relay.helo_checked, MX, "unknown", Unobserved(MX, "helo-invalid", Reason.GREYLISTED, "450"), says="greylisted"),
)  # fmt: skip

PATCHING: tuple[Row, ...] = (
    row(patching.no_vulnerable_version, MX, "pass", greeting(MX, software="Exim", version="4.99.4")),
    row(patching.no_vulnerable_version, MX, "fail", greeting(MX, **OLD_EXIM), says="CVE-2020-28017"),
    row(patching.no_vulnerable_version, MX, "unknown", greeting(MX, software="Postfix"), says="names no version"),
    row(patching.banner_keeps_its_version, MX, "pass", greeting(MX, software="Postfix")),
    row(patching.banner_keeps_its_version, MX, "fail", greeting(MX, **OLD_EXIM), says="Exim 4.94"),
    row(patching.banner_keeps_its_version, MX, "unknown", lost(MX, "greeting")),
    *(
        made
        for check, name in (
            (patching.no_heartbleed, "heartbleed"),
            (patching.no_ccs_injection, "ccs-injection"),
            (patching.no_ticketbleed, "ticketbleed"),
            (patching.no_robot, "robot"),
        )
        for made in (
            row(check, IMAPS, "pass", flaw(name, False)),
            row(check, IMAPS, "fail", flaw(name, True)),
            row(check, IMAPS, "unknown", flaw(name, None), says="no answer"),
            row(check, IMAPS, "unknown", mine=False, says="--mine"),
        )
    ),
    row(patching.downgrade_noticed, IMAPS, "pass", hello(IMAPS, "x"), flaw("fallback-scsv", True)),
    row(patching.downgrade_noticed, IMAPS, "fail", hello(IMAPS, "x"), hello(IMAPS, "y", version="TLSv1.0"),
        flaw("fallback-scsv", False)),
    row(patching.downgrade_noticed, IMAPS, "not-applicable", modern(IMAPS), flaw("fallback-scsv", False)),
    row(patching.downgrade_noticed, IMAPS, "unknown", hello(IMAPS, "x")),
    row(patching.tolerates_the_new, IMAPS, "pass", flaw("grease-tolerant", True)),
    row(patching.tolerates_the_new, IMAPS, "fail", flaw("grease-tolerant", True), flaw("version-tolerant", False)),
    row(patching.tolerates_the_new, IMAPS, "unknown"),
)  # fmt: skip

ROWS = AUTH + RELAY + PATCHING


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_row(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because


@pytest.mark.parametrize(
    ("software", "version", "cves"),
    [
        ("Exim", "4.91", {"CVE-2019-10149", "CVE-2019-15846"}),
        ("Exim", "4.86", {"CVE-2018-6789"}),
        ("Exim", "4.97", {"CVE-2023-51766", "CVE-2024-39929"}),
        ("Exim", "4.99.4", set()),
        ("Exim", "4.97.1-RC1", {"CVE-2024-39929"}),
        ("Postfix", "3.7.8", {"CVE-2023-51764"}),
        ("Postfix", "3.7.11", set()),
        ("OpenSMTPD", "6.6.1p1", {"CVE-2020-7247"}),
        ("Sendmail", "8.17.1/8.17.1", {"CVE-2023-51765"}),
        ("Dovecot", "2.3.7.1", {"CVE-2019-11500"}),
        ("Unheard-of", "1.0", set()),
        ("Exim", "", set()),
        ("Exim", "9" * 5000, set()),
        ("Exim", "not a version", set()),
    ],
)
def test_versions_are_compared_as_numbers(software: str, version: str, cves: set[str]) -> None:
    found = {cve for one in vulnerable(software, version) for cve in one.cve}
    assert found >= cves
    assert bool(found) == bool(cves)


def test_a_banner_is_hearsay_so_it_weighs_a_step_less() -> None:
    one = row(patching.no_vulnerable_version, MX, "fail", greeting(MX, **OLD_EXIM))
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, verdict.severity) == (Outcome.FAIL, Severity.HIGH)
    assert "unless the distribution mended it" in verdict.because
