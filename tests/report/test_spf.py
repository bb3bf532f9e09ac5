from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.model.architecture import Endpoint
from gatepost.model.domain import SpfResult, SpfSeen, SpfTerm
from gatepost.model.observation import Unobserved
from gatepost.model.words import Reason
from gatepost.report.spf import Told, exit_code, render, to_json
from tests.report.golden import golden

AT = Endpoint("example.org")
DEAD = "never looked at: -all ends the record before it"
SEEN = SpfSeen(
    AT,
    ("v=spf1 mx include:_spf.example.net a:old.example.org -all ptr",),
    "valid",
    (
        SpfTerm(0, "example.org", "mx", 1, 0),
        SpfTerm(0, "example.org", "include:_spf.example.net", 2, 0),
        SpfTerm(1, "_spf.example.net", "include:eu.example.net", 3, 0),
        SpfTerm(2, "eu.example.net", "ip4:198.51.100.0/24", 3, 0),
        SpfTerm(2, "eu.example.net", "-all", 3, 0),
        SpfTerm(1, "_spf.example.net", "~all", 3, 0),
        SpfTerm(0, "example.org", "a:old.example.org", 4, 1, "void: old.example.org has no address"),
        SpfTerm(0, "example.org", "-all", 4, 1),
        SpfTerm(0, "example.org", "ptr", 4, 1, DEAD, broken=True),
    ),
    4,
    1,
    "-all",
    (f"ptr: {DEAD}",),
    ("a:old.example.org: void: old.example.org has no address", "the record has 480 octets; above 450 it may need TCP"),
)
RESULTS = (
    SpfResult(AT, "192.0.2.25", "pass", "mx", "192.0.2.25 is an address of mx1.example.org", 1),
    SpfResult(AT, "2001:db8::25", "fail", "-all", "-all in the record of example.org is for everybody", 4, "Ask us."),
)
NETWORKS = tuple(ip_network(one) for one in ("192.0.2.25/32", "198.51.100.0/24", "2001:db8:1::/48"))
TOLD = Told(SEEN, RESULTS, NETWORKS)
LOST = Told(Unobserved(AT, "spf", Reason.TIMEOUT, "the resolver does not answer within 8 s"))
NONE = Told(SpfSeen(AT, (), "none", problems=("example.org has no SPF record",)))


@pytest.mark.parametrize(("name", "told"), [("spf.txt", TOLD), ("spf-lost.txt", LOST), ("spf-none.txt", NONE)])
def test_the_page_is_as_it_was_read_and_liked(name: str, told: Told) -> None:
    made = render(told, width=80)
    assert made == golden(name, made)


def test_colour_changes_no_word() -> None:
    made = render(TOLD, width=80, colour=True)
    assert "\x1b[" in made
    assert "".join(part.partition("m")[2] if n else part for n, part in enumerate(made.split("\x1b["))) == render(
        TOLD, width=80
    )


def test_the_same_for_a_program() -> None:
    made = json.loads(to_json(TOLD))
    assert (made["schema"], made["domain"], made["unobserved"]) == ("gatepost/spf/1", "example.org", None)
    assert made["spf"]["terms"][2] == {
        "depth": 1, "domain": "_spf.example.net", "text": "include:eu.example.net",
        "lookups": 3, "voids": 0, "note": "", "broken": False,
    }  # fmt: skip
    assert [one["result"] for one in made["addresses"]] == ["pass", "fail"]
    assert made["networks"] == ["192.0.2.25/32", "198.51.100.0/24", "2001:db8:1::/48"]
    assert json.loads(to_json(LOST))["unobserved"]["reason"] == "timeout"


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (Told(SEEN), 0),
        (Told(SEEN, RESULTS[:1]), 0),
        (TOLD, 1),
        (Told(replace(SEEN, result="permerror")), 1),
        (Told(replace(SEEN, result="temperror")), 3),
        (Told(replace(SEEN, result="temperror"), RESULTS), 1),
        (Told(SEEN, (replace(RESULTS[0], result="temperror"),)), 3),
        (NONE, 1),
        (LOST, 3),
    ],
)
def test_exit_code(told: Told, code: int) -> None:
    assert exit_code(told) == code


WORDS = st.text(max_size=60)
TERMS = st.builds(
    SpfTerm, st.integers(0, 12), WORDS, WORDS, st.integers(0, 40), st.integers(0, 9), WORDS, broken=st.booleans()
)


@given(st.lists(TERMS, max_size=12), WORDS, st.integers(60, 160))
def test_no_line_breaks_out_of_the_page(terms: list[SpfTerm], words: str, width: int) -> None:
    results = (SpfResult(AT, words, words, words, words, 1, words),)
    seen = replace(SEEN, terms=tuple(terms), problems=(words,), advice=(words,))
    for line in render(Told(seen, results), width=width).splitlines():
        assert line.isprintable()
        assert line == line.rstrip()
