"""Judges of SPF and of parked domains."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gatepost.checks import identity
from gatepost.checks.case import Check
from gatepost.model.observation import Observation
from gatepost.model.words import Outcome, Reason, Severity
from tests.checks.cases import DOMAIN, MX, V4, V6, Row, greeting, lost, of_row, row
from tests.checks.domain_cases import (
    NO_DMARC,
    NO_MX,
    NO_SPF,
    NULL_MX,
    ORG,
    PARKED,
    dmarc,
    key,
    mx,
    spf,
    tried,
)

IDLE: dict[str, Any] = {"domains": (PARKED,)}
OWN: dict[str, Any] = {"domains": (ORG,)}
TWO = spf(records=("v=spf1 mx -all", "v=spf1 -all"), result="permerror", problems=("2 records",))
BROKEN = spf("ipv4:192.0.2.5", "-all", result="permerror", problems=("ipv4:192.0.2.5: there is no such mechanism",))
DEEP = replace(
    spf("include:a.test", "include:b.test", "-all", result="permerror", lookups=12),
    terms=(
        replace(spf("include:a.test").terms[0], lookups=10),
        replace(spf("b.test include:c.test").terms[0], lookups=11),
    ),
)
HALF = spf(result="temperror", advice=("_spf.example.com could not be looked up: timeout",))
WEB = replace(NO_MX, own_addresses=(V4,))


def none(check: Check, wanted: str = "spf") -> tuple[Row, Row]:
    return (
        row(check, DOMAIN, "unknown", says="DNS was not asked"),
        row(check, DOMAIN, "unknown", lost(DOMAIN, wanted), says="timeout: nothing came"),
    )


ROWS: tuple[Row, ...] = (
    row(identity.one_spf_record, DOMAIN, "pass", spf()),
    row(identity.one_spf_record, DOMAIN, "fail", NO_SPF, mx(), says="has no SPF record"),
    row(identity.one_spf_record, DOMAIN, "fail", TWO, says="2 SPF records"),
    row(identity.one_spf_record, DOMAIN, "not-applicable", NO_SPF, NULL_MX, says="GP-DNSID-002"),
    *none(identity.one_spf_record),
    row(identity.spf_valid, DOMAIN, "pass", spf()),
    row(identity.spf_valid, DOMAIN, "fail", BROKEN, says="ipv4:192.0.2.5: there is no such mechanism"),
    row(identity.spf_valid, DOMAIN, "unknown", HALF, says="could not be looked up"),
    row(identity.spf_valid, DOMAIN, "not-applicable", DEEP),
    row(identity.spf_valid, DOMAIN, "not-applicable", NO_SPF),
    *none(identity.spf_valid),
    row(identity.spf_within_limits, DOMAIN, "pass", spf(lookups=10), says="10 of 10"),
    row(identity.spf_within_limits, DOMAIN, "fail", DEEP,
        says="needs 12 look-ups, 10 are allowed: receivers give up at include:c.test of b.test"),
    row(identity.spf_within_limits, DOMAIN, "fail", spf(voids=3), says="3 look-ups find nothing, 2 may"),
    row(identity.spf_within_limits, DOMAIN, "unknown", HALF),
    *none(identity.spf_within_limits),
    row(identity.spf_ends_in_refusal, DOMAIN, "pass", spf("mx", "-all")),
    row(identity.spf_ends_in_refusal, DOMAIN, "pass", spf("mx", "~all"), dmarc("quarantine"), says="DMARC says quar"),
    row(identity.spf_ends_in_refusal, DOMAIN, "fail", spf("mx", "~all"), dmarc("none"), says="without an enforced"),
    row(identity.spf_ends_in_refusal, DOMAIN, "fail", spf("mx", "~all"), NO_DMARC),
    row(identity.spf_ends_in_refusal, DOMAIN, "unknown", spf("mx", "~all"), lost(DOMAIN, "dmarc"), says="timeout"),
    row(identity.spf_ends_in_refusal, DOMAIN, "fail", spf("mx", "?all"), says="?all"),
    row(identity.spf_ends_in_refusal, DOMAIN, "fail", spf("mx"), says="neutral"),
    row(identity.spf_ends_in_refusal, DOMAIN, "fail", spf("mx", "+all"), says="everybody"),
    row(identity.spf_ends_in_refusal, DOMAIN, "not-applicable", BROKEN),
    *none(identity.spf_ends_in_refusal),
    row(identity.spf_admits_own_senders, DOMAIN, "pass", spf(), tried(V4, "pass", "mx"), tried(V6, "pass", "mx")),
    row(identity.spf_admits_own_senders, DOMAIN, "fail", spf(), tried(V4, "pass"), tried(V6, "softfail", "~all"),
        says=f"{V6}: softfail by ~all"),
    row(identity.spf_admits_own_senders, DOMAIN, "unknown", spf(), tried(V4, "temperror", why="SERVFAIL"),
        says="SERVFAIL"),
    row(identity.spf_admits_own_senders, DOMAIN, "unknown", spf(), says="no sending address is known"),
    row(identity.spf_admits_own_senders, DOMAIN, "not-applicable", TWO, tried(V4, "permerror")),
    row(identity.spf_admits_own_senders, DOMAIN, "not-applicable", spf("-all"), **IDLE),
    *none(identity.spf_admits_own_senders),
    row(identity.spf_admits_no_strangers, DOMAIN, "pass", spf("ip4:192.0.2.0/24", "mx", "-all")),
    row(identity.spf_admits_no_strangers, DOMAIN, "pass", spf("-ip4:10.0.0.0/8", "mx", "-all")),
    row(identity.spf_admits_no_strangers, DOMAIN, "pass", spf("p.test ip4:40.92.0.0/15", "-all")),
    row(identity.spf_admits_no_strangers, DOMAIN, "fail", spf("ip4:192.0.0.0/12", "-all"), says="ip4:192.0.0.0/12"),
    row(identity.spf_admits_no_strangers, DOMAIN, "fail", spf("p.test ip4:0.0.0.0/1", "-all"), says="of p.test"),
    row(identity.spf_admits_no_strangers, DOMAIN, "fail", spf("a//8", "-all"), says="a//8"),
    *none(identity.spf_admits_no_strangers),
    row(identity.every_spf_term_counts, DOMAIN, "pass", spf()),
    row(identity.every_spf_term_counts, DOMAIN, "fail",
        spf(terms=(replace(spf("mx").terms[0], note="never looked at: -all ends the record before it", broken=True),)),
        says="mx: never looked at"),
    row(identity.every_spf_term_counts, DOMAIN, "fail", spf(problems=("for IPv6 clients 3 look-ups are void",)),
        says="for IPv6 clients"),
    row(identity.every_spf_term_counts, DOMAIN, "pass",
        spf("ip4:0.0.0.0/1", "-all", problems=("ip4:0.0.0.0/1: a /1 of IPv4 is more than any sender has",))),
    *none(identity.every_spf_term_counts),
    row(identity.parked_spf_refuses_everybody, DOMAIN, "pass", spf("-all"), **IDLE),
    row(identity.parked_spf_refuses_everybody, DOMAIN, "fail", NO_SPF, NULL_MX, says="no SPF record says so"),
    row(identity.parked_spf_refuses_everybody, DOMAIN, "fail", spf("mx", "-all"), says="more than -all: mx", **IDLE),
    row(identity.parked_spf_refuses_everybody, DOMAIN, "fail", spf("~all"), NULL_MX, says="ends in ~all"),
    row(identity.parked_spf_refuses_everybody, DOMAIN, "not-applicable", spf(), mx(), says="sends mail"),
    row(identity.parked_spf_refuses_everybody, DOMAIN, "not-applicable", spf("include:p.test", "p.test ip4:192.0.2.9"),
        NO_MX, says="sends mail"),
    row(identity.parked_spf_refuses_everybody, DOMAIN, "not-applicable", NO_SPF, NULL_MX, says="sends mail", **OWN),
    *none(identity.parked_spf_refuses_everybody),
    row(identity.parked_dmarc_rejects, DOMAIN, "pass", dmarc("reject"), **IDLE),
    row(identity.parked_dmarc_rejects, DOMAIN, "fail", dmarc("none"), says="DMARC says none", **IDLE),
    row(identity.parked_dmarc_rejects, DOMAIN, "fail", NO_DMARC, NO_SPF, NO_MX, says="no DMARC record says so"),
    row(identity.parked_dmarc_rejects, DOMAIN, "unknown", NULL_MX, lost(DOMAIN, "spf"), says="could not be told"),
    row(identity.parked_dmarc_rejects, DOMAIN, "unknown", spf("-all"), NO_MX, lost(DOMAIN, "dmarc"), says="timeout"),
    row(identity.parked_takes_no_mail, DOMAIN, "pass", NULL_MX, **IDLE),
    row(identity.parked_takes_no_mail, DOMAIN, "fail", WEB, NO_SPF, says=f"mail for it goes to {V4}"),
    row(identity.parked_takes_no_mail, DOMAIN, "not-applicable", NO_MX, NO_SPF, says="no address"),
    row(identity.parked_takes_no_mail, DOMAIN, "not-applicable", mx(), says="takes mail, though", **IDLE),
    *(replace(one, options=IDLE) for one in none(identity.parked_takes_no_mail, "mx")),
    row(identity.parked_has_no_keys, DOMAIN, "pass", spf("-all"), **IDLE),
    row(identity.parked_has_no_keys, DOMAIN, "pass", spf("-all"), key(revoked=True, fingerprint=""), **IDLE),
    row(identity.parked_has_no_keys, DOMAIN, "fail", NO_SPF, NULL_MX, key("default"), says="signed with default"),
    *(replace(one, options=IDLE) for one in none(identity.parked_has_no_keys, "dkim")),
)  # fmt: skip


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_row(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because


def severity(check: Check, *seen: Observation, **options: Any) -> Severity | None:
    verdict = check.judge(of_row(row(check, DOMAIN, "fail", *seen, **options)))
    assert verdict.outcome is Outcome.FAIL, verdict
    return verdict.severity


def test_the_worse_the_ending_the_more_it_weighs() -> None:
    assert severity(identity.spf_ends_in_refusal, spf("mx", "+all")) is None
    assert severity(identity.spf_ends_in_refusal, spf("mx", "?all")) is Severity.MEDIUM
    assert severity(identity.spf_ends_in_refusal, spf("mx", "~all"), NO_DMARC) is Severity.LOW


def test_half_the_internet_weighs_more_than_a_large_provider() -> None:
    assert severity(identity.spf_admits_no_strangers, spf("ip4:0.0.0.0/1", "-all")) is Severity.HIGH
    assert severity(identity.spf_admits_no_strangers, spf("ip4:192.0.0.0/12", "-all")) is Severity.LOW


def test_a_domain_whose_own_host_answers_is_not_parked() -> None:
    """Without MX records mail goes to the domain itself."""
    here = replace(MX, host=DOMAIN.host)
    one = row(identity.parked_takes_no_mail, DOMAIN, "not-applicable", WEB, NO_SPF, greeting(here), says="sends mail")
    assert one.check.judge(of_row(one)).outcome is one.outcome


def test_a_bogus_answer_is_no_missing_record() -> None:
    one = row(identity.one_spf_record, DOMAIN, "unknown", lost(DOMAIN, "spf", Reason.BOGUS))
    assert one.check.judge(of_row(one)).because.startswith("bogus: ")


def test_the_remedy_names_the_terms_that_are_missing() -> None:
    one = row(identity.spf_admits_own_senders, DOMAIN, "fail", spf(), tried(V4, "fail"), tried(V6, "fail"))
    assert one.check.judge(of_row(one)).remedy.endswith(f"ip4:{V4} ip6:{V6}")
