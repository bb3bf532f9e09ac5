"""The small servers behave as their habits say: seen by the product's own dialogues over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from gatepost.demo.habits import Habits, Injection, Relaying, Starttls, Tls
from gatepost.model.observation import (
    Capabilities,
    Feature,
    Handshake,
    Injected,
    Observation,
    Tried,
    Unobserved,
    Upgrade,
    of,
)
from gatepost.wire.ask import Ask
from gatepost.wire.dialogue import Dialogue
from gatepost.wire.lines import Talk
from gatepost.wire.relay import FORMS, relay
from gatepost.wire.smuggling import smuggle
from tests.demo import visit

SMTP = Habits("smtp")
SUBMISSION = Habits("smtp", submission=True)
IMAP, POP3, SIEVE, LMTP = Habits("imap"), Habits("pop3"), Habits("managesieve"), Habits("lmtp")
ALL = (SMTP, SUBMISSION, IMAP, POP3, SIEVE, LMTP)


def named(habits: Habits) -> str:
    return f"{habits.protocol}{'-submission' if habits.submission else ''}"


def tried(found: list[Observation], what: str) -> bool:
    """Whether the server took it. Fails when it was never tried."""
    return next(one.accepted for one in of(Tried, found) if one.what == what)


@pytest.mark.parametrize("habits", ALL, ids=named)
def test_one_in_order_gives_nothing_away(habits: Habits) -> None:
    found = visit.seen(habits)
    assert not of(Unobserved, found)
    assert [u.accepted for u in of(Upgrade, found)] == [True]
    assert [h.error for h in of(Handshake, found)] == [""]
    assert not [t.what for t in of(Tried, found) if t.accepted and t.what != "mail-before-tls"]
    assert not any(i.happened for i in of(Injected, found))
    assert not of(Capabilities, found)[0].mechanisms()


@pytest.mark.parametrize("habits", [SMTP, SUBMISSION, IMAP, POP3], ids=named)
def test_implicit_tls_needs_no_upgrade(habits: Habits) -> None:
    found = visit.seen(replace(habits, implicit=True))
    assert not of(Unobserved, found)
    assert all(c.encrypted for c in of(Capabilities, found))


@pytest.mark.parametrize("habits", [SMTP, IMAP, POP3, SIEVE, LMTP], ids=named)
def test_commands_are_run_across_the_upgrade_only_by_the_flawed(habits: Habits) -> None:
    for flaw in (Injection.NONE, Injection.COMMAND):
        found = visit.seen(replace(habits, injection=flaw), visit.inject)
        happened = [i.happened for i in of(Injected, found) if i.way == "command"]
        assert happened == [flaw is Injection.COMMAND]


@pytest.mark.parametrize("habits", [SMTP, IMAP, POP3, SIEVE, LMTP], ids=named)
def test_responses_are_carried_across_the_upgrade_only_by_the_flawed(habits: Habits) -> None:
    found = visit.seen(replace(habits, injection=Injection.RESPONSE))
    assert any(i.happened and "injected" in i.detail for i in of(Injected, found) if i.way == "response")


def test_state_survives_the_upgrade_only_at_the_flawed() -> None:
    assert not tried(visit.seen(SMTP), "mail-after-tls")
    assert tried(visit.seen(replace(SMTP, injection=Injection.STATE)), "mail-after-tls")


@pytest.mark.parametrize("habits", [SMTP, IMAP, POP3, SIEVE], ids=named)
def test_an_upgrade_that_is_not_there_is_refused(habits: Habits) -> None:
    (upgrade,) = of(Upgrade, visit.seen(replace(habits, starttls=Starttls.ABSENT)))
    assert (upgrade.offered, upgrade.accepted) == (False, False)


def test_a_mangled_upgrade_shows_its_mask() -> None:
    (upgrade,) = of(Upgrade, visit.seen(replace(SMTP, starttls=Starttls.MANGLED)))
    assert upgrade.mangled == "XXXXXXXA"


@pytest.mark.parametrize(
    ("habits", "what"),
    [(SUBMISSION, "auth-in-clear"), (IMAP, "auth-in-clear"), (POP3, "auth-in-clear"), (SIEVE, "auth-in-clear")],
    ids=["smtp", "imap", "pop3", "managesieve"],
)
def test_a_login_in_clear_is_taken_where_allowed(habits: Habits, what: str) -> None:
    assert tried(visit.seen(replace(habits, login_in_clear=True)), what)


@pytest.mark.parametrize("habits", [SUBMISSION, IMAP, POP3, SIEVE], ids=named)
def test_anonymous_gets_in_where_it_is_offered(habits: Habits) -> None:
    assert tried(visit.seen(replace(habits, mechanisms=("PLAIN", "ANONYMOUS"))), "auth-anonymous")


@pytest.mark.parametrize(
    ("flaw", "what"),
    [
        ({"verifies": True}, "vrfy"),
        ({"verifies": True}, "expn"),
        ({"any_helo": True}, "helo-invalid"),
        ({"xclient": True}, "xclient"),
        ({"starttls_again": True}, "starttls-again"),
    ],
)
def test_smtp_flaws_show(flaw: dict[str, bool], what: str) -> None:
    found = visit.seen(replace(SMTP, **flaw))  # type: ignore[arg-type]  # every flaw here is a boolean
    assert tried(found, what)


def test_strangers_may_send_only_where_taken() -> None:
    assert not tried(visit.seen(SUBMISSION), "mail-before-auth")
    assert tried(visit.seen(replace(SUBMISSION, takes_strangers=True)), "mail-before-auth")


def matrix(habits: Habits) -> set[str]:
    def steps(_dialogue: Dialogue, talk: Talk, ask: Ask) -> AsyncIterator[Observation]:
        return relay(talk, ask, FORMS)

    found = visit.seen(habits, steps)
    assert not [u for u in of(Unobserved, found) if u.wanted == "relay"]
    return {t.what.removeprefix("relay:") for t in of(Tried, found) if t.accepted}


@pytest.mark.parametrize(
    ("kind", "forms"),
    [
        (Relaying.OWN_SENDER, {"own-domain", "own-user", "nobody-sender"}),
        (Relaying.NULL_SENDER, {"null-sender"}),
        (Relaying.PERCENT, {"percent", "percent-bare"}),
        (Relaying.BANG, {"bang", "bang-domain"}),
        (Relaying.QUOTED, {"quoted-domain"}),
        (Relaying.SOURCE_ROUTE, {"source-route"}),
        (Relaying.LITERAL, {"outside-literal"}),
        (Relaying.ALL, {"outside-sender", "null-sender", "uppercase"}),
    ],
)
def test_relays_in_its_form(kind: Relaying, forms: set[str]) -> None:
    assert forms <= matrix(replace(SMTP, relays=frozenset({kind})))


def test_does_not_relay_when_in_order() -> None:
    assert matrix(SMTP) == set()


def ends(habits: Habits, form: str) -> bool:
    def steps(_dialogue: Dialogue, talk: Talk, ask: Ask) -> AsyncIterator[Observation]:
        return smuggle(talk, replace(ask, recipient=f"alice@{habits.domain}"), [form])

    return any(t.accepted for t in of(Tried, visit.seen(habits, steps)))


@pytest.mark.parametrize(
    ("form", "flaw"),
    [
        ("bare-lf", {"bare_lf": True}),
        ("lf-dot-lf", {"bare_lf": True, "smuggled_ends": frozenset({b"\n.\n"})}),
        ("lf-dot-crlf", {"bare_lf": True, "smuggled_ends": frozenset({b"\n.\r\n"})}),
        ("cr-dot-cr", {"smuggled_ends": frozenset({b"\r.\r"})}),
    ],
)
def test_ends_of_data(form: str, flaw: dict[str, object]) -> None:
    assert not ends(SMTP, form)
    assert ends(replace(SMTP, **flaw), form)  # type: ignore[arg-type]  # keywords checked by the dataclass


def test_talking_early_is_punished_unless_believed() -> None:
    assert not tried(visit.seen(SMTP, visit.preamble), "early-talker")
    assert tried(visit.seen(replace(SMTP, hears_early=True), visit.preamble), "early-talker")


def test_renegotiation_is_refused_unless_allowed() -> None:
    for allowed in (False, True):
        found = visit.seen(replace(SMTP, tls=Tls(renegotiation=allowed)), visit.inject)
        (feature,) = [f for f in of(Feature, found) if f.name == "client-renegotiation"]
        assert feature.present is allowed


def test_a_limit_is_said_in_the_greeting() -> None:
    (loss,) = of(Unobserved, visit.seen(replace(SMTP, limit="421 4.7.0 too many connections")))
    assert loss.reason.value == "limited"
