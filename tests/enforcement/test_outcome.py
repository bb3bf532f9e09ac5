"""When a plan kept its promise, and in which words it did not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.enforce import kept
from gatepost.model.architecture import Architecture, Endpoint, Host, Waiver, Zone
from gatepost.model.audit import Audit
from gatepost.model.finding import Finding
from gatepost.model.observation import Listening, Run, Seen, Vantage
from gatepost.model.plan import Kind, Plan, Step
from gatepost.model.words import Outcome, Role, Severity
from tests.enforcement.house import NAME, NOW, declared

ARCHITECTURE = Architecture(hosts=(Host(NAME, ("192.0.2.5",), (declared("submission"), declared("imaps"))),))
WAIVER = Waiver("*", "*", "postmaster", "known", datetime(2027, 1, 1, tzinfo=UTC).date())


def finding(
    check: str,
    *ports: int,
    outcome: Outcome = Outcome.FAIL,
    severity: Severity = Severity.HIGH,
) -> Finding:
    places = tuple(f"{NAME}:{port} (192.0.2.5)" for port in ports) or (NAME,)
    subject = f"{NAME}: {', '.join(map(str, ports))}" if len(ports) > 1 else f"{NAME}:{ports[0]}" if ports else NAME
    return Finding("GP-TLS-002", check, subject, Role.HOST, outcome, severity, "told", (), "", places)


def audit(*findings: Finding, listening: tuple[int, ...] = (587,)) -> Audit:
    seen = tuple(Listening(Endpoint(NAME, "192.0.2.5", port)) for port in listening)
    return Audit(NOW, "rfc9325", (NAME,), findings, Run(Seen(seen), NOW), ARCHITECTURE)


def plan(*promised: Finding) -> Plan:
    step = Step("k", NAME, Kind.POSTFIX, "t", (), "w", promises=tuple(one.id for one in promised))
    return Plan("p", NOW, "gatepost.toml", (step,))


OLD = finding("old-tls", 465, 587)
PASSES = finding("old-tls", 465, 587, outcome=Outcome.PASS)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (audit(OLD), audit(PASSES), ""),
        # a firewall kept everybody out of 587: what is seen there once it opens is not new
        (audit(finding("settings", 587), listening=()), audit(finding("old-tls", 587)), ""),
        (audit(finding("settings", 587)), audit(finding("old-tls", 587)), "not there before"),
        (audit(OLD), audit(), ""),
        (audit(OLD), audit(OLD), "still there"),
        (audit(OLD), audit(finding("old-tls", 587)), "still there: GP-TLS-002/old-tls@mx1.example.org:587"),
        (audit(OLD), audit(replace(OLD, waiver=WAIVER)), ""),
        (audit(OLD), audit(finding("old-tls", 465, 587, outcome=Outcome.UNKNOWN)), "no longer to be seen"),
        (audit(OLD), audit(finding("old-tls", outcome=Outcome.UNKNOWN)), "no longer to be seen"),
        (audit(OLD), audit(finding("old-tls", outcome=Outcome.PASS)), ""),
        # something new
        (audit(OLD), audit(PASSES, finding("cbc", 587)), "not there before: GP-TLS-002/cbc@mx1.example.org:587"),
        (audit(OLD, finding("cbc", 587, outcome=Outcome.PASS)), audit(PASSES, finding("cbc", 587)), "not there before"),
        (audit(OLD, finding("cbc", outcome=Outcome.PASS)), audit(PASSES, finding("cbc", 587)), "not there before"),
        (audit(OLD), audit(PASSES, finding("listener", 3306)), "not there before"),
        (audit(OLD), audit(PASSES, finding("whole-host")), "not there before"),
        # nothing new
        (audit(OLD), audit(PASSES, finding("early-talker", 587, severity=Severity.INFO)), ""),
        (audit(OLD, finding("cbc", 587, 993)), audit(PASSES, finding("cbc", 993)), ""),
        (audit(OLD, finding("cbc", 587, severity=Severity.LOW)), audit(PASSES, finding("cbc", 587)), ""),
        (audit(OLD, finding("cbc", 587, outcome=Outcome.UNKNOWN)), audit(PASSES, finding("cbc", 587)), ""),
        (audit(OLD, finding("cbc", outcome=Outcome.UNKNOWN)), audit(PASSES, finding("cbc", 587)), ""),
        (audit(OLD), audit(PASSES, finding("cbc", 993)), ""),  # declared, and nobody could reach it before
        (audit(OLD, finding("listener-declared", 3306)), audit(PASSES, finding("sockets-declared", 3306)), ""),
        (audit(OLD, finding("listener-declared", 25)), audit(PASSES, finding("sockets-declared", 3306)), "not there"),
        # mail that stopped
        (audit(OLD, listening=(587, 993)), audit(PASSES), "mx1.example.org:993 (imaps) answered before"),
        (audit(OLD, listening=(587, 2525)), audit(PASSES), ""),
    ],
)  # fmt: skip
def test_kept(before: Audit, after: Audit, words: str) -> None:
    told = kept(plan(OLD), before, after)
    assert (words in told) if words else told == ""


def test_a_promise_that_the_audit_before_does_not_know() -> None:
    assert kept(plan(OLD), audit(), audit()) == ""
    assert "still there" in kept(plan(OLD), audit(), audit(OLD))


def test_only_what_was_done_is_promised() -> None:
    by_hand = replace(plan(OLD).steps[0], by_hand=True)
    assert kept(replace(plan(OLD), steps=(by_hand,)), audit(OLD), audit(OLD)) == ""


def test_many_troubles_make_one_sentence() -> None:
    new = [finding(f"check-{n}", 587) for n in range(9)]
    assert kept(plan(OLD), audit(OLD), audit(PASSES, *new)).endswith("; and 6 more")


FINDINGS = st.lists(
    st.builds(
        finding,
        st.sampled_from(["a", "b"]),
        st.sampled_from([465, 587, 993, 3306]),
        outcome=st.sampled_from(Outcome),
        severity=st.sampled_from(Severity),
    ),
    max_size=6,
    unique_by=lambda f: f.id,
)


@given(FINDINGS)
def test_nothing_changed_is_no_trouble_but_for_promises(findings: list[Finding]) -> None:
    same = audit(*findings)
    assert kept(plan(), same, same) == ""
    if open_ := [f for f in findings if f.open]:
        assert "still there" in kept(plan(*open_), same, same)


@given(FINDINGS, FINDINGS)
def test_gone_is_never_held_against_it(before: list[Finding], after: list[Finding]) -> None:
    """Whoever fails less than before broke nothing."""
    left = [f for f in before if f in after]
    assert kept(plan(), audit(*before), audit(*left)) == ""


@pytest.mark.parametrize(
    ("source", "words"),
    [("192.0.2.77", ""), ("198.51.100.7", "(mysql) answered before"), ("", "(mysql) answered before")],
)
def test_a_port_that_is_not_meant_for_us_may_fall_silent(source: str, words: str) -> None:
    """It answered where nobody of ours may reach it: the firewall now says so."""
    store = Zone("store", (ip_network("198.51.100.0/24"),))
    mysql = replace(declared("mysql"), sources=("store",))
    house = Architecture(zones=(store,), hosts=(Host(NAME, ("192.0.2.5",), (mysql,)),), source="gatepost.toml")
    at = Endpoint(NAME, "192.0.2.5", 3306)
    seen = Seen((Listening(at), Vantage(at, source)))
    before, after = (replace(audit(listening=()), architecture=house, run=Run(one, NOW)) for one in (seen, Seen(())))
    told = kept(plan(), before, after)
    assert (words in told) if words else told == ""
