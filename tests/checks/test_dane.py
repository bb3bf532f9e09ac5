"""Judges of TLSA records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gatepost.checks import certificates, dane
from gatepost.checks.case import Check
from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Tlsa
from gatepost.model.domain import Dated
from gatepost.model.observation import CertificateSeen, Closed, Observation
from gatepost.model.words import Outcome, Role, Severity
from tests.authority import HOST as ISSUED_FOR
from tests.certs import dane_cases as issued
from tests.checks.cases import (
    HOST,
    IMAPS,
    MX,
    NAME,
    NOW,
    V6,
    Row,
    at,
    case,
    chain,
    issuer,
    leaf,
    listening,
    of_row,
    row,
    service,
)
from tests.checks.cases import lost as lost_
from tests.checks.domain_cases import (
    BOGUS,
    DAY,
    HOUR,
    INSECURE,
    ORG,
    UNSURE,
    dated,
    mx,
    pin,
    sts,
    tlsa,
)

LEAF = leaf(sha256="a1" * 32, spki_sha256="b1" * 32)
OTHER = leaf(sha256="a2" * 32, spki_sha256="b2" * 32)
KEY, NEXT, WRONG = (pin(octets * 32, matching=1) for octets in ("b1", "b2", "c1"))
WHOLE = pin("a1" * 32, selector=0, matching=1)
AUTHORITY = issued.of(issued.F.middle, "2 1 1")
ELSEWHERE = issued.of(issued.OTHER_ROOT, "2 1 1")
SIX = at(25, V6)
MX_ROLE: dict[str, Any] = {"role": Role.MX}
DANE: dict[str, Any] = {"role": Role.MX, "domains": (replace(ORG, dane=True),)}
USERS: dict[str, Any] = {"role": Role.ACCESS}


def lost(port: int) -> Observation:
    return lost_(HOST, f"tlsa:{port}")


def shown(where: Endpoint = MX, certificate: Any = LEAF) -> tuple[Observation, ...]:
    return (*listening(where), chain(where, certificate, issuer()))


def none(check: Check) -> tuple[Row, Row]:
    return (
        row(check, HOST, "unknown", says="DNS was not asked", **MX_ROLE),
        row(check, HOST, "unknown", lost(25), says="timeout: nothing came", **MX_ROLE),
    )


def pinned(record: Tlsa, days: float) -> Dated:
    return dated("tlsa", str(record), NOW - days * DAY, HOST, port=25, ttl=3600)


def served(certificate: Any, days: float) -> Dated:
    detail = {"port": 25, "spki_sha256": certificate.spki_sha256}
    return dated("certificate", certificate.sha256, NOW - days * DAY, HOST, **detail)


def real(*records: Tlsa, name: str = "usual") -> tuple[Observation, ...]:
    """With certificates that are signed: records of authorities are followed down to the server."""
    return (*listening(MX), CertificateSeen(MX, NAME, issued.chain(name), issued.trust("usual")), real_pins(*records))


def real_pins(*records: Tlsa) -> Observation:
    return tlsa(*records, base=ISSUED_FOR)


ROLLED = (tlsa(KEY, NEXT), *shown())

ROWS: tuple[Row, ...] = (
    row(dane.tlsa_published, HOST, "pass", tlsa(KEY), **DANE),
    row(dane.tlsa_published, HOST, "fail", tlsa(), *shown(), says="example.org declares DANE", **DANE),
    row(dane.tlsa_published, HOST, "not-applicable", tlsa(), **MX_ROLE),
    *none(dane.tlsa_published),
    row(dane.tlsa_signed, HOST, "pass", tlsa(KEY), **MX_ROLE),
    row(dane.tlsa_signed, HOST, "fail", tlsa(KEY, security=INSECURE), says="not signed", **MX_ROLE),
    row(dane.tlsa_signed, HOST, "fail", tlsa(KEY, security=BOGUS), says="validation", **MX_ROLE),
    row(dane.tlsa_signed, HOST, "unknown", tlsa(KEY, security=UNSURE), says="not trusted", **MX_ROLE),
    row(dane.tlsa_signed, HOST, "not-applicable", tlsa(), **MX_ROLE),
    *none(dane.tlsa_signed),
    row(dane.tlsa_usable, HOST, "pass", tlsa(KEY), **MX_ROLE),
    row(dane.tlsa_usable, HOST, "fail", tlsa(replace(KEY, usage=1)), says="no record that mail servers can use (1 1 1)",
        **MX_ROLE),
    row(dane.tlsa_usable, HOST, "fail", tlsa(KEY, replace(KEY, usage=0)), says="of no use between mail servers: 0 1 1",
        **MX_ROLE),
    row(dane.tlsa_usable, HOST, "fail", tlsa(KEY, problems=("'3 1 1' is no TLSA record",)), says="is no TLSA record",
        **MX_ROLE),
    row(dane.tlsa_usable, HOST, "pass", tlsa(KEY, problems=("the zone is not signed",), security=INSECURE), **MX_ROLE),
    *none(dane.tlsa_usable),
    row(dane.tlsa_matches, HOST, "pass", tlsa(KEY), *shown(), *shown(SIX), **MX_ROLE),
    row(dane.tlsa_matches, HOST, "pass", tlsa(NEXT, KEY), *shown(), **MX_ROLE),
    row(dane.tlsa_matches, HOST, "fail", tlsa(KEY), *shown(), *shown(SIX, OTHER), says=f"{NAME}:25 ([{V6}]): 3 1 1",
        **MX_ROLE),
    row(dane.tlsa_matches, HOST, "fail", tlsa(WRONG, security=UNSURE), *shown(), says="whether signed is unknown",
        **MX_ROLE),
    row(dane.tlsa_matches, HOST, "fail", *real(ELSEWHERE), says="2 1 1", **MX_ROLE),
    row(dane.tlsa_matches, HOST, "pass", *real(AUTHORITY), **MX_ROLE),
    row(dane.tlsa_matches, HOST, "unknown", tlsa(KEY), *shown(), *listening(SIX), says=f"match at {NAME}:25 ([{V6}])",
        **MX_ROLE),
    row(dane.tlsa_matches, HOST, "pass", tlsa(KEY), *shown(), Closed(SIX, "refused"), **MX_ROLE),
    row(dane.tlsa_matches, HOST, "unknown", tlsa(KEY), says="no certificate seen", **MX_ROLE),
    row(dane.tlsa_matches, HOST, "not-applicable", tlsa(replace(KEY, usage=1)), *shown(), **MX_ROLE),
    *none(dane.tlsa_matches),
    row(dane.tlsa_of_clients_matches, HOST, "pass", tlsa(KEY, port=993), *shown(IMAPS), **USERS),
    row(dane.tlsa_of_clients_matches, HOST, "pass", tlsa(replace(KEY, usage=1), port=993), *shown(IMAPS), **USERS),
    row(dane.tlsa_of_clients_matches, HOST, "fail", tlsa(WRONG, port=993), *shown(IMAPS), says=f"{NAME}:993", **USERS),
    row(dane.tlsa_of_clients_matches, HOST, "unknown", *shown(IMAPS), says="DNS was not asked", **USERS),
    row(dane.tlsa_of_clients_matches, HOST, "unknown", *shown(IMAPS), lost(993), says="timeout", **USERS),
    row(dane.tlsa_of_clients_matches, HOST, "not-applicable", tlsa(port=993), *shown(IMAPS), **USERS),
    row(dane.tlsa_outlives_renewal, HOST, "pass", tlsa(KEY, WHOLE), **MX_ROLE),
    row(dane.tlsa_outlives_renewal, HOST, "pass", tlsa(AUTHORITY), **MX_ROLE),
    row(dane.tlsa_outlives_renewal, HOST, "fail", tlsa(WHOLE), says="pins the certificate itself (3 0 1)", **MX_ROLE),
    *none(dane.tlsa_outlives_renewal),
    row(dane.next_key_published_first, HOST, "pass", *ROLLED, pinned(NEXT, 90), pinned(KEY, 60), served(OTHER, 90),
        served(LEAF, 30), says="another key", **MX_ROLE),
    row(dane.next_key_published_first, HOST, "fail", *ROLLED, pinned(NEXT, 90), pinned(KEY, 20), served(OTHER, 90),
        served(LEAF, 30), says="a key was served on 2026-10-25 06:30, its record came by 2026-11-04", **MX_ROLE),
    row(dane.next_key_published_first, HOST, "fail", *ROLLED, pinned(NEXT, 90), pinned(KEY, 30 + 1 / 24),
        served(OTHER, 90), served(LEAF, 30), says="served 1 h after its record; two TTLs are 2 h", **MX_ROLE),
    row(dane.next_key_published_first, HOST, "unknown", *ROLLED, pinned(KEY, 90), served(LEAF, 90),
        says="when gatepost first looked", **MX_ROLE),
    row(dane.next_key_published_first, HOST, "unknown", *ROLLED, pinned(NEXT, 90), pinned(KEY, 30), served(OTHER, 90),
        served(LEAF, 30), says="between the same two looks", **MX_ROLE),
    row(dane.next_key_published_first, HOST, "pass", *ROLLED, pinned(KEY, 20), served(LEAF, 30), **MX_ROLE),
    row(dane.next_key_published_first, HOST, "unknown", *ROLLED, says="--state", **MX_ROLE),
    row(dane.next_key_published_first, HOST, "not-applicable", tlsa(WRONG), *shown(), **MX_ROLE),
    *none(dane.next_key_published_first),
    row(dane.pinned_authority_may_change, HOST, "pass", tlsa(AUTHORITY, ELSEWHERE), says="2 authorities", **MX_ROLE),
    row(dane.pinned_authority_may_change, HOST, "pass", tlsa(AUTHORITY, KEY), says="own key", **MX_ROLE),
    row(dane.pinned_authority_may_change, HOST, "fail", tlsa(AUTHORITY), says="rests on one authority", **MX_ROLE),
    row(dane.pinned_authority_may_change, HOST, "not-applicable", tlsa(KEY), **MX_ROLE),
    *none(dane.pinned_authority_may_change),
    row(dane.pinned_authority_served, HOST, "pass", *real(AUTHORITY, ELSEWHERE), **MX_ROLE),
    row(dane.pinned_authority_served, HOST, "fail", *real(ELSEWHERE, issued.leaf("usual", "3 1 1")),
        says="only the record of its own key holds", **MX_ROLE),
    row(dane.pinned_authority_served, HOST, "unknown", tlsa(AUTHORITY), says="no certificate seen", **MX_ROLE),
    row(dane.pinned_authority_served, HOST, "not-applicable", *real(ELSEWHERE), **MX_ROLE),
    *none(dane.pinned_authority_served),
    row(dane.tlsa_few_enough, HOST, "pass", tlsa(KEY), **MX_ROLE),
    row(dane.tlsa_few_enough, HOST, "fail", tlsa(*(pin(f"{n:02x}" * 32, matching=1) for n in range(13))),
        says="13 records", **MX_ROLE),
    *none(dane.tlsa_few_enough),
)  # fmt: skip


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_row(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because


def severity(check: Check, *seen: Observation, **options: Any) -> Severity | None:
    verdict = check.judge(of_row(row(check, HOST, "fail", *seen, **{**MX_ROLE, **options})))
    assert verdict.outcome is Outcome.FAIL, verdict
    return verdict.severity


def test_a_mismatch_in_an_unsigned_zone_hurts_nobody() -> None:
    assert severity(dane.tlsa_matches, tlsa(WRONG), *shown()) is Severity.HIGH
    unsigned = row(dane.tlsa_matches, HOST, "not-applicable", tlsa(WRONG, security=INSECURE), *shown(), **MX_ROLE)
    assert unsigned.check.judge(of_row(unsigned)).outcome is unsigned.outcome


def test_the_declared_port_of_the_exchanger_is_the_one_that_counts() -> None:
    """On a stage or behind a translator it is not 25."""
    stage = (replace(service(25), port=2525),)
    found = dane.tlsa_matches.judge(case(HOST, tlsa(WRONG, port=2525), *shown(at(2525)), declared=stage, **MX_ROLE))
    assert found.outcome is Outcome.FAIL


def test_unsigned_records_weigh_more_where_dane_is_declared() -> None:
    unsigned = tlsa(KEY, security=INSECURE)
    assert severity(dane.tlsa_signed, unsigned) is Severity.LOW
    assert severity(dane.tlsa_signed, unsigned, **DANE) is None


def test_the_remedy_is_the_record_of_the_key_that_is_served() -> None:
    one = row(dane.tlsa_matches, HOST, "fail", tlsa(WRONG), *shown(), **MX_ROLE)
    assert f"_25._tcp.{NAME}. TLSA 3 1 1 {'b1' * 32}" in one.check.judge(of_row(one)).remedy


def test_the_certificate_may_stand_for_the_mail_domain() -> None:
    """RFC 7672 section 3.2.2, for records of authorities; those of the server's key ask for no name."""
    seen = (*real(AUTHORITY, name="other-name"), mx())
    assert severity(dane.tlsa_matches, *seen) is Severity.HIGH
    named = replace(mx(), at=Endpoint("imap.example.org"))
    verdict = dane.tlsa_matches.judge(case(HOST, *seen, named, **MX_ROLE))
    assert verdict.outcome is Outcome.PASS


