from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.records.suffixes import of_lines, suffixes

LIST = """\
// VERSION: 2026-10-22_08-36-41_UTC
org
uk
co.uk
*.ck
!www.ck
// private
blogs.example
""".splitlines()


@pytest.mark.parametrize(
    ("domain", "organisation"),
    [
        ("example.org", "example.org"),
        ("a.b.example.org", "example.org"),
        ("A.Example.ORG.", "example.org"),
        ("shop.co.uk", "shop.co.uk"),
        ("www.shop.co.uk", "shop.co.uk"),
        ("co.uk", "co.uk"),  # a suffix stands for itself
        ("org", "org"),
        ("a.b.c.ck", "b.c.ck"),
        ("a.www.ck", "www.ck"),  # an exception
        ("me.blogs.example", "me.blogs.example"),
        ("a.unlisted", "a.unlisted"),  # an unlisted top level is a suffix
        ("xn--bcher-kva.example.org", "example.org"),
        ("", ""),
        ("a..org", "a..org"),
        ("x" * 300 + ".org", "x" * 300 + ".org"),
    ],
)
def test_organisation(domain: str, organisation: str) -> None:
    assert of_lines(LIST).organizational(domain) == organisation


def test_public() -> None:
    listed = of_lines(LIST)
    answers = {
        name: listed.is_public(name) for name in ("org", "co.uk", "blogs.example", "example.org", "unlisted", "")
    }
    assert answers == {
        "org": True,
        "co.uk": True,
        "blogs.example": True,
        "example.org": False,
        "unlisted": False,
        "": False,
    }


def test_date() -> None:
    assert of_lines(LIST).list_date == "2026-10-22"
    assert not of_lines(["org"]).list_date


def test_the_list_that_is_installed() -> None:
    listed = suffixes()
    assert listed.list_date > "2026"
    assert listed.organizational("a.example.co.uk") == "example.co.uk"
    assert suffixes() is listed


@given(st.text(max_size=60))
def test_any_text_has_an_answer(text: str) -> None:
    found = of_lines(LIST).organizational(text)
    plain = text.lower().removesuffix(".")
    assert plain.endswith(found)
