"""The terminal page and the JSON of `gatepost records`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from gatepost.model.architecture import Selector
from gatepost.model.words import Reason
from gatepost.publish import Given, Publication
from gatepost.records.lookup import Fetched
from gatepost.report.publishing import render, summary, to_json
from tests.published import BARE, DOMAIN, IN_ORDER, NOW, dane, published
from tests.zone import TIMEOUT

RSA = "v=DKIM1; k=rsa; p=" + "A" * 392
GOOD = {**BARE, **IN_ORDER}
WANTED = replace(
    DOMAIN,
    mx=("mx1.example.org",),
    dmarc="reject",
    mta_sts="testing",
    dkim=(Selector("s1", "k"), Selector("s0", until=date(2026, 1, 1))),
)
GONE = Fetched(ok=False, reason=Reason.REFUSED, why="mta-sts.example.org answers 404 Not Found")


def told() -> Publication:
    records = {
        **GOOD,
        "example.org TXT": ["v=spf1 ?all", "site=1"],
        "_dmarc.example.org TXT": ["v=DMARC1; p=none"],
        "s0._domainkey.example.org TXT": [RSA],
    }
    return published(WANTED, records, given=Given(NOW, keys={"s1": RSA}, policy=GONE))


PAGE = """\
✖ example.org   6 changes lacking, 9 records in order

  1  example.org TXT   at once
     - "v=spf1 ?all"
     + "v=spf1 ip4:198.51.100.5 ip6:2001:db8::5 -all"
     Receivers learn who may send for the domain.
"""


def test_page() -> None:
    page = render(told(), width=100)
    assert page.startswith(PAGE)
    assert "  6  Serve the policy at https://mta-sts.example.org/.well-known/mta-sts.txt, as text/plain." in page
    assert "POLICY   https://mta-sts.example.org/.well-known/mta-sts.txt\n  version: STSv1\n  mode: testing\n" in page
    assert "GOOD TO KNOW\n  · DMARC goes from none to reject at once" in page
    assert "AAAA…AAAA" in page
    assert page.count("\x1b") == 0
    assert "\x1b[" in render(told(), width=100, colour=True)


@pytest.mark.parametrize("width", [60, 80, 160])
def test_nothing_sticks_out(width: int) -> None:
    assert max(map(len, render(told(), width=width, everything=True).splitlines())) <= width


def test_everything() -> None:
    page = render(published(DOMAIN, GOOD), everything=True)
    assert page.startswith("✔ example.org   nothing lacking, 10 records in order\n")
    assert "RECORDS\n  ✔ mx1.example.org A 198.51.100.5\n" in page
    assert "--format" not in page


def test_a_page_without_answers() -> None:
    lost = published(replace(dane(), mx=(), dane=False), {}, trouble={"example.org": TIMEOUT}, hosts=())
    assert summary(lost).startswith("nothing lacking, 0 records in order, 4 could not be asked")
    page = render(lost)
    assert page.startswith("? example.org")
    assert "COULD NOT BE ASKED\n  ? example.org A: the resolver does not answer within 8 s\n" in page


def test_words_of_strangers_are_harmless() -> None:
    records = {**GOOD, "_dmarc.example.org TXT": ["v=DMARC1; p=none; x=\x1b[31m\x9b\n"]}
    page = render(published(replace(DOMAIN, dmarc="reject"), records))
    assert "\x1b" not in page
    assert "\x9b" not in page


def test_json_keeps_the_contract() -> None:
    loaded = json.loads(to_json(told()))
    assert loaded["schema"] == "gatepost/records/1"
    assert (loaded["domain"], loaded["generated_at"], loaded["lacking"]) == ("example.org", "2026-11-24T10:53:00Z", 6)
    first, *_, last = loaded["steps"]
    assert first == {
        "number": 1,
        "part": "spf",
        "after": [],
        "wait": 0,
        "reason": "Receivers learn who may send for the domain.",
        "action": None,
        "zone": "example.org",
        "name": "example.org",
        "kind": "TXT",
        "ttl": 3600,
        "lowers_ttl": False,
        "add": ['"v=spf1 ip4:198.51.100.5 ip6:2001:db8::5 -all"'],
        "remove": ['"v=spf1 ?all"'],
        "keep": ['"site=1"'],
    }
    assert (last["part"], last["after"]) == ("mta-sts", [6])
    assert loaded["policy"]["needed"] is True
    assert {"part", "zone", "name", "kind", "value", "present"} == set(loaded["records"][0])
    assert loaded["servers"] == {"example.org": "ns1.example.org"}