def test_state_of_another_port_says_nothing_about_this_one() -> None:
    other = (dated("tlsa", str(KEY), NOW - HOUR, HOST, port=993), dated("certificate", "a1" * 32, NOW, HOST, port=993))
    verdict = dane.next_key_published_first.judge(of_row(row(dane.next_key_published_first, HOST, "unknown", *ROLLED,
                                                             *other, **MX_ROLE)))  # fmt: skip
    assert "--state" in verdict.because


@pytest.mark.parametrize("detail", ["", "[]", "{", '{"port": "x"}'])
def test_a_note_that_cannot_be_read_is_passed_over(detail: str) -> None:
    odd = replace(pinned(KEY, 3), detail=detail)
    verdict = dane.next_key_published_first.judge(case(HOST, *ROLLED, odd, served(LEAF, 2), **MX_ROLE))
    assert verdict.outcome in {Outcome.PASS, Outcome.UNKNOWN}


def test_what_dane_vouches_for_needs_no_authority_on_port_25() -> None:
    self_signed = chain(MX, LEAF, why="self-signed")
    for check, seen in (
        (certificates.chain_trusted, self_signed),
        (certificates.name_covered, chain(MX, replace(LEAF, dns_names=("other.test",), common_name=None))),
        (certificates.chain_complete, chain(MX, LEAF, missing=True, why="issuer not found")),
    ):
        pinned_ = case(MX, seen, tlsa(KEY))
        assert check.judge(pinned_).outcome is Outcome.NOT_APPLICABLE
        for more in (tlsa(KEY, security=UNSURE), tlsa(KEY, security=INSECURE), tlsa(WRONG)):
            assert check.judge(case(MX, seen, more)).outcome is Outcome.FAIL
        bound = check.judge(case(MX, seen, tlsa(KEY), mx(), sts()))
        assert (bound.outcome, bound.severity) == (Outcome.FAIL, None)


def test_a_policy_that_was_fetched_binds_like_a_declared_one() -> None:
    seen = chain(MX, LEAF, why="self-signed")
    bound = certificates.chain_trusted.judge(case(MX, seen, mx(), sts()))
    assert "MTA-STS of example.org makes senders refuse it" in bound.because
    free = certificates.chain_trusted.judge(case(MX, seen, mx(), sts("testing")))
    assert (free.severity, "no enforced MTA-STS policy" in free.because) == (Severity.INFO, True)


def test_expiry_hurts_less_where_only_the_key_counts() -> None:
    seen = chain(MX, replace(LEAF, not_after=NOW - DAY))
    assert certificates.within_its_dates.judge(case(MX, seen, tlsa(KEY))).severity is Severity.LOW
    assert certificates.within_its_dates.judge(case(MX, seen, tlsa(WRONG))).severity is Severity.MEDIUM
