"""Judges of versions, suites, groups, signatures and the TLS stack."""

from __future__ import annotations

from typing import Any

import pytest

from gatepost.checks import certificates, tls, tls_stack
from gatepost.checks.case import Check
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import Accepted, Feature, Hello, Upgrade
from gatepost.model.words import Outcome, Reason, Severity
from tests.checks.cases import (
    IMAP,
    IMAPS,
    MX,
    SUBMISSION,
    SUBMISSIONS,
    Row,
    chain,
    hello,
    leaf,
    lost,
    modern,
    of_row,
    refused,
    row,
    shake,
)

RSA = "TLS_RSA_WITH_AES_128_GCM_SHA256"
DHE = "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"
CBC = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"
ARIA = "TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256"
ANON = "TLS_DH_anon_WITH_AES_128_GCM_SHA256"
RC4 = "TLS_ECDHE_RSA_WITH_RC4_128_SHA"
NULL = "TLS_RSA_WITH_NULL_SHA"
GOOD = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
OLD_OFFERS = ("ssl2", "tls1.1-and-below")


def good(where: Endpoint, *refusals: str) -> tuple[Hello, ...]:
    return (hello(where, "allowed-rsa"), *refused(where, *refusals))


def feature(where: Endpoint, name: str, present: bool | None) -> Feature:  # noqa: FBT001 - a fact's own field
    return Feature(where, name, present, "what was seen")


def only13(where: Endpoint) -> tuple[Hello, ...]:
    return (modern(where), *refused(where, "tls1.1-and-below", "allowed-rsa"))


