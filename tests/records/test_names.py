"""Names between presentation form and octets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.records.names import MAX_OCTETS, fits, is_host, labels, spell

ONE = st.binary(min_size=1, max_size=63)
NAMES = st.lists(ONE, min_size=1, max_size=8).filter(lambda found: sum(len(one) + 1 for one in found) < MAX_OCTETS)


@given(NAMES)
def test_what_was_spelled_reads_back(found: list[bytes]) -> None:
    text = spell(found)
    assert labels(text) == [label.lower() for label in found]
    assert text.isascii()
    assert text.isprintable()
    assert " " not in text


@pytest.mark.parametrize(
    ("name", "asked", "host"),
    [
        ("mx1.example.org", True, True),
        ("XN--bcher-kva.example", True, True),
        ("192.0.2.1", True, True),
        ("_dmarc.example.org", True, False),
        ("-a.example", True, False),
        ("a-.example", True, False),
        ("a b.example", True, False),
        ("a..b", False, False),
        ("", False, False),
        ("a.example.", False, False),
        ("x" * 63 + ".example", True, True),
        ("x" * 64 + ".example", False, False),
        ("x." * 126 + "xx", False, False),
    ],
)
def test_which_names_can_be_asked_for_and_which_can_be_hosts(name: str, asked: bool, host: bool) -> None:  # noqa: FBT001 - a row
    assert (fits(name), is_host(name)) == (asked, host)
