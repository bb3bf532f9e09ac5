"""Judges of DKIM."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from gatepost.checks import signing
from gatepost.checks.case import Check
from gatepost.model.architecture import Selector
from gatepost.model.observation import Observation
from gatepost.model.words import Outcome, Severity
from tests.checks.cases import DOMAIN, NOW, Row, lost, of_row, row
from tests.checks.domain_cases import DAY, ORG, PARKED, dated, key, no_key, source, spf

DECLARED: dict[str, Any] = {"domains": (replace(ORG, dkim=(Selector("s1"),)),)}
RETIRED: dict[str, Any] = {"domains": (replace(ORG, dkim=(Selector("s1"), Selector("s0", until=date(2026, 10, 1)))),)}
IDLE: dict[str, Any] = {"domains": (PARKED,)}
FOUND = key("default", declared=False)
ED = key("ed", key_type="ed25519", bits=256)
START = dated("mta-sts-id", "1", NOW - 700 * DAY)


def since(selector: str, days: int) -> Observation:
    return dated("dkim-key", selector, NOW - days * DAY)


def none(check: Check) -> tuple[Row, Row, Row]:
    return (
        row(check, DOMAIN, "unknown", says="DNS was not asked"),
        row(check, DOMAIN, "unknown", spf(), says="no key under a common selector"),
        row(check, DOMAIN, "unknown", lost(DOMAIN, "dkim"), says="timeout"),
    )


ROWS: tuple[Row, ...] = (
    row(signing.selectors_published, DOMAIN, "pass", key(), **DECLARED),
    row(signing.selectors_published, DOMAIN, "fail", no_key(), says="s1: no record", **DECLARED),
    row(signing.selectors_published, DOMAIN, "fail", key(revoked=True, fingerprint=""), says="revoked", **DECLARED),
    row(signing.selectors_published, DOMAIN, "fail", key(fingerprint="", problems=("p= is no base64",)),
        says="s1: p= is no base64", **DECLARED),
    row(signing.selectors_published, DOMAIN, "fail", key(services=("tlsrpt",)), says="not for mail (s=tlsrpt)",
        **DECLARED),
    row(signing.selectors_published, DOMAIN, "pass", key(services=("Email",)), **DECLARED),
    row(signing.selectors_published, DOMAIN, "pass", key(), no_key("s0"), **RETIRED),
    row(signing.selectors_published, DOMAIN, "unknown", FOUND, says="no selector is declared"),
    row(signing.selectors_published, DOMAIN, "unknown", lost(DOMAIN, "dkim:s1"), says="timeout", **DECLARED),
    row(signing.selectors_published, DOMAIN, "not-applicable", **IDLE),
    *none(signing.selectors_published),
    row(signing.mail_signed_and_aligned, DOMAIN, "pass", source("192.0.2.5", 400, 399), says="399 of 400 messages"),
    row(signing.mail_signed_and_aligned, DOMAIN, "pass", source("192.0.2.5", 400, 400), source("203.0.113.9", 90, 0)),
    row(signing.mail_signed_and_aligned, DOMAIN, "fail", source("192.0.2.5", 400, 400),
        source("192.0.2.9", 100, 100, dkim=0),
        says="100 of 500 messages of own senders have no aligned signature; most of them from 192.0.2.9 (100 of 100)"),
    row(signing.mail_signed_and_aligned, DOMAIN, "unknown", key(), says="whether mail is signed, DMARC reports tell"),
    row(signing.mail_signed_and_aligned, DOMAIN, "unknown", key(), source("192.0.2.5", 3, 3)),
    row(signing.mail_signed_and_aligned, DOMAIN, "not-applicable", **IDLE),
    *none(signing.mail_signed_and_aligned),
    row(signing.dkim_records_valid, DOMAIN, "pass", key(), key("s0", revoked=True)),
    row(signing.dkim_records_valid, DOMAIN, "fail", key(problems=("v= is not the first tag",)), says="s1: v= is not"),
    row(signing.dkim_records_valid, DOMAIN, "pass", key(problems=("h= allows only sha1",), hashes=("sha1",))),
    row(signing.dkim_records_valid, DOMAIN, "pass", key(problems=("RSA 768",), bits=768)),
    *none(signing.dkim_records_valid),
    row(signing.dkim_keys_strong, DOMAIN, "pass", key(), ED),
    row(signing.dkim_keys_strong, DOMAIN, "fail", key(bits=1024),
        says="shorter than 2048 bits: s1 (RSA with 1024 bits)"),
    row(signing.dkim_keys_strong, DOMAIN, "fail", key(bits=768), says="too short to be believed"),
    row(signing.dkim_keys_strong, DOMAIN, "pass", key(bits=256)),
    *none(signing.dkim_keys_strong),
    row(signing.dkim_signs_with_sha256, DOMAIN, "pass", key(hashes=("SHA256",))),
    row(signing.dkim_signs_with_sha256, DOMAIN, "fail", key(hashes=("sha1",)), says="allows sha1 only"),
    row(signing.dkim_signs_with_sha256, DOMAIN, "fail", key(hashes=("sha1", "sha256")), says="still allows sha1"),
    *none(signing.dkim_signs_with_sha256),
    row(signing.dkim_out_of_test, DOMAIN, "pass", key()),
    row(signing.dkim_out_of_test, DOMAIN, "fail", key(testing=True), says="t=y"),
    *none(signing.dkim_out_of_test),
    row(signing.rsa_beside_ed25519, DOMAIN, "pass", key(), ED),
    row(signing.rsa_beside_ed25519, DOMAIN, "fail", ED, says="only Ed25519"),
    row(signing.rsa_beside_ed25519, DOMAIN, "unknown", replace(ED, declared=False), says="no selector is declared"),
    row(signing.rsa_beside_ed25519, DOMAIN, "not-applicable", key()),
    *none(signing.rsa_beside_ed25519),
    row(signing.dkim_keys_rotated, DOMAIN, "pass", key(), since("s1", 100), START),
    row(signing.dkim_keys_rotated, DOMAIN, "fail", key(), since("s1", 400), says="s1 (at least since 2025-10-20)"),
    row(signing.dkim_keys_rotated, DOMAIN, "unknown", key(), says="--state"),
    row(signing.dkim_keys_rotated, DOMAIN, "unknown", key(), since("s1", 100), says="when gatepost first looked"),
    *none(signing.dkim_keys_rotated),
    row(signing.retired_selectors_withdrawn, DOMAIN, "pass", key(), no_key("s0"), **RETIRED),
    row(signing.retired_selectors_withdrawn, DOMAIN, "pass", key("s0", revoked=True, fingerprint=""), **RETIRED),
    row(signing.retired_selectors_withdrawn, DOMAIN, "fail", key("s0"), says="s0 (until 2026-10-01)", **RETIRED),
    row(signing.retired_selectors_withdrawn, DOMAIN, "unknown", lost(DOMAIN, "dkim:s0"), says="timeout", **RETIRED),
    row(signing.retired_selectors_withdrawn, DOMAIN, "not-applicable", key(), **DECLARED),
    *none(signing.retired_selectors_withdrawn),
    row(signing.no_forgotten_keys, DOMAIN, "pass", key(), **DECLARED),
    row(signing.no_forgotten_keys, DOMAIN, "fail", key(), FOUND, says="not declared: default", **DECLARED),
    row(signing.no_forgotten_keys, DOMAIN, "unknown", key(), lost(DOMAIN, "dkim"), says="timeout", **DECLARED),
    row(signing.no_forgotten_keys, DOMAIN, "unknown", FOUND, says="no selector is declared"),
    *none(signing.no_forgotten_keys),
)  # fmt: skip


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_row(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because


def severity(check: Check, *seen: Observation, **options: Any) -> Severity | None:
    verdict = check.judge(of_row(row(check, DOMAIN, "fail", *seen, **options)))
    assert verdict.outcome is Outcome.FAIL, verdict
    return verdict.severity


def test_a_key_below_the_floor_weighs_more_than_one_above_it() -> None:
    assert severity(signing.dkim_keys_strong, key(bits=768)) is Severity.HIGH
    assert severity(signing.dkim_keys_strong, key(bits=1024)) is Severity.MEDIUM


def test_most_mail_unsigned_weighs_more_than_one_stream() -> None:
    unsigned = source("192.0.2.9", 100, 100, dkim=0)
    assert severity(signing.mail_signed_and_aligned, unsigned) is None
    assert severity(signing.mail_signed_and_aligned, unsigned, source("192.0.2.5", 900, 900)) is Severity.MEDIUM


def test_a_broken_record_that_nobody_declared_weighs_little() -> None:
    broken = key("k1", declared=False, problems=("p= is no base64",), fingerprint="")
    assert severity(signing.dkim_records_valid, broken) is Severity.LOW
    assert severity(signing.dkim_records_valid, replace(broken, declared=True)) is None


def test_the_oldest_sight_of_a_key_counts() -> None:
    """The same key may have been seen under several names."""
    rows = (key(), since("s1", 20), since("s1", 500))
    assert severity(signing.dkim_keys_rotated, *rows) is None
