"""Reading what nft prints, and refusing what it never would."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.firewall.proving import ruleset
from gatepost.firewall.proving.proof import Proof
from gatepost.firewall.proving.ruleset import NoRuleset, read
from tests.firewall.around import ACCEPT, DROP, V4, chain, dport, listed, named, rule, saddr, table

INPUT = chain("inet t input", "input", policy="drop")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("table inet t {}", "not JSON"),
        ("[" * 100000, "nested deeper"),
        ('{"nftables": ' + "[" * 5000 + "]" * 5000 + "}", "nested deeper"),
        ("[]", "no list named nftables"),
        ('{"nftables": {}}', "no list named nftables"),
        ('{"nftables": [3]}', "no object of a rule set"),
        ('{"nftables": [{"table": {}, "chain": {}}]}', "no object of a rule set"),
        ('{"nftables": [{"table": 3}]}', "a table without a body"),
        ('{"nftables": [{"rule": {"family": "ip", "table": "t"}}]}', "without chain"),
        ('{"nftables": [{"set": {"family": "ip", "table": "t", "name": 3}}]}', "without name"),
    ],
)
def test_what_is_no_rule_set(text: str, says: str) -> None:
    with pytest.raises(NoRuleset, match=says):
        read(text)


def test_too_many_rules_or_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    many = listed(table("inet", "t"), INPUT, *[rule("inet t input", DROP)] * 4)
    monkeypatch.setattr(ruleset, "MOST_RULES", 3)
    with pytest.raises(NoRuleset, match="4 rules are more than the 3"):
        read(many)
    monkeypatch.setattr(ruleset, "MOST_ELEMENTS", 1)
    with pytest.raises(NoRuleset, match="sets with 2 elements"):
        read(listed(named("inet t s", "ipv4_addr", ["192.0.2.1", "192.0.2.2"])))


def test_an_empty_rule_set_is_an_answer() -> None:
    found = read(listed())
    assert (found.tables, list(found.rules), found.ours) == ((), [], "")


def test_the_digest_holds_while_only_counters_handles_and_passing_bans_change() -> None:
    def told(packets: int, handle: int, bans: list[str], port: int = 25) -> ruleset.Ruleset:
        counter = {"counter": {"packets": packets, "bytes": packets * 60}}
        return read(
            listed(
                table("inet", "t"),
                named("inet t bans", "ipv4_addr", bans, flags=["timeout"], handle=handle),
                INPUT,
                rule("inet t input", dport(port), counter, ACCEPT, handle=handle),
            )
        )

    before = told(1, 4, ["192.0.2.1"]).digest
    assert told(77, 9, []).digest == before
    assert told(1, 4, ["192.0.2.1"], 26).digest != before


def test_a_set_of_addresses_that_stay_counts_for_the_digest() -> None:
    office, branch = (
        read(listed(table("inet", "t"), named("inet t office", "ipv4_addr", [a]))) for a in ("192.0.2.1", "192.0.2.2")
    )
    assert office.digest != branch.digest
    assert not office.volatile


def test_our_own_table_has_a_digest_of_its_own() -> None:
    ours = (table("inet", "gatepost"), chain("inet gatepost input", "input"))
    alone, beside, without = (read(listed(*o)) for o in (ours, (*ours, table("ip", "nat")), (table("ip", "nat"),)))
    assert alone.ours == beside.ours != ""
    assert alone.digest != beside.digest
    assert not without.ours


def test_sets_that_change_by_themselves_are_marked() -> None:
    assert read(listed(named("inet t s", "ipv4_addr", [], flags="dynamic"))).volatile
    assert read(listed(named("inet t s", "ipv4_addr", [{"elem": {"val": "192.0.2.1", "expires": 9}}]))).volatile


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["192.0.2.1", "@s", "lo", "*"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["payload", "meta", "ct", "key", "set", "concat", "prefix", "addr", "len", "range", "&", "map",
                         "data", "protocol", "field", "elem", "val", "target", "fib", "flags", "result"]),
        inner, max_size=3,
    ),
    max_leaves=8,
)  # fmt: skip
KINDS = (
    "match", "vmap", "dnat", "redirect", "limit", "quota", "ct count", "set", "meter", "mangle", "xt", "jump", "goto",
    "queue", "accept", "drop", "notrack", "snat", "masquerade", "reject", "log", "counter", "fwd", "tproxy", "no",
)  # fmt: skip
statements = st.dictionaries(st.sampled_from(KINDS), values, min_size=1, max_size=1)
matches = st.fixed_dictionaries(
    {"left": values, "op": st.sampled_from(["==", "!=", "in", "<", "!", "~"]), "right": values}
)
anything = statements | matches.map(lambda m: {"match": m}) | values


@given(st.lists(st.lists(anything, max_size=4), max_size=5))
def test_any_rule_is_evaluated_to_an_answer(bodies: list[list[Any]]) -> None:
    """Never an error; and where something was not understood, never certainty against it."""
    text = listed(table("inet", "t"), INPUT, *(rule("inet t input", *body) for body in bodies))
    found = Proof.of(read(text)).inbound(V4, 25)
    assert not found.accepted & found.undecided


@given(values)
def test_any_json_is_read_or_refused(value: Any) -> None:
    for text in (json.dumps(value), json.dumps({"nftables": value}), json.dumps({"nftables": [{"chain": value}]})):
        with suppress(NoRuleset):
            assert read(text).digest


def test_a_statement_nobody_knows_leaves_its_packets_open() -> None:
    strange = rule("inet t input", saddr("192.0.2.1"), {"teleport": {"to": "mars"}}, ACCEPT)
    proof = Proof.of(read(listed(table("inet", "t"), INPUT, strange, rule("inet t input", DROP))))
    assert proof.listed(proof.inbound(V4, 25).undecided, 4).prefixes == ("192.0.2.1/32",)
