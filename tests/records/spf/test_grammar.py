"""Records to terms, faults in words, and back to text."""

from __future__ import annotations

from ipaddress import ip_interface

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.records.spf import macros
from gatepost.records.spf.grammar import Kind, Mechanism, Modifier, Qualifier, Record, parse, selected
from gatepost.records.spf.macros import Escape, Literal, Macro, MacroString


def name(text: str) -> MacroString:
    return MacroString((Literal(text),))


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("all", Mechanism(Kind.ALL)),
        ("-ALL", Mechanism(Kind.ALL, Qualifier.FAIL)),
        ("a", Mechanism(Kind.A)),
        ("a/24", Mechanism(Kind.A, prefix4=24)),
        ("mx//64", Mechanism(Kind.MX, prefix6=64)),
        ("~MX:b.test/24//0", Mechanism(Kind.MX, Qualifier.SOFTFAIL, name("b.test"), prefix4=24, prefix6=0)),
        ("a:x/y:z.b.test", Mechanism(Kind.A, target=name("x/y:z.b.test"))),
        ("a:x/24.b.test/24", Mechanism(Kind.A, target=name("x/24.b.test"), prefix4=24)),
        ("?ptr", Mechanism(Kind.PTR, Qualifier.NEUTRAL)),
        ("ptr:b.test.", Mechanism(Kind.PTR, target=name("b.test."))),
        ("ip4:192.0.2.1", Mechanism(Kind.IP4, block=ip_interface("192.0.2.1/32"))),
        ("ip4:192.0.2.1/24", Mechanism(Kind.IP4, block=ip_interface("192.0.2.1/24"))),
        ("ip6:2001:DB8::/32", Mechanism(Kind.IP6, block=ip_interface("2001:db8::/32"))),
        ("ip6:::ffff:192.0.2.1", Mechanism(Kind.IP6, block=ip_interface("::ffff:192.0.2.1/128"))),
        ("include:_spf.%{d2}", Mechanism(Kind.INCLUDE, target=MacroString((Literal("_spf."), Macro("d", parts=2))))),
        ("exists:%{Ir-}%%.b.test", Mechanism(Kind.EXISTS, target=MacroString((
            Macro("i", escaped=True, reverse=True, delimiters="-"), Escape("%"), Literal(".b.test"))))),
        ("exists:.test", Mechanism(Kind.EXISTS, target=name(".test"))),
        ("Redirect=b.test", Modifier("redirect", name("b.test"))),
        ("exp=%{d}", Modifier("exp", MacroString((Macro("d"),)))),
        ("ra=anyone", Modifier("ra", name("anyone"))),
        ("x.y-z_1=", Modifier("x.y-z_1", MacroString())),
    ],
)  # fmt: skip
def test_a_term(text: str, term: Mechanism | Modifier) -> None:
    assert parse(f"v=spf1 {text}") == Record((term,))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("all:x", "nothing may follow all"),
        ("all.", "there is no mechanism named 'all.'; did you mean all?"),
        ("ipv4:192.0.2.1", "there is no mechanism named 'ipv4'; did you mean ip4?"),
        ("redirect:b.test", "redirect is a modifier: write redirect= and a domain"),
        ("-redirect=b.test", "a modifier takes no - in front of it"),
        ("--all", "a term begins with a letter, behind at most one of + - ~ ?"),
        ("=b", "a term begins with a letter, behind at most one of + - ~ ?"),
        ("a:", "the domain is missing"),
        ("a/", "prefix lengths are written /24, //64 or /24//64"),
        ("a/24/64", "prefix lengths are written /24, //64 or /24//64"),
        ("a/33", "/33 is no prefix length: 0 to 32, without leading zeros"),
        ("a//129", "/129 is no prefix length: 0 to 128, without leading zeros"),
        ("mx/024", "/024 is no prefix length: 0 to 32, without leading zeros"),
        ("a:192.0.2.1", "192.0.2.1 is an address, not a name: write ip4:192.0.2.1"),
        ("a:localhost", "'localhost' is a single label, not a domain"),
        ("a:%{d}com", "a dot is missing before the end"),
        ("a:b.1", "'1' can be no top-level domain"),
        ("a:b.-x", "'-x' can be no top-level domain"),
        ("a:b.test:25", "'test:25' can be no top-level domain"),
        ("ptr/24", "ptr takes no prefix length"),
        ("include", "include needs a domain: include:…"),
        ("include:b.test/24", "include takes no prefix length"),
        ("ip4", "ip4 needs an address: ip4:…"),
        ("ip4:", "the address is missing"),
        ("ip4:192.0.2", "'192.0.2' is no IPv4 address"),
        ("ip4:192.0.2.01", "'192.0.2.01' is no IPv4 address"),
        ("ip4:192.0.2.1/", "/ is no prefix length: 0 to 32, without leading zeros"),
        ("ip4:192.0.2.1//24", "//24 is no prefix length: 0 to 32, without leading zeros"),
        ("ip4:2001:db8::1", "2001:db8::1 is an IPv6 address: write ip6:2001:db8::1"),
        ("ip6:192.0.2.1", "192.0.2.1 is an IPv4 address: write ip4:192.0.2.1"),
        ("ip6:fe80::1%eth0", "'fe80::1%eth0' is no IPv6 address"),
        ("exists:%{x}.b.test", "there is no macro 'x'"),
        ("exists:%{c}.b.test", "there is no macro 'c' outside explanations"),
        ("exists:%{d0}.b.test", "%{d0} asks for no part at all"),
        ("exists:50%.b.test", "a percent sign stands alone: only %{, %%, %_ and %- mean something"),
        ("x=%", "a percent sign stands alone: only %{, %%, %_ and %- mean something"),
        ("a:b\xe9.test", "it contains the octet e9: a record is ASCII"),
        ("a\tmx", "it contains the control character 09: only spaces separate terms"),
    ],
)
def test_a_fault_in_a_sentence(text: str, sentence: str) -> None:
    record = parse(f"v=spf1 mx {text} -all")
    assert [(one.text, one.at, one.sentence) for one in record.faults] == [(text, 10, sentence)]
    assert [one.kind for one in record.mechanisms] == [Kind.MX, Kind.ALL]


