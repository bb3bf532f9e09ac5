"""TLSA records: reading them, and where they are looked for when the host is an alias."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.errors import PeerGarbled
from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Answer, Presence, Security, Tlsa
from gatepost.model.domain import TlsaSeen
from gatepost.model.observation import Unobserved
from gatepost.model.words import Reason
from gatepost.records import tlsa
from tests.zone import BOGUS, SERVFAIL, TIMEOUT, Zone

A, B = "ab" * 32, "cd" * 32
HOST, REAL = "mx1.example.org", "real.example.net"
ALIAS = {f"{HOST} CNAME": [REAL], f"{REAL} A": ["192.0.2.25"]}
AT_HOST, AT_REAL = f"_25._tcp.{HOST}", f"_25._tcp.{REAL}"


@dataclass
class Signed:
    """A zone whose names have DNSSEC states of their own; the rest is signed."""

    zone: Zone
    states: Mapping[str, Security] = field(default_factory=dict)

    async def __call__(self, name: str, kind: str) -> Answer:
        answer = await self.zone(name, kind)
        return answer if answer.failed else replace(answer, security=self.states.get(name, Security.SECURE))


def look(records: Mapping[str, list[str]], states: Mapping[str, Security] | None = None) -> TlsaSeen:
    zone = Zone({f"{HOST} A": ["192.0.2.25"]} | dict(records))
    if f"{HOST} CNAME" in records:
        del zone.records[HOST, "A"]
    seen = asyncio.run(tlsa.inspect(HOST, 25, Signed(zone, states or {})))
    assert isinstance(seen, TlsaSeen)
    return seen


def test_everything_in_order() -> None:
    seen = look({f"{AT_HOST} TLSA": [f"3 1 1 {A}", f"3 1 1 {B}"]})
    records = (Tlsa(3, 1, 1, A), Tlsa(3, 1, 1, B))
    assert seen == TlsaSeen(
        Endpoint(HOST), 25, AT_HOST, Presence.PRESENT, records, ttl=300, security=Security.SECURE, base=HOST
    )


def test_none() -> None:
    seen = look({})
    assert (seen.presence, seen.records, seen.owner, seen.problems) == (Presence.ABSENT, (), AT_HOST, ())


def test_another_port() -> None:
    zone = Signed(Zone({f"{HOST} A": ["192.0.2.25"], f"_993._tcp.{HOST} TLSA": [f"3 1 1 {A}"]}))
    seen = asyncio.run(tlsa.inspect(HOST, 993, zone))
    assert isinstance(seen, TlsaSeen)
    assert (seen.port, len(seen.records)) == (993, 1)


def test_owner_that_is_an_alias() -> None:
    """One set for all hosts of a certificate (RFC 7671 section 7)."""
    seen = look({f"{AT_HOST} CNAME": ["_dane.example.org"], "_dane.example.org TLSA": [f"3 1 1 {A}"]})
    assert (seen.owner, len(seen.records)) == ("_dane.example.org", 1)


def test_host_that_is_an_alias_the_expanded_name_first() -> None:
    seen = look(ALIAS | {f"{AT_HOST} TLSA": [f"3 1 1 {A}"], f"{AT_REAL} TLSA": [f"3 1 1 {B}"]})
    assert (seen.at, seen.owner, seen.records) == (Endpoint(HOST), AT_REAL, (Tlsa(3, 1, 1, B),))


def test_host_that_is_an_alias_then_its_own_name() -> None:
    seen = look(ALIAS | {f"{AT_HOST} TLSA": [f"3 1 1 {A}"]})
    assert (seen.owner, seen.records) == (AT_HOST, (Tlsa(3, 1, 1, A),))


def test_unsigned_records_give_way_to_signed_ones() -> None:
    both = {f"{AT_HOST} TLSA": [f"3 1 1 {A}"], f"{AT_REAL} TLSA": [f"3 1 1 {B}"]}
    seen = look(ALIAS | both, {AT_REAL: Security.INSECURE})
    assert (seen.owner, seen.security) == (AT_HOST, Security.SECURE)


def test_unsigned_alias_leaves_only_the_own_name() -> None:
    seen = look(ALIAS | {f"{AT_REAL} TLSA": [f"3 1 1 {B}"]}, {HOST: Security.INSECURE})
    assert (seen.presence, seen.owner, seen.records) == (Presence.ABSENT, AT_HOST, ())


def test_alias_of_unknown_state_is_looked_behind() -> None:
    states = {HOST: Security.UNKNOWN, AT_REAL: Security.UNKNOWN, AT_HOST: Security.UNKNOWN}
    seen = look(ALIAS | {f"{AT_REAL} TLSA": [f"3 1 1 {B}"]}, states)
    assert (seen.owner, seen.security, seen.problems) == (AT_REAL, Security.UNKNOWN, ())


def test_records_nobody_may_believe() -> None:
    seen = look({f"{AT_HOST} TLSA": [f"3 1 1 {A}"]}, {AT_HOST: Security.INSECURE})
    assert (len(seen.records), seen.security) == (1, Security.INSECURE)
    assert seen.problems == ("the zone is not signed with DNSSEC: no client uses these records",)


@pytest.mark.parametrize("trouble", [TIMEOUT, BOGUS, SERVFAIL])
@pytest.mark.parametrize("where", [AT_HOST, AT_REAL, HOST])
def test_a_question_that_fails_ends_the_search(where: str, trouble: tuple[Reason, str]) -> None:
    zone = Zone(ALIAS | {f"{AT_HOST} TLSA": [f"3 1 1 {A}"]}, {where: trouble})
    if where == AT_HOST:
        del zone.records[AT_HOST, "TLSA"]
    found = asyncio.run(tlsa.inspect(HOST, 25, Signed(zone)))
    assert isinstance(found, Unobserved)
    assert (found.at, found.wanted, found.reason, found.detail) == (Endpoint(HOST), "tlsa:25", *trouble)


def test_one_family_is_enough_to_find_the_alias() -> None:
    zone = Zone(ALIAS | {f"{AT_REAL} TLSA": [f"3 1 1 {B}"]}, {f"{HOST} a": TIMEOUT})
    seen = asyncio.run(tlsa.inspect(HOST, 25, Signed(zone)))
    assert isinstance(seen, TlsaSeen)
    assert seen.owner == AT_REAL


def test_too_many() -> None:
    seen = look({f"{AT_HOST} TLSA": [f"3 1 1 {n:064x}" for n in range(100)]})
    assert len(seen.records) == 64
    assert seen.problems == ("100 records, of which the first 64 were read",)


@pytest.mark.parametrize(
    ("text", "record", "words"),
    [
        (f"3 1 1 {A}", Tlsa(3, 1, 1, A), ""),
        (f"3 1 1 {A.upper()}", Tlsa(3, 1, 1, A), ""),
        (f"  3\t1  1 {A[:20]} {A[20:]} ", Tlsa(3, 1, 1, A), ""),
        (f"2 0 2 {A}{B}", Tlsa(2, 0, 2, A + B), ""),
        ("3 1 0 3059", Tlsa(3, 1, 0, "3059"), ""),
        (f"4 1 1 {A}", Tlsa(4, 1, 1, A), "usage 4 is not known"),
        (f"255 1 1 {A}", Tlsa(255, 1, 1, A), "usage 255 is not known"),
        (f"3 2 1 {A}", Tlsa(3, 2, 1, A), "selector 2 is not known"),
        (f"3 1 3 {A}", Tlsa(3, 1, 3, A), "matching type 3 is not known"),
        ("3 1 1 ", Tlsa(3, 1, 1, ""), "no data"),
        ("3 1 1 abcd", Tlsa(3, 1, 1, "abcd"), "2 octets of data, SHA2-256 has 32"),
        (f"3 1 2 {A}", Tlsa(3, 1, 2, A), "32 octets of data, SHA2-512 has 64"),
        (f"3 1 1 {A}{B}", Tlsa(3, 1, 1, A + B), "64 octets of data, SHA2-256 has 32"),
        ("256 1 1 ab", None, "a number above 255"),
        ("3 1 1 abc", None, "an odd number of hexadecimal digits"),
        ("3 1 1 xyz0", None, "is no TLSA record"),
        ("3 1", None, "is no TLSA record"),
        ("", None, "is no TLSA record"),
        ("-3 1 1 ab", None, "is no TLSA record"),
        ("\u0663 1 1 ab", None, "is no TLSA record"),
        ("3 1 0 " + "ab" * 100000, None, "more than 131072"),
    ],
)
def test_read(text: str, record: Tlsa | None, words: str) -> None:
    seen = look({f"{AT_HOST} TLSA": [text]})
    assert seen.records == ((record,) if record else ())
    assert any(words in one for one in seen.problems) if words else seen.problems == ()


RECORD = st.builds(Tlsa, *[st.integers(0, 255)] * 3, st.binary(max_size=80).map(bytes.hex))


@given(RECORD)
def test_read_gives_what_was_rendered(record: Tlsa) -> None:
    assert tlsa.parse(str(record)) == record


@given(st.text(max_size=60) | st.text("0123 abf", max_size=30))
def test_any_text(text: str) -> None:
    try:
        record = tlsa.parse(text)
    except PeerGarbled as error:
        assert str(error).isprintable()  # noqa: PT017 - either outcome is right
    else:
        assert tlsa.parse(str(record)) == record
