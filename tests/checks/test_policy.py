"""Judges of DMARC."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gatepost.checks import policy
from gatepost.checks.case import Check
from gatepost.model.domain import ReportTarget
from gatepost.model.observation import Observation
from gatepost.model.words import Outcome, Severity
from tests.checks.cases import DOMAIN, NOW, V4, Row, lost, of_row, row
from tests.checks.domain_cases import (
    DAY,
    NO_DMARC,
    NO_SPF,
    NULL_MX,
    ORG,
    PARKED,
    TODAY,
    dated,
    dmarc,
    mx,
    reports,
    source,
    tried,
)

IDLE: dict[str, Any] = {"domains": (PARKED,)}
STATE = dated("mta-sts-id", "1", NOW - 60 * DAY)
TESTED = dmarc("reject", policy="quarantine", record={"testing": True})
STRANGER = source("203.0.113.9", 300, 0)


def declared(**changes: Any) -> dict[str, Any]:
    return {"domains": (replace(ORG, **changes),)}


def none(check: Check) -> tuple[Row, Row]:
    return (
        row(check, DOMAIN, "unknown", says="DNS was not asked"),
        row(check, DOMAIN, "unknown", lost(DOMAIN, "dmarc"), says="timeout: nothing came"),
    )


def target(authorised: bool | None, why: str = "") -> ReportTarget:  # noqa: FBT001 - the fact itself
    return ReportTarget(DOMAIN, "dmarc", "mailto:d@reports.test", authorised, why)


ROWS: tuple[Row, ...] = (
    row(policy.dmarc_published, DOMAIN, "pass", dmarc()),
    row(policy.dmarc_published, DOMAIN, "fail", NO_DMARC, mx(), says="no DMARC record at _dmarc.example.org"),
    row(policy.dmarc_published, DOMAIN, "fail", replace(NO_DMARC, problems=("2 DMARC records at _dmarc.example.org",)),
        says="no policy holds: 2 DMARC records"),
    row(policy.dmarc_published, DOMAIN, "not-applicable", NO_DMARC, NULL_MX, NO_SPF),
    *none(policy.dmarc_published),
    row(policy.dmarc_valid, DOMAIN, "pass", dmarc()),
    row(policy.dmarc_valid, DOMAIN, "fail", dmarc("none", problems=("p= is missing",), record={"problems":
        ("p= is missing",)}), says="p= is missing"),
    row(policy.dmarc_valid, DOMAIN, "not-applicable", NO_DMARC),
    *none(policy.dmarc_valid),
    row(policy.dmarc_without_obsolete_tags, DOMAIN, "pass", dmarc()),
    row(policy.dmarc_without_obsolete_tags, DOMAIN, "fail", dmarc(record={"obsolete": ("pct=50",)}), says="pct=50"),
    *none(policy.dmarc_without_obsolete_tags),
    row(policy.dmarc_reports_requested, DOMAIN, "pass", dmarc(record={"rua": ("mailto:D@Example.org!10m",)}),
        **declared(dmarc_reports=("d@example.org",))),
    row(policy.dmarc_reports_requested, DOMAIN, "fail", dmarc(record={"rua": ()}), says="no report address"),
    row(policy.dmarc_reports_requested, DOMAIN, "fail", dmarc(), says="not in the record: d@example.org",
        **declared(dmarc_reports=("d@example.org",))),
    row(policy.dmarc_reports_requested, DOMAIN, "not-applicable", dmarc(record={"rua": ()}), **IDLE),
    *none(policy.dmarc_reports_requested),
    row(policy.report_targets_agree, DOMAIN, "pass", dmarc(), target(authorised=True)),
    row(policy.report_targets_agree, DOMAIN, "fail", dmarc(), target(authorised=False, why="no record there"),
        says="mailto:d@reports.test (no record there)"),
    row(policy.report_targets_agree, DOMAIN, "unknown", dmarc(), target(authorised=None, why="timeout"),
        says="timeout"),
    row(policy.report_targets_agree, DOMAIN, "not-applicable", dmarc()),
    *none(policy.report_targets_agree),
    row(policy.walk_and_list_agree, DOMAIN, "pass", dmarc()),
    row(policy.walk_and_list_agree, DOMAIN, "fail", dmarc(by_suffix_list="org.test"),
        says="example.org by tree walk (RFC 9989), org.test by the suffix list of 2026-10-23"),
    row(policy.walk_and_list_agree, DOMAIN, "pass", dmarc(by_suffix_list="x", record={"adkim": "s", "aspf": "s"})),
    row(policy.walk_and_list_agree, DOMAIN, "unknown", dmarc(by_suffix_list="")),
    *none(policy.walk_and_list_agree),
    row(policy.dmarc_enforced, DOMAIN, "pass", dmarc("reject")),
    row(policy.dmarc_enforced, DOMAIN, "pass", dmarc("quarantine"), says="quarantine"),
    row(policy.dmarc_enforced, DOMAIN, "pass", dmarc("quarantine"), **declared(dmarc="quarantine")),
    row(policy.dmarc_enforced, DOMAIN, "pass", dmarc("reject"), **declared(dmarc="quarantine")),
    row(policy.dmarc_enforced, DOMAIN, "pass", TESTED, **declared(dmarc="reject")),
    row(policy.dmarc_enforced, DOMAIN, "fail", dmarc("quarantine"), says="declared as reject, published as quarantine",
        **declared(dmarc="reject")),
    row(policy.dmarc_enforced, DOMAIN, "fail", dmarc("none"), says="only counted"),
    row(policy.dmarc_enforced, DOMAIN, "fail", dmarc("none"), says="as declared", **declared(dmarc="none")),
    row(policy.dmarc_enforced, DOMAIN, "not-applicable", dmarc("none"), **IDLE),
    *none(policy.dmarc_enforced),
    row(policy.subdomains_enforced, DOMAIN, "pass", dmarc("reject", subdomains="quarantine"), says="quarantine"),
    row(policy.subdomains_enforced, DOMAIN, "fail", dmarc(subdomains="none"), says="none for existing subdomains"),
    row(policy.subdomains_enforced, DOMAIN, "not-applicable", dmarc("none")),
    *none(policy.subdomains_enforced),
    row(policy.invented_names_enforced, DOMAIN, "pass", dmarc()),
    row(policy.invented_names_enforced, DOMAIN, "fail", dmarc(nonexistent="none"), says="invented subdomains"),
    *none(policy.invented_names_enforced),
    row(policy.dmarc_out_of_test, DOMAIN, "pass", dmarc()),
    row(policy.dmarc_out_of_test, DOMAIN, "fail", TESTED, says="t=y: of reject receivers apply quarantine"),
    *none(policy.dmarc_out_of_test),
    row(policy.dmarc_reports_read, DOMAIN, "pass", dmarc(), reports("dmarc"), says="12 reports"),
    row(policy.dmarc_reports_read, DOMAIN, "fail", dmarc(), reports("dmarc", TODAY - 15 * DAY), says="of 2026-11-09"),
    row(policy.dmarc_reports_read, DOMAIN, "fail", dmarc(), STATE, says="though state is kept since 2026-09-25"),
    row(policy.dmarc_reports_read, DOMAIN, "unknown", dmarc(), says="gatepost reports import"),
    row(policy.dmarc_reports_read, DOMAIN, "unknown", dmarc(), dated("tlsa", "3", NOW - DAY)),
    row(policy.dmarc_reports_read, DOMAIN, "not-applicable", NO_DMARC, STATE),
    *none(policy.dmarc_reports_read),
    row(policy.sources_aligned, DOMAIN, "pass", source("192.0.2.5", 400, 395), source("203.0.113.9", 3, 0)),
    row(policy.sources_aligned, DOMAIN, "fail", source("192.0.2.5", 400, 400), STRANGER,
        says="not aligned: 203.0.113.9 (300 of 300 messages)"),
    row(policy.sources_aligned, DOMAIN, "unknown", dmarc(), says="gatepost reports import"),
    row(policy.sources_aligned, DOMAIN, "unknown", reports("dmarc"), says="no source"),
    *none(policy.sources_aligned),
)  # fmt: skip


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_row(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because


def severity(check: Check, *seen: Observation, **options: Any) -> Severity | None:
    verdict = check.judge(of_row(row(check, DOMAIN, "fail", *seen, **options)))
    assert verdict.outcome is Outcome.FAIL, verdict
    return verdict.severity


def test_a_decision_to_only_count_weighs_less_than_none() -> None:
    assert severity(policy.dmarc_enforced, dmarc("none")) is None
    assert severity(policy.dmarc_enforced, dmarc("none"), **declared(dmarc="none")) is Severity.MEDIUM


def test_test_mode_weighs_most_where_it_leaves_nothing() -> None:
    assert severity(policy.dmarc_out_of_test, TESTED) is Severity.MEDIUM
    assert severity(policy.dmarc_out_of_test, dmarc("quarantine", policy="none", record={"testing": True})) is None


def test_a_difference_between_receivers_weighs_more_under_enforcement() -> None:
    assert severity(policy.walk_and_list_agree, dmarc(by_suffix_list="x")) is Severity.MEDIUM
    assert severity(policy.walk_and_list_agree, dmarc("none", by_suffix_list="x")) is Severity.LOW


@pytest.mark.parametrize(
    ("p", "own", "weight"),
    [
        ("reject", True, Severity.HIGH),
        ("none", True, Severity.MEDIUM),
        ("reject", False, Severity.LOW),
        ("none", False, Severity.MEDIUM),
    ],
)
def test_an_unaligned_source_weighs_by_whose_it_is_and_what_becomes_of_it(
    p: str,
    own: bool,  # noqa: FBT001 - a column of the table
    weight: Severity,
) -> None:
    address = V4 if own else "203.0.113.9"
    assert severity(policy.sources_aligned, dmarc(p), source(address, 300, 0), tried(V4, "pass")) is weight
