"""Line by line the same fires as over the lake, within bounds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gatepost.detect.live import Live
from gatepost.detect.rule import Counting, Rule
from gatepost.detect.rules import load
from gatepost.detect.sql import compile_rule
from gatepost.model.alert import Hit
from gatepost.model.event import Signal
from tests.detect.reference import fired, runs
from tests.detect.signals import connection, signal
from tests.detect.test_sql import RULES, SOME


def ended(rule: Rule, signals: list[Signal], groups: int = 50_000) -> list[Hit]:
    """Every hit as it stood last."""
    live = Live([rule], groups)
    told = [hit for one in signals for hit in live.feed(one)] + list(live.finish())
    return list({(hit.group, hit.first): hit for hit in told}.values())


def spans(rule: Rule, signals: list[Signal]) -> list[tuple[tuple[str, ...], int]]:
    return sorted((g, last) for g, at in fired(rule, signals).items() for _, last in runs(rule, at))


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=60, deadline=None)
@given(signals=st.lists(SOME, max_size=60))
def test_fires_as_the_reference_does(name: str, signals: list[Signal]) -> None:
    ordered = sorted(signals, key=lambda s: s.at)  # stable: ties stay in the order drawn
    found = ended(RULES[name], ordered)
    assert sorted((tuple(v for _, v in hit.group), hit.last) for hit in found) == spans(RULES[name], ordered)


@example(signals=[signal(0, amount=1), signal(0, amount=4)])
@settings(max_examples=40, deadline=None)
@given(signals=st.lists(SOME, max_size=60))
def test_sums_tell_what_the_lake_tells(signals: list[Signal]) -> None:
    rule = RULES["events"]
    ordered = sorted(signals, key=lambda s: s.at)
    rows = connection(ordered).execute(compile_rule(rule)).fetchall()
    found = ended(rule, ordered)
    wanted = sorted((row[0][0], *row[1:4], tuple(row[4]), tuple(row[5]), tuple(row[7])) for row in rows)
    assert sorted((h.group[0][1], h.first, h.last, h.count, h.clients, h.users, h.hosts) for h in found) == wanted


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=30, deadline=None)
@given(signals=st.lists(SOME, max_size=30), late=st.lists(st.floats(0, 3), min_size=30, max_size=30))
def test_late_lines_count_at_the_newest_instant_of_their_group(
    name: str, signals: list[Signal], late: list[float]
) -> None:
    rule = RULES[name]
    ordered = sorted(signals, key=lambda s: s.at)
    shuffled = [one for _, one in sorted(zip(late, ordered, strict=False), key=lambda p: p[1].at + p[0] * 1_000_000)]
    live = Live([rule])
    for one in shuffled:
        live.feed(one)
    assert live.late == 0
    if rule.groups == ("client",) and all(not isinstance(part, Rule) for part in rule.parts):
        newest: dict[str, int] = {}
        moved = []
        for one in shuffled:
            if any(_takes(rule, one)):
                newest[one.client] = max(newest.get(one.client, 0), one.at)
                moved.append(replace(one, at=newest[one.client]))
        found = ended(rule, shuffled)
        assert sorted((tuple(v for _, v in hit.group), hit.last) for hit in found) == spans(rule, moved)


def _takes(rule: Rule, one: Signal) -> list[bool]:
    from gatepost.detect.condition import function
    from gatepost.detect.rule import Selection

    counted = rule.counting is not Counting.EVENTS or one.amount > 0
    valued = not rule.value or bool(getattr(one, rule.value))
    return [function(p.where)(one) and counted and valued for p in rule.parts if isinstance(p, Selection)]


def test_hit_is_told_at_once_and_again_when_doubled() -> None:
    live = Live([RULES["events"]])
    told = [n for n in range(1, 20) if live.feed(signal(n / 10))]
    assert told == [4, 8, 16]


def test_line_of_a_clock_that_is_far_behind_is_left_to_the_lake() -> None:
    live = Live([RULES["events"]])
    for _ in range(3):
        live.feed(signal(100))
    assert live.feed(signal(0)) == ()
    assert live.late == 1


def test_groups_are_bounded() -> None:
    live = Live([RULES["events"]], groups=100)
    for n in range(1000):
        live.feed(signal(n / 1000, client=f"192.0.{n % 250}.{n // 250}"))
    assert live.crowded > 800


def test_flood_of_one_client_is_kept_small() -> None:
    live = Live(load().rules)
    hits = [hit for n in range(20_000) for hit in live.feed(signal(n / 100, user=f"u{n}"))]
    brute = [hit for hit in hits if hit.rule == "brute-address"]
    assert brute[-1].signals == 10 * 2**10
    assert len(brute) < 20
    assert max(len(hit.users) for hit in hits) <= 1000
