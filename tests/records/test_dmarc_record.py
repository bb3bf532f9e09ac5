from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.model.domain import DmarcRecord
from gatepost.records import dmarc_uris, report_uris, tags
from gatepost.records.dmarc_record import POLICIES, is_meant, is_policy, overlooked, read

RUA = "rua=mailto:d@example.org"


@pytest.mark.parametrize(
    ("text", "taken", "meant"),
    [
        ("v=DMARC1", True, True),
        ("v=DMARC1;", True, True),
        ("v=DMARC1; p=none", True, True),
        ("v = DMARC1 ;p=none", True, True),
        (" v=DMARC1; p=none", True, True),
        ("v=dmarc1; p=none", False, True),
        ("V=DMARC1; p=none", False, True),
        ("v=DMARC1 p=none", False, True),
        ("v=DMARC2; p=none", False, True),
        ("v=DMARC; p=none", False, True),
        ('"v=DMARC1; p=none"', False, True),
        ("p=none; v=DMARC1", False, False),
        ("v=spf1 -all", False, False),
        ("", False, False),
    ],
)
def test_what_is_taken_for_a_policy(*, text: str, taken: bool, meant: bool) -> None:
    assert (is_policy(text), is_meant(text)) == (taken, meant)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("v=dmarc1; p=none", "v=DMARC1 has to be written in this case"),
        ("v=DMARC1 p=none", "no semicolon follows v=DMARC1"),
        ("v=DMARC2; p=none", "it does not begin with v=DMARC1"),
        ('"v=DMARC1; p=none"', "it begins with a quotation mark"),
    ],
)
def test_why_it_is_overlooked(text: str, told: str) -> None:
    assert overlooked(text).endswith(told)


def policies(text: str) -> tuple[str, str, str]:
    found = read(text, "example.org")
    return found.p, found.sp, found.np


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"v=DMARC1; p=none; {RUA}", ("none", "", "")),
        (f"v=DMARC1; p=quarantine; {RUA}", ("quarantine", "", "")),
        (f"v=DMARC1; p=reject; sp=none; np=reject; {RUA}", ("reject", "none", "reject")),
        (f"v=DMARC1; p=REJECT; sp=None; {RUA}", ("reject", "none", "")),
        (f"v=DMARC1; {RUA}; p=reject", ("reject", "", "")),
        ("v=DMARC1;p=reject", ("reject", "", "")),
        ("v=DMARC1; p=reject; zz=1", ("reject", "", "")),
        ("v=DMARC1; P=reject", ("reject", "", "")),
        ("v=DMARC1; p=reject; p=none", ("reject", "", "")),
        # without a valid p, or with a broken sp or np: p=none with an address, nothing without (section 4.10.1)
        (f"v=DMARC1; {RUA}", ("none", "", "")),
        (f"v=DMARC1; sp=reject; {RUA}", ("none", "reject", "")),
        (f"v=DMARC1; p=rejct; {RUA}", ("none", "", "")),
        (f"v=DMARC1; p=; {RUA}", ("none", "", "")),
        (f"v=DMARC1; p=reject; sp=rejct; {RUA}", ("none", "", "")),
        (f"v=DMARC1; p=reject; np=maybe; sp=reject; {RUA}", ("none", "", "")),
        ("v=DMARC1", ("", "", "")),
        ("v=DMARC1; p=rejct", ("", "", "")),
        ("v=DMARC1; p=reject; sp=rejct", ("", "", "")),
        ("v=DMARC1; p=rejct; rua=d@example.org", ("", "", "")),
        ("v=DMARC1; p=rejct; ruf=mailto:d@example.org", ("", "", "")),
        ("v=DMARC1; sp=reject", ("", "", "")),
    ],
)
def test_policies(text: str, expected: tuple[str, str, str]) -> None:
    assert policies(text) == expected


