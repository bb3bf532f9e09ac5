"""Ours load without a word, and what is wrong with an operator's rules is told all at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.catalogue.controls import controls
from gatepost.detect.rule import Counting, Rule
from gatepost.detect.rules import load, ours

OURS = load()

PLAIN = """
title: Mine
name: mine
logsource: {product: gatepost, category: signals}
detection:
  selection: {SELECTION}
  condition: selection
"""
COUNT = """
---
title: Counted
name: counted
level: high
correlation:
  type: TYPE
  rules: [mine]
  group-by: [client]
  timespan: SPAN
  condition: CONDITION
"""


def problems(text: str) -> list[str]:
    return [str(p) for p in load([("own.yml", text)]).problems]


def plain(selection: str) -> str:
    return PLAIN.replace("{SELECTION}", selection)


def count(kind: str = "event_count", span: str = "10m", condition: str = "{gte: 3}") -> str:
    text = COUNT.replace("TYPE", kind).replace("SPAN", span).replace("CONDITION", condition)
    return plain("{act: login-failed}") + text


def test_ours_load_without_a_problem() -> None:
    assert OURS.problems == ()
    assert len({rule.id for rule in OURS.rules}) == len(OURS.rules) > 35


@pytest.mark.parametrize("rule", OURS.rules, ids=lambda rule: rule.id)
def test_each_of_ours_says_why_and_for_which_control(rule: Rule) -> None:
    known = {control.id for control in controls()}
    assert rule.tuning
    assert rule.says
    assert rule.controls
    assert set(rule.controls) <= known


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (plain("{acts: login}"), "own.yml: mine: detection.selection: signals have no field 'acts'"),
        (plain("{act: log-in}"), "own.yml: mine: act is never 'log-in'"),
        (plain("{user|base64: x}"), "the modifier 'base64' is not supported: signals hold no encoded text"),
        (plain("{user|windash: x}"), "the modifier 'windash' is not supported: signals hold no command lines"),
        (plain("{user|fieldref: peer}"), "two fields of one signal are never compared"),
        (plain("{user|foo: x}"), "there is no modifier 'foo'"),
        (plain("{user|re: '(a'}"), "own.yml: mine:"),
        (plain("{user|re: '(?=a)b'}"), "'(?=a)b' is invalid"),
        (plain("{user|re: '" + "a" * 201 + "'}"), "longer than 200 characters"),
        (plain("{user|gte: 5}"), "user is text and has no order"),
        (plain("{port: imaps}"), "port is a number"),
        (plain("{user|cidr: 192.0.2.0/24}"), "user is no address"),
        (plain("{client|cidr: 192.0.2.300/24}"), "own.yml: mine:"),
        (plain("[a, b]"), "words without a field match nothing here"),
        (plain("{act: login}").replace("gatepost,", "windows,"), "logsource.product is not gatepost"),
        (plain("{act: login}").replace("condition: selection", "condition: other"), "mine: detection.condition"),
        (plain("{act: login}").replace("condition: selection", "condition: 1 of x*"), "mine: detection.condition"),
        (plain("{act: login}").replace("condition: selection", "condition:"), "condition is not built as Sigma has it"),
        (plain("{act: login}") + "gatepost: {response: shoot}\n", "gatepost.response: 'shoot' is none of"),
        (plain("{act: login}") + "gatepost: {colour: red}\n", "gatepost.colour: unknown"),
        (plain("{act: login}") + "gatepost: {says: '{who}'}\n", "gatepost.says: {who} is none of"),
        (plain("{act: login}") + "gatepost: {baseline: {kind: mood}}\n", "gatepost.baseline.kind: 'mood' is none of"),
        (count(span="32d"), "own.yml: counted: correlation.timespan is 2764800 s, longer"),
        (count(span="soon"), "own.yml: counted: timespan 'soon' is invalid"),
        (count("value_avg", condition="{gte: 3, field: amount}"), "correlation.type value_avg is not supported"),
        (count("value_sum", condition="{gte: 3, field: port}"), "amount is the only field that can be added up"),
        (count("value_count", condition="{gte: 3, field: shoe}"), "values of 'shoe' cannot be counted"),
        (count(condition="{lt: 3}"), "only gte and gt"),
        (count(condition="{gte: 0}"), "is not between 1 and"),
        (count().replace("[mine]", "[other]"), "no rule has the name or id 'other'"),
        (count().replace("[client]", "[at]"), "signals cannot be grouped by at"),
        (count().replace("[mine]", "[counted]"), "counts rules that count it"),
        (count() + "---" + plain("{act: login}"), "own.yml: mine: the id is used 2 times, first in own.yml"),
        (plain("{act: login}").replace("name: mine", "name: brute-address"), "first in guessing.yml"),
        ("a: [1", "own.yml: not YAML"),
        ("- 5", "a rule is a mapping"),
        ("title: x\ncorrelation: 5", "own.yml: x:"),
        ("[" * 5000, "own.yml: not YAML"),
        ("a: &a [1,2]\nb: &b [*a,*a,*a,*a]\n" + "title: t\n", "own.yml: t:"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    assert any(said in one for one in problems(text)), problems(text)


def test_every_problem_is_told_at_once() -> None:
    text = plain("{acts: login, user|wide: x}") + "---" + plain("{act: nothing}").replace("mine", "other")
    assert len(problems(text)) == 3


def test_operators_rule_joins_ours() -> None:
    loaded = load([("own.yml", count())], off=["brute-address"])
    assert loaded.problems == ()
    assert "brute-address" not in {rule.id for rule in loaded.rules}
    own = next(rule for rule in loaded.rules if rule.id == "counted")
    assert (own.counting, own.window, own.threshold, own.live) == (Counting.EVENTS, 600, 3, True)


def test_unknown_rule_cannot_be_switched_off() -> None:
    assert [str(p) for p in load(off=["nonesuch"]).problems] == ["no rule has the id 'nonesuch' that is switched off"]


def test_plain_rule_tells_of_each_signal() -> None:
    rule = next(r for r in load([("own.yml", plain("{act: rule-changed}"))]).rules if r.id == "mine")
    assert (rule.threshold, rule.groups) == (1, ("client",))


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=200), where=st.integers(0, 3000))
def test_no_text_breaks_the_loader(text: str, where: int) -> None:
    whole = ours()[0][1]
    load([("own.yml", whole[:where] + text + whole[where : where + 600]), ("more.yml", text)])
