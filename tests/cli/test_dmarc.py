from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Gatepost
from tests.dns import Dns

ZONE = {
    ("_dmarc.example.org", "TXT"): ['"v=DMARC1; p=reject; rua=mailto:d@example.org,mailto:d@reports.example"'],
    ("example.org._report._dmarc.reports.example", "TXT"): ['"v=DMARC1"'],
    ("_dmarc.news.example.com", "TXT"): ['"v=DMARC1; p=quarantine; rua=mailto:d@news.example.com"'],
    ("_dmarc.old.example", "TXT"): ['"v=DMARC1; p=reject; pct=50; rua=mailto:d@stranger.example"'],
    ("_dmarc.bad.example", "TXT"): ['"v=DMARC1; p=rejct"'],
}


@pytest.fixture
def where() -> Iterator[str]:
    with Dns(ZONE, {"_dmarc.lost.example": "servfail"}, secure=["org"]) as dns:
        yield dns.where


def test_a_sound_domain(gatepost: Gatepost, where: str) -> None:
    said = gatepost("dmarc", "mail.example.org", "--dkim-domain", "example.org", "--resolver", where)
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "✔ mail.example.org   DMARC reject   existing subdomains reject, invented names reject"
    assert [line[:4] for line in lines[3:6]] == ["    ", "  → ", "    "]
    assert "✔ mailto:d@reports.example has agreed" in said.out
    assert lines[lines.index("ALIGNMENT   with mail.example.org in the From header") + 2].split() == [
        "DKIM", "example.org", "relaxed", "aligned", "aligned"
    ]  # fmt: skip


def test_where_the_two_ways_differ(gatepost: Gatepost, where: str) -> None:
    said = gatepost("dmarc", "news.example.com", "--spf-domain", "example.com", "--resolver", where)
    assert said.code == 1
    assert "aligned today by the suffix list, not by the tree walk" in said.out
    assert "by tree walk     news.example.com" in said.out
    assert "by suffix list   example.com" in said.out


@pytest.mark.parametrize(
    ("domain", "code", "told"),
    [
        ("nothing.example", 1, "✖ nothing.example   no DMARC policy applies"),
        ("bad.example", 1, "✖ bad.example   receivers apply no DMARC"),
        ("old.example", 1, "✖ mailto:d@stranger.example has not agreed"),
        ("lost.example", 3, "? the DMARC of lost.example could not be asked for: _dmarc.lost.example TXT:"),
    ],
)
def test_what_is_not_in_order(gatepost: Gatepost, where: str, domain: str, code: int, told: str) -> None:
    said = gatepost("dmarc", domain, "--resolver", where)
    assert said.code == code
    assert told in said.out


def test_an_identifier_that_could_not_be_asked(gatepost: Gatepost, where: str) -> None:
    said = gatepost("dmarc", "example.org", "--dkim-domain", "lost.example", "--resolver", where)
    assert said.code == 3
    assert "not seen" in said.out


def test_as_json(gatepost: Gatepost, where: str) -> None:
    words = ("dmarc", "example.org", "--dkim-domain", "example.org", "--spf-domain", "lost.example", "--format", "json")
    told = json.loads(gatepost(*words, "--resolver", where).out)
    assert set(told) == {"schema", "domain", "dmarc", "unobserved", "report_targets", "identifiers"}
    assert (told["dmarc"]["policy"], told["dmarc"]["security"]) == ("reject", "secure")
    assert [one["authorised"] for one in told["report_targets"]] == [True]
    assert told["identifiers"][0]["aligned_by_walk"] is True
    assert told["identifiers"][1]["unobserved"]["reason"] == "refused"


def test_json_of_what_could_not_be_asked(gatepost: Gatepost, where: str) -> None:
    told = json.loads(gatepost("dmarc", "lost.example", "--format", "json", "--resolver", where).out)
    assert (told["dmarc"], told["unobserved"]["wanted"]) == (None, "dmarc")


@pytest.mark.parametrize("domain", ["", "exa mple", "a..b", "x" * 64, "-a.org"])
def test_bad_input(gatepost: Gatepost, domain: str) -> None:
    said = gatepost("dmarc", "--", domain)
    assert (said.code, said.out) == (2, "")
    assert "can be no domain" in said.err
