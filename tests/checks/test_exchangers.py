"""Judges of exchangers and of the names of sending addresses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gatepost.checks import exchangers
from gatepost.checks.case import Check
from gatepost.model.architecture import Domain
from gatepost.model.domain import Exchanger, MxSeen
from gatepost.model.observation import Observation
from gatepost.model.words import Outcome, Role, Severity
from gatepost.records.mx import exchanger_problems
from tests.checks.cases import DOMAIN, HOST, IMAPS, MX, NAME, V4, V6, Row, at, greeting, listening, lost, of_row, row
from tests.checks.domain_cases import NO_MX, NULL_MX, ORG, PARKED, mx, reverse

OWN: dict[str, Any] = {"domains": (ORG,), "role": Role.HOST}
BARE: dict[str, Any] = {"role": Role.HOST}
RELAY: tuple[Observation, ...] = (*listening(MX, at(25, V6)), mx())
FOUR, SIX = reverse(V4, NAME), reverse(V6, NAME)
NAMELESS = reverse(V6, confirmed=False)
ASTRAY = reverse(V6, "other.test", confirmed=False, why="other.test leads to 2001:db8::9")
SECOND = "mx2.example.org"


def sender(*senders: str) -> dict[str, Any]:
    return {**OWN, "domains": (replace(ORG, senders=senders),)}


def declared(*names: str, **changes: Any) -> dict[str, Any]:
    return {"domains": (Domain(DOMAIN.host, names, **changes),)}


def ask(where: Any, wanted: str, check: Check, **options: Any) -> tuple[Row, Row]:
    return (
        row(check, where, "unknown", *options.pop("seen", ()), says="DNS was not asked", **options),
        row(check, where, "unknown", lost(where, wanted), says="timeout: nothing came", **options),
    )


def at_addresses(*addresses: str, **changes: Any) -> MxSeen:
    return mx(exchangers=(Exchanger(10, NAME, addresses, **changes),))


ROWS: tuple[Row, ...] = (
    row(exchangers.sending_address_has_its_name, HOST, "pass", *RELAY, FOUR, SIX, **OWN),
    row(exchangers.sending_address_has_its_name, HOST, "fail", *RELAY, FOUR, NAMELESS, says=f"{V6} has no reverse name",
        **OWN),
    row(exchangers.sending_address_has_its_name, HOST, "fail", *RELAY, FOUR, ASTRAY,
        says=f"{V6} is called other.test, which does not lead back (other.test leads to 2001:db8::9)", **OWN),
    row(exchangers.sending_address_has_its_name, HOST, "fail", *RELAY, FOUR, NAMELESS, says="if mail leaves from here",
        **BARE),
    row(exchangers.sending_address_has_its_name, HOST, "fail", *RELAY, FOUR, NAMELESS, **sender(NAME)),
    row(exchangers.sending_address_has_its_name, HOST, "not-applicable", *RELAY, NAMELESS, says="from elsewhere",
        **sender("203.0.113.9")),
    row(exchangers.sending_address_has_its_name, HOST, "not-applicable", *listening(IMAPS), NAMELESS, **BARE),
    row(exchangers.sending_address_has_its_name, HOST, "unknown", *RELAY, FOUR, lost(HOST, f"ptr:{V6}"), says="timeout",
        **OWN),
    *ask(HOST, f"ptr:{V4}", exchangers.sending_address_has_its_name, **OWN),
    row(exchangers.declared_senders_have_names, DOMAIN, "pass", reverse("203.0.113.9", "out.test", at=DOMAIN),
        **declared(NAME)),
    row(exchangers.declared_senders_have_names, DOMAIN, "fail", reverse("203.0.113.9", at=DOMAIN),
        says="203.0.113.9 has no reverse name", **declared(NAME)),
    row(exchangers.declared_senders_have_names, DOMAIN, "not-applicable", reverse("203.0.113.9", at=DOMAIN)),
    row(exchangers.declared_senders_have_names, DOMAIN, "unknown", reverse("203.0.113.9", "out.test", at=DOMAIN),
        lost(DOMAIN, "ptr:203.0.113.10"), says="timeout", **declared(NAME)),
    row(exchangers.declared_senders_have_names, DOMAIN, "not-applicable", mx()),
    *ask(DOMAIN, "ptr:203.0.113.9", exchangers.declared_senders_have_names, **declared(NAME)),
    row(exchangers.greets_with_its_name, MX, "pass", greeting(MX, host=NAME)),
    row(exchangers.greets_with_its_name, MX, "pass", greeting(MX, host="Out.example.org."),
        reverse(V4, NAME, "out.example.org")),
    row(exchangers.greets_with_its_name, MX, "fail", greeting(MX, host="localhost.localdomain"), FOUR,
        says="no name on the internet"),
    row(exchangers.greets_with_its_name, MX, "fail", greeting(MX, host="mail"), FOUR),
    row(exchangers.greets_with_its_name, MX, "fail", greeting(MX, host="other.test"), FOUR,
        says=f"greets as other.test; its address is called {NAME}"),
    row(exchangers.greets_with_its_name, MX, "unknown", greeting(MX, host="other.test"), SIX, says="DNS was not asked"),
    row(exchangers.greets_with_its_name, MX, "unknown", greeting(MX, host="other.test"), lost(HOST, f"ptr:{V4}"),
        says="timeout"),
    row(exchangers.greets_with_its_name, MX, "unknown", lost(MX, "greeting"), says="timeout"),
    row(exchangers.exchangers_can_be_reached, DOMAIN, "pass", mx()),
    row(exchangers.exchangers_can_be_reached, DOMAIN, "fail", mx(problems=(f"{NAME} is an alias of x.test",)),
        says="is an alias"),
    row(exchangers.exchangers_can_be_reached, DOMAIN, "unknown", at_addresses(trouble=("A: timeout",)),
        says=f"{NAME}: A: timeout"),
    row(exchangers.exchangers_can_be_reached, DOMAIN, "not-applicable", NULL_MX),
    row(exchangers.exchangers_can_be_reached, DOMAIN, "not-applicable", NO_MX),
    *ask(DOMAIN, "mx", exchangers.exchangers_can_be_reached),
    row(exchangers.exchangers_have_both_families, DOMAIN, "pass", mx()),
    row(exchangers.exchangers_have_both_families, DOMAIN, "fail", at_addresses(V4), says="no exchanger has an IPv6"),
    row(exchangers.exchangers_have_both_families, DOMAIN, "unknown", at_addresses(V4, trouble=("AAAA: timeout",)),
        says="AAAA: timeout"),
    row(exchangers.exchangers_have_both_families, DOMAIN, "not-applicable", NULL_MX),
    *ask(DOMAIN, "mx", exchangers.exchangers_have_both_families),
    row(exchangers.mx_as_declared, DOMAIN, "pass", mx(NAME, SECOND), **declared(NAME, SECOND)),
    row(exchangers.mx_as_declared, DOMAIN, "fail", mx(NAME, SECOND), says=f"mail also goes to {SECOND}",
        **declared(NAME)),
    row(exchangers.mx_as_declared, DOMAIN, "fail", mx(), says=f"declared and not published: {SECOND}",
        **declared(NAME, SECOND)),
    row(exchangers.mx_as_declared, DOMAIN, "fail", mx(SECOND, NAME), says=f"the most preferred is {SECOND}",
        **declared(NAME, SECOND)),
    row(exchangers.mx_as_declared, DOMAIN, "fail", mx(), says="declared without exchangers", domains=(PARKED,)),
    row(exchangers.mx_as_declared, DOMAIN, "pass", NULL_MX, domains=(PARKED,)),
    row(exchangers.mx_as_declared, DOMAIN, "unknown", mx(), says="nothing is declared"),
    *ask(DOMAIN, "mx", exchangers.mx_as_declared),
)  # fmt: skip


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_row(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because


def severity(check: Check, where: Any, *seen: Observation, **options: Any) -> Severity | None:
    verdict = check.judge(of_row(row(check, where, "fail", *seen, **options)))
    assert verdict.outcome is Outcome.FAIL, verdict
    return verdict.severity


def test_a_strangers_exchanger_may_never_send() -> None:
    seen = (*RELAY, FOUR, NAMELESS)
    assert severity(exchangers.sending_address_has_its_name, HOST, *seen, **OWN) is None
    assert severity(exchangers.sending_address_has_its_name, HOST, *seen, **BARE) is Severity.LOW


def test_a_domain_that_cannot_get_mail_weighs_more_than_one_odd_exchanger() -> None:
    told = ("mx.test has no address",)
    dead = mx(exchangers=(Exchanger(10, "mx.test"),), problems=told)
    half = mx(exchangers=(Exchanger(10, "mx.test"), Exchanger(20, NAME, (V4,))), problems=told)
    assert severity(exchangers.exchangers_can_be_reached, DOMAIN, dead) is Severity.HIGH
    assert severity(exchangers.exchangers_can_be_reached, DOMAIN, half) is Severity.MEDIUM


@pytest.mark.parametrize("address", ["127.0.0.25", "10.0.0.25", "fd00::25"])
def test_an_inner_address_that_answers_is_a_matter_of_where_we_stand(address: str) -> None:
    exchanger = Exchanger(10, NAME, (address,))
    inner = mx(exchangers=(exchanger,), problems=tuple(exchanger_problems(exchanger)))
    implicit = replace(NO_MX, own_addresses=(address,), problems=(f"its own address {address} is a private one",))
    ours = at(25, address)
    assert severity(exchangers.exchangers_can_be_reached, DOMAIN, inner) is Severity.MEDIUM
    for seen, where in ((inner, ours), (implicit, replace(ours, host=DOMAIN.host))):
        for check in (exchangers.exchangers_can_be_reached, exchangers.exchangers_have_both_families):
            one = row(check, DOMAIN, "unknown", seen, *listening(where))
            assert one.check.judge(of_row(one)).because.startswith("vantage: ")


def test_exchangers_of_equal_preference_may_stand_in_any_order() -> None:
    pair = mx(exchangers=(Exchanger(10, SECOND, (V4,)), Exchanger(10, NAME, (V4,))))
    one = row(exchangers.mx_as_declared, DOMAIN, "pass", pair, **declared(NAME, SECOND))
    assert one.check.judge(of_row(one)).outcome is one.outcome
