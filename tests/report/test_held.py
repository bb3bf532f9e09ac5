from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost.model.finding import Finding
from gatepost.model.words import Outcome, Role, Severity
from gatepost.report.held import held
from gatepost.report.html import to_html
from gatepost.report.text import render
from tests.report.sample import finding, sample


def said(outcome: Outcome, check: str, *places: str) -> Finding:
    bare = finding("GP-CERT-003", check, "mx.test", Role.MX, outcome, Severity.HIGH, "so it is")
    return replace(bare, places=places)


def where(*findings: Finding) -> tuple[str, ...]:
    return held(replace(sample(), findings=findings)).get("GP-CERT-003", ())


def test_a_control_holds_where_it_passed() -> None:
    assert where(said(Outcome.PASS, "dates", "mx.test:25 (192.0.2.1)", "mx.test:25 ([2001:db8::1])")) == ("mx.test:25",)


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.UNKNOWN])
@pytest.mark.parametrize("place", ["mx.test:25 (192.0.2.2)", "mx.test"])
def test_one_judge_who_is_not_content_is_enough(outcome: Outcome, place: str) -> None:
    content = said(Outcome.PASS, "renewal", "mx.test:25 (192.0.2.1)", "other.test:25")
    assert where(content, said(outcome, "dates", place)) == ("other.test:25",)


def test_not_applicable_takes_nothing_away() -> None:
    content = said(Outcome.PASS, "renewal", "mx.test:25")
    assert where(content, said(Outcome.NOT_APPLICABLE, "dates", "mx.test:25")) == ("mx.test:25",)


def test_neither_page_calls_an_expired_certificate_in_order() -> None:
    findings = (said(Outcome.PASS, "renewal", "mx.test:25"), said(Outcome.FAIL, "dates", "mx.test:25"))
    audit = replace(sample(), findings=findings)
    assert "PASSED" not in render(audit, verbose=True)
    assert "held at one place" not in to_html(audit)
