"""`gatepost apply` and `gatepost rollback` where nothing has to be looked at: history, refusals, taking back."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from gatepost.cli.apply import named
from gatepost.cli.carrying import question
from gatepost.edge.host import journal
from gatepost.model.plan import Applied, Ending
from gatepost.report.applied import ending
from gatepost.report.plan import to_json
from tests.cli.conftest import Gatepost
from tests.edge.host.bench import Bench, only


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.chdir(tmp_path)
    return Bench(tmp_path).make()


@pytest.fixture
def record(bench: Bench) -> Applied:
    return bench.apply()


def test_nothing_yet(gatepost: Gatepost, bench: Bench) -> None:
    state = str(bench.state)
    assert gatepost("rollback", "--list", "--state", state).out == (
        f"nothing was applied from {state} yet (--state names another directory)\n"
    )
    said = gatepost("rollback", "--state", state)
    assert (said.code, said.err) == (
        2, f"gatepost: nothing was applied from {state} yet (--state names another directory)\n"
    )  # fmt: skip
    said = gatepost("apply", "--keep", "--state", state)
    assert (said.code, said.err) == (2, "gatepost: no apply waits to be kept\n")


def test_history(gatepost: Gatepost, bench: Bench, record: Applied) -> None:
    assert bench.apply(bench.plan("p2"), lambda: "993 is silent").ending is Ending.ROLLED_BACK
    said = gatepost("rollback", "--list", "--state", str(bench.state))
    assert said.code == 0
    when = r"\d{4}-\d\d-\d\d \d\d:\d\d"
    assert re.fullmatch(
        rf"   APPLY  WHEN \(UTC\)        BY     HOST             ENDING\n"
        rf"✖  p2     {when}  alice  mx1\.example\.org  rolled back\n"
        r"   change edit, change again\n"
        r"   993 is silent\n"
        rf"✔  p1     {when}  alice  mx1\.example\.org  kept\n"
        r"   change files, change edit, change again\n",
        said.out,
    )
    loaded = json.loads(gatepost("rollback", "--list", "--state", str(bench.state), "--format", "json").out)
    assert loaded["schema"] == "gatepost/applies/1"
    assert [(one["id"], one["ending"]) for one in loaded["applies"]] == [("p1", "kept"), ("p2", "rolled-back")]
    assert [step["done"] for step in loaded["applies"][0]["steps"]] == [True] * len(record.done)
    assert "extra = yes" not in json.dumps(loaded), "what was written is not told"


def test_rollback_asks(gatepost: Gatepost, bench: Bench, record: Applied) -> None:
    after = bench.snapshot()
    said = gatepost("rollback", "--state", str(bench.state))
    assert (said.code, said.err) == (2, "gatepost: nobody is there to be asked: pass --yes to take it back\n")
    assert "    - change again\n    - change edit\n    - change files\n    = as before: " in said.out
    assert bench.snapshot() == after
    assert record.ending is Ending.KEPT


def test_rollback(gatepost: Gatepost, bench: Bench, tmp_path: Path) -> None:
    before = bench.snapshot()
    bench.apply(only(bench.plan("a"), bench.written()))
    bench.apply(only(bench.plan("b"), bench.written(), bench.edited()))
    after = bench.snapshot()
    bench.extra.write_text("by hand\n")
    said = gatepost("rollback", "a", "--state", str(bench.state), "--yes")
    assert (said.code, said.err.splitlines()[0]) == (2, f"gatepost: mx1.example.org: {bench.extra} was changed since")
    bench.extra.write_text("extra = yes\n")
    assert {name: seen[0] for name, seen in bench.snapshot().items()} == {name: seen[0] for name, seen in after.items()}
    output = tmp_path / "told.json"
    said = gatepost("rollback", "a", "--state", str(bench.state), "--yes", "-o", str(output))
    assert (said.code, said.out) == (0, "")
    assert [one["ending"] for one in json.loads(output.read_text())["applies"]] == ["undone"]
    said = gatepost("rollback", "--state", str(bench.state), "--yes")
    assert said.code == 0
    assert bench.snapshot() == before


def test_a_name_that_is_none(gatepost: Gatepost, bench: Bench, record: Applied) -> None:
    said = gatepost("rollback", f"{record.id}x", "--state", str(bench.state))
    assert (said.code, said.err) == (
        2, "gatepost: p1x: no apply of this name is in force: gatepost rollback --list shows them\n"
    )  # fmt: skip


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "gatepost/applied/1"}', "\0" * 9, "[" * 100_000])
def test_a_damaged_record(gatepost: Gatepost, bench: Bench, record: Applied, text: str) -> None:
    path = bench.state / "applied" / f"{record.id}.json"
    path.write_text(text)
    for words in (("rollback", "--list"), ("rollback",), ("apply",)):
        said = gatepost(*words, "--state", str(bench.state))
        assert said.code == 2
        assert said.err.startswith(f"gatepost: {path}: "), said.err
        assert len(said.err.splitlines()) == 1


def test_bad_words(gatepost: Gatepost, bench: Bench) -> None:
    said = gatepost("apply", "--state", str(bench.state), "--plan", "missing.json", "--yes")
    assert (said.code, said.err) == (2, "gatepost: missing.json: no such file or directory\n")
    saved = bench.root / "plan.json"
    saved.write_text(to_json(bench.plan()).replace("extra = yes", "extra = no!"))
    said = gatepost("apply", "--state", str(bench.state), "--plan", str(saved), "--yes")
    assert said.code == 2
    assert "the plan was changed after it was made" in said.err
    file = bench.root / "file"
    file.write_text("")
    said = gatepost("rollback", "--list", "--state", str(file))
    assert (said.code, len(said.err.splitlines())) == (2, 1)


def test_cut_off(gatepost: Gatepost, bench: Bench, record: Applied) -> None:
    """Told before anything else, and ended: fully before or fully after. What lies elsewhere runs for a yes only."""
    journal.write(bench.state, Applied(record.plan, record.started, Ending.UNFINISHED, by="alice", id="p9",
                                       ways=record.ways, backups=str(bench.backups)))  # fmt: skip
    told = f"◆ an earlier apply p9   unfinished: its backups are in {bench.backups}: gatepost rollback finishes it\n"
    said = gatepost("rollback", "--list", "--state", str(bench.state))
    assert " ".join(said.err.split()) == " ".join(told.split())
    said = gatepost("rollback", "--state", str(bench.state))
    assert said.code == 2
    assert said.err.endswith("gatepost: nobody is there to be asked: pass --yes to finish it\n")
    assert [one.ending for one in journal.records(bench.state)] == [Ending.KEPT, Ending.UNFINISHED]
    said = gatepost("rollback", "--yes", "--state", str(bench.state))
    assert said.err.endswith("✖ an earlier apply p9   rolled back: gatepost was cut off before anything was changed\n")
    assert [one.ending for one in journal.records(bench.state)] == [Ending.KEPT, Ending.ROLLED_BACK]


def test_the_question_says_where_and_what_stays_with_the_operator(bench: Bench) -> None:
    plan = bench.plan()
    by_hand = replace(bench.edited(), key="hand", by_hand=True)
    assert question(plan) == "apply these 3 steps on mx1.example.org?"
    assert question(only(plan, bench.edited(), by_hand)) == "apply this step on mx1.example.org (1 more by hand)?"
    assert (
        question(only(plan, bench.edited(), replace(bench.second(), host="mx2"))) == "apply these 2 steps on 2 hosts?"
    )


def test_the_next_command_finds_the_same_history(record: Applied) -> None:
    told = ending(record, state=named(Path("our state"))).splitlines()[1:]
    assert told == [
        "  to take it back: gatepost rollback p1 --state 'our state'",
        "  what is left: gatepost audit",
    ]
    assert "--state" not in ending(record, state=named(None))


def test_what_was_taken_back_is_told_with_its_time(gatepost: Gatepost, bench: Bench, record: Applied) -> None:
    state = str(bench.state)
    assert gatepost("rollback", "--state", state, "--yes").code == 0
    last = gatepost("rollback", "--list", "--state", state).out.splitlines()[-1]
    assert re.fullmatch(r"   taken back by \S+, \d{4}-\d\d-\d\d \d\d:\d\d", last)
    assert record.id == "p1"
