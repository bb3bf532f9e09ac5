"""The operator's own rules, read the same for `alerts` and for `watch`."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.edge.watch import rulefiles
from gatepost.errors import DeclarationError, UsageError
from gatepost.model.watching import Watching

RULE = """\
title: Mine
name: {name}
logsource: {{product: gatepost, service: signals}}
detection:
  selection: {{{field}: login}}
  condition: selection
"""


def laid(directory: Path, name: str, field: str = "act") -> None:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(RULE.format(name=Path(name).stem, field=field))


def test_files_and_directories_lie_beside_the_declaration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    laid(tmp_path, "one.yml")
    laid(tmp_path, "rules/two.yaml")
    laid(tmp_path, "rules/more/three.yml")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    watching = Watching(rules=("one.yml", "rules"), off=("brute-address",))
    ids = {rule.id for rule in rulefiles.load(watching, tmp_path)}
    assert {"one", "two", "three"} <= ids
    assert "brute-address" not in ids
    assert rulefiles.read(watching, tmp_path).rules == rulefiles.load(watching, tmp_path)


def test_one_that_is_wrong_stops_a_question_and_not_a_watch(tmp_path: Path) -> None:
    laid(tmp_path, "good.yml")
    laid(tmp_path, "wrong.yml", "acts")
    watching = Watching(rules=("good.yml", "wrong.yml"))
    with pytest.raises(DeclarationError):
        rulefiles.load(watching, tmp_path)
    read = rulefiles.read(watching, tmp_path)
    assert "good" in {rule.id for rule in read.rules}
    assert [str(one) for one in read.problems if "acts" in str(one)]


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        rulefiles.read(Watching(rules=("none.yml",)), tmp_path)
