"""One cause line for each failure, by what was known of that day, and an honest one where nothing was."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.feedback.contents import Failed, TlsFailure
from gatepost.feedback.joining import UNTOLD, causes
from gatepost.feedback.known import covers
from gatepost.model.architecture import Endpoint
from gatepost.model.domain import Dated, TlsFailureSeen

DAY = date(2026, 10, 3)
MX = "mx2.example.org"
V6 = "2001:db8::26"
OURS = "a" * 64
OTHER = "b" * 64


def when(day: int, month: int = 10) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


def certificate(
    address: str = V6, *, host: str = MX, first: int = 1, last: int = 9, until: str = "2027-01-01", port: int = 25,
    names: tuple[str, ...] = (MX,), trusted: bool = True, digest: str = "c1", key: str = OURS,
) -> Dated:  # fmt: skip
    detail = {
        "port": port, "address": address, "not_before": "2026-07-01T00:00:00+00:00",
        "not_after": f"{until}T00:00:00+00:00", "names": list(names), "issuer": "Test CA", "spki_sha256": key,
        "trusted": trusted,
    }  # fmt: skip
    return Dated(Endpoint(host), "certificate", digest, when(first), when(last), json.dumps(detail))


def tlsa(value: str, *, first: int = 1, last: int = 9, security: str = "secure") -> Dated:
    detail = json.dumps({"port": 25, "ttl": 3600, "security": security})
    return Dated(Endpoint(MX), "tlsa", value, when(first), when(last), detail)


def policy(*mx: str, first: int = 1, last: int = 9) -> Dated:
    detail = json.dumps({"id": "1", "mode": "enforce", "mx": list(mx), "max_age": 86400})
    return Dated(Endpoint("example.org"), "mta-sts-policy", "digest", when(first), when(last), detail)


def failed(
    kind: str, *, sessions: int = 2, mx: str = MX, address: str = V6, reporter: str = "google.com", day: date = DAY,
    applied: tuple[str, ...] = (), code: str = "", info: str = "", policy: str = "sts",
) -> Failed:  # fmt: skip
    failure = TlsFailure(kind, sessions, mx, address, code=code, info=info)
    return Failed("example.org", policy, applied, failure, reporter, day, day)


def cause(failure: Failed, *history: Dated) -> str:
    (seen,) = causes([failure], history)
    return seen.cause


HERE = f"{MX}, IPv6 ({V6}), port 25"
TABLE: list[tuple[str, Failed, tuple[Dated, ...], str]] = [
    (
        "expired", failed("certificate-expired"), (certificate(until="2026-10-03"),),
        f"{HERE}: certificate expired on 2026-10-03",
    ),
    (
        "expired and replaced", failed("certificate-expired"),
        (certificate(until="2026-10-02", last=4), certificate(digest="c2", first=5, last=9)),
        f"{HERE}: certificate expired on 2026-10-02; another one is served since 2026-10-05",
    ),
    (
        "expired at one of two addresses, which the report does not tell", failed("certificate-expired", address=""),
        (certificate("192.0.2.26"), certificate(until="2026-10-03")),
        f"{HERE}: certificate expired on 2026-10-03",
    ),
    (
        "expired, by the report alone", failed("certificate-expired"), (certificate(),),
        (f"{HERE}: reported as expired, but the certificate seen there until 2026-10-09 is valid until 2027-01-01:"
        " look at every address and node, one may not have been reloaded"),
    ),
    (
        "expired, seen only afterwards", failed("certificate-expired"), (certificate(first=5, until="2026-10-04"),),
        (f"{HERE}: certificate-expired; nothing is known here of its certificate on that day. Check first: the dates of"
        " the certificate each address serves; a reload may be missing"),
    ),
    (
        "another name", failed("certificate-host-mismatch"), (certificate(names=("mail.example.org", "example.org")),),
        f"{HERE}: the certificate names example.org, mail.example.org, not {MX}",
    ),
    (
        "another name, by the report alone", failed("certificate-host-mismatch"),
        (certificate(names=("*.example.org",)),),
        (f"{HERE}: reported as having another name, but the certificate seen there names {MX}: compare what is served"
        " with and without SNI"),
    ),
    (
        "another name, nothing known, no address", failed("certificate-host-mismatch", address=""), (),
        (f"{MX}, port 25: certificate-host-mismatch; nothing is known here of its certificate on that day. Check first:"
        " whether the certificate names the MX host, with and without SNI"),
    ),
    (
        "not trusted", failed("certificate-not-trusted"), (certificate(trusted=False),),
        f"{HERE}: the chain was not trusted here either (issuer Test CA): an intermediate may be missing",
    ),
    (
        "not trusted since it expired", failed("certificate-not-trusted"), (certificate(until="2026-10-01"),),
        f"{HERE}: certificate expired on 2026-10-01",
    ),
    (
        "not trusted, by the report alone", failed("certificate-not-trusted"), (certificate(),),
        (f"{HERE}: reported as not trusted, but the chain of Test CA was trusted here: look whether every address sends"
        " the intermediate certificate"),
    ),
    (
        "no STARTTLS", failed("starttls-not-supported"), (),
        (f"{HERE}: starttls-not-supported; nothing is known here of TLS there on that day. Check first: the EHLO answer"
        " of every address from outside; without its key a server offers none"),
    ),
    (
        "no STARTTLS, which was there", failed("starttls-not-supported"), (certificate(),),
        (f"{HERE}: STARTTLS was not offered to the sender, although TLS worked here on 2026-10-09: look for a box on"
        " the path that removes it, and for limits that cut the offer"),
    ),
    (
        "key before its record", failed("tlsa-invalid"), (certificate(), tlsa(f"3 1 1 {OTHER}")),
        f"{HERE}: the key served since 2026-10-01 is not among the published TLSA records (3 1 1 {'b' * 16}…)",
    ),
    (
        "key during a rollover", failed("tlsa-invalid"), (certificate(), tlsa(f"3 1 1 {OTHER}"), tlsa(f"3 1 1 {OURS}")),
        (f"{HERE}: reported as not matching, but the key seen there is in TLSA: another address or node may serve an"
        " older key, or an older record was still cached"),
    ),
    (
        "a record that had been withdrawn", failed("tlsa-invalid"),
        (certificate(), tlsa(f"3 1 1 {OURS}", last=2), tlsa(f"3 1 1 {OTHER}")),
        f"{HERE}: the key served since 2026-10-01 is not among the published TLSA records (3 1 1 {'b' * 16}…)",
    ),
    (
        "whole certificate in TLSA", failed("tlsa-invalid"), (certificate(digest=OTHER), tlsa(f"3 0 1 {OURS}")),
        f"{HERE}: the key served since 2026-10-01 is not among the published TLSA records (3 0 1 {'a' * 16}…)",
    ),
    (
        "an authority in TLSA", failed("tlsa-invalid"), (certificate(), tlsa(f"2 1 1 {OTHER}")),
        f"{HERE}: TLSA names an authority or a whole key (2 1 1 {'b' * 16}…): check the chain",
    ),
    (
        "TLSA unknown", failed("tlsa-invalid"), (certificate(),),
        (f"{HERE}: tlsa-invalid; nothing is known here of its TLSA records on that day. Check first: whether the key"
        " was changed before its TLSA record"),
    ),
    (
        "no DNSSEC", failed("dnssec-invalid"), (tlsa(f"3 1 1 {OURS}", security="bogus"),),
        (f"{MX}: DNSSEC did not validate for the sender; here its TLSA answers were bogus on 2026-10-09: check RRSIG"
        " dates and the DS record"),
    ),
    (
        "DANE wanted", failed("dane-required"), (),
        (f"{HERE}: dane-required; nothing is known here of TLSA records on that day. Check first: that a record of"
        " usage 2 or 3 stands there, signed"),
    ),
    (
        "DANE wanted, records there", failed("dane-required"), (tlsa("0 0 1 abc"),),
        (f"{HERE}: the sender wants DANE and found no usable TLSA record, though 0 0 1 abc was published until"
        " 2026-10-09: check usage 2 or 3, and DNSSEC"),
    ),
    (
        "policy not fetched", failed("sts-policy-fetch-error", info="404"), (policy(MX),),
        ('mta-sts.example.org: the sender could not fetch the policy (the sender says: "404"), though it was read here'
        " between 2026-10-01 and 2026-10-09: check redirects, IPv6 and who may reach it"),
    ),
    (
        "policy not fetched, nothing known", failed("sts-policy-fetch-error"), (),
        ("mta-sts.example.org: the sender could not fetch the policy; nothing is known here of it on that day: check"
        " who may reach it"),
    ),
    (
        "policy not understood", failed("sts-policy-invalid"), (policy("*.example.org"),),
        ("mta-sts.example.org: the sender cannot use the policy; the one read here until 2026-10-09 says mode enforce,"
        " mx *.example.org: check version, mode, mx and max_age"),
    ),
    (
        "policy host", failed("sts-webpki-invalid"),
        (certificate("192.0.2.80", host="mta-sts.example.org", port=443, until="2026-10-02"),),
        "mta-sts.example.org: the certificate of the policy host expired on 2026-10-02",
    ),
    (
        "policy host, nothing known", failed("sts-webpki-invalid"), (),
        "mta-sts.example.org: the sender refused the certificate of the policy host: check its names, dates and chain",
    ),
    (
        "not in the policy", failed("validation-failure", applied=("version: STSv1", "mx: *.mail.example.org")), (),
        f"{MX}: not in the MTA-STS policy the sender worked with (mx: *.mail.example.org)",
    ),
    (
        "not in an older policy", failed("validation-failure", applied=("mx: old.example.org",)),
        (policy(MX, first=2),),
        (f"{MX}: not in the MTA-STS policy the sender worked with (mx: old.example.org), not the one published since"
        " 2026-10-02, which has it"),
    ),
    (
        "not in our policy", failed("validation-failure"), (policy("*.mail.example.org"),),
        f"{MX}: not in the MTA-STS policy of that day (mx: *.mail.example.org)",
    ),
    (
        "validation for the dates", failed("validation-failure"), (certificate(until="2026-10-01"),),
        f"{HERE}: certificate expired on 2026-10-01",
    ),
    (
        "validation, certificate in order", failed("validation-failure", code="SSL_R_X"), (certificate(),),
        (f'{HERE}: TLS or the policy failed (the sender says: "SSL_R_X"); the certificate of that day was in order:'
        " look at the TLS versions and suites of this address"),
    ),
    (
        "the sender's own connection", failed("validation-failure", info="Connection timed out"), (certificate(),),
        (f'{HERE}: the connection of google.com broke (the sender says: "Connection timed out"); nobody else reports'
        " this place: the sender's own trouble, or its path"),
    ),
    (
        "a broken connection where the certificate is at fault", failed("validation-failure", info="connection reset"),
        (certificate(until="2026-10-01"),), f"{HERE}: certificate expired on 2026-10-01",
    ),
    (
        "the address tells the host", failed("certificate-expired", mx=""), (certificate(until="2026-10-01"),),
        f"{HERE}: certificate expired on 2026-10-01",
    ),
    (
        "neither host nor address", failed("validation-failure", mx="", address=""), (certificate(),),
        ("an MX of example.org, port 25: validation-failure; nothing is known here of its certificate on that day."
        " Check first: TLS versions, suites and the names in the policy"),
    ),
    ("no reason", failed(UNTOLD), (), "example.org: the report counts these failures and gives no reason"),
    (
        "a type of their own", failed("tls-too-old", info="1.0"), (),
        f'{HERE}: reported as tls-too-old, which RFC 8460 does not define (the sender says: "1.0")',
    ),
]  # fmt: skip


@pytest.mark.parametrize(("failure", "history", "line"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_causes(failure: Failed, history: tuple[Dated, ...], line: str) -> None:
    assert cause(failure, *history) == line


def test_the_same_cause_over_days_and_reporters_is_one() -> None:
    days = [failed("certificate-expired", day=date(2026, 10, n), reporter=r) for n in (3, 4, 6) for r in ("b", "a")]
    other = failed("certificate-expired", sessions=50, mx="mx1.example.org", address="192.0.2.25")
    seen = causes([*days, other], [certificate(until="2026-10-02")])
    assert [one.sessions for one in seen] == [50, 12]
    assert seen[1] == TlsFailureSeen(
        Endpoint("example.org"), "certificate-expired", 12, f"{HERE}: certificate expired on 2026-10-02", MX, V6, "sts",
        ("a", "b"), date(2026, 10, 3), date(2026, 10, 6),
    )  # fmt: skip


def test_broken_connections_that_several_report_are_ours_to_look_at() -> None:
    both = [failed("validation-failure", info="timeout", reporter=name) for name in ("a", "b")]
    assert {"several senders report this place" in one.cause for one in causes(both, ())} == {True}


def test_no_failures_have_no_causes() -> None:
    assert causes([], [certificate()]) == ()


def test_a_detail_of_another_shape_is_nothing_known() -> None:
    for detail in ("", "[1]", "{", '{"port": "x", "names": 7, "not_after": "soon", "trusted": "yes"}'):
        broken = Dated(Endpoint(MX), "certificate", "c", when(1), when(9), detail)
        assert "nothing is known here" in cause(failed("certificate-expired"), broken)


@pytest.mark.parametrize(
    ("pattern", "host", "expected"),
    [
        ("*.example.org", "mx.example.org", True),
        ("*.example.org", "a.b.example.org", False),
        ("*.example.org", "example.org", False),
        ("MX.example.org.", "mx.example.org", True),
        ("", "", True),
    ],
)
def test_a_wildcard_is_one_label(pattern: str, host: str, *, expected: bool) -> None:
    assert covers(pattern, host) is expected


words = st.text(max_size=12)


@settings(deadline=None)
@given(
    st.sampled_from([row[1].failure.type for row in TABLE]) | words, words, words, words, st.lists(words, max_size=3)
)
def test_any_failure_has_one_line(kind: str, mx: str, address: str, info: str, applied: list[str]) -> None:
    one = failed(kind, mx=mx, address=address, info=info, applied=tuple(applied))
    for history in ((), (certificate(), tlsa("3 1 1 ab"), policy(MX))):
        assert cause(one, *history)
