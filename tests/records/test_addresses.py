from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.records.addresses import collapsed, is_inner, read

networks = st.ip_addresses().flatmap(
    lambda one: st.integers(0, one.max_prefixlen).map(lambda n: ip_network((one, n), strict=False))
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (" 192.0.2.1 ", "192.0.2.1"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("192.0.2.1/32", None),
        ("mx1.example.org", None),
        ("", None),
    ],
)
def test_addresses_of_strangers(text: str, found: str | None) -> None:
    assert read(text) == (ip_address(found) if found else None)


@given(st.lists(networks, max_size=12))
def test_fewer_networks_say_the_same(given_: list[IPv4Network | IPv6Network]) -> None:
    fewer = collapsed(given_)
    assert len(fewer) <= len(set(given_))
    assert [one.version for one in fewer] == sorted(one.version for one in fewer)
    assert all(any(one.version == other.version and one[0] in other for other in fewer) for one in given_)


@pytest.mark.parametrize(
    ("network", "inner"),
    [
        ("10.1.0.0/16", True),
        ("127.0.0.1/32", True),
        ("fe80::/10", True),
        ("fd00::1/128", True),
        ("192.0.2.0/24", False),
        ("2001:db8::/32", False),
        ("0.0.0.0/0", False),
    ],
)
def test_networks_that_nobody_outside_reaches(network: str, inner: bool) -> None:  # noqa: FBT001 - a row
    assert is_inner(ip_network(network)) is inner
