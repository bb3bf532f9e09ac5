"""Judges of the upgrade from clear text."""

from __future__ import annotations

import pytest

from gatepost.checks import starttls
from gatepost.model.observation import Handshake, Identified, Injected, Vantage
from gatepost.model.words import Mode, Severity
from tests.checks.cases import (
    IMAP,
    IMAPS,
    MX,
    POP3,
    SIEVE,
    SUBMISSION,
    V4,
    Row,
    greeting,
    lost,
    of_row,
    offers,
    row,
    shake,
    trial,
    upgrade,
)

NEAR = Vantage(IMAP, V4)
CLEAR = offers(SUBMISSION, "STARTTLS", "AUTH PLAIN LOGIN")
ASKED = trial(MX, "mail-before-tls", accepted=False, answer="530 5.7.0 Must issue a STARTTLS command first")
AT_ONCE = greeting(IMAPS, encrypted=True)

ROWS: tuple[Row, ...] = (
    row(starttls.starttls_offered, MX, "pass", upgrade(MX)),
    row(starttls.starttls_offered, MX, "fail", upgrade(MX, offered=False, accepted=False), says="in clear"),
    row(starttls.starttls_offered, MX, "fail", upgrade(MX, offered=False), says="works when asked for"),
    row(starttls.starttls_offered, MX, "unknown", upgrade(MX, offered=False, accepted=False, mangled="XXXXXXXA"),
        says="rewritten"),
    row(starttls.starttls_offered, MX, "unknown", lost(MX, "greeting"), says="timeout"),
    row(starttls.starttls_offered, IMAPS, "not-applicable", AT_ONCE),
    row(starttls.starttls_works, MX, "pass", upgrade(MX), shake(MX)),
    row(starttls.starttls_works, MX, "fail", upgrade(MX, accepted=False, answer="454 4.7.0 TLS not available"),
        says="454"),
    row(starttls.starttls_works, MX, "fail", upgrade(MX), Handshake(MX, None, "", "", error="bad record"),
        says="bad record"),
    row(starttls.starttls_works, MX, "unknown", upgrade(MX), lost(MX, "tls")),
    row(starttls.passwords_only_inside_tls, SUBMISSION, "pass", offers(SUBMISSION, "STARTTLS")),
    row(starttls.passwords_only_inside_tls, SUBMISSION, "fail", CLEAR, says="offers in clear: LOGIN and PLAIN"),
    row(starttls.passwords_only_inside_tls, SUBMISSION, "fail", CLEAR,
        trial(SUBMISSION, "auth-in-clear", accepted=True, sent="AUTH PLAIN"), says="reads passwords in clear: AUTH"),
    row(starttls.passwords_only_inside_tls, IMAP, "pass", offers(IMAP, "STARTTLS", "LOGINDISABLED")),
    row(starttls.passwords_only_inside_tls, IMAP, "unknown", offers(IMAP, "STARTTLS"), says="not seen"),
    row(starttls.passwords_only_inside_tls, IMAP, "fail", offers(IMAP, "STARTTLS"),
        trial(IMAP, "login-in-clear", accepted=True, sent="LOGIN someone ***"), says="LOGIN"),
    row(starttls.passwords_only_inside_tls, IMAP, "unknown", NEAR, offers(IMAP, "STARTTLS", "AUTH=PLAIN"),
        says="own address"),
    row(starttls.passwords_only_inside_tls, POP3, "fail", offers(POP3, "STLS", "USER"), says="USER"),
    row(starttls.passwords_only_inside_tls, MX, "unknown", lost(MX, "capabilities"), says="timeout"),
    row(starttls.passwords_only_inside_tls, IMAPS, "not-applicable", AT_ONCE),
    row(starttls.injected_commands_dropped, MX, "pass", Injected(MX, "command", False, "dropped")),
    row(starttls.injected_commands_dropped, MX, "fail", Injected(MX, "command", True, "NOOP was answered"),
        says="NOOP was answered"),
    row(starttls.injected_commands_dropped, MX, "unknown", Injected(MX, "response", False, "")),
    row(starttls.nothing_carried_over, MX, "pass", Injected(MX, "response", False, "")),
    row(starttls.nothing_carried_over, MX, "fail", Injected(MX, "response", True, "250 evil"), shake(MX), says="evil"),
    row(starttls.nothing_carried_over, MX, "unknown", Injected(MX, "response", True, "-ERR no TLS"), says="took"),
    row(starttls.nothing_carried_over, MX, "unknown", Injected(MX, "command", False, "")),
    row(starttls.starttls_not_offered_again, MX, "pass", offers(MX, "SIZE", encrypted=True)),
    row(starttls.starttls_not_offered_again, POP3, "fail", offers(POP3, "STLS", encrypted=True)),
    row(starttls.starttls_not_offered_again, MX, "unknown", offers(MX, "STARTTLS"), lost(MX, "tls")),
    row(starttls.state_forgotten, MX, "pass", trial(MX, "mail-after-tls", accepted=False, encrypted=True)),
    row(starttls.state_forgotten, MX, "fail", trial(MX, "mail-after-tls", accepted=True, encrypted=True)),
    row(starttls.state_forgotten, MX, "not-applicable", ASKED, says="no mail before TLS"),
    row(starttls.state_forgotten, MX, "unknown"),
    row(starttls.nothing_before_tls, SUBMISSION, "pass", trial(SUBMISSION, "mail-before-tls", accepted=False)),
    row(starttls.nothing_before_tls, SUBMISSION, "fail", trial(SUBMISSION, "mail-before-tls", accepted=True),
        says="not enforced"),
    row(starttls.nothing_before_tls, SIEVE, "not-applicable", trial(SIEVE, "auth-in-clear", accepted=True)),
    row(starttls.nothing_before_tls, SIEVE, "unknown", offers(SIEVE, "STARTTLS")),
    row(starttls.strangers_may_come_in_clear, MX, "pass", trial(MX, "mail-before-tls", accepted=True)),
    row(starttls.strangers_may_come_in_clear, MX, "fail", ASKED, says="530"),
    row(starttls.strangers_may_come_in_clear, MX, "unknown",
        trial(MX, "mail-before-tls", accepted=False, answer="450 4.7.1 greylisted"), says="another reason"),
    row(starttls.strangers_may_come_in_clear, MX, "unknown"),
    row(starttls.starttls_not_rewritten, MX, "pass", upgrade(MX)),
    row(starttls.starttls_not_rewritten, MX, "fail", upgrade(MX, offered=False, mangled="XXXXXXXA"), says="XXXXXXXA"),
    row(starttls.starttls_not_rewritten, MX, "unknown", upgrade(MX, offered=False, accepted=False), says="--compare"),
    row(starttls.no_privilege_before_tls, IMAP, "pass", greeting(IMAP)),
    row(starttls.no_privilege_before_tls, IMAP, "fail", greeting(IMAP, preauth=True), says="PREAUTH"),
    row(starttls.no_privilege_before_tls, IMAP, "unknown", NEAR, greeting(IMAP, preauth=True), says="own address"),
)  # fmt: skip


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_row(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because


def test_what_is_seen_decides_whether_the_rules_of_starttls_apply() -> None:
    begins = Identified(IMAPS, "imap", Mode.STARTTLS, "* OK")
    one = row(starttls.starttls_offered, IMAPS, "pass", begins, greeting(IMAPS), upgrade(IMAPS))
    assert one.check.judge(of_row(one)).outcome is one.outcome


def test_an_offer_refused_when_tried_weighs_less_than_one_that_works() -> None:
    tried = trial(SUBMISSION, "auth-in-clear", accepted=False, sent="AUTH PLAIN")
    one = row(starttls.passwords_only_inside_tls, SUBMISSION, "fail", CLEAR, tried)
    verdict = one.check.judge(of_row(one))
    assert verdict.severity is Severity.HIGH
    assert "refuses them when tried" in verdict.because


def test_a_rewritten_offer_is_critical_where_users_log_in() -> None:
    one = row(starttls.starttls_not_rewritten, IMAP, "fail", upgrade(IMAP, offered=False, mangled="XXXXXXXX"))
    assert one.check.judge(of_row(one)).severity is Severity.CRITICAL
