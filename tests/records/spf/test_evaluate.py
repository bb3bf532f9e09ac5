"""What a receiver says, row by row, and the bounds it keeps whatever the zone holds."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.model.domain import SpfResult
from gatepost.model.words import Reason
from gatepost.records.spf import check
from tests.zone import SERVFAIL, TIMEOUT, Zone

V4, V6 = "192.0.2.1", "2001:db8::1"
ZONE = {
    "mail.test A": [V4],
    "mail.test AAAA": [V6],
    "mx.test MX": ["10 gone.test", "20 mail.test"],
    "crowd.test MX": [f"{n} mail.test" for n in range(11)],
    "null.test MX": ["0 ."],
    "four.test A": ["192.0.2.200"],
    "1.2.0.192.in-addr.arpa PTR": ["liar.test", "mail.test"],
    "joe.list.test A": ["127.0.0.2"],
    "pass.test TXT": ["v=spf1 ip4:192.0.2.0/24 -all"],
    "fail.test TXT": ["v=spf1 -all"],
    "soft.test TXT": ["v=spf1 ~all"],
    "two.test TXT": ["v=spf1 -all", "v=spf1 +all"],
    "other.test TXT": ["site-verification=1"],
    "broken.test TXT": ["v=spf1 mx:a -all"],
    "loop.test TXT": ["v=spf1 include:loop.test -all"],
    "ring.test TXT": ["v=spf1 redirect=ring.test"],
    "why.test TXT": ["%{i} is not one of %{o}"],
    "bad.test TXT": ["50% of %{x}"],
    "ours.test TXT": ["v=spf1 a:mail.test -all exp=why.test"],
}
TROUBLE = {"dead.test": TIMEOUT, "half.test TXT": SERVFAIL}


def asked(record: str, address: str = V4, sender: str = "joe@own.test") -> SpfResult:
    zone = Zone({**ZONE, "own.test TXT": [record], "own.test A": ["192.0.2.77"]}, TROUBLE)
    return asyncio.run(check(address, "own.test", zone, sender=sender, helo="helo.test"))


@pytest.mark.parametrize(
    ("record", "result", "mechanism"),
    [
        ("v=spf1", "neutral", ""),
        ("v=spf1 a", "neutral", ""),
        ("v=spf1 ?a/24", "neutral", "?a/24"),
        ("v=spf1 a:mail.test -all", "pass", "a:mail.test"),
        ("v=spf1 A:MAIL.TEST", "pass", "A:MAIL.TEST"),
        ("v=spf1 ~a:four.test/24", "softfail", "~a:four.test/24"),
        ("v=spf1 mx:mx.test -all", "pass", "mx:mx.test"),
        ("v=spf1 mx:null.test -all", "fail", "-all"),
        ("v=spf1 mx:mail.test -all", "fail", "-all"),
        ("v=spf1 mx:crowd.test -all", "permerror", "mx:crowd.test"),
        ("v=spf1 ptr:mail.test -all", "pass", "ptr:mail.test"),
        ("v=spf1 ptr:il.test -all", "fail", "-all"),
        ("v=spf1 ptr:liar.test -all", "fail", "-all"),
        ("v=spf1 exists:%{l}.list.test -all", "pass", "exists:%{l}.list.test"),
        ("v=spf1 exists:%{p}.list.test -all", "fail", "-all"),
        ("v=spf1 ip6:::ffff:192.0.2.1 -all", "fail", "-all"),
        ("v=spf1 -ip4:192.0.2.9/24 +all", "fail", "-ip4:192.0.2.9/24"),
        ("v=spf1 include:pass.test -all", "pass", "include:pass.test"),
        ("v=spf1 include:fail.test include:soft.test ?all", "neutral", "?all"),
        ("v=spf1 -include:pass.test", "fail", "-include:pass.test"),
        ("v=spf1 include:other.test -all", "permerror", "include:other.test"),
        ("v=spf1 include:two.test -all", "permerror", "include:two.test"),
        ("v=spf1 include:broken.test -all", "permerror", "include:broken.test"),
        ("v=spf1 include:x -all", "permerror", "include:x"),
        ("v=spf1 include:%{h1}. -all", "permerror", "include:%{h1}."),
        ("v=spf1 include:loop.test -all", "permerror", "include:loop.test"),
        ("v=spf1 redirect=ring.test", "permerror", "redirect=ring.test"),
        ("v=spf1 redirect=fail.test", "fail", "-all"),
        ("v=spf1 redirect=fail.test ~all", "softfail", "~all"),
        ("v=spf1 redirect=other.test", "permerror", "redirect=other.test"),
        ("v=spf1 include:dead.test -all", "temperror", "include:dead.test"),
        ("v=spf1 redirect=half.test", "temperror", ""),
        ("v=spf1 a:dead.test -all", "temperror", "a:dead.test"),
        ("v=spf1 a:mail.test a:dead.test -all", "pass", "a:mail.test"),
        ("v=spf1 +all nonsense", "permerror", "nonsense"),
        ("v=spf1 " + "a " * 10 + "ip4:192.0.2.1", "pass", "ip4:192.0.2.1"),
        ("v=spf1 " + "a " * 11 + "ip4:192.0.2.1", "permerror", "a"),
        ("v=spf1 a:x.test a:y.test ip4:192.0.2.1", "pass", "ip4:192.0.2.1"),
        ("v=spf1 a:x.test a:y.test exists:z.test ip4:192.0.2.1", "permerror", "exists:z.test"),
        ("v=spf1 a:x..test a:y..test mx:z..test ip4:192.0.2.1", "pass", "ip4:192.0.2.1"),
        ("v=spf1 mx:mx.test mx:mx.test mx:mx.test", "pass", "mx:mx.test"),
    ],
)
def test_the_result_and_the_term_that_decided(record: str, result: str, mechanism: str) -> None:
    got = asked(record)
    assert (got.result, got.mechanism) == (result, mechanism)
    assert got.why


@pytest.mark.parametrize(
    ("address", "record", "result"),
    [
        (V6, "v=spf1 a:mail.test -all", "pass"),
        (V6, "v=spf1 a:four.test/0 -all", "fail"),
        (V6, "v=spf1 ip6:2001:db8::/64 -all", "pass"),
        ("::ffff:192.0.2.1", "v=spf1 ip4:192.0.2.1 -all", "pass"),
        ("fe80::1%eth0", "v=spf1 ip6:fe80::/10 -all", "pass"),
        ("300.1.1.1", "v=spf1 +all", "none"),
    ],
)
def test_the_client(address: str, record: str, result: str) -> None:
    assert asked(record, address).result == result


@pytest.mark.parametrize(
    ("record", "explanation"),
    [
        ("v=spf1 -all exp=why.test", f"{V4} is not one of own.test"),
        ("v=spf1 ~all exp=why.test", ""),
        ("v=spf1 -all exp=bad.test", ""),
        ("v=spf1 -all exp=two.test", ""),
        ("v=spf1 -all exp=dead.test", ""),
        ("v=spf1 -all exp=nowhere.test", ""),
        ("v=spf1 redirect=fail.test exp=why.test", ""),
    ],
)
def test_the_explanation_of_a_fail(record: str, explanation: str) -> None:
    assert asked(record).explanation == explanation


def test_a_redirect_brings_its_own_explanation() -> None:
    got = asked("v=spf1 redirect=ours.test", "192.0.2.9")
    assert (got.result, got.explanation) == ("fail", "192.0.2.9 is not one of own.test")


def test_why_names_the_record_that_matched() -> None:
    assert asked("v=spf1 include:pass.test -all").why == f"{V4} is in ip4:192.0.2.0/24 in the record of pass.test"
    assert asked("v=spf1 a:four.test/24").why == f"{V4} is within /24 of 192.0.2.200, an address of four.test"
    assert asked("v=spf1 a:dead.test").why == "dead.test A: the resolver does not answer within 8 s"


def test_a_lie_in_reverse_dns_costs_the_domain_nothing() -> None:
    zone = Zone({
        "own.test TXT": ["v=spf1 ptr exists:%{p}.gone.test ip4:192.0.2.1 -all"],
        "1.2.0.192.in-addr.arpa PTR": [f"liar{n}.test" for n in range(30)],
    })  # fmt: skip
    assert asyncio.run(check(V4, "own.test", zone)).result == "pass"
    assert sum(one.startswith("liar") for one in zone.asked) == 10


NAMES = st.sampled_from(["a.test", "b.test", "c.test", "d.test", "nowhere.test"])
SPECS = st.one_of(
    NAMES, st.sampled_from(["%{d}", "%{l}.a.test", "%{p}", "%{ir}.%{v}.b.test", "x..y.test", "%{s}.test"])
)
TERMS = st.one_of(
    st.builds("{}{}:{}".format, st.sampled_from(["", "-", "~", "?"]),
              st.sampled_from(["a", "mx", "include", "include", "exists", "ptr"]), SPECS),
    st.builds("{}={}".format, st.sampled_from(["redirect", "exp", "x"]), SPECS),
    st.sampled_from(["a/24", "mx//64", "ptr", "ip4:192.0.2.0/24", "ip6:::/0", "all", "-all", "nonsense", "a:%"]),
)  # fmt: skip
TEXTS = st.lists(TERMS, max_size=14).map(lambda terms: " ".join(["v=spf1", *terms]))
HOSTS = st.lists(NAMES.map("10 {}".format), max_size=12)
RECORDS = st.one_of(
    st.tuples(st.just("TXT"), st.lists(TEXTS | st.text(max_size=20), min_size=1, max_size=2)),
    st.tuples(st.just("MX"), HOSTS),
    st.tuples(st.just("A"), st.lists(st.sampled_from([V4, "198.51.100.1"]), max_size=2)),
    st.tuples(st.just("AAAA"), st.lists(st.just(V6), max_size=1)),
)
ZONES = st.lists(st.tuples(NAMES, RECORDS), max_size=16).map(
    lambda rows: {f"{name} {kind}": values for name, (kind, values) in rows}
)
REVERSE = {"1.2.0.192.in-addr.arpa PTR": [f"{one}.test" for one in "abcdefghijklmno"]}
TROUBLES = st.dictionaries(NAMES, st.sampled_from([TIMEOUT, SERVFAIL]), max_size=2)
MOST_QUESTIONS = 1 + 10 * 11 + 11 + 1  # own record; ten terms, each an mx with ten hosts; reverse names; explanation


@settings(max_examples=300, deadline=None)
@given(ZONES, TROUBLES, st.sampled_from([V4, V6]), st.sampled_from(["", "joe@a.test", "a..b@c", "é\ud800@b.test"]))
def test_it_always_ends_within_bounds(
    records: dict[str, list[str]], trouble: dict[str, tuple[Reason, str]], address: str, sender: str
) -> None:
    zone = Zone({**REVERSE, **records}, trouble)
    got = asyncio.run(check(address, "a.test", zone, sender=sender, helo="[192.0.2.1]"))
    assert got.result in {"pass", "fail", "softfail", "neutral", "none", "permerror", "temperror"}
    assert got.lookups <= 10
    assert len(zone.asked) <= MOST_QUESTIONS


@given(st.text(max_size=40), st.text(max_size=300), st.text(max_size=300))
def test_any_words_of_a_caller_are_answered(address: str, domain: str, sender: str) -> None:
    got = asyncio.run(check(address, domain, Zone({}), sender=sender, helo=sender))
    assert got.result == "none"
