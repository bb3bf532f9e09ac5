from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.records import sentences, tags
from gatepost.records.tags import MAX_TAGS, MAX_TEXT, read, render, words

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,10}", fullmatch=True)
VALUES = st.from_regex(r"([!-:<-~]([!-:<-~ ]{0,20}[!-:<-~])?)?", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", ()),
        ("v=DKIM1", (("v", "DKIM1"),)),
        ("v=DKIM1;", (("v", "DKIM1"),)),
        ("v=DKIM1 ; ", (("v", "DKIM1"),)),
        (" v\t=  DKIM1;p = AB CD\r\n EF", (("v", "DKIM1"), ("p", "AB CD\r\n EF"))),
        ("p=", (("p", ""),)),
        ("p=QUJD==", (("p", "QUJD=="),)),
        ("n=a=b", (("n", "a=b"),)),
        ("X_9=1", (("X_9", "1"),)),
    ],
)
def test_well_formed(text: str, pairs: tuple[tuple[str, str], ...]) -> None:
    assert read(text) == tags.Tags(pairs)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("v=DKIM1;;p=", "nothing between two semicolons"),
        (";", "nothing between two semicolons"),
        ("v=DKIM1; reject", "'reject' is no tag: it has no equals sign"),
        ("9=x", "'9' is no name of a tag"),
        ("=x", "'' is no name of a tag"),
        ("a b=x", "'a b' is no name of a tag"),
        ("n=caf\xe9", "n= has a character that no value may contain"),
        ("n=\x00", "n= has a character that no value may contain"),
    ],
)
def test_malformed(text: str, told: str) -> None:
    assert told in read(text).problems


def test_slips() -> None:
    assert read("v=DKIM1;;x-note=1;a b=2;p").slips == ("nothing between two semicolons", "'x-note' is no name of a tag")


def test_repeated_names() -> None:
    assert read("a=1;b=2;a=1;A=3").repeated == ("a",)


def test_first_of_a_repeated_tag() -> None:
    found = read("a=1;a=2")
    assert (found.first("a"), found.first("b")) == ("1", None)


def test_words() -> None:
    assert words("sha1 : sha256") == ("sha1", "sha256")
    assert words("") == ()


def test_bounds() -> None:
    assert len(read("a=1;" * (MAX_TAGS + 5)).pairs) == MAX_TAGS
    long = read("n=" + "x" * (2 * MAX_TEXT))
    assert len(long.first("n") or "") < MAX_TEXT
    assert "of which the first" in long.problems[0]
    assert len(read("!;" * MAX_TAGS).problems) <= sentences.MAX_SENTENCES


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=300))
def test_any_octets_are_read(text: str) -> None:
    found = read(text)
    assert found.pairs or found.problems or not text.strip(tags.BLANKS)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=10))
def test_reads_what_it_renders(pairs: list[tuple[str, str]]) -> None:
    assert read(render(pairs)) == tags.Tags(tuple(pairs))
