"""The audit story: which endpoints are looked at, and what the run says about itself."""

from __future__ import annotations

from datetime import UTC, datetime

from gatepost.audit import errands, notes, nothing_seen
from gatepost.catalogue.presumption import presumed
from gatepost.model.architecture import Endpoint, Host, Service
from gatepost.model.observation import Closed, Identified, Listening, Observation, Run, Seen, Unobserved, Vantage
from gatepost.model.words import Mode, Reason, Role

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
