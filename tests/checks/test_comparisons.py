"""Judges that hold ports against each other, and against what the world is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gatepost.checks import comparisons as held
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import Advertised, Closed, Observation
from gatepost.model.words import Mode, Role
from tests.checks.cases import (
    DOMAIN,
    HOST,
    IMAP,
    IMAPS,
    MX,
    NAME,
    NOW,
    SUBMISSION,
    SUBMISSIONS,
    V6,
    Row,
    at,
    chain,
    greeting,
    hello,
    leaf,
    listening,
    lost,
    of_row,
    offers,
    row,
)

USERS: dict[str, Any] = {"role": Role.SUBMISSION}
OLDER = leaf(sha256="c0", not_before=NOW - timedelta(days=80), not_after=NOW + timedelta(days=10))
OTHER = leaf(sha256="c1", dns_names=("other.test",), common_name="other.test")


def told(service: str, port: int, mode: Mode, *, via: str = "srv", priority: int = 0) -> Advertised:
    return Advertised(DOMAIN, via, service, f"{NAME}.", port, mode, priority)


IMAPS_TOLD = told("imaps", 993, Mode.IMPLICIT)

ROWS: tuple[Row, ...] = (
    row(held.same_protocol_floor, HOST, "pass", hello(SUBMISSIONS, "x"), hello(SUBMISSION, "x"), **USERS),
    row(held.same_protocol_floor, HOST, "fail", hello(SUBMISSIONS, "x"), hello(SUBMISSION, "x"),
        hello(SUBMISSION, "y", version="TLSv1.0"), says="587 from TLSv1.0; 465 from TLSv1.2", **USERS),
    row(held.same_protocol_floor, HOST, "unknown", hello(SUBMISSIONS, "x"), *listening(SUBMISSION),
        lost(SUBMISSION, "tls"), says="timeout", **USERS),
    row(held.same_protocol_floor, HOST, "not-applicable", hello(SUBMISSIONS, "x"), **USERS),
    row(held.same_mechanisms, HOST, "pass", offers(SUBMISSIONS, "AUTH PLAIN", encrypted=True),
        offers(SUBMISSION, "AUTH PLAIN", encrypted=True), **USERS),
    row(held.same_mechanisms, HOST, "fail", offers(SUBMISSIONS, "AUTH PLAIN LOGIN", encrypted=True),
        offers(SUBMISSION, "AUTH PLAIN", encrypted=True), says="587: PLAIN", **USERS),
    row(held.same_mechanisms, HOST, "unknown", *listening(SUBMISSIONS, SUBMISSION), says="too few", **USERS),
    row(held.renewal_seen_everywhere, HOST, "pass", *listening(IMAPS, MX), chain(IMAPS), chain(MX), role=Role.ACCESS),
    row(held.renewal_seen_everywhere, HOST, "fail", *listening(IMAPS, MX), chain(IMAPS, OLDER), chain(MX),
        role=Role.ACCESS, says="serves the certificate of 2026-09-05; 25 has that of 2026-10-25"),
    row(held.renewal_seen_everywhere, HOST, "pass", *listening(IMAPS, MX), chain(IMAPS, OTHER), chain(MX),
        role=Role.ACCESS),
    row(held.renewal_seen_everywhere, HOST, "unknown", *listening(IMAPS, MX), lost(IMAPS, "certificate"),
        role=Role.ACCESS, says="timeout"),
    row(held.one_certificate, HOST, "pass", *listening(IMAPS, MX), chain(IMAPS), chain(MX), role=Role.HOST),
    row(held.one_certificate, HOST, "fail", *listening(IMAPS, MX), chain(IMAPS, OTHER), chain(MX), role=Role.HOST,
        says="other.test"),
    row(held.one_certificate, HOST, "unknown", *listening(IMAPS, MX), role=Role.HOST),
    row(held.same_certificate_in_both_families, HOST, "pass", *listening(IMAPS, at(993, V6)), chain(IMAPS),
        chain(at(993, V6)), role=Role.ACCESS),
    row(held.same_certificate_in_both_families, HOST, "fail", *listening(IMAPS, at(993, V6)), chain(IMAPS),
        chain(at(993, V6), OTHER), role=Role.ACCESS, says="over IPv6"),
    row(held.same_certificate_in_both_families, HOST, "unknown", *listening(IMAPS, at(993, V6)), role=Role.ACCESS),
    row(held.advertised_encrypted, DOMAIN, "pass", IMAPS_TOLD),
    row(held.advertised_encrypted, DOMAIN, "fail", told("imap", 143, Mode.NONE), says=f"{NAME}:143 (srv)"),
    row(held.advertised_encrypted, DOMAIN, "unknown", lost(DOMAIN, "srv"), says="timeout"),
    row(held.implicit_tls_preferred, DOMAIN, "pass", IMAPS_TOLD, told("imap", 143, Mode.STARTTLS)),
    row(held.implicit_tls_preferred, DOMAIN, "fail", told("imap", 143, Mode.STARTTLS),
        told("imaps", 993, Mode.IMPLICIT, priority=10), says=f"{NAME}:143"),
    row(held.implicit_tls_preferred, DOMAIN, "pass", told("managesieve", 4190, Mode.STARTTLS)),
    row(held.implicit_tls_preferred, DOMAIN, "unknown"),
    row(held.advertised_ports_answer, DOMAIN, "pass", IMAPS_TOLD, greeting(IMAPS, encrypted=True)),
    row(held.advertised_ports_answer, DOMAIN, "fail", IMAPS_TOLD, Closed(IMAPS, "refused"),
        says="nothing answers there"),
    row(held.advertised_ports_answer, DOMAIN, "fail", told("imap", 143, Mode.STARTTLS),
        greeting(IMAP, encrypted=True), says="told as starttls, begins with implicit"),
    row(held.advertised_ports_answer, DOMAIN, "unknown", IMAPS_TOLD, says="not looked at"),
)  # fmt: skip


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_row(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because


def test_rsa_and_ecdsa_twins_are_one_pair_even_when_one_port_showed_only_one() -> None:
    twin = leaf(sha256="d1", key_type="rsa", key_bits=2048, curve=None)
    facts: tuple[Observation, ...] = (*listening(IMAPS, MX), chain(IMAPS), chain(IMAPS, twin), chain(MX, twin))
    one = row(held.one_certificate, HOST, "pass", *facts, role=Role.HOST)
    assert one.check.judge(of_row(one)).outcome is one.outcome


def test_an_mx_record_and_a_null_srv_are_no_client_settings() -> None:
    none = Advertised(DOMAIN, "srv", "imap", ".", 0, Mode.STARTTLS)
    mx = Advertised(DOMAIN, "mx", "smtp", f"{NAME}.", 25, Mode.STARTTLS)
    one = row(held.implicit_tls_preferred, DOMAIN, "unknown", none, mx)
    assert one.check.judge(of_row(one)).outcome is one.outcome


def test_only_the_host_it_points_to_is_looked_at() -> None:
    elsewhere = Closed(Endpoint("other.test", "192.0.2.9", 993), "refused")
    one = row(held.advertised_ports_answer, DOMAIN, "unknown", IMAPS_TOLD, elsewhere)
    assert one.check.judge(of_row(one)).outcome is one.outcome
