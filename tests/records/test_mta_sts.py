"""MTA-STS: the record, the policy behind it, and which hosts its patterns stand for."""

from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.model.dns import Security
from gatepost.model.domain import StsSeen
from gatepost.model.observation import Unobserved
from gatepost.model.words import Reason
from gatepost.records import fields, mta_sts, sts_policy
from gatepost.records.lookup import Fetched
from gatepost.records.sts_policy import Policy, pattern_covers, read
from tests.zone import BOGUS, SERVFAIL, TIMEOUT, Web, Zone

DOMAIN = "example.org"
WHERE = "mta-sts.example.org/.well-known/mta-sts.txt"
RECORD = "v=STSv1; id=20261124T120000"
POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.org\r\nmx: *.example.net\r\nmax_age: 1209600\r\n"


def look(*records: str, policy: str | None = POLICY) -> StsSeen:
    zone = Zone({"_mta-sts.example.org TXT": records} if records else {"example.org NS": ["ns.example.org"]})
    seen = asyncio.run(mta_sts.inspect(DOMAIN, zone, Web({} if policy is None else {WHERE: policy})))
    assert isinstance(seen, StsSeen)
    return seen


def test_everything_in_order() -> None:
    seen = look(RECORD)
    assert (seen.records, seen.id, seen.fetched) == ((RECORD,), "20261124T120000", True)
    assert (seen.mode, seen.mx, seen.max_age) == ("enforce", ("mx1.example.org", "*.example.net"), 1209600)
    assert (seen.text, seen.problems, seen.advice, seen.why) == (POLICY, (), (), "")
    assert seen.security is Security.INSECURE


def test_no_record_no_question() -> None:
    web = Web({WHERE: POLICY})
    seen = asyncio.run(mta_sts.inspect(DOMAIN, Zone({}), web))
    assert isinstance(seen, StsSeen)
    assert (seen.records, seen.fetched, seen.problems) == ((), None, ())
    assert web.asked == []


@pytest.mark.parametrize("trouble", [SERVFAIL, TIMEOUT, BOGUS])
def test_dns_that_fails_is_no_absence(trouble: tuple[Reason, str]) -> None:
    zone = Zone({}, {"_mta-sts.example.org": trouble})
    found = asyncio.run(mta_sts.inspect(DOMAIN, zone, Web({})))
    assert isinstance(found, Unobserved)
    assert (found.wanted, found.reason, found.detail) == ("mta-sts", *trouble)


def test_a_policy_that_cannot_be_fetched() -> None:
    seen = look(RECORD, policy=None)
    assert seen.fetched is False
    assert (seen.why, seen.reason) == ("mta-sts.example.org answers 404 Not Found", Reason.REFUSED)
    assert (seen.mode, seen.mx, seen.problems) == ("", (), ())


def test_a_fetch_that_says_nothing_still_has_a_reason() -> None:
    seen = mta_sts.with_policy(look(RECORD), Fetched(ok=False))
    assert seen.why == "no policy came"


def test_a_broken_record_does_not_hide_a_broken_policy() -> None:
    seen = look("v=STSv1; id=", policy="mode: enforce\n")
    assert any(one.startswith("record: ") for one in seen.problems)
    assert any(one.startswith("policy: ") for one in seen.problems)


