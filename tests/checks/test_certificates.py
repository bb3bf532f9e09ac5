"""Judges of certificates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gatepost.checks import certificates as certs
from gatepost.checks.case import Check
from gatepost.model.architecture import Endpoint
from gatepost.model.words import Outcome, Severity
from tests.checks.cases import (
    IMAPS,
    MX,
    NAME,
    NOW,
    STRICT_DOMAIN,
    SUBMISSIONS,
    V4,
    Row,
    chain,
    issuer,
    leaf,
    lost,
    of_row,
    row,
)

DAY = timedelta(days=1)
ADDRESS = Endpoint(V4, V4, 993)
STS = {"domains": (STRICT_DOMAIN,)}


def rsa(bits: int) -> dict[str, Any]:
    return {"key_type": "rsa", "key_bits": bits, "curve": None}


def none(check: Check) -> Row:
    return row(check, IMAPS, "unknown", lost(IMAPS, "certificate"), says="timeout")


ROWS: tuple[Row, ...] = (
    row(certs.chain_trusted, IMAPS, "pass", chain(IMAPS)),
    row(certs.chain_trusted, IMAPS, "fail", chain(IMAPS, why="self-signed"), says="not trusted: self-signed"),
    row(certs.chain_trusted, MX, "fail", chain(MX, why="self-signed"), says="no declared MTA-STS policy"),
    row(certs.chain_trusted, MX, "fail", chain(MX, why="self-signed"), says="makes senders refuse it", **STS),
    row(certs.chain_trusted, IMAPS, "pass", chain(IMAPS, leaf(not_after=NOW - DAY), why="it expired")),
    row(certs.chain_trusted, IMAPS, "pass", chain(IMAPS, why="issuer not found", missing=True)),
    none(certs.chain_trusted),
    row(certs.chain_complete, IMAPS, "pass", chain(IMAPS)),
    row(certs.chain_complete, IMAPS, "fail", chain(IMAPS, leaf(), why="x", missing=True), says="CN=R13,O=Authority"),
    none(certs.chain_complete),
    row(certs.chain_in_order, IMAPS, "pass", chain(IMAPS)),
    row(certs.chain_in_order, IMAPS, "fail", chain(IMAPS, leaf(), issuer(), issuer()), says="sent twice"),
    none(certs.chain_in_order),
    row(certs.meant_for_servers, IMAPS, "pass", chain(IMAPS)),
    row(certs.meant_for_servers, IMAPS, "fail", chain(IMAPS, leaf(extended_key_usage=("clientAuth",))),
        says="for clientAuth"),
    row(certs.meant_for_servers, IMAPS, "fail", chain(IMAPS, leaf(key_usage=("key_agreement",))), says="keyUsage"),
    row(certs.meant_for_servers, IMAPS, "fail", chain(IMAPS, leaf(is_ca=True)), says="CA:TRUE"),
    none(certs.meant_for_servers),
    row(certs.logged_in_transparency, IMAPS, "pass", chain(IMAPS)),
    row(certs.logged_in_transparency, IMAPS, "fail", chain(IMAPS, leaf(sct_count=0)), says="SCT"),
    row(certs.logged_in_transparency, IMAPS, "not-applicable", chain(IMAPS, why="self-signed")),
    none(certs.logged_in_transparency),
    row(certs.name_covered, IMAPS, "pass", chain(IMAPS)),
    row(certs.name_covered, IMAPS, "fail", chain(IMAPS, leaf(dns_names=("other.test",), common_name="x")),
        says=f"does not cover {NAME}, only other.test"),
    row(certs.name_covered, IMAPS, "fail", chain(IMAPS, leaf(dns_names=("other.test",))), says="common name only"),
    row(certs.name_covered, ADDRESS, "unknown", chain(ADDRESS, sni=None), says="asked by address"),
    none(certs.name_covered),
    row(certs.within_its_dates, IMAPS, "pass", chain(IMAPS)),
    row(certs.within_its_dates, IMAPS, "fail", chain(IMAPS, leaf(not_after=NOW)), says="expired on 2026-11-24"),
    row(certs.within_its_dates, IMAPS, "fail", chain(IMAPS, leaf(not_before=NOW + DAY)), says="not valid before"),
    row(certs.within_its_dates, IMAPS, "fail", chain(IMAPS, leaf(), issuer(not_after=NOW - DAY)), says="intermediate"),
    row(certs.within_its_dates, IMAPS, "pass", chain(IMAPS, leaf(), issuer(not_after=NOW - DAY, self_issued=True))),
    none(certs.within_its_dates),
    row(certs.renewed_in_time, IMAPS, "pass", chain(IMAPS, leaf(not_after=NOW + 15 * DAY))),
    row(certs.renewed_in_time, IMAPS, "fail", chain(IMAPS, leaf(not_after=NOW + 13 * DAY)), says="in 13 days"),
    row(certs.renewed_in_time, IMAPS, "pass",
        chain(IMAPS, leaf(not_before=NOW - 3 * DAY, not_after=NOW + 3 * DAY)), says=""),
    row(certs.renewed_in_time, IMAPS, "fail", chain(IMAPS, leaf(not_after=NOW + DAY / 2)), says="less than a day"),
    none(certs.renewed_in_time),
    row(certs.lifetime_within_rules, IMAPS, "pass", chain(IMAPS)),
    row(certs.lifetime_within_rules, IMAPS, "fail",
        chain(IMAPS, leaf(not_after=NOW + 200 * DAY)), says="valid for 230 days; 200 are allowed"),
    row(certs.lifetime_within_rules, IMAPS, "pass",
        chain(IMAPS, leaf(not_before=datetime(2026, 3, 14, tzinfo=UTC), not_after=NOW + 90 * DAY))),
    row(certs.lifetime_within_rules, IMAPS, "pass", chain(IMAPS, leaf(not_after=NOW + 900 * DAY), why="own CA")),
    row(certs.lifetime_within_rules, IMAPS, "fail", chain(IMAPS, leaf(not_after=NOW + 90 * DAY), why="own CA"),
        profile="mozilla-modern", says="90 are allowed"),
    none(certs.lifetime_within_rules),
    row(certs.keys_strong, IMAPS, "pass", chain(IMAPS)),
    row(certs.keys_strong, IMAPS, "pass", chain(IMAPS, leaf(**rsa(2048)))),
    row(certs.keys_strong, IMAPS, "fail", chain(IMAPS, leaf(**rsa(1024))), says="RSA with 1024 bits"),
    row(certs.keys_strong, IMAPS, "fail", chain(IMAPS, leaf(), issuer(**rsa(1024))), says="CN=R13"),
    row(certs.keys_strong, IMAPS, "fail", chain(IMAPS, leaf(**rsa(2048))), profile="bsi-tr-02102-2", says="3000"),
    row(certs.keys_strong, IMAPS, "fail", chain(IMAPS, leaf(**rsa(2048))), profile="ncsc-nl-2025", says="phased out"),
    row(certs.keys_strong, IMAPS, "fail", chain(IMAPS, leaf(**rsa(4096))), profile="mozilla-modern", says="ECDSA"),
    row(certs.keys_strong, IMAPS, "fail", chain(IMAPS, leaf(curve="secp224r1", key_bits=224)),
        profile="ncsc-nl-2025", says="secp224r1"),
    row(certs.keys_strong, IMAPS, "fail", chain(IMAPS, leaf(key_type="dsa")), says="nobody should use"),
    none(certs.keys_strong),
    row(certs.certificates_signed_strongly, IMAPS, "pass", chain(IMAPS)),
    row(certs.certificates_signed_strongly, IMAPS, "fail", chain(IMAPS, leaf(signature_hash="sha1")), says="SHA1"),
    row(certs.certificates_signed_strongly, IMAPS, "fail", chain(IMAPS, leaf(), issuer(signature_hash="md5")),
        says="CN=R13,O=Authority is signed with MD5"),
    row(certs.certificates_signed_strongly, IMAPS, "pass",
        chain(IMAPS, leaf(), issuer(signature_hash="sha1", self_issued=True))),
    none(certs.certificates_signed_strongly),
    row(certs.staples_what_it_must, IMAPS, "pass", chain(IMAPS)),
    row(certs.staples_what_it_must, IMAPS, "fail", chain(IMAPS, leaf(must_staple=True)), says="none is sent"),
    row(certs.staples_what_it_must, IMAPS, "fail", chain(IMAPS, leaf(must_staple=True), staple=True),
        says="names no responder"),
    none(certs.staples_what_it_must),
    row(certs.revocation_reachable, IMAPS, "pass", chain(IMAPS)),
    row(certs.revocation_reachable, IMAPS, "fail", chain(IMAPS, leaf(crl_urls=())), says="neither"),
    row(certs.revocation_reachable, IMAPS, "pass",
        chain(IMAPS, leaf(crl_urls=(), not_before=NOW - DAY, not_after=NOW + 5 * DAY))),
    none(certs.revocation_reachable),
    row(certs.no_wildcard, IMAPS, "pass", chain(IMAPS)),
    row(certs.no_wildcard, IMAPS, "fail", chain(IMAPS, leaf(dns_names=("*.example.org",))), says="*.example.org"),
    none(certs.no_wildcard),
)  # fmt: skip


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_row(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because


def severity(check: Check, where: Endpoint, *changes: Any, **options: Any) -> Severity | None:
    verdict = check.judge(of_row(row(check, where, "fail", *changes, **options)))
    assert verdict.outcome is Outcome.FAIL
    return verdict.severity


def test_port_25_is_judged_by_its_certificate_only_under_mta_sts() -> None:
    for check, shown in (
        (certs.chain_trusted, chain(MX, why="self-signed")),
        (certs.name_covered, chain(MX, leaf(dns_names=("other.test",)))),
    ):
        assert severity(check, MX, shown) is Severity.INFO
        assert severity(check, MX, shown, **STS) is None
    assert severity(certs.within_its_dates, MX, chain(MX, leaf(not_after=NOW))) is Severity.MEDIUM


def test_a_renewal_weighs_more_the_later_it_gets() -> None:
    assert severity(certs.renewed_in_time, IMAPS, chain(IMAPS, leaf(not_after=NOW + 10 * DAY))) is Severity.MEDIUM
    assert severity(certs.renewed_in_time, IMAPS, chain(IMAPS, leaf(not_after=NOW + 2 * DAY))) is Severity.HIGH


def test_the_worse_of_an_rsa_and_an_ecdsa_certificate_is_told() -> None:
    fine = chain(SUBMISSIONS)
    spoilt = chain(SUBMISSIONS, leaf(sha256="c1", **rsa(1024)))
    verdict = certs.keys_strong.judge(of_row(row(certs.keys_strong, SUBMISSIONS, "fail", fine, spoilt)))
    assert verdict.evidence == (spoilt,)


def test_what_is_served_without_a_name_is_not_held_against_the_name() -> None:
    bare = chain(IMAPS, leaf(sha256="c1", dns_names=("other.test",)), sni=None)
    verdict = certs.name_covered.judge(of_row(row(certs.name_covered, IMAPS, "pass", bare, chain(IMAPS))))
    assert verdict.outcome is Outcome.PASS
