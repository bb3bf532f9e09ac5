"""Two runs held against each other."""

from __future__ import annotations

from datetime import timedelta

from gatepost.checks.compare import compare
from gatepost.model.finding import Finding
from gatepost.model.observation import Closed, Observation, Run, Seen, Unobserved, Vantage
from gatepost.model.words import Outcome, Reason, Severity
from tests.checks.cases import IMAPS, MX, NOW, SUBMISSION, V4, chain, greeting, hello, leaf, listening, offers, upgrade


def run(*seen: Observation, label: str = "", days: int = 0) -> Run:
    return Run(Seen(seen), NOW - timedelta(days=days), label)


def failures(here: Run, there: Run) -> dict[str, Finding]:
    found = compare(here, there, now=NOW)
    return {f"{f.control}/{f.check}": f for f in found if f.outcome is Outcome.FAIL}


GOOD: tuple[Observation, ...] = (
    *listening(SUBMISSION),
    greeting(SUBMISSION),
    upgrade(SUBMISSION),
    chain(SUBMISSION),
    hello(SUBMISSION, "x"),
)


def test_the_same_from_both_places_is_no_failure() -> None:
    found = compare(run(*GOOD), run(*GOOD, label="cafe"), now=NOW)
    assert {f.outcome for f in found} <= {Outcome.PASS, Outcome.UNKNOWN}
    assert ("same-starttls", Outcome.PASS) in {(f.check, f.outcome) for f in found}
    assert all(f.control != "GP-FW-001" for f in found)


def test_starttls_that_is_gone_on_one_path_was_stripped() -> None:
    gone: tuple[Observation, ...] = (
        *listening(SUBMISSION),
        greeting(SUBMISSION),
        upgrade(SUBMISSION, offered=False, accepted=False),
    )
    found = failures(run(*GOOD), run(*gone, label="cafe"))["GP-STLS-007/same-starttls"]
    assert found.severity is Severity.CRITICAL
    assert "offered here, and not from cafe" in found.because
    assert found.subject == SUBMISSION.place
    mx: tuple[Observation, ...] = (*listening(MX), upgrade(MX))
    lost: tuple[Observation, ...] = (*listening(MX), upgrade(MX, offered=False, accepted=False))
    assert failures(run(*lost), run(*mx))["GP-STLS-007/same-starttls"].severity is Severity.HIGH


def test_another_issuer_smells_of_interception_and_the_same_one_of_renewal() -> None:
    renewed = failures(run(*listening(MX), chain(MX)), run(*listening(MX), chain(MX, leaf(sha256="c1"))))
    swapped = failures(
        run(*listening(MX), chain(MX)), run(*listening(MX), chain(MX, leaf(sha256="c1", issuer="CN=Box")))
    )
    name = "GP-CERT-004/same-certificate-from-elsewhere"
    assert (renewed[name].severity, swapped[name].severity) == (Severity.MEDIUM, Severity.CRITICAL)
    assert "intercepted?" in swapped[name].because


def test_a_port_that_answers_one_of_the_two_is_filtered_unless_our_own_limit_kept_us_out() -> None:
    here = run(*listening(IMAPS))
    assert "refuses the connection" in failures(here, run(Closed(IMAPS, "refused")))["GP-FW-001/same-port-open"].because
    limited = run(Unobserved(IMAPS, "connection", Reason.BUDGET, "18 connections"))
    assert not failures(here, limited)
    silent = run(Unobserved(IMAPS, "connection", Reason.FILTERED, "no answer"))
    assert "here gives no answer" in failures(silent, here)["GP-FW-001/same-port-open"].because


def test_capabilities_and_versions_are_compared() -> None:
    here = run(*listening(MX), offers(MX, "PIPELINING", "AUTH PLAIN", "SIZE 1"), hello(MX, "x", version="TLSv1.2"))
    there = run(*listening(MX), offers(MX, "PIPELINING", "SIZE 2"), hello(MX, "y", version="TLSv1.2"),
                hello(MX, "z", version="TLSv1.0"))  # fmt: skip
    assert "only here: AUTH PLAIN" in failures(here, there)["GP-STLS-007/same-capabilities"].because
    asked = run(*listening(MX), hello(MX, "x"), hello(MX, "tls1.1-and-below", "alert:protocol_version"))
    assert "TLSv1.0" in failures(asked, there)["GP-TLS-015/same-versions-from-elsewhere"].because
    assert "GP-TLS-015/same-versions-from-elsewhere" not in failures(here, there)  # not asked for from here


def test_a_look_from_the_host_itself_proves_no_stripping() -> None:
    near = run(Vantage(MX, V4), *listening(MX), offers(MX, "AUTH PLAIN"))
    assert not failures(near, run(*listening(MX), offers(MX, "SIZE")))


def test_runs_without_a_common_endpoint_and_old_runs_say_so() -> None:
    apart = compare(run(*listening(MX)), run(*listening(IMAPS), label="cafe"), now=NOW)
    assert [(f.outcome, "no endpoint in common" in f.because) for f in apart] == [(Outcome.UNKNOWN, True)]
    old = compare(run(*GOOD), run(*GOOD, days=9), now=NOW)
    assert any("9 days old" in f.because for f in old)


def test_nothing_seen_is_nothing_said() -> None:
    assert all(f.outcome is Outcome.UNKNOWN for f in compare(run(), run(), now=NOW))
