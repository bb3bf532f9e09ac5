"""Values that are right already, networks that are kept, and the file of ours that reads back as it was written."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.catalogue.settings import setting
from gatepost.enforcement import include, networks
from gatepost.enforcement.right import floor, right, seconds
from gatepost.model.flows import Network
from gatepost.servers.dovecot_text import Key
from gatepost.servers.secrets import masked_text


@pytest.mark.parametrize(
    ("row", "good", "bad"),
    [
        ("postfix.tls.auth_only", ["yes", "YES"], ["no", "", "maybe"]),
        ("postfix.tls.ciphers.mandatory", ["high", "medium"], ["low", "export", ""]),
        ("postfix.tls.protocols.mandatory", [">=TLSv1.2", "TLSv1.3", "!SSLv2,!SSLv3,!TLSv1,!TLSv1.1"],
         [">=TLSv1", "", "!SSLv2", "nonsense", ">=nonsense"]),
        ("dovecot.tls.min_protocol", ["TLSv1.2", "TLSv1.3"], ["TLSv1", "ANY", "SSLv3"]),
        ("postfix.limit.connections", ["1", "50"], ["0", "51", "x", "9" * 30]),
        ("postfix.limit.auth_rate", ["1", "30"], ["0", ""]),
        ("postfix.tls.ticket_lifetime", ["3600s", "1h", "600"], ["86400s", "2 hours", "soon"]),
        ("dovecot.auth.failure_delay", ["2 secs", "1 mins"], ["0", "1 secs"]),
        ("dovecot.auth.cache_ttl", ["1 hours"], ["2 hours"]),
        ("dovecot.log.no_passwords", ["no", "sha1:6"], ["plain", "yes"]),
        ("postfix.evidence.debug_peers", [""], ["192.0.2.1"]),
        ("postfix.relay.compatibility_level", ["2", "3.6"], ["0", "1", ""]),
    ],
)  # fmt: skip
def test_right(row: str, good: list[str], bad: list[str]) -> None:
    safe = setting(row).safe
    assert [right(safe, value) for value in good] == [True] * len(good)
    assert [right(safe, value) for value in bad] == [False] * len(bad)


@given(st.text(max_size=40))
def test_nothing_is_too_odd_to_be_told(value: str) -> None:
    for name in ("postfix.tls.protocols.mandatory", "postfix.limit.connections", "dovecot.auth.cache_ttl"):
        assert right(setting(name).safe, value) in {True, False}
    assert 0 <= floor(value) < 6
    assert seconds(value) is None or isinstance(seconds(value), int)


OFFICE = ip_network("198.51.100.0/24")


@pytest.mark.parametrize(
    ("value", "allowed", "after"),
    [
        ("127.0.0.0/8 [::1]/128", (), "127.0.0.0/8 [::1]/128"),
        ("127.0.0.0/8, 10.0.0.0/8", (), "127.0.0.0/8"),
        ("192.0.2.5 192.0.2.6", (), "192.0.2.5/32"),  # the host itself
        ("198.51.100.128/25", (OFFICE,), "198.51.100.128/25 198.51.100.0/24"),
        ("198.51.100.0/25 198.51.100.128/25", (OFFICE,), "198.51.100.0/25 198.51.100.128/25"),
        ("!198.51.100.7 198.51.100.0/24", (OFFICE,), "!198.51.100.7/32 198.51.100.0/24"),
        ("0.0.0.0/0 [2001:db8::]/32", (ip_network("2001:db8::/48"),), "[2001:db8::]/48"),
        ("hash:/etc/postfix/networks", (OFFICE,), None),
        ("/etc/postfix/networks", (), None),
    ],
)  # fmt: skip
def test_networks(value: str, allowed: tuple[Network, ...], after: str | None) -> None:
    assert networks.narrowed(value, allowed, ("192.0.2.5",), brackets=True) == after


@given(st.lists(st.sampled_from(["10.0.0.0/8", "198.51.100.64/26", "[2001:db8::]/32", "::1", "0.0.0.0/0"]), max_size=5))
def test_narrowing_twice_is_narrowing_once(listed: list[str]) -> None:
    allowed = (OFFICE, ip_network("2001:db8:7::/48"))
    once = networks.narrowed(" ".join(listed), allowed, (), brackets=True)
    assert once is not None
    assert networks.narrowed(once, allowed, (), brackets=True) == once


NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
BLOCKS = st.sampled_from([
    "protocol imap", "service auth", "inet_listener imap", "local 10.0.0.0/8", "local_name a.example",
    "unix_listener /run/x/auth", "metric a",
])  # fmt: skip
VALUES = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=30).filter(lambda v: v.isprintable())
KEYS = st.tuples(st.lists(BLOCKS, max_size=2).map(tuple), NAMES)


@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_our_file_reads_back(entries: dict[Key, str]) -> None:
    assert include.read(include.render(entries, "2.4.1")) == entries


def test_our_file_holds_nothing_that_looks_like_a_secret() -> None:
    """What is taken from a host is masked first, so a comment that looks like one would never read back."""
    names = [name for name in include.names() if name not in {"address", "listen", "mode", "port"}]
    text = include.render({((), name): "no" for name in names}, "2.3.19")
    assert len(names) > 20
    assert masked_text(text) == text


def test_our_file_says_why() -> None:
    entries = {
        ((), "ssl_min_protocol"): "TLSv1.2",
        ((), "sieve_plugins"): "",
        (("protocol imap",), "mail_plugins"): "a b",
    }
    assert include.render(entries, "2.3.19").splitlines()[2:] == [
        "# GP-TLS-002: refuse TLS before 1.2", "ssl_min_protocol = TLSv1.2", "",
        "plugin {", "  # GP-DET-003: let mail rules run no programs", "  sieve_plugins =", "}", "",
        "protocol imap {", "  # GP-LOG-008: log what becomes of messages", "  mail_plugins = a b", "}",
    ]  # fmt: skip
