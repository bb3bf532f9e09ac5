from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings

from gatepost.model.audit import Audit
from gatepost.model.finding import Finding
from gatepost.model.words import Outcome, Severity
from gatepost.report.diff import since
from gatepost.report.html import to_html
from gatepost.report.text import render
from tests.report.sample import WAIVER, sample
from tests.report.strategies import audits

FAIL = next(f for f in sample().findings if f.control == "GP-TLS-006" and f.open)
PASS = replace(FAIL, outcome=Outcome.PASS, because="", first_seen=None)
UNKNOWN = replace(FAIL, outcome=Outcome.UNKNOWN, because="filtered: silence", first_seen=None)


def told(now: Finding | None, before: Finding | None) -> list[tuple[Outcome, str]]:
    later, earlier = (replace(sample(), findings=(f,) if f else ()) for f in (now, before))
    return [(f.outcome, f.because) for f in since(later, earlier).findings]


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        (FAIL, None, "new: TLS_RSA_WITH_3DES_EDE_CBC_SHA is accepted"),
        (FAIL, PASS, "new: TLS_RSA_WITH_3DES_EDE_CBC_SHA is accepted"),
        (FAIL, UNKNOWN, "new: TLS_RSA_WITH_3DES_EDE_CBC_SHA is accepted"),
        (PASS, FAIL, "fixed"),
        (UNKNOWN, FAIL, "no longer seen, was fail: filtered: silence"),
        (UNKNOWN, PASS, "no longer seen, was pass: filtered: silence"),
        (UNKNOWN, None, "new: filtered: silence"),
        (PASS, UNKNOWN, "changed, was unknown"),
        (replace(FAIL, severity=Severity.LOW), FAIL, "changed, was high: TLS_RSA_WITH_3DES_EDE_CBC_SHA is accepted"),
        (replace(FAIL, waiver=WAIVER), FAIL, "waiver began: TLS_RSA_WITH_3DES_EDE_CBC_SHA is accepted"),
        (FAIL, replace(FAIL, waiver=WAIVER), "waiver ended: TLS_RSA_WITH_3DES_EDE_CBC_SHA is accepted"),
        (replace(FAIL, places=("x:1",)), FAIL, "changed places: TLS_RSA_WITH_3DES_EDE_CBC_SHA is accepted"),
    ],
)
def test_a_change_says_what_it_is(now: Finding, before: Finding | None, words: str) -> None:
    assert told(now, before) == [(now.outcome, words)]


@pytest.mark.parametrize(
    ("now", "before"),
    [
        (FAIL, FAIL),
        (replace(FAIL, because="28 days left"), replace(FAIL, because="29 days left")),
        (PASS, None),
        (PASS, PASS),
        (UNKNOWN, replace(UNKNOWN, because="limited: 421")),
    ],
)
def test_what_did_not_change_is_not_told(now: Finding, before: Finding | None) -> None:
    assert told(now, before) == []


def test_what_was_not_judged_again_is_not_called_fixed() -> None:
    assert told(None, FAIL) == [
        (Outcome.NOT_APPLICABLE, "not judged this time, was: TLS_RSA_WITH_3DES_EDE_CBC_SHA is accepted")
    ]


def test_a_host_that_was_not_asked_for_this_time_is_left_out() -> None:
    elsewhere = replace(FAIL, subject="mx.example.com:25")
    assert told(None, elsewhere) == []


def test_a_failure_keeps_the_day_it_was_first_seen() -> None:
    before = replace(FAIL, first_seen=None, severity=Severity.LOW)
    earlier = replace(sample(), findings=(before,), generated_at=sample().generated_at - timedelta(days=9))
    (changed,) = since(replace(sample(), findings=(FAIL,)), earlier).findings
    assert changed.first_seen == earlier.generated_at


def test_the_page_names_the_earlier_run() -> None:
    earlier = replace(sample(), generated_at=sample().generated_at - timedelta(days=1))
    assert since(sample(), earlier).since == "2026-11-23 06:30 UTC"
    elsewhere = replace(earlier, run=replace(earlier.run, vantage="lab"))
    assert since(sample(), elsewhere).since == "2026-11-23 06:30 UTC from lab"


def test_the_pages_tell_what_is_no_longer_open() -> None:
    gone = replace(FAIL, check="other")
    changes = since(replace(sample(), findings=(PASS,)), replace(sample(), findings=(FAIL, gone)))
    for page in (render(changes, width=200), to_html(changes)):
        assert "old.example.net:465: fixed" in page
        assert "old.example.net:465: not judged this time, was: TLS_RSA_WITH_3DES_EDE_CBC_SHA is accepted" in page
    assert "Nothing got worse" in render(changes)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(audits())
def test_nothing_changed_between_a_run_and_itself(audit: Audit) -> None:
    assert since(audit, audit).findings == ()
