"""Macros filled in (RFC 7208 section 7), and names made of them."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.records.spf import client as clients
from gatepost.records.spf import macros
from gatepost.records.spf.macros import MacroString
from gatepost.records.spf.names import exchangers, fitted, malformed, presented

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SENDER = "first-second+tag@mail.sender.test"


def values(address: str = "192.0.2.3", sender: str = SENDER) -> dict[str, str]:
    filled = clients.values(ip_address(address), "mail.sender.test", sender, "helo.test", "mx.receiver.test", NOW)
    return filled | {"d": "mail.sender.test", "p": "unknown"}


def expanded(text: str, filled: dict[str, str]) -> str:
    read = macros.read(text, macros.IN_EXPLANATIONS)
    assert isinstance(read, MacroString)
    return macros.expand(read, filled)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("%{s}", SENDER),
        ("%{o} %{d} %{h} %{p}", "mail.sender.test mail.sender.test helo.test unknown"),
        ("%{d1} %{d2} %{d4}", "test sender.test mail.sender.test"),
        ("%{dr} %{d1r} %{d2r}", "test.sender.mail mail sender.mail"),
        ("%{l} %{l-} %{lr-} %{l1r-}", "first-second+tag first.second+tag second+tag.first first"),
        ("%{l+-}", "first.second.tag"),
        ("%{i} %{ir} %{v} %{c}", "192.0.2.3 3.2.0.192 in-addr 192.0.2.3"),
        ("%{L} %{S1}", "first-second%2Btag test"),
        ("%%%_%-", "% %20"),
        ("%{r} %{t}", "mx.receiver.test 1795510800"),
        ("plain {d} text", "plain {d} text"),
    ],
)
def test_expansion(text: str, value: str) -> None:
    assert expanded(text, values()) == value


def test_an_ipv6_client() -> None:
    nibbles = "2.0.0.1.0.D.B.8." + "0." * 23 + "1"
    assert expanded("%{i} %{v} %{c}", values("2001:db8::1")) == f"{nibbles} ip6 2001:db8::1"


@pytest.mark.parametrize("sender", ["", "@mail.sender.test", "mail.sender.test"])
def test_without_a_local_part_it_is_postmaster(sender: str) -> None:
    assert expanded("%{s} %{l}", values(sender=sender)) == "postmaster@mail.sender.test postmaster"


def test_an_internationalised_local_part_is_octets() -> None:
    assert presented(expanded("%{l}.test", values(sender="é@b.test"))) == "\\195\\169.test"


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("B.Test.", "b.test"),
        ("a b.test", "a\\032b.test"),
        ('a"(;)@$\\.test', "a\\034\\040\\059\\041\\064\\036\\092.test"),
    ],
)
def test_a_name_to_ask_for(name: str, asked: str) -> None:
    assert presented(fitted(name)) == asked


def test_labels_go_on_the_left_when_a_name_is_too_long() -> None:
    tail = ".".join(["y" * 49] * 5) + ".ab"
    assert len(tail) == 252
    assert fitted(f"left.{tail}") == tail


@pytest.mark.parametrize("domain", ["", "test", "a..test", "[192.0.2.1]", "192.0.2.1", "b.test-", f"{'x' * 64}.test"])
def test_no_domain_at_all(domain: str) -> None:
    assert malformed(domain)


@pytest.mark.parametrize("domain", ["b.test", "_spf.b.test", "a/b:c.test", f"{'x' * 63}.test", "b.xn--p1ai"])
def test_a_domain(domain: str) -> None:
    assert malformed(domain) == ""


def test_exchangers_by_preference_without_the_null_mx() -> None:
    assert exchangers(("20 b.test", "5 a.test")) == ("a.test", "b.test")
    assert exchangers(("0 .",)) == ()


@given(st.text())
def test_any_name_can_be_asked_for(text: str) -> None:
    octets = text.encode("utf-8", "replace").decode("latin-1")
    assert presented(fitted(octets)).isascii()
