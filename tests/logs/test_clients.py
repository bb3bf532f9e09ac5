from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.logs.clients import ENOUGH, one_client

GATEWAY = "it looks like a container's gateway"
INSIDE = "something inside stands before it"
OUTSIDE = "a proxy or an address translation stands before it"


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        ([("smtp", "172.17.0.1", 60)], GATEWAY),
        ([("smtp", "::ffff:172.17.0.1", 60)], GATEWAY),
        ([("imap", "fd00:1::1", 60)], GATEWAY),
        ([("imap", "10.4.4.9", 60)], INSIDE),
        ([("imap", "192.168.7.7", 60)], INSIDE),
        ([("imap", "100.64.3.2", 60)], INSIDE),
        ([("imap", "fe80::5", 60)], INSIDE),
        ([("smtp", "203.0.113.9", 600)], OUTSIDE),
        ([("smtp", "172.17.0.1", 990), ("smtp", "198.51.100.1", 5)], GATEWAY),  # a health check from elsewhere
        ([("imap", "172.17.0.1", 60), ("imap", "127.0.0.1", 900)], GATEWAY),  # webmail on the machine itself
    ],
)
def test_clients_that_are_hidden(seen: list[tuple[str, str, int]], why: str) -> None:
    (sentence,) = one_client(seen)
    assert sentence.startswith(f"{seen[0][0]}: ")
    assert why in sentence


@pytest.mark.parametrize(
    "seen",
    [
        [],
        [("smtp", "172.17.0.1", ENOUGH - 1)],  # a quiet host
        [("imap", "127.0.0.1", 10_000)],  # webmail
        [("imap", "::1", 10_000)],
        [("smtp", "203.0.113.9", 120)],  # one monitor and nobody else
        [("smtp", "10.0.0.2", 500), ("smtp", "198.51.100.7", 30)],  # a busy inner client among others
        [("smtp", "unknown", 900), ("smtp", "", 900)],
        [("smtp", "10.0.0.2", 30), ("imap", "10.0.0.2", 30)],  # enough only together
    ],
)
def test_clients_that_are_not(seen: list[tuple[str, str, int]]) -> None:
    assert one_client(seen) == ()


@given(
    st.lists(st.tuples(st.text(max_size=5), st.text(max_size=12) | st.ip_addresses().map(str), st.integers(-5, 999)))
)
def test_any_counts_end_in_a_sentence_for_a_service_at_most(seen: list[tuple[str, str, int]]) -> None:
    assert len(one_client(seen)) <= len({service for service, _, _ in seen})
