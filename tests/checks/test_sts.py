"""Judges of MTA-STS."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gatepost.checks import sts as judges
from gatepost.checks.case import Check
from gatepost.model.observation import Observation
from gatepost.model.words import Outcome, Reason, Severity
from tests.checks.cases import DOMAIN, MX, NAME, NOW, V6, Row, at, chain, leaf, listening, lost, of_row, row
from tests.checks.domain_cases import (
    DAY,
    INSECURE,
    NO_STS,
    NULL_MX,
    ORG,
    UNSURE,
    dated,
    mx,
    not_fetched,
    pin,
    sts,
    tlsa,
)

SERVED = leaf(sha256="a1" * 32, spki_sha256="b1" * 32)
PINNED = tlsa(pin("b1" * 32, matching=1))
STALE = tlsa(pin("c1" * 32, matching=1))
OTHER_NAME = leaf(sha256="a3" * 32, spki_sha256="b1" * 32, dns_names=("other.test",), common_name=None)
GONE = not_fetched("mta-sts.example.org: 404 Not Found", Reason.REFUSED)
SLOW = not_fetched("mta-sts.example.org does not answer within 15 s", Reason.TIMEOUT)


def declared(**changes: Any) -> dict[str, Any]:
    return {"domains": (replace(ORG, **changes),)}


def none(check: Check) -> tuple[Row, Row]:
    return (
        row(check, DOMAIN, "unknown", says="DNS was not asked"),
        row(check, DOMAIN, "unknown", lost(DOMAIN, "mta-sts"), says="timeout: nothing came"),
    )


def policy(value: str, days: int, **told: Any) -> Observation:
    facts = {"id": "1", "mode": "enforce", "mx": [NAME], "max_age": 604800, **told}
    return dated("mta-sts-policy", value, NOW - days * DAY, **facts)


def shown(where: Any = MX, **changes: Any) -> tuple[Observation, ...]:
    return (*listening(where), chain(where, *changes.pop("certificates", (SERVED,)), **changes))


ROWS: tuple[Row, ...] = (
    row(judges.sts_published, DOMAIN, "pass", sts()),
    row(judges.sts_published, DOMAIN, "fail", NO_STS, mx(), tlsa(), says="neither MTA-STS nor DANE"),
    row(judges.sts_published, DOMAIN, "fail", NO_STS, mx(), PINNED, says="senders that do not validate DANE"),
    row(judges.sts_published, DOMAIN, "fail", NO_STS, mx(), says="whether DANE protects the domain was not seen"),
    row(judges.sts_published, DOMAIN, "fail", NO_STS, mx(), PINNED, says="declared as enforce",
        **declared(mta_sts="enforce")),
    row(judges.sts_published, DOMAIN, "not-applicable", NO_STS, mx(), **declared(mta_sts="none")),
    row(judges.sts_published, DOMAIN, "not-applicable", NO_STS, NULL_MX, says="takes no mail"),
    *none(judges.sts_published),
    row(judges.sts_valid, DOMAIN, "pass", sts()),
    row(judges.sts_valid, DOMAIN, "fail", sts(problems=("record: no usable id=",)), says="record: no usable id="),
    row(judges.sts_valid, DOMAIN, "not-applicable", NO_STS),
    *none(judges.sts_valid),
    row(judges.sts_policy_fetched, DOMAIN, "pass", sts()),
    row(judges.sts_policy_fetched, DOMAIN, "fail", GONE, says="senders get no policy: mta-sts.example.org: 404"),
    row(judges.sts_policy_fetched, DOMAIN, "unknown", SLOW, says="does not answer"),
    row(judges.sts_policy_fetched, DOMAIN, "not-applicable", NO_STS),
    *none(judges.sts_policy_fetched),
    row(judges.sts_enforced, DOMAIN, "pass", sts("enforce")),
    row(judges.sts_enforced, DOMAIN, "pass", sts("none"), says="withdrawn", **declared(mta_sts="none")),
    row(judges.sts_enforced, DOMAIN, "fail", sts("none"), says="as if there were no policy"),
    row(judges.sts_enforced, DOMAIN, "fail", sts("testing"), says="mode testing: senders only report"),
    row(judges.sts_enforced, DOMAIN, "fail", sts("testing"), says="as declared", **declared(mta_sts="testing")),
    row(judges.sts_enforced, DOMAIN, "fail", sts("testing"), says="declared as enforce", **declared(mta_sts="enforce")),
    row(judges.sts_enforced, DOMAIN, "fail", sts("enforce"), says="declared as none, published as enforce",
        **declared(mta_sts="none")),
    row(judges.sts_enforced, DOMAIN, "unknown", SLOW),
    row(judges.sts_enforced, DOMAIN, "not-applicable", GONE),
    *none(judges.sts_enforced),
    row(judges.sts_kept_long_enough, DOMAIN, "pass", sts()),
    row(judges.sts_kept_long_enough, DOMAIN, "fail", sts(max_age=86400), says="cannot be fetched for a day"),
    row(judges.sts_kept_long_enough, DOMAIN, "not-applicable", sts("testing", max_age=3600)),
    *none(judges.sts_kept_long_enough),
    row(judges.sts_change_bumps_id, DOMAIN, "pass", sts(), policy("p0", 90, id="0", mx=["old"]), policy("p1", 30)),
    row(judges.sts_change_bumps_id, DOMAIN, "fail", sts(), policy("p0", 90, mx=["old"]), policy("p1", 30),
        says="changed by 2026-10-25, the id stayed 1"),
    row(judges.sts_change_bumps_id, DOMAIN, "not-applicable", sts(), policy("p0", 90), policy("p1", 30),
        says="no change was seen since 2026-08-26"),
    row(judges.sts_change_bumps_id, DOMAIN, "unknown", sts(), says="--state"),
    *none(judges.sts_change_bumps_id),
    row(judges.sts_covers_every_mx, DOMAIN, "pass", sts("enforce", "*.example.org"), mx()),
    row(judges.sts_covers_every_mx, DOMAIN, "fail", sts(), mx(NAME, "mx2.example.net"),
        says="so senders refuse it: mx2.example.net"),
    row(judges.sts_covers_every_mx, DOMAIN, "fail", sts("enforce", "*.example.org"), mx("a.b.example.org")),
    row(judges.sts_covers_every_mx, DOMAIN, "unknown", sts(), lost(DOMAIN, "mx"), says="timeout"),
    row(judges.sts_covers_every_mx, DOMAIN, "not-applicable", sts("none"), mx()),
    row(judges.sts_covers_every_mx, DOMAIN, "not-applicable", NO_STS, mx()),
    *none(judges.sts_covers_every_mx),
    row(judges.sts_patterns_in_use, DOMAIN, "pass", sts(), mx()),
    row(judges.sts_patterns_in_use, DOMAIN, "fail", sts("enforce", NAME, "old.example.org"), mx(),
        says="old.example.org"),
    *none(judges.sts_patterns_in_use),
    row(judges.sts_certificates_accepted, DOMAIN, "pass", sts(), mx(), *shown()),
    row(judges.sts_certificates_accepted, DOMAIN, "fail", sts(), mx(), *shown(), *shown(at(25, V6), certificates=(
        leaf(not_after=NOW - DAY),), why="expired"), says=f"{NAME}:25 ([{V6}]): expired on 2026-11-23"),
    row(judges.sts_certificates_accepted, DOMAIN, "fail", sts(), mx(), *shown(why="self-signed"), says="self-signed"),
    row(judges.sts_certificates_accepted, DOMAIN, "fail", sts(), mx(), *shown(certificates=(OTHER_NAME,)),
        says=f"does not cover {NAME}"),
    row(judges.sts_certificates_accepted, DOMAIN, "unknown", sts(), mx(NAME, "mx2.example.org"), *shown(),
        says="no certificate seen at mx2.example.org:25"),
    *none(judges.sts_certificates_accepted),
    row(judges.sts_agrees_with_dane, DOMAIN, "pass", sts(), mx(), PINNED, *shown()),
    row(judges.sts_agrees_with_dane, DOMAIN, "fail", sts(), mx(), STALE, *shown(), says="DANE refuses it"),
    row(judges.sts_agrees_with_dane, DOMAIN, "fail", sts(), mx(), PINNED, *shown(why="self-signed"),
        says="MTA-STS does not: not trusted: self-signed"),
    row(judges.sts_agrees_with_dane, DOMAIN, "pass", sts(), mx(), STALE, *shown(why="self-signed")),
    row(judges.sts_agrees_with_dane, DOMAIN, "not-applicable", sts(), mx(), tlsa(), *shown()),
    row(judges.sts_agrees_with_dane, DOMAIN, "not-applicable", sts(), mx(), replace(PINNED, security=INSECURE),
        *shown()),
    row(judges.sts_agrees_with_dane, DOMAIN, "unknown", sts(), mx(), replace(PINNED, security=UNSURE), *shown()),
    *none(judges.sts_agrees_with_dane),
)  # fmt: skip


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_row(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because


def severity(check: Check, *seen: Observation, **options: Any) -> Severity | None:
    verdict = check.judge(of_row(row(check, DOMAIN, "fail", *seen, **options)))
    assert verdict.outcome is Outcome.FAIL, verdict
    return verdict.severity


def test_without_mta_sts_it_matters_whether_dane_protects_the_domain() -> None:
    assert severity(judges.sts_published, NO_STS, mx(), tlsa()) is Severity.MEDIUM
    assert severity(judges.sts_published, NO_STS, mx()) is Severity.MEDIUM
    assert severity(judges.sts_published, NO_STS, mx(), PINNED) is Severity.LOW
    assert severity(judges.sts_published, NO_STS, mx(), PINNED, **declared(mta_sts="testing")) is None


def test_dane_protects_only_when_every_exchanger_has_it() -> None:
    assert severity(judges.sts_published, NO_STS, mx(NAME, "mx2.example.org"), PINNED) is Severity.MEDIUM


def test_a_declared_stage_weighs_less() -> None:
    assert severity(judges.sts_enforced, sts("testing"), **declared(mta_sts="testing")) is Severity.LOW
    assert severity(judges.sts_enforced, sts("testing")) is Severity.MEDIUM
    assert severity(judges.sts_enforced, sts("none")) is None


def test_a_forgotten_exchanger_loses_mail_only_under_enforcement() -> None:
    assert severity(judges.sts_covers_every_mx, sts("enforce"), mx("mx2.test")) is None
    assert severity(judges.sts_covers_every_mx, sts("testing"), mx("mx2.test")) is Severity.MEDIUM


def test_the_remedy_is_a_policy_with_the_exchangers_of_the_domain() -> None:
    one = row(judges.sts_published, DOMAIN, "fail", NO_STS, mx(NAME, "mx2.test"), tlsa())
    assert f"mode: testing\nmx: {NAME}\nmx: mx2.test\n" in one.check.judge(of_row(one)).remedy
