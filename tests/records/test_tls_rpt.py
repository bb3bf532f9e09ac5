"""TLS-RPT records: who is told, and what keeps a report from arriving."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.model.domain import TlsRptSeen
from gatepost.model.observation import Unobserved
from gatepost.model.words import Reason
from gatepost.records import fields, tls_rpt
from tests.zone import BOGUS, TIMEOUT, Zone

MAIL = "mailto:tls@example.org"
WEB = "https://reports.example.net/v1/tls"


def look(*records: str) -> TlsRptSeen:
    seen = asyncio.run(tls_rpt.inspect("example.org", Zone({"_smtp._tls.example.org TXT": records})))
    assert isinstance(seen, TlsRptSeen)
    return seen


@pytest.mark.parametrize("trouble", [TIMEOUT, BOGUS])
def test_dns_that_fails_is_no_absence(trouble: tuple[Reason, str]) -> None:
    found = asyncio.run(tls_rpt.inspect("example.org", Zone({}, {"_smtp._tls.example.org": trouble})))
    assert isinstance(found, Unobserved)
    assert (found.wanted, found.reason, found.detail) == ("tls-rpt", *trouble)


def test_no_record() -> None:
    seen = asyncio.run(tls_rpt.inspect("example.org", Zone({})))
    assert isinstance(seen, TlsRptSeen)
    assert (seen.records, seen.rua, seen.problems) == ((), (), ())


@pytest.mark.parametrize(
    ("text", "rua", "words"),
    [
        (f"v=TLSRPTv1; rua={MAIL}", (MAIL,), ""),
        (f"v=TLSRPTv1;rua={WEB};", (WEB,), ""),
        (f"v=TLSRPTv1; rua={MAIL},{WEB}", (MAIL, WEB), ""),
        (f"v=TLSRPTv1; rua={MAIL} \t,\t {WEB} ;", (MAIL, WEB), ""),
        (f"v=TLSRPTv1; x=1; rua={MAIL}", (MAIL,), ""),
        ("v=TLSRPTv1; rua=MAILTO:Tls@Example.org", ("MAILTO:Tls@Example.org",), ""),
        ("v=TLSRPTv1; rua=mailto:a%2Cb%21c%3B@example.org", ("mailto:a%2Cb%21c%3B@example.org",), ""),
        (f"v=TLSRPTv1; rua={MAIL}?subject=a=b", (f"{MAIL}?subject=a=b",), ""),
        ("v=TLSRPTv1; rua=https://[2001:db8::1]:8443/", ("https://[2001:db8::1]:8443/",), ""),
        (f"v=TLSRPTv1; rua={MAIL},{MAIL}", (MAIL,), ""),
        ("v=TLSRPTv1;", (), "no usable rua="),
        ("v=TLSRPTv1; rua=", (), "rua= is empty"),
        ("v=TLSRPTv1; RUA=mailto:a@example.org", (), "has to be written rua="),
        ("v=TLSRPTv1; rua=tls@example.org", (), "mailto:tls@example.org may be meant"),
        ("v=TLSRPTv1; rua=mailto:example.org", (), "names no mail address"),
        ("v=TLSRPTv1; rua=mailto:@example.org", (), "names no mail address"),
        ("v=TLSRPTv1; rua=mailto:a@", (), "names no mail address"),
        ("v=TLSRPTv1; rua=mailto:a@-.example", (), "names no mail address"),
        ("v=TLSRPTv1; rua=mailto:a@example.org!10m", (), "has to be written %21"),
        ("v=TLSRPTv1; rua=mailto:a%zz@example.org", (), "stray percent sign"),
        ("v=TLSRPTv1; rua=mailto:a b@example.org", (), "white space"),
        ("v=TLSRPTv1; rua=mailto:\u00e4@example.org", (), "outside ASCII"),
        ("v=TLSRPTv1; rua=http://example.org/", (), "http is not a way"),
        ("v=TLSRPTv1; rua=https:///tls", (), "names no web host"),
        ("v=TLSRPTv1; rua=https://[::1", (), "names no web host"),
        ("v=TLSRPTv1; rua=https://example.org:port/", (), "names no web host"),
        (f"v=TLSRPTv1; rua={MAIL},,{WEB}", (MAIL, WEB), "an empty address"),
        (f"v=TLSRPTv1; rua={MAIL},ftp://example.org", (MAIL,), "ftp is not a way"),
        (f"v=TLSRPTv1; rua={MAIL}; rua={WEB}", (MAIL,), "twice and differently"),
        (f"v=tlsrptv1; rua={MAIL}", (), "is ignored"),
        (f"v=TLSRPTv1 rua={MAIL}", (), "is ignored"),
    ],
)
def test_record(text: str, rua: tuple[str, ...], words: str) -> None:
    seen = look(text)
    assert (seen.records, seen.rua) == ((text,), rua)
    assert any(words in one for one in seen.problems) if words else seen.problems == ()


def test_two_records_are_none() -> None:
    seen = look(f"v=TLSRPTv1; rua={MAIL}", f"v=TLSRPTv1; rua={WEB}")
    assert (len(seen.records), seen.rua) == (2, ())
    assert seen.problems == ("2 records: with more than one, none counts",)


def test_an_endless_list_is_cut() -> None:
    seen = look("v=TLSRPTv1; rua=" + ",".join(f"mailto:a{n}@example.org" for n in range(50)))
    assert len(seen.rua) == 20
    assert seen.problems == ("50 addresses, of which the first 20 were read",)


@given(st.text(max_size=80))
def test_any_record(text: str) -> None:
    seen = look(f"v=TLSRPTv1;{text}", text)
    assert seen.rua or seen.problems
    assert all(one.isprintable() for one in (*seen.problems, *seen.advice))


@given(st.text(max_size=60) | st.text("mailto:https/@.%,[]a1 ", max_size=30))
def test_any_address_is_usable_or_told_why_not(text: str) -> None:
    usable, problems = tls_rpt.addresses(text)
    assert usable or problems or not text
    assert all(not tls_rpt.uri_problem(one) for one in usable)


@given(st.lists(st.integers(0, 99).map(lambda n: f"mailto:a{n}@example.org"), min_size=1, max_size=20, unique=True))
def test_read_gives_the_addresses_rendered(uris: list[str]) -> None:
    assert look(fields.render("TLSRPTv1", [("rua", ",".join(uris))])).rua == tuple(uris)