def test_defaults() -> None:
    text = f"v=DMARC1; p=reject; {RUA}"
    assert read(text, "example.org") == DmarcRecord("example.org", text, p="reject", rua=("mailto:d@example.org",))


def test_every_tag() -> None:
    found = read(
        "v=DMARC1; p=reject; sp=reject; np=reject; psd=N; t=Y; adkim=S; aspf=s; fo=1:D:s;"
        " rua=mailto:a@example.org , mailto:b@example.org; ruf=mailto:c@example.org",
        "example.org",
    )
    assert (found.psd, found.testing, found.adkim, found.aspf, found.fo) == ("n", True, "s", "s", ("1", "d", "s"))
    assert found.rua == ("mailto:a@example.org", "mailto:b@example.org")
    assert found.ruf == ("mailto:c@example.org",)
    assert found.problems == ()
    assert found.advice == ("t=y: receivers apply one level less than the record says",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("psd=x", "psd=x is none of n, u, y: u counts"),
        ("t=yes", "t=yes is none of n, y: n counts"),
        ("adkim=relaxed", "adkim=relaxed is none of r, s: r counts"),
        ("aspf=", "aspf= is none of r, s: r counts"),
        ("ruf=mailto:a@example.org; fo=0:1", "0 counts"),
        ("ruf=mailto:a@example.org; fo=d:d", "0 counts"),
        ("ruf=mailto:a@example.org; fo=x", "0 counts"),
        ("ruf=mailto:a@example.org; fo=", "0 counts"),
        ("p=none", "p= is given more than once: receivers may drop the whole record"),
        ("oh", "'oh' is no tag"),
        ("ruf=a@example.org", "ruf: 'a@example.org' is no URI: mailto:a@example.org may be meant"),
        ("ruf=https://example.org/", "reports are sent by mail only"),
        ("ruf=", "an empty address"),
        ("ruf=mailto:a@example.org,", "an empty address"),
        ("ruf=mailto:a b@example.org", "has white space"),
        ("ruf=mailto:a@example.org mailto:b@example.org", "has white space"),
        ("ruf=mailto:", "names no mail address"),
        ("ruf=mailto:example.org", "names no mail address"),
        ("ruf=mailto:a@-example.org", "names no mail address"),
        ("ruf=mailto:a@exa_mple..org", "names no mail address"),
        ("ruf=mailto:a%4@example.org", "stray percent sign"),
        ("ruf=mailto:a!b@example.org", "has to be written %21"),
    ],
)
def test_problems(text: str, told: str) -> None:
    found = read(f"v=DMARC1; p=reject; {RUA}; {text}", "example.org")
    assert [one for one in found.problems if told in one], found.problems
    assert found.p == "reject"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("p=reject", "no rua="),
        ("p=none", "p=none without reports changes nothing and tells nothing"),
        (RUA, "no p=: the record counts as p=none"),
        (f"p=reject; sp=none; {RUA}", "sp=none is weaker than p=reject"),
        (f"p=reject; np=quarantine; {RUA}", "np=quarantine is weaker"),
        (f"p=none; sp=reject; np=none; {RUA}", "np=none is weaker"),
        (f"p=reject; t=y; {RUA}", "t=y: receivers apply one level less"),
        (f"p=reject; fo=1; {RUA}", "fo= counts for nothing without ruf="),
        (f"{RUA}; p=reject", "p= does not follow v= directly"),
        (f"P=reject; {RUA}", "P= should be written p="),
        (f"p=reject; pct=20; {RUA}", "pct=20 is obsolete since RFC 9989"),
        (f"p=reject; rf=afrf; {RUA}", "rf=afrf is obsolete"),
        (f"p=reject; ri=86400; {RUA}", "ri=86400 is obsolete"),
        ("p=reject; rua=mailto:d@example.org!10m", "rua: the size limit !10m is obsolete"),
        ("p=reject; rua=mailto:a@e.org,mailto:b@e.org,mailto:c@e.org", "some reporters serve only the first 2"),
    ],
)
def test_advice(text: str, told: str) -> None:
    found = read(f"v=DMARC1; {text}", "example.org")
    assert [one for one in found.advice if told in one], found.advice
    assert found.problems == ()


