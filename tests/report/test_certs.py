from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost.model.certificate import Trust
from gatepost.model.observation import CertificateSeen, Run, Seen
from gatepost.report.certs import Row, days, letter, rows
from gatepost.report.truth import NOT_ASKED, Standing
from tests.report.sample import AUTHORITY, BAD, GOOD, NOW, TRUSTED, certificate, good, sample


def one(seen: CertificateSeen) -> Row:
    (row,) = rows(replace(sample(), run=Run(Seen((seen,)), NOW)))
    return row


def test_a_row_for_each_port_address_and_name_and_for_none() -> None:
    found = [(r.port, r.address, r.sni) for r in rows(sample()) if r.host == GOOD and r.port == 993]
    assert found == [
        (993, "192.0.2.25", GOOD), (993, "192.0.2.25", None), (993, "2001:db8::25", GOOD), (993, "2001:db8::25", None),
    ]  # fmt: skip


def test_the_same_certificate_has_the_same_letter() -> None:
    letters = {(r.host, r.port): r.group for r in rows(sample())}
    assert {g for (host, _), g in letters.items() if host == GOOD} == {"A"}
    assert letters[BAD, 25] == letters[BAD, 465] == "B"
    assert letters[BAD, 993] == "C"


@pytest.mark.parametrize(("number", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (702, "AAA")])
def test_letters_do_not_run_out(number: int, name: str) -> None:
    assert letter(number) == name


@pytest.mark.parametrize(
    ("left", "trust", "standing"),
    [
        (61, TRUSTED, Standing.GOOD),
        (5, TRUSTED, Standing.ATTENTION),
        (-1, TRUSTED, Standing.BAD),
        (61, Trust(valid=False, why="self-signed certificate"), Standing.ATTENTION),
    ],
)
def test_how_a_certificate_stands(left: int, trust: Trust, standing: Standing) -> None:
    seen = CertificateSeen(good(993, "192.0.2.25"), GOOD, (certificate(GOOD, days=left), AUTHORITY), trust)
    assert (one(seen).standing, one(seen).days_left) == (standing, left)


def test_a_missing_intermediate_is_told() -> None:
    trust = Trust(valid=False, why="unable to get local issuer certificate", missing_intermediate=True)
    row = one(CertificateSeen(good(993, "192.0.2.25"), GOOD, (certificate(GOOD, days=61),), trust))
    assert row.chain == "unable to get local issuer certificate (an intermediate certificate is not sent)"


def test_what_needs_dns_was_not_asked_yet() -> None:
    assert {(r.tlsa, r.mta_sts) for r in rows(sample())} == {(NOT_ASKED, NOT_ASKED)}


@pytest.mark.parametrize(
    ("left", "words"), [(61, "61 days left"), (1, "1 day left"), (0, "0 days left"), (-12, "expired 12 days ago")]
)
def test_days_in_words(left: int, words: str) -> None:
    assert days(left) == words
