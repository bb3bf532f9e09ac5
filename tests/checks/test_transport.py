"""Judges of TLS-RPT, DNSSEC and REQUIRETLS."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gatepost.checks import transport
from gatepost.checks.case import Check
from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Answer, Presence
from gatepost.model.observation import Observation
from gatepost.model.words import Outcome, Reason, Severity
from tests.checks.cases import DOMAIN, HOST, MX, NAME, NOW, Row, lost, of_row, offers, row
from tests.checks.domain_cases import (
    BOGUS,
    DAY,
    INSECURE,
    NO_RPT,
    NULL_MX,
    ORG,
    TODAY,
    UNSURE,
    dated,
    dmarc,
    failure,
    mx,
    reports,
    rpt,
    spf,
    sts,
)

STATE = dated("mta-sts-id", "1", NOW - 60 * DAY)
EXPIRED = failure("mx2, IPv6, port 25: certificate expired on 2026-10-03")
PARTIAL = failure("mx1: STARTTLS not offered", "starttls-not-supported", "no-policy-found", sessions=1)
OLD = failure("mx2: certificate expired", last=TODAY - 40 * DAY)


def none(check: Check, wanted: str = "tls-rpt") -> tuple[Row, Row]:
    return (
        row(check, DOMAIN, "unknown", says="DNS was not asked"),
        row(check, DOMAIN, "unknown", lost(DOMAIN, wanted), says="timeout: nothing came"),
    )


def with_exchangers(**changes: Any) -> Observation:
    seen = mx()
    return replace(seen, exchangers=tuple(replace(one, **changes) for one in seen.exchangers))


def bogus(name: str, kind: str) -> Answer:
    return Answer(Endpoint(name), kind, Presence.FAILED, security=BOGUS, reason=Reason.BOGUS, why="signature expired")


def reporting(*addresses: str) -> dict[str, Any]:
    return {"domains": (replace(ORG, tls_reports=addresses),)}


ROWS: tuple[Row, ...] = (
    row(transport.tls_reports_requested, DOMAIN, "pass", rpt()),
    row(transport.tls_reports_requested, DOMAIN, "pass", rpt(), **reporting("TLS@example.org")),
    row(transport.tls_reports_requested, DOMAIN, "fail", NO_RPT, mx(), says="never heard of"),
    row(transport.tls_reports_requested, DOMAIN, "fail", rpt(), says="https://r.test/", **reporting("https://r.test/")),
    row(transport.tls_reports_requested, DOMAIN, "not-applicable", NO_RPT, NULL_MX),
    *none(transport.tls_reports_requested),
    row(transport.tls_rpt_valid, DOMAIN, "pass", rpt()),
    row(transport.tls_rpt_valid, DOMAIN, "fail", rpt(problems=("no usable rua=",)), says="no usable rua="),
    row(transport.tls_rpt_valid, DOMAIN, "not-applicable", NO_RPT),
    *none(transport.tls_rpt_valid),
    row(transport.tls_reports_read, DOMAIN, "pass", rpt(), reports("tls"), says="12 reports"),
    row(transport.tls_reports_read, DOMAIN, "fail", rpt(), reports("tls", TODAY - 20 * DAY), says="of 2026-11-04"),
    row(transport.tls_reports_read, DOMAIN, "fail", rpt(), STATE, says="state is kept since"),
    row(transport.tls_reports_read, DOMAIN, "unknown", rpt(), reports("dmarc"), says="no TLS report was imported"),
    row(transport.tls_reports_read, DOMAIN, "not-applicable", NO_RPT, STATE),
    *none(transport.tls_reports_read),
    row(transport.sessions_succeed, DOMAIN, "pass", reports("tls")),
    row(transport.sessions_succeed, DOMAIN, "pass", reports("tls"), OLD, says="none since 2026-10-15"),
    row(transport.sessions_succeed, DOMAIN, "fail", reports("tls"), PARTIAL, EXPIRED, OLD,
        says="expired on 2026-10-03 (42 sessions); and 1 more"),
    row(transport.sessions_succeed, DOMAIN, "unknown", reports("tls", TODAY - 20 * DAY), says="no recent"),
    row(transport.sessions_succeed, DOMAIN, "unknown", rpt(), says="no TLS report was imported"),
    *none(transport.sessions_succeed),
    row(transport.domain_signed, DOMAIN, "pass", mx(), spf(), dmarc(), sts(), rpt()),
    row(transport.domain_signed, DOMAIN, "fail", mx(security=INSECURE), says="DANE does not apply: the zone"),
    row(transport.domain_signed, DOMAIN, "fail", mx(), spf(), replace(sts(), security=INSECURE), says=": MTA-STS"),
    row(transport.domain_signed, DOMAIN, "fail", spf(), bogus(DOMAIN.host, "MX"),
        says="DNSSEC validation fails for example.org: signature expired"),
    row(transport.domain_signed, DOMAIN, "fail", lost(DOMAIN, "mx", Reason.BOGUS), says="validation fails"),
    row(transport.domain_signed, DOMAIN, "unknown", mx(security=UNSURE), spf(), says="not trusted to validate"),
    *none(transport.domain_signed, "mx"),
    row(transport.exchangers_signed, DOMAIN, "pass", mx()),
    row(transport.exchangers_signed, DOMAIN, "fail", with_exchangers(security=INSECURE), says=NAME),
    row(transport.exchangers_signed, DOMAIN, "fail", with_exchangers(security=BOGUS), says="bogus addresses"),
    row(transport.exchangers_signed, DOMAIN, "fail", mx(), lost(HOST, "tlsa:25", Reason.BOGUS), says=NAME),
    row(transport.exchangers_signed, DOMAIN, "unknown", with_exchangers(security=UNSURE), says="not trusted"),
    row(transport.exchangers_signed, DOMAIN, "unknown", with_exchangers(security=UNSURE, trouble=("AAAA: timeout",)),
        says=f"{NAME}: AAAA: timeout"),
    row(transport.exchangers_signed, DOMAIN, "not-applicable", NULL_MX),
    *none(transport.exchangers_signed, "mx"),
    row(transport.requiretls_offered, MX, "pass", offers(MX, "REQUIRETLS", encrypted=True)),
    row(transport.requiretls_offered, MX, "not-applicable", offers(MX, "SIZE 1", encrypted=True), says="not offered"),
    row(transport.requiretls_offered, MX, "unknown", offers(MX, "STARTTLS"), lost(MX, "tls"), says="timeout"),
)  # fmt: skip


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_row(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because


def severity(check: Check, *seen: Observation) -> Severity | None:
    verdict = check.judge(of_row(row(check, DOMAIN, "fail", *seen)))
    assert verdict.outcome is Outcome.FAIL, verdict
    return verdict.severity


def test_failures_that_lose_mail_weigh_more() -> None:
    assert severity(transport.sessions_succeed, EXPIRED) is Severity.HIGH
    assert severity(transport.sessions_succeed, PARTIAL) is Severity.MEDIUM
    assert severity(transport.sessions_succeed, replace(EXPIRED, policy="no-policy-found")) is Severity.MEDIUM


def test_a_zone_that_fails_to_validate_is_worse_than_an_unsigned_one() -> None:
    assert severity(transport.domain_signed, spf(), bogus(DOMAIN.host, "MX")) is Severity.CRITICAL
    assert severity(transport.domain_signed, mx(security=INSECURE)) is None


def test_a_name_elsewhere_that_fails_to_validate_is_not_the_domain() -> None:
    one = row(transport.domain_signed, DOMAIN, "pass", spf(), bogus("other.test", "MX"))
    assert one.check.judge(of_row(one)).outcome is one.outcome
