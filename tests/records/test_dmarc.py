from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.model.dns import Answer, Security
from gatepost.model.observation import Unobserved
from gatepost.model.words import Reason
from gatepost.records import dmarc
from gatepost.records.dmarc_walk import MOST_LABELS, names
from tests.records.dmarc_rows import DEEP, LISTED, NONE, REJECT, ROWS, RUA, Row, look, zone
from tests.zone import BOGUS, SERVFAIL, TIMEOUT, Zone


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_policy_discovery(row: Row) -> None:
    world = zone(row.records, *([row.domain.lower().removesuffix(".")] if row.exists else []))
    found = look(row.domain, world)
    assert (found.policy, found.subdomains, found.nonexistent) == row.policies
    assert found.organizational == row.organisation
    assert (found.record.domain if found.record else "") == row.at
    assert not row.asked or len(found.walk) == row.asked


def test_names_of_the_example() -> None:
    assert names(DEEP) == (
        DEEP,
        "g.h.i.j.mail.example.com",
        "h.i.j.mail.example.com",
        "i.j.mail.example.com",
        "j.mail.example.com",
        "mail.example.com",
        "example.com",
        "com",
    )


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=40))
def test_eight_questions_at_most(labels: list[str]) -> None:
    asked = names(".".join(labels))
    assert len(asked) <= MOST_LABELS
    assert asked[0] == ".".join(labels)
    assert asked[-1] == (labels[-1] if len(labels) > 1 else asked[0])
    assert len(set(asked)) == len(asked)


TEXTS = st.sampled_from(
    [REJECT, NONE, f"{REJECT}; psd=n", f"{REJECT}; psd=y", f"{NONE}; sp=reject; np=none; t=y", "v=DMARC1", "stray", ""]
)


@given(st.dictionaries(st.sampled_from(["com", "example.com", "b.example.com", "a.b.example.com"]), TEXTS))
def test_any_tree_has_an_answer(records: dict[str, str]) -> None:
    found = look("a.b.example.com", zone({name: one for name, one in records.items() if one}))
    assert f".{found.at.host}".endswith(f".{found.organizational}")
    assert {found.policy, found.subdomains, found.nonexistent} <= {"", "none", "quarantine", "reject"}
    assert bool(found.policy) == bool(found.record and found.record.p)


@pytest.mark.parametrize("name", ["_dmarc.a.mail.example.com", "_dmarc.example.com", "_dmarc.com"])
@pytest.mark.parametrize("trouble", [SERVFAIL, TIMEOUT, BOGUS])
def test_no_answer_is_no_absence(name: str, trouble: tuple[Reason, str]) -> None:
    world = Zone({"_dmarc.a.mail.example.com TXT": [REJECT]}, {name: trouble})
    found = asyncio.run(dmarc.inspect("a.mail.example.com", world, LISTED))
    assert found == Unobserved(found.at, "dmarc", trouble[0], f"{name} TXT: {trouble[1]}")
    assert found.at.host == "a.mail.example.com"


def test_what_lies_beyond_the_end_of_the_walk_is_not_asked() -> None:
    world = Zone({"_dmarc.mail.example.com TXT": [f"{REJECT}; psd=n"]}, {"_dmarc.example.com": SERVFAIL})
    assert look("a.mail.example.com", world).policy == "reject"


def test_existence_matters_only_where_np_differs() -> None:
    trouble = {"mail.example.com A": TIMEOUT}
    same = Zone({"_dmarc.example.com TXT": [REJECT]}, trouble)
    assert look("mail.example.com", same).policy == "reject"
    other = Zone({"_dmarc.example.com TXT": [f"{REJECT}; np=none"]}, trouble)
    found = asyncio.run(dmarc.inspect("mail.example.com", other, LISTED))
    assert isinstance(found, Unobserved)
    assert found.detail.startswith("mail.example.com A: ")


def test_a_name_with_names_below_it_exists() -> None:
    world = zone({"example.com": f"{NONE}; np=reject"}, "www.mail.example.com")
    assert look("mail.example.com", world).policy == "none"


def test_steps_tell_what_was_there() -> None:
    world = zone({"a.example.com": [REJECT, NONE], "example.com": f"{REJECT}; psd=n"})
    found = look("a.example.com", world)
    assert [(step.name, step.texts, step.note) for step in found.walk] == [
        ("_dmarc.a.example.com", (REJECT, NONE), "2 records: all are discarded"),
        ("_dmarc.example.com", (f"{REJECT}; psd=n",), "psd=n: the walk ends here"),
    ]
    assert found.problems == ("2 DMARC records at _dmarc.a.example.com: receivers discard them all",)


def test_faults_above_the_organisation_are_not_its_own() -> None:
    found = look("example.com", zone({"example.com": f"{REJECT}; {RUA}", "com": ["v=dmarc1", REJECT, NONE]}))
    assert (found.problems, found.advice) == ((), ())


def test_an_overlooked_record_is_a_problem() -> None:
    found = look("example.com", zone({"example.com": "v=DMARC1 p=reject"}))
    assert found.problems == ("_dmarc.example.com: 'v=DMARC1 p=reject' is ignored: no semicolon follows v=DMARC1",)


def test_security_is_that_of_the_answers_that_decided() -> None:
    class Mixed(Zone):
        async def __call__(self, name: str, kind: str) -> Answer:
            answer = await super().__call__(name, kind)
            return replace(answer, security=Security.UNKNOWN if name.endswith("mail.example.com") else Security.SECURE)

    records = {"_dmarc.mail.example.com TXT": [REJECT], "_dmarc.example.com TXT": [REJECT]}
    assert look("mail.example.com", Mixed(records)).security is Security.UNKNOWN
    assert look("example.com", Mixed(records)).security is Security.SECURE
    assert look("www.example.com", Mixed(records)).security is Security.SECURE


@pytest.mark.parametrize(
    ("domain", "records", "told"),
    [
        ("mail.example.com", {"mail.example.com": REJECT}, "publish a record at _dmarc.example.com"),
        ("mail.example.com", {"mail.example.com": f"{REJECT}; psd=n", "example.com": NONE}, "(psd=n); receivers that"),
        ("a.example.com", {"example.com": f"{REJECT}; psd=y"}, "because example.com says psd=y"),
        ("example.com", {"com": REJECT}, "com is a public suffix with a DMARC record that does not say psd=y"),
        ("example.com", {"com": f"{REJECT}; psd=y"}, "the policy is that of com: one at _dmarc.example.com would be"),
        ("com", {"com": REJECT}, "com is a public suffix by the list: psd=y would say so in DNS"),
        ("example.com", {"example.com": f"{REJECT}; psd=y"}, "psd=y: each name right below example.com"),
        (
            "a.example.com",
            {"a.example.com": f"{REJECT}; sp=none", "example.com": NONE},
            "sp= and np= count for nothing",
        ),
    ],
)
def test_advice(domain: str, records: dict[str, str | list[str]], told: str) -> None:
    found = look(domain, zone(records))
    assert [one for one in found.advice if told in one], found.advice
    assert found.problems == ()


def test_both_organisations_and_the_date() -> None:
    found = look("a.mail.example.com", zone({"mail.example.com": REJECT}))
    assert (found.organizational, found.by_suffix_list, found.list_date) == (
        "mail.example.com",
        "example.com",
        "2026-10-22",
    )


def test_without_any_record_nobody_asks_who_belongs_together() -> None:
    assert look("mail.example.com", zone({})).advice == ()
