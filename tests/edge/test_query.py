"""Names to questions, and questions to messages."""

from __future__ import annotations

import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.edge.query import query
from gatepost.records.names import MAX_OCTETS, labels, spell

ONE = st.binary(min_size=1, max_size=63)
NAMES = st.lists(ONE, min_size=1, max_size=8).filter(lambda found: sum(len(one) + 1 for one in found) < MAX_OCTETS)


@given(st.text(max_size=300))
def test_any_text_is_a_name_or_none(text: str) -> None:
    asked = query(text, "TXT")
    if asked is not None:
        assert len(asked.section) <= MAX_OCTETS + 4
        assert query(asked.name, "TXT") == asked


@given(NAMES)
def test_a_question_is_a_dns_message(found: list[bytes]) -> None:
    asked = query(spell(found), "TLSA")
    assert asked is not None
    message = dns.message.from_wire(asked.message(4711, unchecked=True))
    assert message.id == 4711
    assert message.question[0].name.labels == (*(label.lower() for label in found), b"")
    assert message.payload == 1232


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Example.ORG.", [b"example", b"org"]),
        (r"a\.b.c", [b"a.b", b"c"]),
        (r"a\046b.c", [b"a.b", b"c"]),
        (r"a\\.b", [b"a\\", b"b"]),
        (r"\065.b\.", [b"a", b"b."]),
        (r"a.", [b"a"]),
        ("a b", [b"a b"]),
        (r"a\256", None),
        (r"a\25", None),
        ("a\\", None),
        (r"a..\065", None),
        ("é", None),
        ("", None),
    ],
)
def test_escapes(text: str, found: list[bytes] | None) -> None:
    if found is None:
        assert query(text, "A") is None
    else:
        assert labels(text) == found
