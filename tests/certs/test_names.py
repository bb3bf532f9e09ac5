"""RFC 9525: which names a certificate stands for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.certs.facts import certificate
from gatepost.certs.names import covers, covers_only_by_common_name
from gatepost.model.certificate import Certificate
from tests.authority import issue

BLANK = certificate(issue("mx1.example.org").der)


def cert(*names: str, ip: tuple[str, ...] = (), common_name: str | None = None) -> Certificate:
    return replace(BLANK, dns_names=names, ip_addresses=ip, common_name=common_name)


@pytest.mark.parametrize(
    ("presented", "wanted", "stands"),
    [
        ("mx1.example.org", "mx1.example.org", True),
        ("MX1.Example.ORG", "mx1.example.org.", True),
        ("mx1.example.org.", "mx1.example.org", True),
        ("mx1.example.org", "mx2.example.org", False),
        ("example.org", "mx1.example.org", False),
        ("*.example.org", "mx1.example.org", True),
        ("*.example.org", "example.org", False),
        ("*.example.org", "a.mx1.example.org", False),
        ("mx*.example.org", "mx1.example.org", False),
        ("*1.example.org", "mx1.example.org", False),
        ("mx1.*.org", "mx1.example.org", False),
        ("*.*.org", "mx1.example.org", False),
        ("*.org", "example.org", False),
        ("*", "example", False),
        ("*", "mx1.example.org", False),
        ("", "mx1.example.org", False),
        ("xn--bcher-kva.example", "bücher.example", True),
        ("*.example", "bücher.example", False),
        ("bücher.example", "bücher.example", False),
        ("*.bücher.example", "mx.bücher.example", False),
        ("*.xn--bcher-kva.example", "mx.bücher.example", True),
        ("mx1.example.org\0.evil.example", "mx1.example.org", False),
        ("192.0.2.25", "192.0.2.25", False),
    ],
)
def test_dns_names(presented: str, wanted: str, stands: bool) -> None:  # noqa: FBT001 - a column of the table
    assert covers(cert(presented), wanted) is stands


@pytest.mark.parametrize(
    ("presented", "wanted", "stands"),
    [
        ("192.0.2.25", "192.0.2.25", True),
        ("192.0.2.25", "192.0.2.26", False),
        ("2001:db8::25", "2001:DB8:0::25", True),
        ("2001:db8::25", "[2001:db8::25]", True),
        ("192.0.2.25", "::ffff:192.0.2.25", False),
    ],
)
def test_addresses(presented: str, wanted: str, stands: bool) -> None:  # noqa: FBT001 - a column of the table
    assert covers(cert(ip=(presented,)), wanted) is stands


def test_common_name_counts_for_nothing_and_is_told() -> None:
    old = cert(common_name="mx1.example.org")
    assert not covers(old, "mx1.example.org")
    assert covers_only_by_common_name(old, "MX1.example.org")
    assert covers_only_by_common_name(cert("other.example", common_name="*.example.org"), "mx1.example.org")
    assert not covers_only_by_common_name(old, "mx2.example.org")
    assert not covers_only_by_common_name(cert(), "mx1.example.org")


def test_covered_name_is_not_only_a_common_name() -> None:
    both = cert("mx1.example.org", common_name="mx1.example.org")
    assert not covers_only_by_common_name(both, "mx1.example.org")


def test_common_name_may_be_an_address() -> None:
    assert covers_only_by_common_name(cert(common_name="192.0.2.25"), "192.0.2.25")


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text(presented: str, wanted: str) -> None:
    seen = cert(presented, ip=(presented,), common_name=presented)
    assert not (covers(seen, wanted) and covers_only_by_common_name(seen, wanted))
