"""MX and SRV rows become what the world is told, and what is wrong with where mail goes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Presence, Security
from gatepost.model.domain import Exchanger, MxSeen
from gatepost.model.observation import Advertised, Unobserved
from gatepost.model.words import Mode, Reason
from gatepost.records import mx, srv
from tests.zone import BOGUS, SERVFAIL, TIMEOUT, Zone

AT = Endpoint("example.org")
V4, V6 = "8.8.4.25", "2a00:1450:4000::25"  # public, or they would be a problem of their own


def test_exchangers_in_order_of_preference() -> None:
    rows = ((20, "mx2.example.org."), (10, "MX1.example.org."))
    assert mx.exchangers("example.org", rows) == (
        Advertised(AT, "mx", "smtp", "mx1.example.org", 25, Mode.STARTTLS, 10),
        Advertised(AT, "mx", "smtp", "mx2.example.org", 25, Mode.STARTTLS, 20),
    )


def test_null_mx() -> None:
    assert mx.refuses_mail([(0, ".")])
    assert not mx.refuses_mail([])
    assert not mx.refuses_mail([(0, "."), (10, "mx1.example.org.")])
    assert mx.exchangers("example.org", [(0, ".")]) == ()


def test_labels_of_the_catalogue() -> None:
    assert srv.labels() == {
        "_imap._tcp": "imap",
        "_imaps._tcp": "imaps",
        "_pop3._tcp": "pop3",
        "_pop3s._tcp": "pop3s",
        "_sieve._tcp": "managesieve",
        "_submission._tcp": "submission",
        "_submissions._tcp": "submissions",
    }


def test_services_best_first() -> None:
    rows = ((10, 0, 993, "b.example.org."), (10, 9, 1993, "a.example.org."), (0, 0, 993, "C.example.org."))
    found = srv.services("example.org", "imaps", rows)
    assert [(one.target, one.port) for one in found] == [
        ("c.example.org", 993),
        ("a.example.org", 1993),
        ("b.example.org", 993),
    ]
    assert found[0] == Advertised(AT, "srv", "imaps", "c.example.org", 993, Mode.IMPLICIT, 0)


@pytest.mark.parametrize("row", [(0, 0, 0, "."), (0, 0, 993, "."), (0, 0, 0, "imap.example.org.")])
def test_service_not_offered(row: srv.Row) -> None:
    assert srv.services("example.org", "imaps", [row]) == ()


Records = Mapping[str, list[str]]
Trouble = Mapping[str, tuple[Reason, str]]


def look(records: Records, trouble: Trouble | None = None) -> MxSeen:
    seen = asyncio.run(mx.inspect("example.org", Zone(records, trouble)))
    assert isinstance(seen, MxSeen)
    return seen


def mail(*values: str, more: Records | None = None) -> MxSeen:
    return look({"example.org MX": list(values), "mx1.example.org A": [V4], **(more or {})})


def test_everything_in_order() -> None:
    records = {"mx1.example.org AAAA": [V6], "mx2.example.org A": [V4]}
    seen = mail("20 mx2.example.org", "10 MX1.example.org.", more=records)
    assert seen == MxSeen(
        AT,
        Presence.PRESENT,
        (
            Exchanger(10, "mx1.example.org", (V4, V6), security=Security.INSECURE),
            Exchanger(20, "mx2.example.org", (V4,), security=Security.INSECURE),
        ),
        security=Security.INSECURE,
    )


def test_equal_preferences_and_a_host_named_twice_are_fine() -> None:
    zone = Zone({"example.org MX": ["10 mx1.example.org", "20 mx1.example.org"], "mx1.example.org A": [V4]})
    seen = asyncio.run(mx.inspect("example.org", zone))
    assert isinstance(seen, MxSeen)
    assert [one.preference for one in seen.exchangers] == [10, 20]
    assert seen.problems == ()
    assert zone.asked.count("mx1.example.org A") == 1


def test_null_mx_alone() -> None:
    seen = mail("0 .")
    assert (seen.presence, seen.null, seen.exchangers, seen.problems) == (Presence.PRESENT, True, (), ())


def test_null_mx_beside_others() -> None:
    seen = mail("0 .", "10 mx1.example.org")
    assert (seen.null, len(seen.exchangers)) == (False, 1)
    assert seen.problems == ("a null MX stands beside other records: it has to be the only one",)


def test_without_mx_the_own_address_counts() -> None:
    seen = look({"example.org A": [V4], "example.org AAAA": [V6]})
    assert (seen.presence, seen.own_addresses, seen.exchangers, seen.problems) == (Presence.EMPTY, (V4, V6), (), ())


def test_without_mx_and_address() -> None:
    seen = look({"example.org TXT": ["hello"]})
    assert (seen.presence, seen.own_addresses) == (Presence.EMPTY, ())


def test_a_domain_that_does_not_exist() -> None:
    zone = Zone({})
    seen = asyncio.run(mx.inspect("example.org", zone))
    assert isinstance(seen, MxSeen)
    assert (seen.presence, zone.asked) == (Presence.ABSENT, ["example.org MX"])


def test_own_address_nobody_can_reach() -> None:
    seen = look({"example.org A": ["10.0.0.1"]})
    assert seen.problems == ("its own address 10.0.0.1 is a private one: the internet cannot reach it",)


@pytest.mark.parametrize("trouble", [TIMEOUT, BOGUS, SERVFAIL])
@pytest.mark.parametrize("where", ["example.org mx", "example.org"])
def test_a_question_that_fails_is_no_absence(where: str, trouble: tuple[Reason, str]) -> None:
    found = asyncio.run(mx.inspect("example.org", Zone({"example.org TXT": ["hello"]}, {where: trouble})))
    assert found == Unobserved(AT, "mx", *trouble)


def test_own_address_that_cannot_be_asked_is_no_absence() -> None:
    found = asyncio.run(mx.inspect("example.org", Zone({"example.org TXT": ["x"]}, {"example.org aaaa": TIMEOUT})))
    assert found == Unobserved(AT, "mx", *TIMEOUT)


def test_a_family_that_cannot_be_asked_is_told_and_no_problem() -> None:
    zone: Records = {"example.org MX": ["10 mx1.example.org"], "mx1.example.org A": [V4]}
    one = look(zone, {"mx1.example.org aaaa": TIMEOUT})
    assert (one.exchangers[0].addresses, one.exchangers[0].trouble) == ((V4,), (f"AAAA: {TIMEOUT[1]}",))
    assert (one.exchangers[0].security, one.problems) == (Security.UNKNOWN, ())
    none = look(zone, {"mx1.example.org": BOGUS})
    assert (none.exchangers[0].addresses, none.exchangers[0].security) == ((), Security.BOGUS)
    assert none.problems == ()


@pytest.mark.parametrize(
    ("value", "more", "words"),
    [
        ("10 mx9.example.org", {}, "mx9.example.org has no address"),
        ("10 alias.example.org", {"alias.example.org CNAME": ["mx1.example.org"]}, "is an alias of mx1.example.org"),
        ("10 192.0.2.25", {}, "'192.0.2.25' is an address"),
        ("10 [192.0.2.25]", {}, "is an address"),
        ("10 2001:db8::1", {}, "is an address"),
        ("10 [IPv6:2001:db8::1]", {}, "is an address"),
        ("10 mx_1.example.org", {}, "is no host name"),
        ("10 -mx.example.org", {}, "is no host name"),
        ("10 a..example.org", {}, "is no host name"),
        ("10 " + "a." * 130 + "org", {}, "is no host name"),
        ("mx1.example.org", {}, "is no MX record"),
        ("70000 mx1.example.org", {}, "is no MX record"),
        ("10 mx2.example.org", {"mx2.example.org A": ["10.0.0.1"]}, "has the private address 10.0.0.1"),
        ("10 mx2.example.org", {"mx2.example.org A": ["127.0.0.1"]}, "has the loopback address"),
        ("10 mx2.example.org", {"mx2.example.org A": ["192.0.2.1"]}, "has the documentation address"),
        ("10 mx2.example.org", {"mx2.example.org A": ["169.254.1.1"]}, "has the link-local address"),
        ("10 mx2.example.org", {"mx2.example.org A": ["100.64.0.1"]}, "has the shared address"),
        ("10 mx2.example.org", {"mx2.example.org A": ["0.0.0.0"]}, "has the unspecified address"),
        ("10 mx2.example.org", {"mx2.example.org A": ["224.0.0.1"]}, "has the multicast address"),
        ("10 mx2.example.org", {"mx2.example.org A": ["240.0.0.1"]}, "has the reserved address"),
        ("10 mx2.example.org", {"mx2.example.org AAAA": ["::1"]}, "has the loopback address"),
        ("10 mx2.example.org", {"mx2.example.org AAAA": ["fd00::1"]}, "has the private address"),
        ("10 mx2.example.org", {"mx2.example.org AAAA": ["fe80::1"]}, "has the link-local address"),
        ("10 mx2.example.org", {"mx2.example.org AAAA": ["2001:db8::1"]}, "has the documentation address"),
        ("10 mx2.example.org", {"mx2.example.org AAAA": ["::ffff:10.0.0.1"]}, "has the private address"),
    ],
)
def test_what_is_wrong(value: str, more: Records, words: str) -> None:
    seen = mail(value, more=more)
    assert len(seen.problems) == 1
    assert words in seen.problems[0]


def test_alias_keeps_its_addresses() -> None:
    seen = mail("10 alias.example.org", more={"alias.example.org CNAME": ["mx1.example.org"]})
    assert seen.exchangers[0] == Exchanger(
        10, "alias.example.org", (V4,), ("mx1.example.org",), security=Security.INSECURE
    )


def test_a_crowd_is_cut() -> None:
    zone = Zone({"example.org MX": [f"{n} m{n}.example.org" for n in range(60)]})
    seen = asyncio.run(mx.inspect("example.org", zone))
    assert isinstance(seen, MxSeen)
    assert len(seen.exchangers) == 50
    assert seen.problems[0] == "60 exchangers, of which the first 50 were looked at"
    assert len(zone.asked) == 101


@given(st.lists(st.text(max_size=40) | st.text("0123456789. abx:[]", max_size=20), min_size=1, max_size=5))
def test_any_records(values: list[str]) -> None:
    seen = look({"example.org MX": values})
    assert seen.exchangers or seen.null or seen.problems
    assert all(one.isprintable() for one in seen.problems)


@given(st.lists(st.tuples(st.integers(0, 65535), st.from_regex(r"[a-z]{1,9}(\.[a-z]{1,9}){0,2}", fullmatch=True))))
def test_read_gives_what_was_rendered(rows: list[tuple[int, str]]) -> None:
    assert mx.read(f"{preference} {target}" for preference, target in rows) == (sorted(set(rows)), [])
