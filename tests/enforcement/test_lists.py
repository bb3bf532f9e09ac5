"""Lists are changed by the word: nothing of the administrator's is lost, and twice is once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.enforcement.lists import added, ahead, behind, closed, refusing, removed, steps
from gatepost.servers.wordlists import words

REFUSAL = "reject_unauth_destination"
CHECKS = st.sampled_from([
    "permit", "permit_mynetworks", "permit_sasl_authenticated", "reject", "defer_unauth_destination", REFUSAL,
    "check_client_access hash:/etc/postfix/clients", "check_policy_service { unix:private/policy, timeout=10s }",
    "reject_rbl_client zen.example.org", "permit_dnswl_client list.example.org", "$site_checks", "sleep 1",
])  # fmt: skip
LISTS = st.lists(CHECKS, max_size=8).flatmap(
    lambda listed: st.sampled_from([", ", " ", ",\n   "]).map(lambda s: s.join(listed))
)
WORDS = st.lists(st.sampled_from(["aNULL", "MD5", "kRSA", "rc4", "STARTTLS"]), max_size=6).map(", ".join)


def test_arguments_stay_with_their_check() -> None:
    text = "permit_mynetworks, check_client_access hash:/etc/a check_policy_service { unix:a, timeout=1s }, reject"
    assert steps(text) == [
        ["permit_mynetworks"], ["check_client_access", "hash:/etc/a"],
        ["check_policy_service", "{ unix:a, timeout=1s }"], ["reject"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("permit_mynetworks", "permit_mynetworks, reject_unauth_destination"),
        ("permit", "reject_unauth_destination, permit"),
        ("permit_mynetworks permit reject", "permit_mynetworks, reject_unauth_destination, permit, reject"),
        ("check_client_access hash:/a", "check_client_access hash:/a, reject_unauth_destination"),
        ("permit_mynetworks,   reject", "permit_mynetworks,   reject"),  # right, and kept as it is written
        ("", "reject_unauth_destination"),
    ],
)
def test_refusals(before: str, after: str) -> None:
    assert refusing(before, REFUSAL) == after


@given(LISTS)
def test_a_refusal_is_put_in_and_nothing_taken_out(value: str) -> None:
    after = refusing(value, REFUSAL)
    assert refusing(after, REFUSAL) == after
    left = steps(after)
    for one in steps(value):
        assert one in left
    assert [one for one in left if one != [REFUSAL]] == [one for one in steps(value) if one != [REFUSAL]]
    names = [one[0] for one in left]
    refuses = min(names.index(n) for n in names if n in {REFUSAL, "reject", "defer_unauth_destination"})
    assert "permit" not in names[:refuses]


@given(LISTS)
def test_more_at_the_end_is_there_once(value: str) -> None:
    more = ("reject_invalid_helo_hostname",)
    after = behind(value, more, ("permit_mynetworks",))
    assert behind(after, more, ("permit_mynetworks",)) == after
    assert [list(more)] == [one for one in steps(after) if one[0] in more]


@given(WORDS, WORDS)
def test_words_in_and_out(value: str, more: str) -> None:
    new = tuple(words(more))
    wider = added(value, new, ", ")
    known = {word.casefold() for word in words(wider)}
    assert {word.casefold() for word in new} <= known
    assert added(wider, new, ", ") == wider
    narrower = removed(wider, new, ", ")
    assert not {word.casefold() for word in new} & {word.casefold() for word in words(narrower)}
    assert removed(narrower, new, ", ") == narrower


@given(st.text(max_size=60).filter(lambda value: "{" not in value))
def test_any_text_is_a_list(value: str) -> None:
    """With an open brace it takes in what is added; lists with braces are left to a person (`values`)."""
    assert refusing(refusing(value, REFUSAL), REFUSAL) == refusing(value, REFUSAL)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("a, { b, c }", True),
        ('a, { "}" }', True),
        ("", True),
        ("a, { b, c", False),
        ("a } b {", False),
        ("{ { a }", False),
    ],
)
def test_where_a_list_ends_is_known_when_every_brace_is_closed(text: str, whole: bool) -> None:  # noqa: FBT001 - a row
    assert closed(text) is whole


@given(LISTS)
def test_what_stands_in_front_is_asked_first(text: str) -> None:
    after = ahead(text, (REFUSAL,))
    assert steps(after)[0] == [REFUSAL]
    assert [one for one in steps(after) if one != [REFUSAL]] == [one for one in steps(text) if one != [REFUSAL]]
    assert ahead(after, (REFUSAL,)) == after
