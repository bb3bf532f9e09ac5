from __future__ import annotations

import pytest

from gatepost.errors import PeerGarbled
from gatepost.records.rdata import rdata, spelled


@pytest.mark.parametrize(
    ("kind", "value"),
    [("MX", "mx1"), ("A", "192.0.2"), ("TLSA", "3 1 1 xyz"), ("SRV", "1 2 3"), ("CAA", "0 issue"), ("CAA", "999 a b")],
)
def test_what_is_no_value_of_its_kind(kind: str, value: str) -> None:
    with pytest.raises(PeerGarbled, match=f"is no {kind} record"):
        rdata(kind, value)


def test_odd_octets_of_others_can_be_removed_too() -> None:
    value = "3 1 1 abcd"
    assert spelled(rdata("TLSA", value)) == value
    assert rdata("TLSA", value).to_text() == "\\# 5 030101abcd"
    assert spelled(rdata("CAA", "0 a-b c d")) == "0 a-b c d"
