"""Bundles in a file: what was saved is read back, and whatever else comes is one sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.edge.host import bundles
from gatepost.edge.host.bundles import dumps, load, save
from gatepost.errors import UsageError
from gatepost.model.bundle import Bundle, FileTaken, Ran

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
FILE = FileTaken("/etc/postfix/main.cf", True, 0o644, "root", "root", 3, NOW, "a\n\u00e9\u2028\0", "", "odd")
BUNDLE = Bundle(
    "mx1.example.org", NOW, "this machine", (Ran(("id", "-u"), 0, "0\n"), Ran(("x",), 127, why="no")), (FILE,)
)
PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)


def test_what_was_saved_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "two.json"
    other = replace(BUNDLE, host="mx2.example.org", ran=(), files=(FileTaken("/gone", exists=False),))
    save((BUNDLE, other), path)
    assert load(path) == (BUNDLE, other)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["two.json"]


@given(st.lists(st.tuples(PLAIN, PLAIN, st.integers(-300, 300))), st.lists(st.tuples(PLAIN, st.none() | PLAIN)))
def test_any_text_survives(ran: list[tuple[str, str, int]], files: list[tuple[str, str | None]]) -> None:
    bundle = replace(
        BUNDLE,
        ran=tuple(Ran((out,), code, out, err) for out, err, code in ran),
        files=tuple(FileTaken(path, True, text=text) for path, text in files),
    )
    whole = bundles._Whole.model_validate_json(dumps([bundle]))
    assert [one.bundle() for one in whole.bundles] == [bundle]


def test_a_readable_file_is_replaced_by_a_private_one(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_text("old")
    path.chmod(0o644)
    save(BUNDLE, path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none/b.json: no such file or directory$"):
        save(BUNDLE, tmp_path / "none" / "b.json")


def changed(**fields: object) -> str:
    whole = json.loads(dumps([BUNDLE]))
    whole["bundles"][0] |= fields
    return json.dumps(whole)


BAD = [
    ("", "not JSON, or only a part of it: gatepost collect writes the file anew"),
    (dumps([BUNDLE])[:-40], "not JSON, or only a part of it: gatepost collect writes the file anew"),
    ("\x7fELF\0\0", "not JSON, or only a part of it: gatepost collect writes the file anew"),
    ("[" * 100_000, "not JSON, or only a part of it: gatepost collect writes the file anew"),
    ("[]", "not a bundle of this version of gatepost (gatepost/bundle/1)"),
    ("{}", "not a bundle of this version of gatepost (gatepost/bundle/1)"),
    ('{"schema": "gatepost/audit/1", "findings": []}', "not a bundle of this version of gatepost (gatepost/bundle/1)"),
    (dumps([]), "bundles: tuple should have at least 1 item after validation, not 0"),
    (changed(host="a\nb"), "bundles[0].host: string should match pattern"),
    (changed(taken_at="yesterday"), "bundles[0].taken_at: input should be a valid datetime"),
    (changed(taken_at="2026-11-24T12:00:00"), "bundles[0].taken_at: input should have timezone info"),
    (changed(root=True), "bundles[0].root: extra inputs are not permitted"),
    (changed(ran=[{"argv": [], "code": 0}]), "bundles[0].ran[0].argv: tuple should have at least 1 item"),
    (changed(ran=[{"argv": ["a"], "code": "0"}]), "bundles[0].ran[0].code: input should be a valid integer"),
    (changed(ran=[{"argv": ["a"], "code": 1e99}]), "bundles[0].ran[0].code: input should be a valid integer"),
    (changed(ran=[{"argv": "a", "code": 0}] * 3), "bundles[0].ran[0].argv: input should be a valid array (and 2 more)"),
    (changed(ran=[{"argv": ["a"], "code": 0}] * 5001), "bundles[0].ran: tuple should have at most 5000 items"),
    (changed(files=[{"path": "/x", "exists": True, "mode": 99999}]), "bundles[0].files[0].mode: input should be less"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), BAD, ids=range(len(BAD)))
def test_other_files_end_in_a_sentence(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: {told}")
    assert len(str(caught.value).splitlines()) == 1


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"gone.json: no such file or directory$"):
        load(tmp_path / "gone.json")
    with pytest.raises(UsageError, match=r": is a directory$"):
        load(tmp_path)
    monkeypatch.setattr(bundles, "LARGEST", 1048576)
    (tmp_path / "huge.json").write_bytes(b" " * 1048577)
    with pytest.raises(UsageError, match=r"huge.json: larger than any bundle \(1 MB\)$"):
        load(tmp_path / "huge.json")
