"""From a run to findings: roles, grouping, waivers, remedies, order."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from gatepost import catalogue
from gatepost.catalogue.controls import controls
from gatepost.catalogue.presumption import presumed
from gatepost.catalogue.remedies import remedy
from gatepost.checks import CHECKS, FROM_DNS
from gatepost.checks.case import Case, check
from gatepost.checks.domain_seen import NOT_ASKED
from gatepost.checks.judge import judge, ruled
from gatepost.model.architecture import Architecture, Endpoint, Host, Service, Waiver
from gatepost.model.dns import Security
from gatepost.model.finding import Finding, Verdict
from gatepost.model.observation import Closed, Identified, Observation, Run, Seen
from gatepost.model.words import Mode, Outcome, Role, Severity
from tests.checks.cases import (
    IMAPS,
    MX,
    NAME,
    NOW,
    STRICT_DOMAIN,
    SUBMISSION,
    SUBMISSIONS,
    V6,
    at,
    case,
    chain,
    greeting,
    hello,
    leaf,
    listening,
    lost,
    refused,
    service,
    shake,
    upgrade,
)
from tests.checks.domain_cases import (
    NO_DMARC,
    NO_RPT,
    NO_SPF,
    NO_STS,
    caa,
    dmarc,
    mx,
    pin,
    reverse,
    rpt,
    spf,
    sts,
    tlsa,
)

TLS10 = {"version": "TLSv1.0", "suite": "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"}
POSTFIX: dict[str, Any] = {"software": "Postfix"}
PINNED = tlsa(pin("c1" * 32, matching=1))
UNPINNED = replace(PINNED, security=Security.INSECURE)
DECLARED = Host(NAME, ("192.0.2.5",), (service(25), service(465), service(587)))


def judged(*seen: Observation, architecture: Architecture | None = None, **options: Any) -> tuple[Finding, ...]:
    facts = Seen(seen)
    known: dict[Endpoint, Service] = options.get("services") or {o: presumed(o.port) for o in facts.endpoints()}
    return judge(
        Run(facts, NOW),
        architecture or Architecture(),
        catalogue.profile("rfc9325"),
        services=known,
        now=NOW,
        mine=options.get("mine", True),
    )


def of_check(findings: tuple[Finding, ...], name: str, outcome: Outcome = Outcome.FAIL) -> list[Finding]:
    return [f for f in findings if f.check == name and f.outcome is outcome]


def old(*ats: Endpoint) -> tuple[Observation, ...]:
    spoken = (hello(one, "tls1.1-and-below", **TLS10) for one in ats)
    return (*listening(*ats), *spoken)


def waiver(subject: str, expires: date = date(2027, 1, 31)) -> Waiver:
    return Waiver("GP-TLS-002", subject, "postmaster", "old scanners", expires, line=9)


def test_one_cause_at_several_ports_is_one_finding_with_its_places() -> None:
    found = of_check(judged(*old(SUBMISSION, SUBMISSIONS)), "old-tls-refused")
    assert [(f.subject, f.places) for f in found] == [
        (f"{NAME}: 465, 587", (f"{NAME}:465 (192.0.2.5)", f"{NAME}:587 (192.0.2.5)"))
    ]


def test_the_role_decides_which_control_and_how_hard() -> None:
    found = judged(*old(MX, SUBMISSION))
    users, strangers = of_check(found, "old-tls-refused"), of_check(found, "old-tls-refused-by-the-mx")
    assert [(f.control, f.severity, f.role) for f in users] == [("GP-TLS-002", Severity.HIGH, Role.SUBMISSION)]
    assert [(f.control, f.severity, f.role) for f in strangers] == [("GP-TLS-003", Severity.MEDIUM, Role.MX)]


def test_the_remedy_is_that_of_the_server_and_of_the_port() -> None:
    facts = (*old(MX, SUBMISSION), greeting(MX, **POSTFIX), greeting(SUBMISSION, **POSTFIX))
    found = judged(*facts)
    assert of_check(found, "old-tls-refused")[0].remedy.startswith("Postfix: smtpd_tls_mandatory_protocols")
    assert of_check(found, "old-tls-refused-by-the-mx")[0].remedy.startswith("Postfix: smtpd_tls_protocols")


def test_ipv4_and_ipv6_that_differ_are_told_apart_by_id() -> None:
    found = judged(*old(SUBMISSION), *listening(at(587, V6)), *refused(at(587, V6), "tls1.1-and-below"))
    ids = [f.id for f in found]
    assert len(ids) == len(set(ids))
    assert of_check(found, "old-tls-refused")[0].subject == f"{NAME}:587 (192.0.2.5)"
    assert of_check(found, "old-tls-refused", Outcome.PASS)[0].subject == f"{NAME}:587 ({V6})"


@pytest.mark.parametrize("subject", [SUBMISSION.place, NAME, "*", "example.org"])
def test_a_waiver_covers_a_place_a_host_a_domain_or_everything(subject: str) -> None:
    architecture = Architecture(waivers=(waiver(subject),), domains=(STRICT_DOMAIN,), source="gatepost.toml")
    found = of_check(judged(*old(SUBMISSION), architecture=architecture), "old-tls-refused")
    assert [(f.open, f.waiver is not None) for f in found] == [(False, True)]


def test_a_waiver_covers_only_what_it_names() -> None:
    architecture = Architecture(waivers=(waiver(SUBMISSION.place),))
    found = of_check(judged(*old(SUBMISSION, SUBMISSIONS), architecture=architecture), "old-tls-refused")
    assert {f.subject: f.open for f in found} == {SUBMISSION.place: False, SUBMISSIONS.place: True}


def test_an_expired_waiver_does_not_count_and_is_a_finding_itself() -> None:
    architecture = Architecture(waivers=(waiver("*", date(2026, 11, 23)),), source="gatepost.toml")
    found = judged(*old(SUBMISSION), architecture=architecture)
    assert of_check(found, "old-tls-refused")[0].open
    gone = [f for f in found if f.control == "GP-GOV-002"]
    assert [(f.outcome, "ended on 2026-11-23" in f.because) for f in gone] == [(Outcome.FAIL, True)]
    assert "gatepost.toml:9" in gone[0].remedy


def test_a_waiver_runs_to_the_end_of_its_last_day() -> None:
    architecture = Architecture(waivers=(waiver("*", NOW.date()),))
    assert not of_check(judged(*old(SUBMISSION), architecture=architecture), "old-tls-refused")[0].open


def test_a_judge_that_breaks_says_unknown_and_names_the_defect() -> None:
    @check("GP-TLS-004")
    def broken(case: Case) -> Verdict:
        """It breaks."""
        raise ZeroDivisionError(case.at.host)

    verdict = ruled(broken, case(SUBMISSION))
    assert (verdict.outcome, verdict.because) == (Outcome.UNKNOWN, f"gatepost defect: ZeroDivisionError: {NAME}")


def test_the_severest_comes_first() -> None:
    ranks = [f.severity.rank for f in judged(*old(MX, SUBMISSION), greeting(SUBMISSION), upgrade(SUBMISSION))]
    assert ranks == sorted(ranks, reverse=True)


def test_the_same_run_gives_the_same_findings_in_whatever_order_it_was_seen() -> None:
    facts: tuple[Observation, ...] = (*old(MX, SUBMISSION), greeting(MX), upgrade(MX), chain(MX), shake(SUBMISSION))
    shuffled = judged(*reversed(facts))
    assert [replace(f, evidence=()) for f in judged(*facts)] == [replace(f, evidence=()) for f in shuffled]


def test_what_has_no_judge_is_listed_with_the_witness_it_takes() -> None:
    waiting = {f.control: f.because for f in judged(*old(MX)) if f.check == "manual"}
    assert waiting["GP-CERT-006"] == "needs the host's configuration"
    assert "GP-TLS-001" not in waiting


def test_a_closed_declared_port_fails_and_a_closed_presumed_one_says_nothing() -> None:
    architecture = Architecture(hosts=(DECLARED,), source="gatepost.toml")
    services = {one: service(one.port) for one in (MX, SUBMISSION)}
    found = judged(*listening(MX), Closed(SUBMISSION, "refused"), architecture=architecture, services=services)
    assert [f.subject for f in of_check(found, "declared-port-answers")] == [SUBMISSION.place]
    bare = judged(*listening(MX), Closed(IMAPS, "refused"))
    assert not [f for f in bare if IMAPS.place in f.subject]


def test_what_is_no_mail_service_is_only_asked_whether_it_is_declared() -> None:
    ssh = at(22)
    facts: tuple[Observation, ...] = (*listening(ssh), Identified(ssh, "ssh", Mode.IMPLICIT, "SSH-2.0"))
    architecture = Architecture(hosts=(DECLARED,), source="gatepost.toml")
    found = [f for f in judged(*facts, architecture=architecture) if ssh.place in f.subject]
    assert {f.control[:7] for f in found} == {"GP-PORT"}
    assert [(f.check, f.severity) for f in found if f.outcome is Outcome.FAIL] == [("listener-declared", Severity.LOW)]


def test_an_empty_run_is_all_unknown() -> None:
    found = judged()
    assert {f.outcome for f in found} == {Outcome.UNKNOWN}
    assert {f.check for f in found} == {"manual", "waivers"}


DNS = (mx(), spf(), dmarc(), sts(), rpt(), tlsa(), caa("letsencrypt.org"), reverse("192.0.2.5", NAME))


def test_every_control_of_the_domain_areas_is_judged_or_says_what_it_takes() -> None:
    for found in (judged(*old(MX)), judged(*old(MX), *DNS), judged(*DNS)):
        told = {f.control for f in found}
        wanted = {c.id for c in controls() if c.area in {"dns-identity", "dns-transport"}} - {"GP-DNST-009"}
        assert wanted <= told


def test_what_nobody_asked_dns_about_is_one_line_a_control() -> None:
    unasked = [f for f in judged(*old(MX)) if NOT_ASKED in f.because]
    assert [k for k, n in Counter(f.control for f in unasked).items() if n > 1] == []
    assert {"GP-CERT-007", "GP-DNSID-001", "GP-DNST-005"} <= {f.control for f in unasked}
    assert {f.outcome for f in unasked} == {Outcome.UNKNOWN}


def test_a_domain_is_judged_though_nobody_declared_it() -> None:
    found = judged(replace(spf(), at=Endpoint("other.test")), lost(Endpoint("third.test"), "dmarc"))
    assert {f.subject for f in found if f.check == "one-spf-record"} == {"other.test", "third.test"}


def test_an_exchanger_that_does_not_answer_is_judged_by_its_records() -> None:
    services = {MX: presumed(25)}
    found = of_check(judged(*DNS[:5], UNPINNED, lost(MX, "connection"), services=services), "tlsa-signed")
    assert [(f.subject, f.role) for f in found] == [(NAME, Role.MX)]


def test_a_mismatch_is_told_at_the_port_that_serves_it() -> None:
    found = judged(*listening(MX), chain(MX, leaf(sha256="a1" * 32, spki_sha256="b1" * 32)), mx(), PINNED)
    assert [f.subject for f in of_check(found, "tlsa-matches")] == [MX.place]


def test_what_mends_a_domain_is_said_in_words_for_every_failure() -> None:
    bad = (
        NO_SPF, NO_DMARC, NO_STS, NO_RPT, UNPINNED, caa(), mx(problems=("mx is an alias",)),
        reverse("192.0.2.5", confirmed=False),
    )  # fmt: skip
    services = {MX: presumed(25)}
    failing = [f for f in judged(*bad, services=services) if f.outcome is Outcome.FAIL]
    assert len(failing) > 7
    assert [f.check for f in failing if not f.remedy] == []


def test_every_check_of_dns_has_a_remedy() -> None:
    mute = [
        one.name for one in CHECKS if one.control in FROM_DNS and not remedy(one.control, one.name, "", Role.DOMAIN)
    ]
    assert mute == []