def test_every_fault_is_told_at_once() -> None:
    record = parse("v=spf1 foo a:x redirect=a.test redirect=b.test ip4:1")
    assert [one.text for one in record.faults] == ["foo", "a:x", "redirect=b.test", "ip4:1"]
    assert record.redirect == Modifier("redirect", name("a.test"))


@pytest.mark.parametrize(
    ("texts", "kept"),
    [
        (["v=spf1", "V=SPF1 -all", "v=spf1  a "], ["v=spf1", "V=SPF1 -all", "v=spf1  a "]),
        (["v=spf10", "v=spf1\t-all", " v=spf1 -all", "v=spf1\n", "spf2.0/pra -all", ""], []),
    ],
)
def test_which_texts_are_spf(texts: list[str], kept: list[str]) -> None:
    assert list(selected(texts)) == kept


def test_other_texts_are_told_wrong() -> None:
    assert parse("v=spf2 -all").faults[0].sentence == "the record does not begin with v=spf1"


NAMES = st.from_regex(r"[a-z]([a-z0-9/:_]{0,8}[a-z])?(\.[a-z0-9-]{0,9}){0,2}\.[a-z0-9]{0,9}[a-z]", fullmatch=True)
PIECES = st.one_of(
    NAMES.map(Literal),
    st.sampled_from("%_-").map(Escape),
    st.builds(Macro, st.sampled_from("slodipvh"), st.booleans(), st.integers(0, 128), st.booleans(),
              st.text("+-.,/_=", max_size=3)),
)  # fmt: skip


def _joined(pieces: list[Literal | Escape | Macro]) -> MacroString:
    """Two literals side by side are one."""
    kept: list[Literal | Escape | Macro] = []
    for piece in pieces:
        if not (kept and isinstance(piece, Literal) and isinstance(kept[-1], Literal)):
            kept.append(piece)
    return MacroString(tuple(kept))


STRINGS = st.lists(PIECES, min_size=1, max_size=4).map(_joined)
BLOCKS = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.integers(0, 32)), st.tuples(st.ip_addresses(v=6), st.integers(0, 128))
).map(lambda one: ip_interface(f"{one[0]}/{one[1]}"))
QUALIFIERS = st.sampled_from(Qualifier)
TERMS = st.one_of(
    st.builds(Mechanism, st.just(Kind.ALL), QUALIFIERS),
    st.builds(Mechanism, st.sampled_from((Kind.A, Kind.MX)), QUALIFIERS, st.none() | STRINGS,
              prefix4=st.integers(0, 32), prefix6=st.integers(0, 128)),
    st.builds(Mechanism, st.just(Kind.PTR), QUALIFIERS, st.none() | STRINGS),
    st.builds(Mechanism, st.sampled_from((Kind.EXISTS, Kind.INCLUDE)), QUALIFIERS, STRINGS),
    st.builds(lambda q, b: Mechanism(Kind(f"ip{b.version}"), q, block=b), QUALIFIERS, BLOCKS),
    st.builds(Modifier, st.sampled_from(("x", "ra", "moo.cow")), STRINGS | st.just(MacroString())),
)  # fmt: skip
RECORDS = st.lists(TERMS, max_size=6).map(lambda terms: Record(tuple(terms)))


@given(RECORDS)
def test_reading_what_was_written_gives_the_same(record: Record) -> None:
    assert parse(str(record)) == record


@given(st.text() | st.text("%{}aldi+-:/=.0123456789 ").map(lambda text: f"v=spf1 {text}"))
def test_any_text_is_read_or_told_wrong(text: str) -> None:
    record = parse(text)
    assert all(0 <= one.at <= len(text) and one.sentence for one in record.faults)
    if not record.faults:
        assert parse(str(record)) == record


@given(st.text())
def test_any_macro_string_is_read_or_told_wrong(text: str) -> None:
    read = macros.read(text)
    assert isinstance(read, macros.Wrong) or macros.read(str(read)) == read
