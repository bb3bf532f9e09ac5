"""The tree of a domain's SPF: running counts, notes, problems and advice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence

import pytest
from hypothesis import given, settings

from gatepost.model.dns import Answer, Security
from gatepost.model.domain import SpfSeen
from gatepost.model.observation import Unobserved
from gatepost.model.words import Reason
from gatepost.records.spf import check, inspect, permitted
from tests.records.spf.test_evaluate import TROUBLES, ZONES
from tests.zone import SERVFAIL, TIMEOUT, Zone

ZONE = {
    "mail.test A": ["192.0.2.1"],
    "mail.test AAAA": ["2001:db8::1"],
    "four.test A": ["192.0.2.4"],
    "own.test A": ["192.0.2.7"],
    "own.test MX": ["10 mail.test", "20 four.test"],
    "null.test MX": ["0 ."],
    "crowd.test MX": [f"{n} mail.test" for n in range(11)],
    "spf.test TXT": ["v=spf1 a:mail.test ip4:198.51.100.0/24 ~all"],
    "open.test TXT": ["v=spf1 all"],
    "seven.test TXT": ["v=spf1 " + "a:mail.test " * 6 + "include:spf.test ?all"],
    "two.test TXT": ["v=spf1 -all", "v=spf1 ~all"],
    "back.test TXT": ["v=spf1 include:own.test -all"],
    "_s.own.test TXT": ["v=spf1 ptr -all"],
    "theirs.test TXT": ["v=spf1 ptr x=y ip4:192.0.2.9/24 -all"],
    "mute.test TXT": ["hello"],
}
IPV6 = "for IPv6 clients 3 look-ups are void (four.test) and 2 allowed"
TROUBLE = {"dead.test": TIMEOUT}


def seen(record: str, extra: Mapping[str, Sequence[str]] | None = None) -> SpfSeen:
    zone = Zone({**ZONE, "own.test TXT": [record], **(extra or {})}, TROUBLE, security=Security.SECURE)
    got = asyncio.run(inspect("Own.Test.", zone))
    assert isinstance(got, SpfSeen)
    return got


def test_the_running_counts_of_a_tree() -> None:
    got = seen(
        "v=spf1 mx include:spf.test a:gone.test redirect=next.test", {"next.test TXT": ["v=spf1 a:mail.test -all"]}
    )
    assert [(t.depth, t.domain, t.text, t.lookups, t.voids) for t in got.terms] == [
        (0, "own.test", "mx", 1, 0),
        (0, "own.test", "include:spf.test", 2, 0),
        (1, "spf.test", "a:mail.test", 3, 0),
        (1, "spf.test", "ip4:198.51.100.0/24", 3, 0),
        (1, "spf.test", "~all", 3, 0),
        (0, "own.test", "a:gone.test", 4, 1),
        (0, "own.test", "redirect=next.test", 5, 1),
        (1, "next.test", "a:mail.test", 6, 1),
        (1, "next.test", "-all", 6, 1),
    ]
    assert (got.result, got.lookups, got.voids, got.ending, got.security) == ("valid", 6, 1, "-all", Security.SECURE)
    assert got.problems == ()
    assert got.advice == ("a:gone.test: void: gone.test has no address",)


@pytest.mark.parametrize(
    ("record", "result", "problem"),
    [
        ("v=spf1 mx", "valid", "the record does not say what becomes of mail from elsewhere: end it with -all or ~all"),
        ("v=spf1 mx +all", "valid", "+all: everybody may send in the name of the domain"),
        ("v=spf1 include:open.test -all", "valid", "all of open.test: everybody may send in the name of the domain"),
        ("v=spf1 ip4:192.0.2.1/8 -all", "valid",
         "ip4:192.0.2.1/8: a /8 of IPv4 is more than any sender has: strangers may send too"),
        ("v=spf1 a:mail.test//0 -all", "valid",
         "a:mail.test//0: a /0 of IPv6 is more than any sender has: strangers may send too"),
        ("v=spf1 -all mx", "valid", "mx: never looked at: -all ends the record before it"),
        ("v=spf1 redirect=spf.test ~all", "valid",
         "redirect=spf.test: never looked at: ~all ends the record without it"),
        ("v=spf1 ip4=192.0.2.1 -all", "valid",
         "ip4=192.0.2.1: the equals sign makes it an unknown modifier, which receivers skip: write ip4:192.0.2.1"),
        ("v=spf1 ip4:192.0.2.1/33 -all", "permerror",
         "ip4:192.0.2.1/33: /33 is no prefix length: 0 to 32, without leading zeros"),
        ("v=spf1 include:mute.test -all", "permerror", "include:mute.test: mute.test has no SPF record"),
        ("v=spf1 include:gone.test -all", "permerror", "include:gone.test: gone.test does not exist"),
        ("v=spf1 include:two.test -all", "permerror",
         "include:two.test: two.test has 2 SPF records, and only one is allowed"),
        ("v=spf1 redirect=mute.test", "permerror", "redirect=mute.test: mute.test has no SPF record"),
        ("v=spf1 include:back.test -all", "permerror",
         "include:own.test of back.test: leads back to the record of own.test, without end"),
        ("v=spf1 mx:crowd.test -all", "permerror", "mx:crowd.test: crowd.test has 11 MX hosts, and 10 are allowed"),
        ("v=spf1 include:seven.test include:spf.test mx -all", "permerror",
         "12 DNS look-ups are needed and 10 allowed: receivers stop at a:mail.test of spf.test with permerror"),
        ("v=spf1 a:x.test mx:y.test exists:z.test -all", "permerror",
         "3 look-ups are void and 2 allowed: x.test has no address, y.test has no MX record, z.test has no A record"),
        ("v=spf1 a:four.test a:four.test a:four.test ip6:2001:db8::/48 -all", "valid",
         f"{IPV6}: strict receivers answer permerror before they reach ip6:2001:db8::/48"),
    ],
)  # fmt: skip
def test_one_problem(record: str, result: str, problem: str) -> None:
    got = seen(record)
    assert (got.result, got.problems) == (result, (problem,))


@pytest.mark.parametrize(
    ("record", "advice"),
    [
        ("v=spf1 ptr -all", "ptr: slow and often skipped: RFC 7208 section 5.5 advises against ptr"),
        ("v=spf1 mx ?all", "?all says nothing about mail from elsewhere: end it with -all or ~all"),
        ("v=spf1 mx mx -all", "mx: stands in the record already"),
        ("v=spf1 a:b..test -all", "a:b..test: b..test can be no name in DNS, so this matches nobody"),
        ("v=spf1 x=y -all", "x=y: an unknown modifier: receivers skip it"),
        ("v=spf1 ip4:192.0.2.1/24 -all", "ip4:192.0.2.1/24: host bits are set: the network is 192.0.2.0/24"),
        ("v=spf1 ip4:10.0.0.0/8 -all", "ip4:10.0.0.0/8: an inner address: no receiver outside ever sees it"),
        ("v=spf1 ip6:fd00::1 -all", "ip6:fd00::1: an inner address: no receiver outside ever sees it"),
        ("v=spf1 ip4:100.0.0.0/12 -all", "ip4:100.0.0.0/12: a /12 of IPv4 is wide: may all of it send?"),
        ("v=spf1 mx:null.test -all", "mx:null.test: null.test takes no mail (null MX), so this matches nobody"),
        ("v=spf1 exists:%{i}.test -all",
         "exists:%{i}.test: its name depends on the message: counted, and not followed"),
        ("v=spf1 include:_s.own.test -all",
         "ptr of _s.own.test: slow and often skipped: RFC 7208 section 5.5 advises against ptr"),
        ("v=spf1 a:four.test a:four.test/31 a:four.test/30 -all",
         f"{IPV6}: strict receivers answer permerror in place of -all"),
        ("v=spf1 " + " ".join(f"ip4:192.0.2.{n}" for n in range(30)) + " -all",
         "the record has 451 octets; above 450 the answer may need TCP"),
    ],
)  # fmt: skip
def test_one_piece_of_advice(record: str, advice: str) -> None:
    got = seen(record)
    assert (got.result, got.problems, got.advice) == ("valid", (), (advice,))


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 mx -all",
        "V=SPF1  MX   ~ALL ",
        "v=spf1 a:Mail.Test. ~all",
        "v=spf1 include:theirs.test -all",
        "v=spf1 ?include:open.test -ip4:203.0.0.0/8 -all",
        "v=spf1 a:%{d} include:spf.%{d1} -all",
        "v=spf1 -all exp=why.test",
        "v=spf1 redirect=spf.test",
    ],
)
def test_nothing_to_say(record: str) -> None:
    got = seen(record)
    assert (got.result, got.problems, got.advice) == ("valid", (), ())


def test_terms_behind_all_cost_nothing() -> None:
    got = seen("v=spf1 -all mx include:seven.test")
    assert (got.lookups, [term.text for term in got.terms]) == (0, ["-all", "mx", "include:seven.test"])


def test_a_failure_below_is_told_at_its_term() -> None:
    got = seen("v=spf1 include:dead.test mx -all")
    assert (got.result, got.lookups) == ("temperror", 2)
    assert got.terms[0].note == "dead.test could not be looked up: the resolver does not answer within 8 s"
    assert not got.terms[0].broken
    assert got.problems == ()


def test_a_failure_at_the_top_is_not_seen() -> None:
    got = asyncio.run(inspect("own.test", Zone({}, {"own.test": SERVFAIL})))
    assert isinstance(got, Unobserved)
    assert (got.at.host, got.wanted, got.reason, got.detail) == ("own.test", "spf", Reason.REFUSED, SERVFAIL[1])


@pytest.mark.parametrize(
    ("texts", "result", "problems"),
    [
        ([], "none", ["own.test has no SPF record"]),
        (["hello", "spf-verification=1", "spf2.0/pra -all"], "none", ["own.test has no SPF record"]),
        (["v=spf1; mx"], "none", ["own.test has no SPF record",
         "a TXT record looks like SPF and does not begin with v=spf1 and a space: 'v=spf1; mx'"]),
        (["v=spf1 -all", "V=spf1 mx"], "permerror",
         ["own.test has 2 SPF records, and only one is allowed: receivers use none"]),
    ],
)  # fmt: skip
def test_not_one_record(texts: list[str], result: str, problems: list[str]) -> None:
    got = asyncio.run(inspect("own.test", Zone({"own.test TXT": texts, "own.test A": ["192.0.2.1"]})))
    assert isinstance(got, SpfSeen)
    assert (got.result, list(got.problems), got.terms) == (result, problems, ())


@pytest.mark.parametrize(
    ("record", "ending"),
    [("v=spf1 mx ~ALL", "~all"), ("v=spf1 all", "+all"), ("v=spf1 redirect=spf.test", "~all"), ("v=spf1 mx", "")],
)
def test_what_meets_everybody_else(record: str, ending: str) -> None:
    assert seen(record).ending == ending


def test_who_may_send() -> None:
    record = (
        "v=spf1 mx include:spf.test -ip4:203.0.113.0/24 ?ip4:203.0.113.0/25 ip4:198.51.100.9 ip6:2001:db8::/64"
        " ptr exists:%{i}.test -all"
    )
    zone = Zone({**ZONE, "own.test TXT": [record]})
    networks = asyncio.run(permitted("own.test", zone))
    assert [str(one) for one in networks] == ["192.0.2.1/32", "192.0.2.4/32", "198.51.100.0/24", "2001:db8::/64"]
    assert asyncio.run(permitted("nowhere.test", zone)) == ()


def test_questions_of_one_level_are_put_together() -> None:
    levels: list[int] = []

    async def together(questions: Sequence[Awaitable[Answer]]) -> list[Answer]:
        levels.append(len(questions))
        return [await question for question in questions]

    zone = Zone({**ZONE, "own.test TXT": ["v=spf1 mx a include:spf.test exists:x.test -all"]})
    asyncio.run(inspect("own.test", zone, together=together))
    assert levels == [1, 5, 4]


def test_records_that_fan_out_without_end_are_bounded() -> None:
    deep = {f"n{n}.test TXT": [f"v=spf1 include:n{n + 1}.test include:%{{d}}.n{n + 1}.test -all"] for n in range(50)}
    wide = {f"{n}.test TXT": ["v=spf1 " + " ".join(f"include:n{m}.test" for m in range(50))] for n in range(9)}
    zone = Zone({**deep, **wide, "own.test TXT": ["v=spf1 include:1.test include:2.test include:3.test -all"]})
    got = asyncio.run(inspect("own.test", zone))
    assert isinstance(got, SpfSeen)
    assert got.result == "permerror"
    assert len(zone.asked) <= 300
    assert len(got.terms) <= 2000


def test_a_record_too_long_to_read_whole_is_not_called_valid() -> None:
    got = seen("v=spf1 " + "ip4:192.0.2.1 " * 4000 + "-all")
    assert (got.result, len(got.terms)) == ("temperror", 2000)
    assert got.advice[0] == "more than 2000 terms: the rest was not looked at"


@settings(max_examples=300, deadline=None)
@given(ZONES, TROUBLES)
def test_it_always_ends_and_agrees_with_evaluation(
    records: dict[str, list[str]],
    trouble: dict[str, tuple[Reason, str]],
) -> None:
    zone = Zone(records, trouble)
    got = asyncio.run(inspect("a.test", zone))
    assert len(zone.asked) <= 300
    elsewhere = asyncio.run(check("203.0.113.99", "a.test", zone))
    if isinstance(got, Unobserved):
        assert elsewhere.result == "temperror"
    elif got.result == "none":
        assert elsewhere.result == "none"
    elif got.result == "valid" and not _hangs_on_the_client(got):
        assert elsewhere.result not in {"none", "permerror", "temperror"}


def _hangs_on_the_client(got: SpfSeen) -> bool:
    """Void look-ups of one family, a client without a name, a name made of the message."""
    told = (*got.problems, *got.advice)
    return any("IPv4 clients" in one for one in told) or any(
        "ptr" in term.text or "depends on the message" in term.note for term in got.terms
    )
