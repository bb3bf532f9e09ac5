"""CAA: the climb to the set that counts, its grammar, and who may issue."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.errors import PeerGarbled
from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Caa, Security
from gatepost.model.domain import CaaSeen
from gatepost.model.observation import Unobserved
from gatepost.model.words import Reason
from gatepost.records import caa
from gatepost.records.caa import Issuer, issuer, issuers, permits
from tests.zone import BOGUS, TIMEOUT, Zone

HOST = "mx1.mail.example.org"
CA = "ca.example.net"


def look(records: Mapping[str, list[str]], security: Security = Security.INSECURE) -> CaaSeen:
    seen = asyncio.run(caa.inspect(HOST, Zone(records, security=security)))
    assert isinstance(seen, CaaSeen)
    return seen


def of(*values: str) -> CaaSeen:
    return look({f"{HOST} CAA": list(values)})


def test_its_own_set() -> None:
    seen = of(f"0 issue {CA}", "0 iodef mailto:security@example.org")
    records = (Caa(0, "issue", CA), Caa(0, "iodef", "mailto:security@example.org"))
    assert seen == CaaSeen(Endpoint(HOST), HOST, records, (), Security.INSECURE)


@pytest.mark.parametrize("where", ["mail.example.org", "example.org", "org"])
def test_the_nearest_set_above(where: str) -> None:
    seen = look({f"{where} CAA": [f"0 issue {CA}"], f"{HOST} A": ["192.0.2.25"]})
    assert (seen.found_at, len(seen.records)) == (where, 1)


def test_a_nearer_set_hides_the_one_above() -> None:
    seen = look({"example.org CAA": ["0 issue ;"], "mail.example.org CAA": [f"0 issue {CA}"]})
    assert seen.found_at == "mail.example.org"
    assert permits(seen, CA)


def test_an_alias_is_followed_and_not_climbed() -> None:
    """RFC 8659 section 3, where its predecessor climbed from the target too."""
    records = {f"{HOST} CNAME": ["a.host.example"], "host.example CAA": ["0 issue ;"]}
    assert look(records).records == ()
    assert look(records | {"a.host.example CAA": [f"0 issue {CA}"]}).found_at == HOST


def test_none_anywhere() -> None:
    zone = Zone({f"{HOST} A": ["192.0.2.25"]}, security=Security.SECURE)
    seen = asyncio.run(caa.inspect(HOST, zone))
    assert seen == CaaSeen(Endpoint(HOST), "", (), (), Security.SECURE)
    assert zone.asked == [f"{n} CAA" for n in (HOST, "mail.example.org", "example.org", "org")]


@pytest.mark.parametrize("trouble", [TIMEOUT, BOGUS])
@pytest.mark.parametrize("where", [HOST, "example.org"])
def test_a_question_that_fails_is_no_absence(where: str, trouble: tuple[Reason, str]) -> None:
    found = asyncio.run(caa.inspect(HOST, Zone({}, {where: trouble})))
    assert isinstance(found, Unobserved)
    assert (found.wanted, found.reason, found.detail) == ("caa", *trouble)


def test_a_ladder_without_end() -> None:
    zone = Zone({})
    found = asyncio.run(caa.inspect(".".join("a" * 60), zone))
    assert isinstance(found, Unobserved)
    assert (found.reason, zone.asked) == (Reason.BUDGET, [])


@pytest.mark.parametrize(
    ("text", "record", "words"),
    [
        (f"0 issue {CA}", Caa(0, "issue", CA), ""),
        (f'0 issue "{CA}"', Caa(0, "issue", f'"{CA}"'), "lets nobody issue"),
        (f"0 ISSUE {CA}", Caa(0, "issue", CA), ""),
        (f"128 issuewild {CA}", Caa(128, "issuewild", CA), ""),
        ("0 issue ;", Caa(0, "issue", ";"), ""),
        ("0 issue", Caa(0, "issue", ""), ""),
        (f"0 issuemail {CA}", Caa(0, "issuemail", CA), ""),
        ("0 contactemail a@example.org", Caa(0, "contactemail", "a@example.org"), ""),
        ("0 iodef https://example.org/report", Caa(0, "iodef", "https://example.org/report"), ""),
        ("0 future what ever", Caa(0, "future", "what ever"), ""),
        (
            f"0 issue {CA}; accounturi=https://a.example/1; validationmethods=dns-01,http-01",
            Caa(0, "issue", f"{CA}; accounturi=https://a.example/1; validationmethods=dns-01,http-01"),
            "",
        ),
        ("128 future x", Caa(128, "future", "x"), "forbids every authority"),
        (f"1 issue {CA}", Caa(1, "issue", CA), "set reserved bits"),
        ("0 issue %%%%%", Caa(0, "issue", "%%%%%"), "lets nobody issue"),
        ("0 issue ca_1.example", Caa(0, "issue", "ca_1.example"), "lets nobody issue"),
        (f"0 issue {CA} policy=ev", Caa(0, "issue", f"{CA} policy=ev"), "lets nobody issue"),
        (f"0 issue {CA}; policy", Caa(0, "issue", f"{CA}; policy"), "lets nobody issue"),
        ("0 iodef security@example.org", Caa(0, "iodef", "security@example.org"), "reports go to a mailto:"),
        ("256 issue x", None, "is no CAA record"),
        ("issue x", None, "is no CAA record"),
        ("0", None, "is no CAA record"),
        ("", None, "is no CAA record"),
        ("0 is-sue x", None, "other than letters and digits"),
        ("0 issue " + "x" * 5000, None, "is no CAA record"),
    ],
)
def test_record(text: str, record: Caa | None, words: str) -> None:
    seen = of(text)
    assert seen.records == ((record,) if record else ())
    assert any(words in one for one in seen.problems) if words else seen.problems == ()


def test_too_many() -> None:
    seen = of(*(f"0 issue ca{n}.example" for n in range(100)))
    assert len(seen.records) == 64
    assert seen.problems == ("100 records, of which the first 64 were read",)


@pytest.mark.parametrize(
    ("values", "plain", "wild"),
    [
        ([], True, True),
        ([f"0 issue {CA}"], True, True),
        ([f"0 issue {CA.upper()}"], True, True),
        ([f"0 issue \t{CA} ; policy=ev"], True, True),
        (["0 issue other.example", f"0 issue {CA}"], True, True),
        (["0 issue other.example"], False, False),
        (["0 issue ;"], False, False),
        (["0 issue ;", f"0 issue {CA}"], True, True),
        ([f"0 issue {CA}", "0 issuewild ;"], True, False),
        ([f"0 issuewild {CA}", "0 issue ;"], False, True),
        ([f"0 issuewild {CA}"], True, True),
        (["0 issuewild other.example"], True, False),
        (["0 iodef mailto:a@example.org"], True, True),
        (["0 issuemail ;"], True, True),
        ([f"0 issue {CA}", "0 future x"], True, True),
        ([f"0 issue {CA}", "128 future x"], False, False),
        ([f"128 issue {CA}"], True, True),
        ([f"0 issue {CA}.evil.example"], False, False),
        ([f"0 issue evil.{CA}"], False, False),
        ([f"0 issue {CA}; x"], False, False),
        ([f"0 issue {CA}; accounturi=https://a.example/1"], True, True),
    ],
)
def test_permits(values: list[str], *, plain: bool, wild: bool) -> None:
    seen = of(*values)
    assert permits(seen, CA) is plain
    assert permits(seen, CA, wildcard=True) is wild


def test_an_authority_whose_name_nobody_knows() -> None:
    assert permits(of(f"0 issue {CA}"), "") is None
    assert permits(of("0 iodef mailto:a@example.org"), "") is True


def test_issuers_with_their_conditions() -> None:
    seen = of("0 issue ;", f"0 issue {CA}; accounturi = https://a.example/1 ;validationmethods=dns-01;")
    assert issuers(seen) == (Issuer(CA, (("accounturi", "https://a.example/1"), ("validationmethods", "dns-01"))),)


LABEL = st.from_regex(r"[a-z0-9](-{0,2}[a-z0-9]){0,5}", fullmatch=True)
ISSUER = st.builds(
    Issuer,
    st.lists(LABEL, min_size=1, max_size=3).map(".".join),
    st.lists(st.tuples(LABEL, st.from_regex(r"[!-:<-~]{0,9}", fullmatch=True)), max_size=3).map(tuple),
)


@given(ISSUER)
def test_read_gives_the_issuer_rendered(one: Issuer) -> None:
    assert issuer(caa.render(one)) == one


def test_nobody_rendered() -> None:
    assert issuer(caa.render(Issuer(""))) == Issuer("")


@given(st.builds(Caa, st.integers(0, 255), st.from_regex(r"[a-z0-9]{1,15}", fullmatch=True), st.text(max_size=40)))
def test_read_gives_the_parts(record: Caa) -> None:
    """But for blanks around the value, which its grammar ignores."""
    found = caa.parse(f"{record.flags} {record.tag} {record.value}")
    assert (found.flags, found.tag) == (record.flags, record.tag)
    assert found.value.strip(" \t") == record.value.strip(" \t")


@given(st.text(max_size=60) | st.text('0128 isuewld;"=.', max_size=40))
def test_any_text(text: str) -> None:
    try:
        record = caa.parse(text)
    except PeerGarbled as error:
        assert str(error).isprintable()  # noqa: PT017 - either outcome is right
    else:
        assert record.tag == record.tag.lower()
    seen = of(text)
    assert permits(seen, CA) in {True, False}
    assert all(one.isprintable() for one in seen.problems)