def test_a_policy_for_subdomains_alone_is_not_nothing() -> None:
    found = read("v=DMARC1; p=none; sp=reject", "example.org")
    assert found.advice == ("no rua=: nobody reports who sends in this name",)


def test_white_space_in_front() -> None:
    assert "white space before v=" in read(f" v=DMARC1; p=reject; {RUA}", "example.org").advice[0]


def test_obsolete_tags_as_written() -> None:
    found = read(f"v=DMARC1; p=reject; pct=50; ri=1; rf=iodef; {RUA}", "example.org")
    assert found.obsolete == ("pct=50", "ri=1", "rf=iodef")


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        ("mailto:a@Example.ORG", "example.org"),
        ("MAILTO:a@example.org", "example.org"),
        ("mailto:a%2Cb@example.org", "example.org"),
        ("mailto:a%40b@example.org", "example.org"),
        ("mailto:a@example.org?subject=x@y", "example.org"),
        ("mailto:a@xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_where_a_uri_leads(uri: str, host: str) -> None:
    assert dmarc_uris.read(uri) == ((uri,), [], [])
    assert dmarc_uris.host(uri) == host


def test_sizes_are_taken_off() -> None:
    assert dmarc_uris.read("mailto:a@e.org!50M, mailto:b@e.org!1")[0] == ("mailto:a@e.org", "mailto:b@e.org")


def test_addresses_are_bounded() -> None:
    uris, problems, _ = dmarc_uris.read(",".join(f"mailto:a{n}@e.org" for n in range(100)))
    assert len(uris) == report_uris.MAX_URIS
    assert problems == [f"100 addresses, of which the first {report_uris.MAX_URIS} were read"]


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=200))
def test_any_record_is_read(rest: str) -> None:
    found = read(f"v=DMARC1;{rest}", "example.org")
    assert {found.p, found.sp, found.np} <= {"", *POLICIES}
    assert found.p or found.problems


@given(st.text(max_size=200))
def test_any_address_is_usable_or_has_a_problem(value: str) -> None:
    uris, problems, _ = dmarc_uris.read(value)
    assert uris or problems
    assert all(dmarc_uris.host(uri) for uri in uris)


PAIRS = st.fixed_dictionaries(
    {"p": st.sampled_from(POLICIES)},
    optional={
        "sp": st.sampled_from(POLICIES),
        "np": st.sampled_from(POLICIES),
        "psd": st.sampled_from(["y", "n", "u"]),
        "t": st.sampled_from(["y", "n"]),
        "adkim": st.sampled_from(["r", "s"]),
        "aspf": st.sampled_from(["r", "s"]),
    },
)


@given(PAIRS)
def test_reads_what_was_rendered(pairs: dict[str, str]) -> None:
    found = read(tags.render([("v", "DMARC1"), *pairs.items()]), "example.org")
    assert found.problems == ()
    assert (found.p, found.sp, found.np) == (pairs["p"], pairs.get("sp", ""), pairs.get("np", ""))
    assert (found.psd, found.adkim, found.aspf) == (
        pairs.get("psd", "u"),
        pairs.get("adkim", "r"),
        pairs.get("aspf", "r"),
    )
    assert found.testing == (pairs.get("t") == "y")


def test_slips_that_cost_nothing_are_no_problem() -> None:
    found = read(f"v=DMARC1; p=reject;; x-note=moved; {RUA};;", "example.org")
    assert (found.p, found.problems) == ("reject", ())
    assert "'x-note' is no name of a tag: receivers pass over it" in found.advice
    assert read(f"v=DMARC1; s p=reject; p=none; {RUA}", "example.org").problems == ("'s p' is no name of a tag",)