RECORDS = [
    pytest.param("v=STSv1; id=20261124;", "20261124", "", id="final-semicolon"),
    pytest.param("v=STSv1;id=a", "a", "", id="no-blanks"),
    pytest.param("v=STSv1 \t;\t id=A1b2 ; ", "A1b2", "", id="blanks-around-semicolons"),
    pytest.param("v=STSv1; id=" + "a" * 32, "a" * 32, "", id="longest-id"),
    pytest.param("v=STSv1; x-new_1.2=!$%&'()*+,-./:<>?@[]^_`{|}~; id=1", "1", "", id="extension"),
    pytest.param("v=STSv1; id=1; id=1", "1", "", id="id-repeated"),
    pytest.param("v=STSv1; id=1; id=2", "1", "given twice and differently", id="two-ids"),
    pytest.param("v=STSv1; id=" + "a" * 33, "", "1 to 32 letters and digits", id="id-too-long"),
    pytest.param("v=STSv1; id=2026-11-24", "", "1 to 32 letters and digits", id="id-with-dashes"),
    pytest.param("v=STSv1; id=", "", "id= is empty", id="id-empty"),
    pytest.param("v=STSv1;", "", "no usable id=", id="no-id"),
    pytest.param("v=STSv1; id = 1", "", "white space around the equals sign", id="blanks-around-equals"),
    pytest.param("v=STSv1; ID=1", "", "has to be written id=", id="capital-name"),
    pytest.param("v=STSv1;; id=1", "1", "an empty field", id="empty-field"),
    pytest.param("v=STSv1; id=1; junk", "1", "not of the form name=value", id="no-equals"),
    pytest.param("v=STSv1; id=1; -x=1", "1", "is no field name", id="bad-name"),
    pytest.param("v=STSv1; id=1; x=a=b", "1", "may not contain", id="equals-in-extension"),
    pytest.param("v=STSv1; id=1; x=\u00e9", "1", "may not contain", id="latin-1"),
    pytest.param("v=STSv1; id=1; x=a b", "1", "may not contain", id="blank-in-extension"),
    pytest.param("v=STSv1; id=1; x=" + "y" * 5000, "1", "more than 4096", id="endless"),
    pytest.param("v=stsv1; id=1", "", "is ignored", id="version-in-lower-case"),
    pytest.param(" v=STSv1; id=1", "", "is ignored", id="leading-blank"),
    pytest.param("v=STSv1", "", "is ignored", id="version-alone"),
    pytest.param("v = STSv1; id=1", "", "is ignored", id="blanks-in-version"),
]


@pytest.mark.parametrize(("text", "name", "words"), RECORDS)
def test_record(text: str, name: str, words: str) -> None:
    seen = look(text)
    assert seen.records == (text,)
    assert seen.id == name
    assert any(words in one for one in seen.problems) if words else seen.problems == ()


def test_other_texts_beside_it_do_not_matter() -> None:
    seen = look("v=spf1 -all", RECORD, "v=STSv10; id=1", "hello")
    assert (seen.records, seen.id, seen.problems) == ((RECORD,), "20261124T120000", ())


def test_two_records_are_none() -> None:
    seen = look(RECORD, "v=STSv1; id=2")
    assert (len(seen.records), seen.id) == (2, "")
    assert seen.problems == ("record: 2 records: with more than one, none counts",)


def test_a_discarded_record_does_not_spoil_a_good_one() -> None:
    seen = look(RECORD, "v=STSV1; id=2")
    assert seen.id == "20261124T120000"
    assert len(seen.problems) == 1


def test_repeated_id_is_worth_knowing() -> None:
    assert look("v=STSv1; id=1; id=1").advice == ("record: id= is given twice",)


