"""Before the first import nothing was seen, which is not the same as nothing being wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.edge.lake.deriving import derive
from gatepost.edge.lake.lake import Lake
from tests.cli.conftest import Gatepost
from tests.edge.lake.rows import after, events


@pytest.mark.parametrize("words", [("alerts",), ("retire", "110"), ("usage",), ("usage", "--peers")], ids=" ".join)
def test_no_log_read_is_no_good_news(gatepost: Gatepost, words: tuple[str, ...], tmp_path: Path) -> None:
    told = gatepost(*words, "--state", str(tmp_path))
    assert told.code == 3
    assert "no log was read" in told.err
    assert "gatepost logs import" in told.err
    assert not told.out


def test_a_question_is_answered_and_the_emptiness_is_said(gatepost: Gatepost, tmp_path: Path) -> None:
    sql = "SELECT count(*) AS many FROM events"
    told = gatepost("query", sql, "--state", str(tmp_path), "--format", "csv")
    assert told.code == 0
    assert told.out.split() == ["many", "0"]
    assert "no log was read" in told.err


@pytest.mark.parametrize("words", [("alerts",), ("retire", "110"), ("usage",)], ids=" ".join)
def test_lines_that_no_session_was_made_of_are_no_good_news(
    gatepost: Gatepost, words: tuple[str, ...], tmp_path: Path
) -> None:
    with Lake.open(tmp_path / "lake", write=True) as lake:
        lake.append(events(0, 250), after(250))
        lake.commit()
    told = gatepost(*words, "--state", str(tmp_path))
    assert told.code == 3
    assert "250 lines" in told.err
    assert not told.out
    with Lake.open(tmp_path / "lake", write=True) as lake:
        derive(lake)
        lake.append(events(250, 250), after(500))
        lake.commit()
    told = gatepost(*words, "--state", str(tmp_path))
    assert told.code != 3
    assert "not counted here: 250 lines" in told.err
    with Lake.open(tmp_path / "lake", write=True) as lake:
        derive(lake)
    assert not gatepost(*words, "--state", str(tmp_path)).err


def test_a_misspelt_rule_is_named(gatepost: Gatepost, tmp_path: Path) -> None:
    told = gatepost("alerts", "--rule", "brute-adress", "--state", str(tmp_path))
    assert told.code == 2
    assert "brute-address" in told.err


@pytest.mark.parametrize("what", ["22", "ssh", "postgresql", "4711"])
def test_only_what_accounts_log_in_to_can_be_retired(gatepost: Gatepost, what: str, tmp_path: Path) -> None:
    told = gatepost("retire", what, "--state", str(tmp_path))
    assert told.code == 2
    assert "write a port" in told.err


@pytest.mark.parametrize("place", ["foo", "4001", "localhost:4001", "127.0.0.1:99999"])
def test_a_mistyped_place_is_no_socket(gatepost: Gatepost, place: str, tmp_path: Path) -> None:
    told = gatepost("policyd", "--configuration", "--listen", place, "--state", str(tmp_path))
    assert told.code == 2
    assert f"--listen {place}" in told.err
