from __future__ import annotations

import csv
import json
from dataclasses import replace
from io import StringIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from gatepost.cli.options import Format
from gatepost.model.audit import Audit
from gatepost.report import certs, truth
from gatepost.report.formats import FORMATS, TERMINAL
from tests.report.golden import golden
from tests.report.sample import clean, sample
from tests.report.strategies import audits


@pytest.mark.parametrize("view", ["ports", "certs"])
@pytest.mark.parametrize("width", [80, 120])
def test_the_page_is_as_it_was_read_and_liked(view: str, width: int) -> None:
    made = TERMINAL[view](sample(), width=width)
    assert made == golden(f"{view}-{width}.txt", made)


@pytest.mark.parametrize("view", ["audit", "ports", "certs"])
def test_every_format_of_the_command_line_has_a_renderer(view: str) -> None:
    assert set(FORMATS[view]) == {form.value for form in Format}
    for render in FORMATS[view].values():
        assert render(sample()).endswith("\n")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(audits(), st.sampled_from(["ports", "certs"]), st.integers(60, 200))
def test_any_audit_can_be_shown(audit: Audit, view: str, width: int) -> None:
    page = TERMINAL[view](audit, width=width)
    assert all(line.isprintable() for line in page.split("\n"))
    for render in FORMATS[view].values():
        render(audit).encode()


def test_no_line_of_the_sample_is_wider_than_the_terminal() -> None:
    for view, page in TERMINAL.items():
        for width in (80, 100, 160):
            assert max(cell_len(line) for line in page(sample(), width=width).splitlines()) <= width, view


def test_rows_as_json_lines_and_csv_agree() -> None:
    for view, rows in (("ports", truth.rows(sample())), ("certs", certs.rows(sample()))):
        whole = json.loads(FORMATS[view]["json"](sample()))
        key = "ports" if view == "ports" else "certificates"
        assert whole["schema"] == f"gatepost/{view}/1"
        assert [r["port"] for r in whole[key]] == [r.port for r in rows]
        assert [json.loads(line) for line in FORMATS[view]["jsonl"](sample()).splitlines()] == whole[key]
        assert [r["port"] for r in csv.DictReader(StringIO(FORMATS[view]["csv"](sample())))] == [
            str(r.port) for r in rows
        ]


def test_the_last_line_sums_up() -> None:
    assert "✖ 4 ports not as intended; 2 ports could not be judged." in TERMINAL["ports"](sample())
    assert "✔ 1 certificate at 5 places: all trusted and in date." in TERMINAL["certs"](clean())
    nothing = replace(clean(), run=replace(clean().run, seen=type(clean().run.seen)(())))
    assert "? No certificate was seen." in TERMINAL["certs"](nothing)
