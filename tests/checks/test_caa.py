"""Judges of CAA."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gatepost.checks import caa as judges
from gatepost.checks.case import Check
from gatepost.model.dns import Caa
from gatepost.model.observation import Observation
from gatepost.model.words import Outcome, Role, Severity
from tests.checks.cases import HOST, IMAPS, Row, chain, leaf, listening, lost, of_row, row
from tests.checks.domain_cases import ORG, caa

OURS, OTHERS = "letsencrypt.org", "digicert.com"
DECLARED: dict[str, Any] = {"domains": (replace(ORG, caa=(OURS,)),)}
BLOCKED = caa(OURS, records=(Caa(0, "issue", OURS), Caa(128, "future", "x")))


def shown(organisation: str = "Let's Encrypt", **changes: Any) -> tuple[Observation, ...]:
    names = changes.pop("names", ("mail.example.org",))
    issued = leaf(issuer=f"CN=R13,O={organisation},C=US", dns_names=names)
    return (*listening(IMAPS), chain(IMAPS, issued, **changes))


def none(check: Check) -> tuple[Row, Row]:
    return (
        row(check, HOST, "unknown", says="DNS was not asked", role=Role.HOST),
        row(check, HOST, "unknown", lost(HOST, "caa"), says="timeout: nothing came", role=Role.HOST),
    )


ROWS: tuple[Row, ...] = (
    row(judges.caa_published, HOST, "pass", caa(OURS), says="at example.org"),
    row(judges.caa_published, HOST, "fail", caa(), says="any authority may issue"),
    row(judges.caa_published, HOST, "fail", caa(), says="declared (letsencrypt.org)", **DECLARED),
    *none(judges.caa_published),
    row(judges.caa_permits_authority_in_use, HOST, "pass", caa(OURS), *shown()),
    row(judges.caa_permits_authority_in_use, HOST, "fail", caa(OTHERS), *shown(),
        says="has its certificate of letsencrypt.org, CAA permits digicert.com: its renewal will fail"),
    row(judges.caa_permits_authority_in_use, HOST, "fail", caa(";"), *shown(), says="CAA permits nobody"),
    row(judges.caa_permits_authority_in_use, HOST, "unknown", caa(OURS), *shown("Our Own CA"), says="is not known"),
    row(judges.caa_permits_authority_in_use, HOST, "unknown", caa(OURS), *shown(why="self-signed"),
        says="no certificate of a public"),
    row(judges.caa_permits_authority_in_use, HOST, "not-applicable", caa(), *shown()),
    row(judges.caa_permits_authority_in_use, HOST, "fail", *shown(names=("*.example.org",)),
        caa(records=(Caa(0, "issue", OURS), Caa(0, "issuewild", OTHERS))), says="permits digicert.com"),
    *none(judges.caa_permits_authority_in_use),
    row(judges.caa_as_declared, HOST, "pass", caa(f"{OURS}; accounturi=https://ca.test/1"), **DECLARED),
    row(judges.caa_as_declared, HOST, "fail", caa(OURS, OTHERS), says="not declared: digicert.com", **DECLARED),
    row(judges.caa_as_declared, HOST, "fail", caa(";"), says="not permitted: letsencrypt.org", **DECLARED),
    row(judges.caa_as_declared, HOST, "not-applicable", caa(OURS), says="no authority is declared"),
    row(judges.caa_as_declared, HOST, "not-applicable", caa(OURS), says="no authority is declared", domains=(ORG,)),
    row(judges.caa_as_declared, HOST, "not-applicable", caa(), **DECLARED),
    *none(judges.caa_as_declared),
    row(judges.caa_understood, HOST, "pass", caa(OURS)),
    row(judges.caa_understood, HOST, "fail", BLOCKED, says='none may issue: 128 future "x"'),
    row(judges.caa_understood, HOST, "fail", caa(OURS, problems=("flags 1 set reserved bits",)), says="reserved"),
    row(judges.caa_understood, HOST, "not-applicable", caa()),
    *none(judges.caa_understood),
)  # fmt: skip


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_row(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because


def severity(check: Check, *seen: Observation, **options: Any) -> Severity | None:
    verdict = check.judge(of_row(row(check, HOST, "fail", *seen, **options)))
    assert verdict.outcome is Outcome.FAIL, verdict
    return verdict.severity


def test_a_missing_record_weighs_more_where_one_is_declared() -> None:
    assert severity(judges.caa_published, caa()) is Severity.LOW
    assert severity(judges.caa_published, caa(), **DECLARED) is None


def test_the_record_to_publish_names_the_authority_in_use() -> None:
    one = row(judges.caa_published, HOST, "fail", caa(), *shown())
    assert f'CAA 0 issue "{OURS}"' in one.check.judge(of_row(one)).remedy
