"""One actor is one alert, and nobody who belongs here is shut out."""

from __future__ import annotations

from gatepost.detect.rules import load
from gatepost.edge.watch.history import alerts
from gatepost.model.alert import Alert, Response
from gatepost.model.event import Act, Signal
from gatepost.model.words import Severity
from tests.detect.signals import connection, signal

RULES = load().rules
ATTACKER, HOME = "203.0.113.66", "198.51.100.7"


def told(signals: list[Signal]) -> tuple[Alert, ...]:
    return alerts(connection(signals), RULES)


def guesses(count: int = 12, client: str = ATTACKER, start: float = 0, **fields: object) -> list[Signal]:
    return [signal(start + n, client=client, **({"user": "ann"} | fields)) for n in range(count)]  # type: ignore[arg-type]


def test_one_actor_over_ports_and_hosts_is_one_alert() -> None:
    doors = [("smtp", "mx1"), ("submission", "mx2"), ("imaps", "imap1")]
    found = told([s for n, (service, host) in enumerate(doors) for s in guesses(5, start=n * 60, service=service, host=host)])  # fmt: skip # noqa: E501
    assert len(found) == 1
    alert = found[0]
    assert (alert.clients, alert.users, alert.count) == ((ATTACKER,), ("ann",), 15)
    assert (alert.hosts, alert.services) == (("imap1", "mx1", "mx2"), ("imaps", "smtp", "submission"))
    assert {"brute-address", "one-actor"} <= set(alert.rules)
    assert (alert.response, alert.blockable) == (Response.BLOCK, (ATTACKER,))


def test_campaign_of_many_addresses_is_one_alert_about_accounts() -> None:
    signals = [signal(n * 20, client=f"203.0.{n % 150}.{n % 7 + 1}", user=f"u{n * 7 % 40}") for n in range(600)]
    found = told(signals)
    assert len(found) == 1
    assert len(found[0].clients) == len({s.client for s in signals})
    assert found[0].response in {Response.LOCK, Response.DELAY}
    assert "addresses" in found[0].because


def test_address_where_somebody_logged_in_before_is_not_blocked() -> None:
    found = told([signal(-86400, Act.LOGIN, HOME, "ann"), *guesses(30, HOME)])
    assert found
    assert all(alert.blockable == () and alert.response is not Response.BLOCK for alert in found)
    assert any("ann logged in from there before" in alert.because for alert in found)


def test_gateway_of_an_office_is_not_blocked_for_one_bad_machine() -> None:
    office = [signal(-3600 + n, Act.LOGIN, HOME, f"u{n}") for n in range(20)]
    found = told([*office, *[signal(n, client=HOME, user=f"u{n}") for n in range(40)]])
    assert all(HOME not in alert.blockable for alert in found)


def test_home_of_ipv6_is_the_64() -> None:
    before = signal(-86400, Act.LOGIN, "2001:db8:1:2::1", "ann")
    found = told([before, *guesses(30, "2001:db8:1:2:5:6:7:8")])
    assert found
    assert all(alert.blockable == () for alert in found)


def test_bystander_of_a_campaign_is_not_blocked() -> None:
    attack = [s for n in range(8) for s in guesses(12, f"203.0.113.{n}", n * 30)]
    found = told([*attack, signal(200, client=HOME, user="ann")])
    whole = next(alert for alert in found if HOME in alert.clients)
    assert HOME not in whole.blockable
    assert len(whole.blockable) == 8
    assert whole.response is not Response.BLOCK


def test_own_success_does_not_make_an_attacker_known() -> None:
    spray = [signal(n, client=ATTACKER, user=f"u{n}") for n in range(12)]
    found = told([*spray, signal(60, Act.LOGIN, ATTACKER, "u3"), *[signal(90 + n, client=ATTACKER, user=f"v{n}") for n in range(12)]])  # fmt: skip # noqa: E501
    assert len(found) == 1
    assert found[0].severity is Severity.CRITICAL
    assert (found[0].succeeded, found[0].blockable) == (("u3",), (ATTACKER,))


def test_two_strangers_are_two_alerts() -> None:
    assert len(told([*guesses(12, "203.0.113.66"), *guesses(12, "198.51.100.9", user="bob")])) == 2


def test_days_apart_are_two_alerts_with_ids_that_stay() -> None:
    first, second = guesses(12), guesses(12, start=5 * 86400)
    alone, both = told(first), told([*first, *second])
    brute = [a for a in both if "brute-address" in a.rules]
    assert len(brute) == 2
    assert {a.id for a in alone} <= {a.id for a in both}


def test_accounts_in_clear_are_one_list() -> None:
    found = told([signal(n, Act.CLEAR_LOGIN, f"198.51.100.{n}", f"u{n}") for n in range(40)])
    assert len(found) == 1
    assert len(found[0].users) == 40
    assert "40 accounts (u0, …)" in found[0].because


def test_proofs_are_bounded() -> None:
    found = told(guesses(5000))
    assert len(found[0].proofs) <= 10
    assert found[0].count == 5000


def test_words_of_strangers_stay_words() -> None:
    evil = "'; DROP TABLE signals; -- {count} \x1b[31m"
    found = told(guesses(user=evil))
    assert found[0].users == (evil,)
    assert evil in found[0].because