ROWS: tuple[Row, ...] = (
    row(tls.ssl_refused, IMAPS, "pass", *refused(IMAPS, *OLD_OFFERS)),
    row(tls.ssl_refused, IMAPS, "fail", hello(IMAPS, "ssl3", version="SSLv3"), says="SSLv3"),
    row(tls.ssl_refused, IMAPS, "fail", hello(IMAPS, "ssl2", "ssl2:no cipher"), says="SSLv2"),
    row(tls.ssl_refused, IMAPS, "pass", hello(IMAPS, "ssl2", "closed"), *refused(IMAPS, "tls1.1-and-below"),
        hello(IMAPS, "behind-good")),
    row(tls.ssl_refused, IMAPS, "unknown", hello(IMAPS, "ssl2", "closed"), *refused(IMAPS, "tls1.1-and-below"),
        hello(IMAPS, "behind-good", "closed")),
    row(tls.ssl_refused, IMAPS, "unknown", lost(IMAPS, "tls:ssl2", Reason.LIMITED), says="limited"),
    row(tls.ssl_refused, IMAPS, "unknown", *refused(IMAPS, "ssl2"), says="SSLv3: no clear answer"),
    row(tls.old_tls_refused, SUBMISSION, "pass", *refused(SUBMISSION, "tls1.1-and-below")),
    row(tls.old_tls_refused, SUBMISSION, "fail", hello(SUBMISSION, "tls1.1-and-below", version="TLSv1.1"),
        hello(SUBMISSION, "tls1.0", version="TLSv1.0"), says="TLSv1.0 and TLSv1.1"),
    row(tls.old_tls_refused, IMAP, "unknown", hello(IMAP, "tls1.1-and-below", "closed"), says="not seen"),
    row(tls.old_tls_refused, IMAP, "pass", hello(IMAP, "tls1.1-and-below", "closed"),
        hello(IMAP, "tls1.1-and-below-without-dhe", "closed"), hello(IMAP, "behind-good")),
    row(tls.old_tls_refused_by_the_mx, MX, "pass", *refused(MX, "tls1.1-and-below")),
    row(tls.old_tls_refused_by_the_mx, MX, "fail", hello(MX, "tls1.1-and-below", version="TLSv1.0"), says="TLSv1.0"),
    row(tls.old_tls_refused_by_the_mx, MX, "unknown", says="not seen"),
    row(tls.tls13_offered, IMAPS, "pass", shake(IMAPS)),
    row(tls.tls13_offered, IMAPS, "fail", *good(IMAPS, "tls1.3"), says="highest is TLSv1.2"),
    row(tls.tls13_offered, IMAPS, "unknown", shake(IMAPS, "TLSv1.2"), says="not seen"),
    row(tls.forward_secret, IMAPS, "pass", *good(IMAPS, "forbidden")),
    row(tls.forward_secret, IMAPS, "fail", hello(IMAPS, "forbidden", suite=RSA), says="RSA key transport"),
    row(tls.forward_secret, IMAPS, "fail", hello(IMAPS, "forbidden", suite=DHE), says="forbidden by rfc9325"),
    row(tls.forward_secret, IMAPS, "pass", hello(IMAPS, "forbidden", suite=CBC), *refused(IMAPS, "forbidden-2")),
    row(tls.forward_secret, IMAPS, "unknown", hello(IMAPS, "allowed-rsa"), hello(IMAPS, "forbidden", "closed"),
        says="not seen"),
    row(tls.forward_secret, IMAPS, "pass", hello(IMAPS, "allowed-rsa"), hello(IMAPS, "forbidden", "closed"),
        *refused(IMAPS, "forbidden-without-dhe")),
    row(tls.forward_secret, IMAPS, "pass", Accepted(IMAPS, "suites", "TLSv1.2", (GOOD,))),
    row(tls.forward_secret, IMAPS, "unknown", Accepted(IMAPS, "suites", "TLSv1.2", (GOOD,), complete=False)),
    row(tls.authenticated_encryption, IMAPS, "pass", *good(IMAPS, "forbidden")),
    row(tls.authenticated_encryption, IMAPS, "fail", hello(IMAPS, "forbidden", suite=CBC), says="being phased out"),
    row(tls.authenticated_encryption, IMAPS, "unknown", *good(IMAPS), lost(IMAPS, "tls:forbidden"), says="timeout"),
    row(tls.suites_of_the_profile, IMAPS, "pass", *good(IMAPS, "forbidden")),
    row(tls.suites_of_the_profile, IMAPS, "fail", hello(IMAPS, "allowed-rsa", suite=ARIA), says="not listed"),
    row(tls.suites_of_the_profile, IMAPS, "unknown", *good(IMAPS)),
    row(tls.no_broken_suite, SUBMISSIONS, "pass", *good(SUBMISSIONS, "forbidden")),
    row(tls.no_broken_suite, SUBMISSIONS, "pass", hello(SUBMISSIONS, "forbidden", suite=RSA),
        *refused(SUBMISSIONS, "forbidden-2")),
    row(tls.no_broken_suite, SUBMISSIONS, "fail", hello(SUBMISSIONS, "forbidden", suite=RC4),
        hello(SUBMISSIONS, "forbidden-2", suite=ANON), says="RC4 and anonymous suites"),
    row(tls.no_broken_suite, MX, "pass", hello(MX, "allowed-rsa", suite=ANON), *refused(MX, "forbidden")),
    row(tls.no_broken_suite, MX, "fail", hello(MX, "forbidden", suite=NULL), says="NULL"),
    row(tls.no_broken_suite, MX, "unknown", hello(MX, "forbidden", suite=RSA), lost(MX, "tls:forbidden-2")),
    row(tls.groups_of_the_profile, IMAPS, "pass", *good(IMAPS, "weak-groups")),
    row(tls.groups_of_the_profile, IMAPS, "fail", *good(IMAPS), hello(IMAPS, "weak-groups", group="secp192r1"),
        says="secp192r1"),
    row(tls.groups_of_the_profile, IMAPS, "fail", *good(IMAPS), profile="nist-800-52r2", says="forbidden by nist"),
    row(tls.groups_of_the_profile, IMAPS, "unknown", *good(IMAPS), lost(IMAPS, "tls:weak-groups"), says="timeout"),
    row(tls.groups_of_the_profile, IMAPS, "pass", *only13(IMAPS), profile="nist-800-52r2"),
    row(tls.finite_field_strong, IMAPS, "pass", hello(IMAPS, "forbidden", suite=DHE, dh_bits=2048)),
    row(tls.finite_field_strong, IMAPS, "fail", hello(IMAPS, "forbidden", suite=DHE, dh_bits=1024), says="1024 bits"),
    row(tls.finite_field_strong, IMAPS, "fail", hello(IMAPS, "x", suite=DHE, dh_bits=4096, dh_prime="unknown"),
        profile="ncsc-nl-2025", says="own making"),
    row(tls.finite_field_strong, MX, "pass", hello(MX, "x", suite=ANON, dh_bits=1024), *refused(MX, "forbidden")),
    row(tls.finite_field_strong, IMAP, "unknown", hello(IMAP, "forbidden-dhe", "closed"), says="ssl_dh"),
    row(tls.finite_field_strong, IMAP, "pass", hello(IMAP, "forbidden-dhe")),
    row(tls.finite_field_strong, IMAP, "unknown"),
    row(tls.finite_field_strong, IMAP, "unknown", hello(IMAP, "forbidden", "closed"),
        *refused(IMAP, "forbidden-without-dhe")),
    row(tls.no_broken_suite, IMAP, "unknown", hello(IMAP, "allowed-rsa"),
        hello(IMAP, "forbidden", "alert:internal_error")),
    row(tls.hybrid_group_offered, IMAPS, "pass", modern(IMAPS)),
    row(tls.hybrid_group_offered, IMAPS, "fail", modern(IMAPS, "x25519"), *refused(IMAPS, "tls1.3-hybrid")),
    row(tls.hybrid_group_offered, IMAPS, "not-applicable", *good(IMAPS, "tls1.3"), says="needs TLS 1.3"),
    row(tls.hybrid_group_offered, IMAPS, "unknown", modern(IMAPS, "x25519"), lost(IMAPS, "tls:tls1.3-hybrid")),
    row(tls.handshake_signatures_strong, IMAPS, "pass", *good(IMAPS, "weak-signatures")),
    row(tls.handshake_signatures_strong, IMAPS, "fail", hello(IMAPS, "weak-signatures", signature="rsa_pkcs1_sha1"),
        says="rsa_pkcs1_sha1"),
    row(tls.handshake_signatures_strong, IMAPS, "not-applicable", *only13(IMAPS)),
    row(tls.handshake_signatures_strong, IMAPS, "unknown", *good(IMAPS)),
    row(tls_stack.no_compression, IMAPS, "pass", *good(IMAPS)),
    row(tls_stack.no_compression, IMAPS, "fail", hello(IMAPS, "forbidden", compression=True)),
    row(tls_stack.no_compression, IMAPS, "not-applicable", *only13(IMAPS)),
    row(tls_stack.no_compression, IMAPS, "unknown", modern(IMAPS)),
    row(tls_stack.secure_renegotiation, IMAPS, "pass", *good(IMAPS)),
    row(tls_stack.secure_renegotiation, IMAPS, "fail", hello(IMAPS, "allowed-rsa", extensions=()), says="RFC 5746"),
    row(tls_stack.secure_renegotiation, IMAPS, "unknown", lost(IMAPS, "tls:allowed-rsa")),
    row(tls_stack.extended_master_secret, IMAPS, "pass", *good(IMAPS)),
    row(tls_stack.extended_master_secret, IMAPS, "fail",
        hello(IMAPS, "allowed-rsa", extensions=("renegotiation_info",)), says="RFC 7627"),
    row(tls_stack.extended_master_secret, IMAPS, "unknown"),
    row(tls_stack.clients_cannot_renegotiate, IMAPS, "pass", feature(IMAPS, "client-renegotiation", False)),
    row(tls_stack.clients_cannot_renegotiate, IMAPS, "fail", feature(IMAPS, "client-renegotiation", True)),
    row(tls_stack.clients_cannot_renegotiate, IMAPS, "unknown", feature(IMAPS, "client-renegotiation", None)),
    row(tls_stack.no_early_data, IMAPS, "pass", feature(IMAPS, "early-data", False)),
    row(tls_stack.no_early_data, IMAPS, "fail", feature(IMAPS, "early-data", True)),
    row(tls_stack.no_early_data, IMAPS, "unknown"),
    row(tls_stack.served_without_sni, IMAPS, "pass", chain(IMAPS), chain(IMAPS, sni=None)),
    row(tls_stack.served_without_sni, IMAPS, "fail", chain(IMAPS), hello(IMAPS, "no-sni", "alert:unrecognized_name",
        sni=None), says="refuses clients without SNI"),
    row(tls_stack.served_without_sni, IMAPS, "fail", chain(IMAPS), chain(IMAPS, leaf(sha256="c1"), sni=None,
        why="self-signed"), says="another certificate"),
    row(tls_stack.served_without_sni, IMAPS, "not-applicable", chain(IMAPS, sni=None)),
    row(tls_stack.served_without_sni, IMAPS, "unknown", chain(IMAPS)),
)  # fmt: skip


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_row(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because


@pytest.mark.parametrize(
    ("check", "facts", "users", "strangers"),
    [
        (tls.no_broken_suite, {"suite": RC4}, Severity.HIGH, Severity.MEDIUM),
        (tls.forward_secret, {"suite": RSA}, None, Severity.LOW),
        (tls.authenticated_encryption, {"suite": CBC}, Severity.LOW, Severity.INFO),
        (tls.finite_field_strong, {"suite": DHE, "dh_bits": 1024}, None, Severity.LOW),
        (tls.finite_field_strong, {"suite": DHE, "dh_bits": 512}, Severity.HIGH, Severity.MEDIUM),
        (tls_stack.extended_master_secret, {"extensions": ()}, None, Severity.LOW),
    ],
    ids=lambda value: value.name if isinstance(value, Check) else "",
)
def test_what_is_a_fault_where_users_log_in_weighs_less_where_strangers_deliver(
    check: Check, facts: dict[str, Any], users: Severity | None, strangers: Severity
) -> None:
    """None is the control's own severity."""
    found = {
        where: check.judge(of_row(row(check, where, "fail", hello(where, "forbidden", **facts))))
        for where in (IMAPS, MX)
    }
    assert found[IMAPS].severity in {users, None}
    assert found[MX].severity is strangers


def test_a_port_without_tls_is_one_finding_and_not_a_question_for_every_other_judge() -> None:
    none = Upgrade(MX, offered=False, accepted=False, answer="502 unknown command")
    for check in (tls.tls13_offered, tls.no_broken_suite, tls_stack.no_compression, certificates.chain_trusted):
        assert check.judge(of_row(row(check, MX, "unknown", none))).outcome is Outcome.NOT_APPLICABLE


def test_a_small_group_of_an_anonymous_suite_is_a_fault_where_users_log_in() -> None:
    one = row(tls.finite_field_strong, IMAPS, "fail", hello(IMAPS, "x", suite=ANON, dh_bits=1024))
    assert one.check.judge(of_row(one)).outcome is one.outcome
