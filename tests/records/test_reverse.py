"""Reverse names that lead back, and those that do not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.model.architecture import Endpoint
from gatepost.model.domain import ReverseSeen
from gatepost.model.observation import Unobserved
from gatepost.model.words import Reason
from gatepost.records import addresses, reverse
from tests.zone import BOGUS, TIMEOUT, Zone

AT = Endpoint("mx1.example.org")
V4, V6 = "192.0.2.25", "2001:db8::25"
R4 = "25.2.0.192.in-addr.arpa"
R6 = "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"


def look(
    address: str,
    records: Mapping[str, list[str]],
    trouble: Mapping[str, tuple[Reason, str]] | None = None,
) -> ReverseSeen:
    seen = asyncio.run(reverse.inspect(AT, address, Zone(records, trouble)))
    assert isinstance(seen, ReverseSeen)
    return seen


@pytest.mark.parametrize(
    ("address", "name", "kind", "there"),
    [
        (V4, R4, "A", V4),
        (V6, R6, "AAAA", V6),
        ("2001:DB8:0::25", R6, "AAAA", "2001:db8:0:0::25"),
        ("::ffff:192.0.2.25", R4, "A", V4),
        ("[2001:db8::25]", R6, "AAAA", V6),
    ],
)
def test_there_and_back(address: str, name: str, kind: str, there: str) -> None:
    seen = look(address, {f"{name} PTR": ["mx1.example.org"], f"mx1.example.org {kind}": ["192.0.2.1", there]})
    assert seen == ReverseSeen(AT, address, ("mx1.example.org",), ("mx1.example.org",), "", seen.security)


def test_delegated_below_an_octet() -> None:
    """RFC 2317: the reverse name is an alias into the customer's zone."""
    records = {f"{R4} CNAME": ["25.0-127.2.0.192.in-addr.arpa"], "mx1.example.org A": [V4]}
    seen = look(V4, records | {"25.0-127.2.0.192.in-addr.arpa PTR": ["mx1.example.org"]})
    assert seen.confirmed == ("mx1.example.org",)


def test_none() -> None:
    seen = look(V4, {})
    assert (seen.names, seen.confirmed, seen.why) == ((), (), "")


@pytest.mark.parametrize(
    ("forward", "why"),
    [
        ({}, "a.example does not exist"),
        ({"a.example MX": ["10 b.example"]}, "a.example has no IPv4 address"),
        ({"a.example AAAA": [V6]}, "a.example has no IPv4 address"),
        ({"a.example A": ["192.0.2.1"]}, "a.example leads to 192.0.2.1"),
        (
            {"a.example A": [f"192.0.2.{n}" for n in range(1, 6)]},
            "a.example leads to 192.0.2.1, 192.0.2.2, 192.0.2.3, …",
        ),
    ],
)
def test_a_name_that_does_not_lead_back(forward: Mapping[str, list[str]], why: str) -> None:
    seen = look(V4, {f"{R4} PTR": ["a.example"]} | dict(forward))
    assert (seen.names, seen.confirmed, seen.why) == (("a.example",), (), why)


def test_of_several_some_lead_back() -> None:
    seen = look(V4, {f"{R4} PTR": ["a.example", "b.example"], "b.example A": [V4]})
    assert (seen.names, seen.confirmed) == (("a.example", "b.example"), ("b.example",))
    assert seen.why == "a.example does not exist"


def test_a_name_that_could_not_be_asked() -> None:
    seen = look(V4, {f"{R4} PTR": ["a.example"]}, {"a.example": TIMEOUT})
    assert seen.confirmed == ()
    assert seen.why == f"a.example could not be asked: {TIMEOUT[1]}"


@pytest.mark.parametrize("trouble", [TIMEOUT, BOGUS])
def test_a_question_that_fails_is_no_absence(trouble: tuple[Reason, str]) -> None:
    found = asyncio.run(reverse.inspect(AT, V4, Zone({}, {R4: trouble})))
    assert found == Unobserved(AT, f"ptr:{V4}", *trouble)


def test_a_hundred_names() -> None:
    zone = Zone({f"{R4} PTR": [f"n{n}.example" for n in range(100)]})
    seen = asyncio.run(reverse.inspect(AT, V4, zone))
    assert isinstance(seen, ReverseSeen)
    assert len(seen.names) == 100
    assert len(zone.asked) == 11
    assert seen.why.endswith("100 reverse names, of which the first 10 were asked")


@given(st.text(max_size=80))
def test_what_is_no_address(text: str) -> None:
    zone = Zone({})
    found = asyncio.run(reverse.inspect(AT, f"x{text}", zone))
    assert isinstance(found, Unobserved)
    assert found.reason is Reason.UNRESOLVED
    assert zone.asked == []


@given(st.ip_addresses())
def test_every_address_can_lead_back(address: object) -> None:
    text = str(address)
    wanted = addresses.read(text)
    assert wanted is not None
    kind = "A" if wanted.version == 4 else "AAAA"
    seen = look(text, {f"{wanted.reverse_pointer} PTR": ["a.example"], f"a.example {kind}": [str(wanted)]})
    assert seen.confirmed == ("a.example",)
