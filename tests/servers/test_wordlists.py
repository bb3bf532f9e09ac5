"""Lists of words: braces and quotes hold, and nothing of any text is lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.servers.wordlists import plain, words


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("a, check_x { b c, d=e } inline:{ {k = v} } {f", ["a", "check_x", "{ b c, d=e }", "inline:{ {k = v} }", "{f"]),
        ("${name?{a b}{c}} d", ["${name?{a b}{c}}", "d"]),
        ('x="a b", c', ['x="a b"', "c"]),
        ('a " b', ["a", '"', "b"]),
        ("a } b", ["a", "}", "b"]),
        (" ,\n", []),
        ("", []),
    ],
)
def test_words(text: str, listed: list[str]) -> None:
    assert words(text) == listed


def test_case_and_order_do_not_matter() -> None:
    assert plain("NoAnonymous, noplaintext") == plain("noplaintext noanonymous")


@given(st.text(alphabet=st.sampled_from('ab{}", \n'), max_size=40))
def test_nothing_is_lost_and_a_list_written_back_is_the_same(text: str) -> None:
    found = words(text)
    assert re.sub(r"[\s,]", "", "".join(found)) == re.sub(r"[\s,]", "", text)
    assert words(" ".join(found)) == found
