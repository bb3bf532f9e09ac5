from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost.model.architecture import Endpoint
from gatepost.model.finding import Finding
from gatepost.model.observation import Unobserved
from gatepost.model.words import Outcome, Reason, Role, Severity
from gatepost.report.blind import Blind, blind, gathered, unjudged
from tests.report.sample import finding, sample

AT = Endpoint("mx.test", "192.0.2.1", 110)
LIMIT = Unobserved(AT, "tls", Reason.LIMITED, "421 go away")


def unknown(control: str, because: str, *evidence: Unobserved, places: tuple[Endpoint, ...] = (AT,)) -> Finding:
    return finding(
        control, "any", "mx.test", Role.ACCESS, Outcome.UNKNOWN, Severity.LOW, because, *evidence, places=places
    )


def told(*findings: Finding) -> tuple[Blind, ...]:
    return blind(replace(sample(), findings=findings))


def test_one_limit_is_one_reason_whatever_it_cost() -> None:
    found = told(unknown("GP-TLS-001", "limited: 421", LIMIT), unknown("GP-TLS-002", "limited: 421", LIMIT))
    assert [(b.reason, b.controls) for b in found] == [("limited: 421 go away", ("GP-TLS-001", "GP-TLS-002"))]


def test_all_that_a_port_does_not_show_is_one_line() -> None:
    (one,) = told(*(unknown(f"GP-TLS-00{n}", f"not seen: thing-{n}") for n in range(1, 9)))
    assert one.told == "not seen: thing-1, thing-2, thing-3, thing-4, thing-5 and 3 more"
    assert (len(one.controls), one.where) == (8, "mx.test:110")


def test_ports_that_miss_the_same_share_a_line() -> None:
    other = replace(AT, port=143)
    both = unknown("GP-TLS-001", "not seen: tls", places=(AT, other))
    (one,) = told(both)
    assert one.where == "mx.test: 110, 143"
    found = told(both, unknown("GP-TLS-002", "not seen: robot", places=(other,)))
    assert [(b.wanted, b.where) for b in found] == [(("robot", "tls"), "mx.test:143"), (("tls",), "mx.test:110")]


def test_what_had_no_judge_is_counted_apart_by_what_it_needs() -> None:
    logs = replace(unknown("GP-LOG-001", "needs mail logs"), check="manual")
    more = replace(unknown("GP-LOG-002", "needs mail logs or the declaration"), check="manual")
    dns = replace(unknown("GP-DNSID-001", "DNS was not asked: name the mail domain"), check="manual")
    assert told(logs, more, dns) == ()
    assert list(unjudged(replace(sample(), findings=(dns, more, logs))).items()) == [
        ("needs mail logs", ("GP-LOG-001", "GP-LOG-002")),
        ("DNS was not asked: name the mail domain", ("GP-DNSID-001",)),
    ]


def test_a_judge_that_saw_nothing_is_blind_whatever_the_control_is_seen_by() -> None:
    (one,) = told(unknown("GP-LOG-001", "no log was named"))
    assert one.controls == ("GP-LOG-001",)


def test_passes_and_failures_are_not_blind() -> None:
    assert told(*(f for f in sample().findings if f.outcome is not Outcome.UNKNOWN)) == ()


@pytest.mark.parametrize(
    ("subjects", "words"),
    [
        (["mx.test:25"], "mx.test:25"),
        (["mx.test:465", "mx.test: 25, 587"], "mx.test: 25, 465, 587"),
        (["b.test:1", "a.test:2", "example.org"], "a.test:2; b.test:1; example.org"),
        (["mx.test:25 (192.0.2.1)"], "mx.test:25 (192.0.2.1)"),
        ([], ""),
    ],
)
def test_places_are_gathered_by_host(subjects: list[str], words: str) -> None:
    assert gathered(subjects) == words
