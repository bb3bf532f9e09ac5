"""The domain truth: a line per standard, marked by what was found, with what stands behind it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatepost.checks import CHECKS
from gatepost.model.architecture import Endpoint
from gatepost.model.audit import Audit
from gatepost.model.dns import Presence
from gatepost.model.domain import MxSeen
from gatepost.model.observation import Run, Seen
from gatepost.report.domain_view import JUDGED, Line
from gatepost.report.domains import Card, cards
from gatepost.report.evidence import transcript
from gatepost.report.formats import FORMATS, TERMINAL
from gatepost.report.machine import read_json, to_json
from gatepost.report.truth import Standing
from tests.report.sample import BAD, GOOD, NOW
from tests.report.sample_domains import FOUND, KEPT, NEGLECTED, audit
from tests.report.strategies import audits

CARDS = {card.name: card for card in cards(audit())}


def line(name: str, label: str) -> Line:
    return next(one for one in CARDS[name].lines if one.label == label)


def test_domains_come_in_the_order_asked_for_and_then_their_hosts() -> None:
    assert [card.name for card in cards(audit())] == ["example.org", "example.net", GOOD, BAD]
    assert [card.kind for card in cards(audit())] == ["domain", "domain", "host", "host"]


@pytest.mark.parametrize(
    ("name", "label", "standing", "says"),
    [
        ("example.org", "MX", Standing.GOOD, "1 exchanger  secure"),
        ("example.org", "SPF", Standing.GOOD, "-all, 2 of 10 look-ups"),
        ("example.org", "DKIM", Standing.GOOD, "1 key"),
        ("example.org", "DMARC", Standing.GOOD, "reject; subdomains reject, invented names reject"),
        ("example.org", "MTA-STS", Standing.GOOD, "enforce, id 20261001, kept 7 days"),
        ("example.org", "TLS-RPT", Standing.GOOD, "mailto:tls@example.org"),
        ("example.org", "reports", Standing.GOOD, "12 reports"),
        ("example.org", "DNSSEC", Standing.GOOD, "signed and valid"),
        ("example.net", "SPF", Standing.BAD, "permerror: +all, 11 of 10 look-ups, 3 void"),
        ("example.net", "DMARC", Standing.BAD, "no policy"),
        ("example.net", "MTA-STS", Standing.UNKNOWN, "could not be asked: the resolver 127.0.0.1#53"),
        ("example.net", "DNSSEC", Standing.BAD, "bogus at example.net: signature expired"),
        (GOOD, "DANE", Standing.GOOD, "TLSA for 25"),
        (GOOD, "CAA", Standing.GOOD, "letsencrypt.org (at example.org)"),
        (GOOD, "PTR", Standing.ATTENTION, "1 of 2 addresses confirmed"),
        (BAD, "DANE", Standing.UNKNOWN, "could not be asked"),
    ],
)
def test_each_standard_has_its_line(name: str, label: str, standing: Standing, says: str) -> None:
    one = line(name, label)
    assert (one.standing, one.words[: len(says)]) == (standing, says)


def test_the_tree_of_spf_shows_the_running_count() -> None:
    assert line("example.org", "SPF").details[:4] == (
        "mx  [1]",
        "include:_spf.example.com  [2]",
        "  ip4:203.0.113.0/24  [2]",
        "  -all  [2]",
    )


def test_a_key_tells_its_age_and_a_revoked_one_that_it_is() -> None:
    assert line("example.org", "DKIM").details == ("s2026: RSA 2048, since 2026-10-01", "s2025: revoked")


def test_a_cause_is_told_once() -> None:
    details = line("example.net", "SPF").details
    assert sum("2 SPF records at one name" in one for one in details) == 1
    assert "→ no DMARC record" in line("example.net", "DMARC").details


def test_a_card_is_as_bad_as_its_worst_line() -> None:
    assert {c.name: c.standing for c in CARDS.values()} == {
        "example.org": Standing.GOOD,
        "example.net": Standing.BAD,
        GOOD: Standing.ATTENTION,
        BAD: Standing.UNKNOWN,
    }


def test_where_dns_was_not_asked_there_is_no_card() -> None:
    nothing = replace(audit(), run=Run(Seen(), NOW))
    assert cards(nothing) == ()
    assert "DNS was not asked about any domain" in TERMINAL["domains"](nothing)


@pytest.mark.parametrize("width", [40, 80, 160])
def test_no_line_is_wider_than_the_terminal_and_nothing_a_stranger_wrote_is_obeyed(width: int) -> None:
    page = TERMINAL["domains"](audit(), width=width, verbose=True)
    assert max(map(len, page.splitlines())) <= width
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_the_page_is_escaped() -> None:
    page = FORMATS["domains"]["html"](audit())
    assert "<script>" not in page
    assert "p=reject" in page


def test_csv_has_a_row_for_each_line_and_json_the_same_cards() -> None:
    rows = list(csv.DictReader(io.StringIO(FORMATS["domains"]["csv"](audit()))))
    told = json.loads(FORMATS["domains"]["json"](audit()))
    assert told["schema"] == "gatepost/domains/1"
    assert [(c["name"], one["label"]) for c in told["cards"] for one in c["lines"]] == [
        (r["name"], r["standard"]) for r in rows
    ]


def test_every_fact_survives_json_and_has_words_of_its_own() -> None:
    again = read_json(to_json(audit()))
    kept = set(again.run.seen)
    assert kept == {*KEPT, *NEGLECTED}
    for one in (*KEPT, *NEGLECTED):
        assert not transcript((one,))[0].startswith(type(one).__name__), one
    assert [f.evidence for f in again.findings] == [f.evidence for f in FOUND]


def test_cards_are_plain_values() -> None:
    assert all(isinstance(one, Card) for one in CARDS.values())


def test_every_judge_of_dns_belongs_to_one_line() -> None:
    """REQUIRETLS is told by a port, and what a server checks itself by its configuration."""
    elsewhere = {"GP-DNSID-009", "GP-DNST-008", "GP-DNST-009"}
    told = [c for c in CHECKS if c.control.startswith(("GP-DNSID", "GP-DNST")) and c.control not in elsewhere]
    for one in told:
        lines = [label for label, begins in JUDGED.items() if f"{one.control}/{one.name}".startswith(begins)]
        assert len(lines) == 1, (one.control, one.name, lines)


def test_records_of_which_none_could_be_read_are_no_exchangers() -> None:
    unreadable = MxSeen(Endpoint("example.org"), Presence.PRESENT, problems=("'10' is no MX record",))
    (card,) = cards(replace(audit(), run=Run(Seen((unreadable,)), NOW), findings=()))
    assert [(one.label, one.words, one.details) for one in card.lines] == [
        ("MX", "0 exchangers", ("'10' is no MX record",))
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(audits(), st.integers(20, 220))
def test_whatever_was_seen_can_be_shown(found: Audit, width: int) -> None:
    assert TERMINAL["domains"](found, width=width, verbose=True)
    assert all(write(found) is not None for write in FORMATS["domains"].values())
