"""The pages of `gatepost reports`: what a person reads, and the same for machines."""

from __future__ import annotations

import csv
import json
from datetime import date
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.feedback.contents import Reporter, Taken
from gatepost.model.architecture import Endpoint
from gatepost.model.domain import ReportsRead, SourceSeen, TlsFailureSeen
from gatepost.report.failures import failures_csv, failures_json, failures_text
from gatepost.report.intake import intake_json, intake_text, problem
from gatepost.report.reporters import Asked, reporters_csv, reporters_json, reporters_text, silent, stale
from gatepost.report.sources import sources_csv, sources_json, sources_text
from tests.report.golden import golden

TODAY = date(2026, 11, 24)
ASKED = Asked("example.org", date(2026, 10, 25), TODAY)
AT = Endpoint("example.org")
HOSTILE = "\x1b[2J\u202eevil\n=cmd"


def day(number: int) -> date:
    return date(2026, 11, number)


SOURCES = (
    SourceSeen(AT, "203.0.113.66", 800, 0, 0, 0, 400, 0, 400, ("google.com", "yahoo"), day(1), day(23),
               ("esp.example",)),
    SourceSeen(AT, "198.51.100.7", 200, 70, 0, 70, 0, 200, 0, ("google.com",), day(1), day(22), ("example.org",)),
    SourceSeen(AT, "192.0.2.25", 20190, 20190, 20190, 20190, 20190, 0, 0, ("google.com",), day(1), day(23),
               ("example.org", "bounce.example.org")),
    SourceSeen(Endpoint("news.example.org"), "2001:db8::25", 363, 363, 0, 363, 0, 0, 0, ("yahoo",), day(1), day(3),
               ("news.example.org",)),
)  # fmt: skip
READS = (
    Reporter(ReportsRead(AT, "dmarc", 23, ("google.com",), day(1), day(23), 21190, 930), 23),
    Reporter(ReportsRead(AT, "dmarc", 30, ("yahoo",), day(1), day(10), 363, 0), 10),
    Reporter(ReportsRead(AT, "tls", 20, ("Example Sender",), day(4), day(23), 20035, 35), 20),
)
EXPIRED = "mx2.example.org, IPv6 (2001:db8::26), port 25: certificate expired on 2026-11-18"
STRANGER = (
    "mx1.example.org, IPv4 (192.0.2.25), port 25: the key served since 2026-11-19 is not among the published TLSA"
    " records (3 1 1 abababababababab…)"
)
FAILURES = (
    TlsFailureSeen(AT, "certificate-expired", 1020, EXPIRED, "mx2.example.org", "2001:db8::26", "sts",
                   ("Example Sender",), day(19), day(23)),
    TlsFailureSeen(AT, "tlsa-invalid", 11, STRANGER, "mx1.example.org", "192.0.2.25", "tlsa", ("a", "b", "c", "d", "e"),
                   day(20), day(20)),
)  # fmt: skip


@pytest.mark.parametrize("width", [60, 100, 160])
def test_sources_on_a_terminal(width: int) -> None:
    made = sources_text(ASKED, SOURCES, READS[:2], TODAY, width=width)
    assert made == golden(f"sources-{width}.txt", made)
    assert max(map(len, made.splitlines())) <= width


def test_failures_on_a_terminal() -> None:
    made = failures_text(ASKED, FAILURES, READS, TODAY, width=100)
    assert made == golden("failures.txt", made)


def test_reporters_on_a_terminal() -> None:
    made = reporters_text(ASKED, READS, TODAY)
    assert made == golden("reporters.txt", made)


def test_colour_changes_no_word() -> None:
    plain = sources_text(ASKED, SOURCES, READS, TODAY)
    assert "\x1b[" in sources_text(ASKED, SOURCES, READS, TODAY, colour=True)
    assert "\x1b" not in plain


def test_more_sources_than_a_page_shows() -> None:
    many = tuple(SourceSeen(AT, f"192.0.2.{n}", 2, 0, 0, 0, 2, 0, 0, ("a",), day(1), day(1)) for n in range(100))
    short = sources_text(ASKED, many, (), TODAY)
    assert "and 60 sources more with 120 messages: --all shows them" in short
    assert "200 messages from 100 sources: 0 aligned (0.0%), 200 not" in short
    assert len(sources_text(ASKED, many, (), TODAY, everything=True).splitlines()) > 100


def test_nothing_to_show() -> None:
    assert sources_text(ASKED, (), (), TODAY).startswith("Who sends as example.org: 2026-10-25 to 2026-11-24")
    assert failures_text(ASKED, (), (), TODAY).startswith("No TLS report on example.org")
    assert failures_text(ASKED, (), READS, TODAY).startswith(
        "No TLS session to example.org failed: 20,035 of 1 reporter"
    )
    assert reporters_text(ASKED, (), TODAY) == "0 reports on example.org, 2026-10-25 to 2026-11-24\n"


def test_a_reporter_that_stopped_is_told_and_a_late_import_makes_nobody_silent() -> None:
    (one,) = silent(READS, TODAY)
    assert str(one) == "no DMARC report of yahoo on example.org since 2026-11-10, it used to come every day"
    assert silent(READS[:1], date(2027, 1, 1)) == ()
    assert stale(READS, date(2026, 11, 26)) == ""
    assert "the newest report is about 2026-11-23" in stale(READS, date(2026, 12, 24))


