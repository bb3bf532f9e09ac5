"""Listeners nobody declared: what is closed, what is bound to the host, what waits for the operator."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from gatepost.enforce import Wishes
from gatepost.model.architecture import Host, Service
from gatepost.model.host import SocketSeen
from gatepost.model.plan import Kind
from gatepost.model.words import Mode, Role
from tests.enforcement.house import AT, NAME, House, acts, written

INSISTING = Wishes(close_legacy=True)


def house(*services: str, declared: tuple[str, ...] = ("smtp",), **listeners: int) -> House:
    named = {f"{name.replace('_', '-')}-login/{_protocol(name, port)}": port for name, port in listeners.items()}
    return House({}, {f"{name}/inet": {} for name in services}, listeners=named, declared=declared)


def _protocol(name: str, port: int) -> str:
    return f"{name}s" if port in {993, 995} else name


@pytest.mark.parametrize(
    ("service", "closes_by_itself", "closes_when_told"),
    [
        ("submissions", True, True),  # TLS from the first byte: nobody can be talked out of it
        ("submission", False, True),
        ("2525", False, True),
        ("2465", True, True),
        ("24", False, False),  # unknown what runs there
        ("smtp", False, False),  # mail arrives here
    ],
)
def test_postfix_services(service: str, closes_by_itself: bool, closes_when_told: bool) -> None:  # noqa: FBT001 - a table
    one = house(service, declared=("imaps",))
    closing = [f"M# {service}/inet"]
    assert (acts(one.plan()) == closing) is closes_by_itself
    assert (acts(one.plan(INSISTING)) == closing) is closes_when_told
    if not closes_by_itself and not closes_when_told and service == "smtp":
        assert [step.by_hand for step in one.plan(INSISTING).steps] == [True]


def test_declared_services_are_kept() -> None:
    one = house("submission", "smtp", declared=("smtp", "submission"))
    assert [step for step in one.plan(INSISTING).steps if step.kind is Kind.SERVICE] == []


def test_reinjection_listens_on_this_host_alone() -> None:
    one = house("10025")
    assert acts(one.plan()) == ["F 10025/inet/service=127.0.0.1:10025"]
    assert acts(one.done(one.plan()).plan()) == []
    peers = replace(one, host=Host(NAME, ("192.0.2.5",), (), peers=("office",)))
    assert acts(peers.plan()) == []
    assert [step.key for step in peers.plan().steps if step.by_hand] == ["service:/etc/postfix:10025/inet"]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_what_only_this_host_reaches_is_no_stray(address: str) -> None:
    bound = House({}, {f"{address}:submissions/inet": {}}, declared=("smtp",))
    assert bound.plan(INSISTING).steps == ()
    seen = replace(house("submissions"), more=(SocketSeen(AT, address, 465, 6 if ":" in address else 4),))
    assert acts(seen.plan(INSISTING)) == []


def test_dovecot_listeners_are_closed_in_its_file() -> None:
    one = house(declared=("imaps",), pop3=995, imap=143)
    assert written(one.plan()) == {"service pop3-login/inet_listener pop3s/port": "0"}
    both = one.plan(INSISTING)
    assert written(both) == {
        "service pop3-login/inet_listener pop3s/port": "0", "service imap-login/inet_listener imap/port": "0",
    }  # fmt: skip
    assert one.done(both).plan(INSISTING).doing == ()
    waiting = [step for step in one.plan().steps if step.kind is Kind.SERVICE]
    assert [step.title for step in waiting] == ["decide about imap (143)"]
    assert "--close-legacy" in waiting[0].why


def test_of_the_ports_in_question_only() -> None:
    one = house(declared=("imaps",), pop3=995, imap=143)
    narrow = replace(INSISTING, ports=frozenset({143}))
    assert written(one.plan(narrow)) == {"service imap-login/inet_listener imap/port": "0"}


def test_a_service_past_its_end_waits_too() -> None:
    late = Service("imap", 143, "imap", Role.ACCESS, Mode.STARTTLS, until=date(2026, 11, 23), line=12)
    one = replace(house(declared=(), imap=143), host=Host(NAME, ("192.0.2.5",), (late,)))
    assert written(one.plan()) == {}
    assert any("Declared until 2026-11-23, which is over (line 12)." in step.why for step in one.plan().steps)
    assert written(one.plan(INSISTING)) == {"service imap-login/inet_listener imap/port": "0"}
    today = replace(one, host=Host(NAME, ("192.0.2.5",), (replace(late, until=date(2026, 11, 24)),)))
    assert written(today.plan(INSISTING)) == {}


def test_closing_ends_all_that_is_said_of_the_port() -> None:
    one = house(declared=("imaps",), pop3=995)
    about = {f.id for f in one.audit().findings if f.open and f.subject.endswith(":995")}
    assert about
    assert set(one.plan().doing[0].promises) == about
