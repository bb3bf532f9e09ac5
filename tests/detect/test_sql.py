"""What the SQL says is what the plain words say, at ties and at the edges of windows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatepost.detect.condition import function, sql
from gatepost.detect.rule import Any, Comparison, Counting, Not, Predicate, Rule, Selection, Test, Wild
from gatepost.detect.sql import compile_rule
from gatepost.model.event import MICROSECONDS, Act, Signal
from gatepost.model.words import Severity
from tests.detect.reference import fired, runs
from tests.detect.signals import START, connection, signal

FAILED = Test("act", Comparison.EQUAL, "login-failed")
LOGIN = Test("act", Comparison.EQUAL, "login")
WINDOW = 5


def rule(counting: Counting, parts: tuple[Selection | Rule, ...], **other: object) -> Rule:
    whole: dict[str, object] = {"groups": ("client",), "window": WINDOW, "threshold": 2} | other
    return Rule("a", "", "A", "", Severity.HIGH, counting, parts, **whole)  # type: ignore[arg-type]


def taking(where: Predicate, *fields: str) -> Selection:
    return Selection("s", where, fields or ("client",))


RULES = {
    "events": rule(Counting.EVENTS, (taking(FAILED),), threshold=4),
    "events of two kinds": rule(Counting.EVENTS, (taking(FAILED), taking(LOGIN)), threshold=5),
    "events of anybody": rule(Counting.EVENTS, (Selection("s", FAILED, ()),), groups=(), threshold=6),
    "values": rule(Counting.VALUES, (taking(FAILED),), value="user", threshold=3),
    "values of anybody": rule(Counting.VALUES, (Selection("s", FAILED, ()),), value="client", groups=(), threshold=2),
    "values by two": rule(
        Counting.VALUES, (taking(FAILED, "client", "host"),), value="user", groups=("client", "host")
    ),
    "together": rule(Counting.TOGETHER, (taking(FAILED), taking(LOGIN))),
    "one of two": rule(Counting.TOGETHER, (taking(FAILED), taking(LOGIN)), threshold=1),
    "ordered": rule(Counting.ORDERED, (taking(FAILED), taking(LOGIN))),
    "three in order": rule(Counting.ORDERED, (taking(FAILED), taking(LOGIN), taking(FAILED)), threshold=3),
    "aliased": rule(Counting.ORDERED, (taking(FAILED, "user"), taking(LOGIN, "peer")), groups=("who",)),
}
_INNER = rule(Counting.EVENTS, (taking(FAILED, "client", "user"),), groups=("client", "user"), threshold=3)
RULES["chained"] = rule(Counting.ORDERED, (replace(_INNER, fields=("client",)), taking(LOGIN)), window=7)
RULES["counted twice"] = rule(Counting.VALUES, (replace(_INNER, fields=("client",)),), value="user", window=7)
RULES["events of a rule"] = rule(Counting.EVENTS, (replace(_INNER, fields=("client",)),), threshold=2, window=7)

SOME = st.builds(
    lambda at, act, client, user, host, amount: signal(
        at, act, client, user, host=host, amount=amount, peer=user, offset=0
    ),
    st.integers(0, 30) | st.sampled_from([5.000001, 9.999999, 4.999999]),
    st.sampled_from([Act.LOGIN_FAILED, Act.LOGIN_FAILED, Act.LOGIN, Act.PROBE]),
    st.sampled_from(["192.0.2.7", "192.0.2.8", ""]),
    st.sampled_from(["ann", "bob", "cy", ""]),
    st.sampled_from(["mx1", "mx2"]),
    st.sampled_from([0, 1, 1, 2, 4]),
)


def told(one: Rule, signals: list[Signal]) -> list[tuple[tuple[str, ...], int]]:
    rows = connection(signals).execute(compile_rule(one)).fetchall()
    return sorted((tuple(row[0]), row[2]) for row in rows)


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(signals=st.lists(SOME, max_size=40))
def test_windows_are_those_of_the_reference(name: str, signals: list[Signal]) -> None:
    one = RULES[name]
    wanted = [(group, last) for group, at in fired(one, signals).items() for _, last in runs(one, at)]
    assert told(one, signals) == sorted(wanted)


@pytest.mark.parametrize(("gap", "found"), [(5.0, 1), (5.000001, 0)])
def test_what_happened_exactly_a_window_ago_counts(gap: float, found: int) -> None:
    one = rule(Counting.EVENTS, (taking(FAILED),), threshold=2)
    assert len(told(one, [signal(0), signal(gap)])) == found


def test_hit_carries_what_stands_behind_it() -> None:
    one = rule(Counting.EVENTS, (taking(FAILED),), threshold=4)
    signals = [signal(n, user=f"u{n % 2}", amount=2, service=("imap", "pop3")[n % 2], offset=n) for n in range(9)]
    row = connection([*signals, signal(4, client="192.0.2.9")]).execute(compile_rule(one)).fetchall()[0]
    group, first, last, count, clients, users, services, hosts, proofs, total = row
    assert (group, first, last) == (["192.0.2.7"], START, START + 8 * MICROSECONDS)
    assert (count, total) == (18, 18)
    assert (clients, users, services, hosts) == (["192.0.2.7"], ["u0", "u1"], ["imap", "pop3"], ["mx1"])
    assert sorted(proof["offset"] for proof in proofs) == [0, 1, 2, 6, 7, 8]


def test_times_bound_what_is_read() -> None:
    one = rule(Counting.EVENTS, (taking(FAILED),), threshold=2)
    connected = connection([signal(0), signal(1), signal(2)])
    bounded = compile_rule(one, since=START + MICROSECONDS, until=START + 2 * MICROSECONDS)
    assert connected.execute(bounded).fetchall() == []


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ["", "'; DROP TABLE signals; --", "%", "_", "a\\", "İ", "Ann", "aNN", "\0", "a\nb", '"', "192.0.2.7", "2001:db8::1"]
)
ADDRESS = st.ip_addresses().map(str) | st.sampled_from(["::1", "::", "2001:db8::", "2001:db8:0:1::5", "192.0.2.255"])
WORDS = st.builds(
    Test,
    st.sampled_from(["user", "cause"]), st.sampled_from([Comparison.EQUAL, Comparison.EXACT, Comparison.EXISTS]), TEXT,
)  # fmt: skip
PATTERNS = st.builds(
    lambda how, parts: Test("user", how, tuple(parts)),
    st.sampled_from([Comparison.LIKE, Comparison.LIKE_EXACT]),
    st.lists(TEXT.filter(bool) | st.sampled_from([Wild.MANY, Wild.ONE]), max_size=4),
)
NUMBERS = st.builds(
    Test, st.sampled_from(["port", "amount"]),
    st.sampled_from([Comparison.ABOVE, Comparison.AT_LEAST, Comparison.AT_MOST, Comparison.BELOW, Comparison.EQUAL]),
    st.integers(0, 3) | st.just(1.5),
)  # fmt: skip
NETWORKS = st.sampled_from(
    ["192.0.2.0/24", "0.0.0.0/0", "2001:db8::/32", "::/0", "::/64", "2001:db8:0:1::/64", "192.0.2.128/25"]
).map(lambda net: Test("client", Comparison.NETWORK, net))
REGEXES = st.sampled_from(["a.", "^a", "(?i)ann", "[0-9]+$", "x|y"]).map(
    lambda pattern: Test("user", Comparison.REGEX, "(?s)" + pattern)
)


@settings(max_examples=150, deadline=None)
@given(
    where=st.recursive(
        WORDS | PATTERNS | NUMBERS | NETWORKS | REGEXES,
        lambda inner: inner.map(Not) | st.lists(inner, min_size=1, max_size=3).map(lambda parts: Any(tuple(parts))),
        max_leaves=4,
    ),
    user=TEXT, cause=TEXT, client=ADDRESS, port=st.none() | st.integers(0, 3), amount=st.integers(0, 3),
)  # fmt: skip
def test_predicates_say_the_same_in_sql_and_in_python(
    where: Predicate, user: str, cause: str, client: str, port: int | None, amount: int
) -> None:
    one = signal(0, client=client, user=user, cause=cause, port=port, amount=amount)
    rows = connection([one]).execute(f"SELECT {sql(where)} FROM signals").fetchall()  # noqa: S608 - under test
    assert rows == [(function(where)(one),)]
