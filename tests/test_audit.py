"""The audit story: which endpoints are looked at, and what the run says about itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gatepost.audit import doubtful, errands, notes, nothing_but_failures, nothing_seen, plans
from gatepost.catalogue.presumption import presumed
from gatepost.model.architecture import Architecture, Domain, Endpoint, Host, Selector, Service
from gatepost.model.dns import Answer, Presence, Security
from gatepost.model.observation import Closed, Identified, Listening, Observation, Run, Seen, Unobserved, Vantage
from gatepost.model.words import Mode, Reason, Role
from gatepost.records.plans import DomainPlan

NOW = datetime(2026, 11, 24, tzinfo=UTC)
HOST = Host(
    "mx.test",
    ("192.0.2.5", "2001:db8::5"),
    (
        Service("smtp", 25, "smtp", Role.MX, Mode.STARTTLS),
        Service("imaps", 993, "imap", Role.ACCESS, Mode.IMPLICIT),
    ),
)


def run(*seen: Observation) -> Run:
    return Run(Seen(seen), NOW)


def test_each_address_is_looked_at_on_its_own() -> None:
    todo = errands([HOST])
    surveyed = [(e.at.address, e.at.port) for e in todo if not e.sweep]
    assert surveyed == [("192.0.2.5", 25), ("192.0.2.5", 993), ("2001:db8::5", 25), ("2001:db8::5", 993)]


def test_every_other_port_of_the_catalogue_is_swept() -> None:
    swept = {e.at.port for e in errands([HOST]) if e.sweep}
    assert {110, 143, 465, 587, 2525, 4190, 10025, 6379} <= swept
    assert not swept & {25, 993}
    assert 512 not in swept  # biff is UDP


def test_without_a_sweep_only_services_are_looked_at() -> None:
    assert {e.at.port for e in errands([HOST], sweep=False)} == {25, 993}


def test_a_list_of_ports_limits_the_look_and_may_name_any_number() -> None:
    todo = errands([HOST], only=frozenset({25, 8026}))
    assert [(e.at.port, e.sweep) for e in todo if e.at.family == 4] == [(25, False), (8026, True)]


def test_what_is_presumed_follows_the_dialogue_not_the_number() -> None:
    at = Endpoint("mx.test", "192.0.2.5", 8025)
    smtp = presumed(8025, Identified(at, "smtp", Mode.STARTTLS, "220 hello"))
    assert (smtp.protocol, smtp.role, smtp.mode, smtp.declared) == ("smtp", Role.SUBMISSION, Mode.STARTTLS, False)
    imap = presumed(993, Identified(at, "imap", Mode.STARTTLS, "* OK"))
    assert (imap.name, imap.mode) == ("imaps", Mode.STARTTLS)
    assert presumed(465).name == "submissions"
    assert presumed(54321).name == "port-54321"


def test_a_run_from_the_host_itself_says_so() -> None:
    at = Endpoint("mx.test", "192.0.2.5", 143)
    assert "same address" in notes(run(Vantage(at, "192.0.2.5")))[0]
    assert notes(run(Vantage(at, "192.0.2.9"))) == ()


def test_limits_are_named() -> None:
    at = Endpoint("mx.test", "192.0.2.5", 25)
    (note,) = notes(run(Unobserved(at, "tls:forbidden", Reason.LIMITED, "421 too many")))
    assert "mx.test:25" in note


def test_a_refusal_is_an_answer_and_silence_is_not() -> None:
    todo = errands([HOST], only=frozenset({25}))
    at = todo[0].at
    assert nothing_seen(run(Unobserved(at, "connection", Reason.FILTERED, "no answer")), todo)
    assert nothing_seen(run(Listening(at), Identified(at, "silent", Mode.NONE, "")), todo)
    assert not nothing_seen(run(Closed(at, "connection refused")), todo)


SENDER = Host("mx1.example.org", ("192.0.2.5", "2001:db8::5"), (presumed(25), presumed(993)))
LMTP = Host("store.example.org", ("192.0.2.9",), (presumed(24),))


def planned(domain: Domain | None, *, mine: bool = False) -> DomainPlan:
    architecture = Architecture(hosts=(SENDER, LMTP), domains=(domain,) if domain else ())
    ((found,), _) = plans(["example.org"], (SENDER,), architecture, mine=mine)
    return found


def test_ports_that_serve_certificates_to_others_may_be_pinned() -> None:
    _, hosts = plans([], (SENDER, LMTP), Architecture(), mine=False)
    assert [(h.name, h.ports, h.addresses) for h in hosts] == [
        ("mx1.example.org", (25, 993), SENDER.addresses),
        ("store.example.org", (), LMTP.addresses),
    ]


def test_a_strangers_exchanger_is_not_held_to_be_a_sender() -> None:
    assert planned(None).senders == ()
    assert planned(None, mine=True).senders == SENDER.addresses


def test_without_declared_senders_the_own_exchangers_send() -> None:
    plan = planned(Domain("example.org", ("mx1.example.org", "mx.elsewhere.net"), dkim=(Selector("s1"),)))
    assert (plan.senders, plan.egress, plan.selectors) == (SENDER.addresses, (), ("s1",))


def test_declared_senders_are_hosts_addresses_and_the_ends_of_networks() -> None:
    plan = planned(Domain("example.org", senders=("store.example.org", "198.51.100.0/30", "192.0.2.5", "gone.example")))
    assert plan.senders == ("192.0.2.9", "198.51.100.0", "198.51.100.3", "192.0.2.5")
    assert plan.egress == ("192.0.2.9", "198.51.100.0", "198.51.100.3")  # the host of 192.0.2.5 is looked at anyway


def test_a_parked_domain_has_no_senders() -> None:
    plan = planned(Domain("example.org", ("mx1.example.org",), sends=False, dkim=(Selector("old"),)), mine=True)
    assert (plan.senders, plan.selectors) == ((), ("old",))


@pytest.mark.parametrize(
    ("told", "nothing", "doubt"),
    [
        ((), True, False),
        ((Unobserved(Endpoint("example.org"), "spf", Reason.TIMEOUT, "silent"),), True, False),
        ((Answer(Endpoint("example.org"), "MX", Presence.FAILED, reason=Reason.TIMEOUT),), True, False),
        ((Answer(Endpoint("example.org"), "MX", Presence.FAILED, security=Security.BOGUS),), False, False),
        ((Answer(Endpoint("example.org"), "MX", Presence.ABSENT, security=Security.SECURE),), False, False),
        ((Answer(Endpoint("example.org"), "MX", Presence.PRESENT),), False, True),
        ((Answer(Endpoint("5.2.0.192.in-addr.arpa"), "PTR", Presence.PRESENT),), False, False),
    ],
)
def test_silence_bogus_and_doubt_are_told_apart(told: tuple[Observation, ...], *, nothing: bool, doubt: bool) -> None:
    assert nothing_but_failures(told) is nothing
    assert doubtful(told, ["example.org"]) is doubt