HEAD = "version: STSv1\nmode: enforce\nmax_age: 1209600\n"
POLICIES = [
    pytest.param(HEAD + "mx: a.example\n", "", "", id="lf"),
    pytest.param(HEAD.replace("\n", "\r\n") + "mx: a.example", "", "", id="crlf-no-end"),
    pytest.param("mx: a.example\nmax_age:1209600\nmode:\tenforce  \nversion:STSv1", "", "", id="any-order"),
    pytest.param(HEAD + "mx: a.example\nx-new_1: what\u00e9ver it is\n", "", "", id="unknown-key"),
    pytest.param("version: STSv1\nmode: none\nmax_age: 86400\n", "", "", id="none-without-mx"),
    pytest.param("version: STSv1\nmode: none\nmax_age: 0\n", "", "", id="none-at-once"),
    pytest.param("version: STSv1\nmode: testing\nmax_age: 60\nmx: a.example\n", "", "", id="testing-shortly"),
    pytest.param(HEAD.replace("1209600", "31557600") + "mx: a.example\n", "", "", id="longest-age"),
    pytest.param(HEAD + "mx: *.example\nmx: xn--bcher-kva.example\n", "", "", id="wildcard-and-a-label"),
    pytest.param(HEAD + "mx: a.example\nmode: enforce\n", "", "mode is given twice", id="mode-repeated"),
    pytest.param(HEAD + "mx: MX1.Example.org\n", "", "capital letters", id="capital-pattern"),
    pytest.param(HEAD + "\nmx: a.example\n\n", "", "empty lines", id="empty-lines"),
    pytest.param(HEAD.replace("1209600", "3600") + "mx: a.example\n", "", "below a day", id="an-hour"),
    pytest.param(HEAD.replace("1209600", "86400") + "mx: a.example\n", "", "below a week", id="a-day"),
    pytest.param(HEAD + "mx: a.example\nmode: testing\n", "twice and differently", "", id="two-modes"),
    pytest.param(HEAD.replace("1209600", "31557601") + "mx: a.example\n", "more than", "", id="too-long-age"),
    pytest.param(HEAD.replace("1209600", "9" * 11) + "mx: a.example\n", "number of seconds", "", id="endless-age"),
    pytest.param(HEAD.replace("1209600", "-1") + "mx: a.example\n", "number of seconds", "", id="negative-age"),
    pytest.param(HEAD.replace("1209600", "1w") + "mx: a.example\n", "number of seconds", "", id="age-in-weeks"),
    pytest.param(HEAD.replace("1209600", "\u0661") + "mx: a.example\n", "number of seconds", "", id="arabic-age"),
    pytest.param("version: STSv1\nmode: enforce\nmx: a.example\n", "no max_age line", "", id="no-age"),
    pytest.param(HEAD, "no mx line", "", id="enforce-without-mx"),
    pytest.param(HEAD.replace("enforce", "testing"), "no mx line", "", id="testing-without-mx"),
    pytest.param("mode: enforce\nmax_age: 1209600\nmx: a.example\n", "no version line", "", id="no-version"),
    pytest.param(HEAD.replace("STSv1", "STSv2") + "mx: a.example\n", "has to be STSv1", "", id="version-2"),
    pytest.param(HEAD.replace("STSv1", "stsv1") + "mx: a.example\n", "has to be STSv1", "", id="version-lower"),
    pytest.param("version: STSv1\nmax_age: 1209600\nmx: a.example\n", "no mode line", "", id="no-mode"),
    pytest.param(HEAD.replace("enforce", "Enforce") + "mx: a.example\n", "has to be enforce", "", id="mode-capital"),
    pytest.param(HEAD.replace("enforce", "report") + "mx: a.example\n", "has to be enforce", "", id="mode-of-a-draft"),
    pytest.param(HEAD.replace("mode", "Mode") + "mx: a.example\n", "has to be written mode", "", id="key-capital"),
    pytest.param(HEAD.replace("max_age", "max-age") + "mx: a.example\n", "written max_age", "", id="key-dash"),
    pytest.param(HEAD + " mx: a.example\n", "white space around the key", "", id="indented"),
    pytest.param(HEAD + "mx : a.example\n", "white space around the key", "", id="blank-before-colon"),
    pytest.param(HEAD + "mx: a.example\nhello\n", "line 5 is not of the form", "", id="no-colon"),
    pytest.param(HEAD + "mx: a.example\n#: x\n", "has a key that is none", "", id="comment"),
    pytest.param(HEAD + "mx: a.example\nx: a\x00b\n", "control character", "", id="nul"),
    pytest.param(HEAD.replace("\n", "\r") + "mx: a.example", "control character", "", id="cr-only"),
    pytest.param("\ufeff" + HEAD + "mx: a.example\n", "byte order mark", "", id="bom"),
    pytest.param("\u00ef\u00bb\u00bf" + HEAD + "mx: a.example\n", "byte order mark", "", id="bom-latin-1"),
    pytest.param("<!DOCTYPE html>\n<html>\n", "an HTML page", "", id="html"),
    pytest.param("\n <html><body>404", "an HTML page", "", id="html-later"),
    pytest.param("", "the file is empty", "", id="empty"),
    pytest.param("\r\n\r\n", "the file is empty", "", id="blank"),
    pytest.param(HEAD + "mx: a.example\n" + "x: y\n" * 14000, "longer than 65536", "", id="too-big"),
    pytest.param(HEAD + "mx: a.example\nx: " + "\u00e9" * 33000, "longer than 65536", "", id="too-big-in-octets"),
    pytest.param(HEAD + "".join(f"mx: h{n}.example\n" for n in range(501)), "501 mx lines", "", id="many-patterns"),
    pytest.param(HEAD + "mx: a.example.\n", "ends with a dot", "", id="pattern-dot"),
    pytest.param(HEAD + "mx: mail_1.example\n", "is no host name", "", id="pattern-underscore"),
    pytest.param(HEAD + "mx: 192.0.2.25\n", "is an address", "", id="pattern-address"),
    pytest.param(HEAD + "mx: [2001:db8::25]\n", "is an address", "", id="pattern-address-6"),
    pytest.param(HEAD + "mx: b\u00fccher.example\n", "is not ASCII", "", id="pattern-u-label"),
    pytest.param(HEAD + "mx: mx*.example\n", "whole leftmost label", "", id="pattern-partial"),
    pytest.param(HEAD + "mx: a.*.example\n", "whole leftmost label", "", id="pattern-inside"),
    pytest.param(HEAD + "mx: *.*.example\n", "whole leftmost label", "", id="pattern-twice"),
    pytest.param(HEAD + "mx: *\n", "whole leftmost label", "", id="pattern-all"),
    pytest.param(HEAD + "mx: .example\n", "is no host name", "", id="pattern-draft"),
    pytest.param(HEAD + "mx:\n", "an empty mx pattern", "", id="pattern-empty"),
    pytest.param(HEAD + "mx: a.example, b.example\n", "is no host name", "", id="pattern-list"),
    pytest.param(HEAD + "mx: " + "a" * 64 + ".example\n", "is no host name", "", id="pattern-long-label"),
]