@pytest.mark.parametrize(
    ("days", "first", "last", "quiet"),
    [(2, 1, 3, False), (3, 1, 3, True), (3, 1, 15, False), (2, 1, 15, False), (23, 1, 21, False), (5, 1, 5, True)],
)
def test_silence_goes_by_habit(days: int, first: int, last: int, *, quiet: bool) -> None:
    rare = Reporter(ReportsRead(AT, "dmarc", 50, ("rare",), day(first), day(last), 1, 0), days)
    assert (len(silent((READS[0], rare), TODAY)) == 1) is quiet


def test_many_that_fell_silent_do_not_fill_the_page() -> None:
    gone = [Reporter(ReportsRead(AT, "dmarc", 9, (f"r{n}",), day(1), day(9), 1, 0), 9) for n in range(20)]
    made = reporters_text(ASKED, (*READS, *gone), TODAY)
    assert made.count("◆ no DMARC report") == 8
    assert "13 more reporters fell silent" in made


def test_for_machines() -> None:
    told = json.loads(sources_json(ASKED, SOURCES, READS, TODAY))
    assert (told["schema"], told["domain"], told["since"]) == ("gatepost/sources/1", "example.org", "2026-10-25")
    assert told["totals"] == {
        "aligned": 20623, "delivered": 20590, "dkim": 20623, "messages": 21553, "quarantined": 200, "rejected": 400,
        "spf": 20190,
    }  # fmt: skip
    assert [one["source"] for one in told["sources"]] == [one.source for one in SOURCES]
    assert [one["reporter"] for one in told["silent"]] == ["yahoo"]
    told = json.loads(failures_json(ASKED, FAILURES, READS, TODAY))
    assert [one["sessions"] for one in told["failures"]] == [1020, 11]
    assert len(json.loads(reporters_json(ASKED, READS, TODAY))["reports"]) == 3


def test_for_spreadsheets() -> None:
    rows = list(csv.DictReader(StringIO(sources_csv(SOURCES))))
    assert [(row["source"], row["messages"], row["passes_as"]) for row in rows][2] == (
        "192.0.2.25", "20190", "example.org; bounce.example.org",
    )  # fmt: skip
    assert [row["type"] for row in csv.DictReader(StringIO(failures_csv(FAILURES)))] == [one.type for one in FAILURES]
    assert [row["bad"] for row in csv.DictReader(StringIO(reporters_csv(READS)))] == ["930", "0", "35"]


def test_words_of_strangers_are_data_everywhere() -> None:
    source = SourceSeen(Endpoint(HOSTILE), HOSTILE, 1, 0, 0, 0, 1, 0, 0, (HOSTILE,), day(1), day(1), (HOSTILE,))
    failure = TlsFailureSeen(
        Endpoint(HOSTILE), HOSTILE, 1, HOSTILE, HOSTILE, HOSTILE, HOSTILE, (HOSTILE,), day(1), day(1)
    )
    read = Reporter(ReportsRead(Endpoint(HOSTILE), "tls", 9, (HOSTILE,), day(1), day(9), 1, 1), 9)
    for made in (
        sources_text(ASKED, (source,), (read, READS[2]), TODAY), sources_csv((source,)),
        failures_text(ASKED, (failure,), (read, READS[2]), TODAY), failures_csv((failure,)),
        reporters_text(ASKED, (read,), TODAY), reporters_csv((read,)),
        sources_json(ASKED, (source,), (read,), TODAY), failures_json(ASKED, (failure,), (read,), TODAY),
        problem(HOSTILE, HOSTILE), intake_json(TAKEN, [(HOSTILE, HOSTILE)]),
    ):  # fmt: skip
        assert "\x1b" not in made
        assert "evil" in made
    assert "\u202e" not in sources_text(ASKED, (source,), (), TODAY)


TAKEN = Taken(12, 9, 8, 2, 1, 3, 1200, {"sending-mta-ip": 12, "report_id": 1})


def test_what_an_import_did() -> None:
    assert intake_text(TAKEN) == (
        "12 files and mails read: 9 new reports (8 DMARC with 1,200 records, 1 TLS).\n"
        "Besides: 2 duplicates dropped, 1 refused, 3 without a report.\n"
        "Missing or unusable in the new ones: sending-mta-ip (12), report_id (1).\n"
    )
    assert intake_text(Taken(1, 0, 0, 1, 0, 0, 0, {})) == (
        "1 file read: 0 new reports.\nBesides: 1 duplicate dropped.\n"
    )
    told = json.loads(intake_json(TAKEN, [("a", "b")]))
    assert (told["new"], told["tls"], told["problems"]) == (9, 1, [{"name": "a", "why": "b"}])


counts = st.integers(0, 10**12)


@settings(deadline=None)  # the first page loads what draws it
@given(st.lists(counts, min_size=7, max_size=7), st.integers(60, 160), st.text(max_size=40))
def test_any_counts_fit_the_page(numbers: list[int], width: int, words: str) -> None:
    total, aligned, spf, dkim, *fates = numbers
    source = SourceSeen(
        AT, "2001:db8::1", total, aligned, spf, dkim, fates[0], fates[1], fates[2], (words,), day(1), day(1), (words,)
    )
    failure = TlsFailureSeen(AT, words, numbers[0], words, reporters=(words,), first=day(1), last=day(1))
    assert sources_text(ASKED, (source,), (), TODAY, width=width)
    assert failures_text(ASKED, (failure,), READS, TODAY, width=width)
