"""Names and addresses become digests that still join; nothing of them is left; twice is as once."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.lake.columns import EVENTS, SIGNALS
from gatepost.lake.pseudonyms import address, network, pseudonym, pseudonymised

KEY, OTHER = b"k" * 32, b"o" * 32


def table(**values: object) -> pa.Table:
    columns = {one.name: pa.nulls(1, one.type) for one in EVENTS}
    for name, value in values.items():
        columns[name] = pa.array([value]).cast(EVENTS.field(name).type)
    return pa.table(columns, schema=EVENTS)


@given(st.text(max_size=300))
def test_the_same_name_has_the_same_pseudonym_and_no_other_key_has_it(text: str) -> None:
    once = pseudonym(text, KEY)
    assert once == pseudonym(text, KEY) == pseudonym(once, OTHER)
    assert (once == "") == (text == "")
    assert once != pseudonym(text, OTHER) or once == text


@pytest.mark.parametrize(
    ("text", "around"),
    [
        ("192.0.2.77", "192.0.2.0/24~"),
        ("2001:db8:1:2::5", "2001:db8:1::/48~"),
        ("unknown", "~"),
        ("fe80::1%eth0", "fe80::/48~"),
    ],
)
def test_a_client_keeps_its_network(text: str, around: str) -> None:
    hidden = address(text, KEY)
    assert hidden.startswith(around)
    assert text not in hidden
    assert address(hidden, KEY) == hidden
    assert address("", KEY) == ""


def test_two_clients_of_a_network_stay_two() -> None:
    assert address("192.0.2.1", KEY) != address("192.0.2.2", KEY)


def test_a_household_is_no_network() -> None:
    assert network("2001:db8:1:2::/64") == "2001:db8:1::/48"
    assert network("192.0.2.0/24") == "192.0.2.0/24"
    assert network("alice") == ""


def test_nothing_of_a_person_is_left_in_a_row() -> None:
    secrets = {
        "user": "alice@example.org", "sender": "alice@example.org", "recipient": "bob@example.net",
        "name": "alice-home", "helo": "alice-laptop",
        "message_id": "alice.1@example.org", "session": "QWxpY2U", "client": "192.0.2.77",
        "client_port": 40123, "relay": "alice/INBOX", "reason": "user=<alice@example.org> unknown",
    }  # fmt: skip
    hidden = pseudonymised(table(kind="auth-failed", host="mx1", queue="4Qx", **secrets), KEY).to_pylist()[0]
    assert not [value for value in hidden.values() if "alice" in str(value) or "bob" in str(value)]
    assert hidden["user"] == hidden["sender"] != hidden["recipient"]
    assert (hidden["client_port"], hidden["reason"], hidden["session"][0]) == (None, "", "~")
    assert (hidden["host"], hidden["queue"], hidden["kind"]) == ("mx1", "4Qx", "auth-failed")


def test_servers_and_words_of_ours_stay() -> None:
    assert pseudonymised(table(kind="delivery", relay="mx.example.net"), KEY)["relay"].to_pylist() == ["mx.example.net"]
    assert pseudonymised(table(kind="mail-action", reason="fetch"), KEY)["reason"].to_pylist() == ["fetch"]


def test_twice_is_as_once() -> None:
    once = pseudonymised(table(kind="login", user="alice", client="192.0.2.7", name="x"), KEY)
    assert pseudonymised(once, OTHER).equals(once)


def test_signals_keep_their_schema() -> None:
    empty = SIGNALS.empty_table()
    assert pseudonymised(empty, KEY).schema.equals(SIGNALS)


def test_lists_hide_each_of_their_members_and_keep_their_lengths() -> None:
    lists = pa.array([["bob@example.net", ""], None, [], ["eve"]], pa.list_(pa.string()))
    cut = pa.chunked_array([lists.slice(0, 1), lists.slice(1)])
    hidden = pseudonymised(pa.table({"delivered_to": cut}), KEY)["delivered_to"].to_pylist()
    assert hidden == [[pseudonym("bob@example.net", KEY), ""], None, [], [pseudonym("eve", KEY)]]


def test_a_hint_is_a_person_unless_it_is_where_a_message_went() -> None:
    rows = pa.table({"direction": ["in", "out", None], "hint": ["alice-laptop", "example.net", "x"]})
    hidden = pseudonymised(rows, KEY)["hint"].to_pylist()
    assert [hidden[0][0], hidden[1], hidden[2][0]] == ["~", "example.net", "~"]
