from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from gatepost.model.architecture import Architecture, Endpoint
from gatepost.model.audit import Audit
from gatepost.model.finding import Finding
from gatepost.model.host import BundleRead, Place, SettingSeen
from gatepost.model.observation import Seen
from gatepost.model.words import Outcome, Role, Severity
from gatepost.report.text import render
from tests.report.golden import golden
from tests.report.sample import HOSTILE, NOW, clean, finding, sample
from tests.report.strategies import FINDINGS, audits

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("width", [80, 120])
def test_the_page_is_as_it_was_read_and_liked(width: int) -> None:
    made = render(sample(), width=width)
    assert made == golden(f"audit-{width}.txt", made)


def test_a_clean_host_gets_a_short_page() -> None:
    made = render(clean(), width=80)
    assert made == golden("audit-clean.txt", made)


def test_verbose_adds_what_passed() -> None:
    assert "PASSED" not in render(sample())
    assert "SSL 2.0 and SSL 3.0 are refused" in render(sample(), verbose=True)


@pytest.mark.parametrize("width", [80, 100, 200])
def test_colour_adds_colour_and_nothing_else(width: int) -> None:
    coloured = render(sample(), width=width, colour=True)
    assert "\x1b[" in coloured
    stripped = "".join(f"{line.rstrip()}\n" for line in ESCAPES.sub("", coloured).splitlines())
    assert stripped == render(sample(), width=width)


def test_a_hostile_banner_cannot_steer_the_terminal() -> None:
    page = render(sample(), verbose=True)
    assert HOSTILE not in page
    assert not set(page) & {"\x1b", "\u202e", "\r", "\x07"}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(audits(), st.integers(20, 220), st.booleans())
def test_no_line_is_wider_than_the_terminal(audit: Audit, width: int, verbose: bool) -> None:  # noqa: FBT001
    for line in render(audit, width=width, verbose=verbose).splitlines():
        assert cell_len(line) <= max(width, 60)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FINDINGS)
def test_whatever_a_finding_says_stays_printable(finding: Finding) -> None:
    page = render(replace(sample(), findings=(finding,)), verbose=True)
    assert all(line.isprintable() for line in page.split("\n"))


def test_the_exit_code_is_explained() -> None:
    assert "exit 1: 9 findings at or above high" in " ".join(render(sample()).split())
    assert "exit 1: 4 findings at or above critical" in " ".join(render(sample(), fail_on=Severity.CRITICAL).split())
    assert "exit 0 (--fail-on never)" in render(sample(), fail_on=None)


def test_what_was_not_seen_is_part_of_the_verdict() -> None:
    lost = tuple(f for f in sample().findings if f.outcome.value in {"pass", "unknown"})
    page = " ".join(render(replace(sample(), findings=lost)).split())
    assert "Everything that could be seen is in order; 4 verdicts could not be reached." in page
    blind = tuple(f for f in lost if f.outcome.value == "unknown")
    assert "Nothing could be judged" in render(replace(sample(), findings=blind))


def test_a_setting_in_the_headline_is_not_told_twice() -> None:
    where = Endpoint("mx.test")
    seen = SettingSeen(where, "postfix", "/etc/postfix", "", "smtpd_tls_auth_only", "no", place=Place("/main.cf", 3))
    made = finding(
        "GP-STLS-002", "any", "mx.test", Role.MX, Outcome.FAIL, Severity.HIGH,
        "/main.cf:3 sets smtpd_tls_auth_only = no: it has to be yes", seen,
    )  # fmt: skip
    audit = replace(sample(), findings=(made,))
    assert "/main.cf:3: smtpd_tls_auth_only" not in render(audit)
    assert "/main.cf:3: smtpd_tls_auth_only" in render(audit, verbose=True)


def test_whoever_looked_inside_is_told_what_comes_next() -> None:
    assert "next: " not in render(sample())
    inside = BundleRead(Endpoint("mx.test"), NOW, "this machine")
    looked = replace(sample(), run=replace(sample().run, seen=Seen((*sample().run.seen, inside))))
    assert render(looked).endswith("next: gatepost plan shows what of this it can mend, and how\n")
    alone = replace(looked, architecture=Architecture())
    assert "next: gatepost init writes down what is there" in render(alone)
    passed = tuple(f for f in looked.findings if f.outcome is Outcome.PASS)
    assert "next: " not in render(replace(looked, findings=passed))