def test_there_are_enough_rows() -> None:
    assert len(RECORDS) + len(POLICIES) >= 46


@pytest.mark.parametrize(("text", "problem", "advice"), POLICIES)
def test_policy(text: str, problem: str, advice: str) -> None:
    found = read(text)
    for words, said in ((problem, found.problems), (advice, found.advice)):
        assert any(words in one for one in said) if words else said == ()
        assert len(said) <= 20


def test_what_is_broken_has_no_value() -> None:
    assert read(HEAD.replace("enforce", "Enforce")).mode == ""
    assert read(HEAD.replace("1209600", "x")).max_age == 0


def test_of_a_repeated_key_the_first_counts() -> None:
    assert read("mode: testing\nmode: enforce\n").mode == "testing"


def test_patterns_in_lower_case_each_once() -> None:
    assert read(HEAD + "mx: A.example\nmx: a.example\nmx: *.B.example\n").mx == ("a.example", "*.b.example")


def test_a_flood_of_faults_stays_readable() -> None:
    found = read(HEAD + "".join(f"mx: _{n}.example\n" for n in range(300)))
    assert len(found.problems) == 20
    assert found.problems[-1] == "and 281 more like these"


@pytest.mark.parametrize(
    ("kind", "problem", "advice"),
    [
        ("text/plain", "", ""),
        ("Text/Plain; charset=utf-8", "", ""),
        ("", "", "without a media type"),
        ("text/html", "served as 'text/html'", ""),
        ("application/octet-stream", "expect text/plain", ""),
    ],
)
def test_media_type(kind: str, problem: str, advice: str) -> None:
    seen = mta_sts.with_policy(look(RECORD), Fetched(ok=True, text=POLICY, content_type=kind))
    for words, said in ((problem, seen.problems), (advice, seen.advice)):
        assert any(words in one for one in said) if words else said == ()


