from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO

import pytest
from hypothesis import HealthCheck, given, settings

from gatepost.model.audit import Audit
from gatepost.model.finding import Finding
from gatepost.report.sheet import cell, to_csv
from tests.report.golden import golden
from tests.report.sample import HOSTILE, sample
from tests.report.strategies import audits


def test_the_file_is_as_it_was_read_and_liked() -> None:
    made = to_csv(sample())
    assert made == golden("audit.csv", made)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(audits())
def test_one_row_a_verdict_and_no_cell_is_a_formula(audit: Audit) -> None:
    text = to_csv(audit)
    text.encode()
    read = list(csv.DictReader(StringIO(text)))
    assert len(read) == len(audit.findings)
    assert not [v for row in read for v in row.values() if v.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("-2+3", "'-2+3"), ("-12", "-12"), (None, ""), (25, "25"),
        ("a\tb", "a\\tb"), ("a\nb", "a\nb"),
    ],
)  # fmt: skip
def test_cells_are_data(value: object, shown: str) -> None:
    assert cell(value) == shown


def test_a_hostile_reason_stays_in_its_cell() -> None:
    (row,) = csv.DictReader(StringIO(to_csv(replace(sample(), findings=(_hostile(),)))))
    assert row["because"] == '\'=HYPERLINK("x"),"\\e[2J<script>alert("220")</script>\\u202e=cmd|calc'


def _hostile() -> Finding:
    return replace(sample().findings[0], because=f'=HYPERLINK("x"),"{HOSTILE}')
