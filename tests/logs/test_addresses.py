from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.logs.addresses import address, network


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" [192.0.2.1]:2525 ", "192.0.2.1"),
        ("192.0.2.1:49152", "192.0.2.1"),
        ("[2001:DB8:0:0::1]", "2001:db8::1"),
        ("[2001:db8::1]:993", "2001:db8::1"),
        ("IPv6:2001:db8::1", "2001:db8::1"),
        ("[IPv6:2001:db8::1]", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("::ffff:192.0.2.1%eth0", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("unknown", ""),
        ("", ""),
        ("192.0.2.256", ""),
        ("010.0.0.1", ""),  # octal to some programs, decimal to others
        ("192.0.2.1/32", ""),
        ("mx1.example.org[192.0.2.1]", ""),
        ("192.0.2.1:99999999", ""),
        ("[192.0.2.1", ""),
        ("1" * 5000, ""),
    ],
)
def test_one_spelling(text: str, found: str) -> None:
    assert address(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("unknown", ""),
        ("", ""),
    ],
)
def test_networks(text: str, found: str) -> None:
    assert network(text) == found


@given(st.text(max_size=120))
def test_any_text_is_an_address_or_none(text: str) -> None:
    found = address(text)
    assert address(found) == found
    assert not found or ip_address(found)
    assert bool(network(found)) == bool(found)


@given(st.ip_addresses())
def test_every_spelling_of_an_address_is_one(one: object) -> None:
    for spelt in (str(one), getattr(one, "exploded", ""), f"[{one}]:25", f"{one}".upper()):
        assert address(spelt) == address(str(one)) != ""