@pytest.mark.parametrize(
    ("pattern", "host", "covered"),
    [
        ("mx1.example.org", "mx1.example.org", True),
        ("MX1.example.org", "mx1.EXAMPLE.org", True),
        ("mx1.example.org", "mx1.example.org.", True),
        ("mx1.example.org", "mx2.example.org", False),
        ("*.example.org", "mx1.example.org", True),
        ("*.example.org", "a.mx1.example.org", False),
        ("*.example.org", "example.org", False),
        ("*.example.org", ".example.org", False),
        ("*.example.org", "mx1.notexample.org", False),
        ("example.org", "mx1.example.org", False),
        (".example.org", "mx1.example.org", False),
        ("*", "org", False),
        ("mx*.example.org", "mx1.example.org", False),
        ("mx1.example.org.", "mx1.example.org", False),
        ("", "", False),
        ("192.0.2.1", "192.0.2.1", False),
    ],
)
def test_pattern_covers(pattern: str, host: str, *, covered: bool) -> None:
    assert pattern_covers(pattern, host) is covered


LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
NAME = st.lists(LABEL, min_size=2, max_size=4).map(".".join).filter(lambda n: not re.fullmatch(r"[\d.]+", n))


@given(NAME, LABEL, LABEL)
def test_a_wildcard_is_one_label(name: str, first: str, second: str) -> None:
    assert pattern_covers(f"*.{name}", f"{first}.{name}")
    assert not pattern_covers(f"*.{name}", f"{first}.{second}.{name}")
    assert not pattern_covers(f"*.{name}", name)


@given(
    st.builds(
        Policy,
        st.sampled_from(sts_policy.MODES),
        st.lists(NAME | NAME.map(lambda n: f"*.{n}"), min_size=1, max_size=5, unique=True).map(tuple),
        st.integers(604800, 31557600),
    )
)
def test_read_gives_what_was_rendered(policy: Policy) -> None:
    assert read(sts_policy.render(policy)) == policy


@given(st.text(max_size=300) | st.lists(st.sampled_from(["mode", "mx", ":", " ", "\n", "\r", "*", "."])).map("".join))
def test_any_policy(text: str) -> None:
    found = read(text)
    assert found.mode in {"", "enforce", "testing", "none"}
    assert 0 <= found.max_age <= 31557600
    assert found.problems or (found.mode and "version" in text)
    assert all(one.isprintable() for one in (*found.problems, *found.advice))


PAIRS = st.lists(
    st.tuples(
        st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,31}", fullmatch=True).filter(lambda n: n.lower() != "id"),
        st.from_regex(r"[!-:<>-~]{1,20}", fullmatch=True),
    ),
    max_size=5,
    unique_by=lambda pair: pair[0],
)


@given(PAIRS, st.from_regex(r"[a-zA-Z0-9]{1,32}", fullmatch=True))
def test_read_gives_the_fields_rendered(pairs: list[tuple[str, str]], name: str) -> None:
    whole = [*pairs, ("id", name)]
    assert fields.read(fields.render("STSv1", whole), ("id",)) == fields.Fields(tuple(whole))


@given(st.text(max_size=100), st.text(max_size=60))
def test_any_record(head: str, text: str) -> None:
    seen = look(head, f"v=STSv1;{text}")
    assert f"v=STSv1;{text}" in seen.records
    assert bool(seen.id) or seen.problems
    assert all(one.isprintable() for one in (*seen.problems, *seen.advice))
