"""After an apply: confirmed by whom, taken back when, refused why."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from gatepost.edge.host import journal
from gatepost.edge.host.hand import HostHeld
from gatepost.edge.host.mending import chain, keep, roll_back
from gatepost.edge.host.runner import Runner
from gatepost.errors import UsageError
from gatepost.model.plan import Applied, Ending, Written
from tests.edge.host.bench import HERE, HOST, NOW, Bench, Unreliable, in_a_process, last, only, until


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path).make()


def test_confirmed_by_the_operator(bench: Bench) -> None:
    assert bench.apply(confirm=30, confirmed=lambda _: "").ending is Ending.KEPT


def test_not_confirmed_by_the_operator(bench: Bench) -> None:
    before = bench.snapshot()
    told = bench.apply(confirm=30, confirmed=lambda _: "nobody said keep within 30 s")
    assert (told.ending, told.why) == (Ending.ROLLED_BACK, "nobody said keep within 30 s")
    assert bench.snapshot() == before


def test_too_late(bench: Bench) -> None:
    """The guardian was faster than whoever confirms."""
    before = bench.snapshot()

    def confirmed(_record: Applied) -> str:
        until(lambda: bench.guardian() is None, "the guardian's end")
        return ""

    told = bench.apply(confirm=1, confirmed=confirmed)
    assert told.ending is Ending.ROLLED_BACK
    assert "it was taken back on the host meanwhile" in told.why
    assert bench.snapshot() == before


def test_a_second_session_confirms(bench: Bench) -> None:
    told: list[Applied] = []

    def confirmed(record: Applied) -> str:
        assert not journal.answered(bench.state, record.id)
        told.append(keep(bench.state, lambda _: HERE, NOW, "bob"))
        return "" if journal.answered(bench.state, record.id) else "no answer"

    assert bench.apply(confirm=30, confirmed=confirmed).ending is Ending.KEPT
    assert [one.ending for one in told] == [Ending.UNFINISHED], "the first session goes on by itself"
    with pytest.raises(UsageError, match="no apply waits to be kept"):
        keep(bench.state, lambda _: HERE, NOW, "bob")


def test_a_second_session_keeps_it_alone(tmp_path: Path) -> None:
    bench = Bench(tmp_path).make()
    in_a_process(bench, "bench.apply(confirm=600, confirmed=lambda _: os.kill(os.getpid(), signal.SIGKILL))")
    told = keep(bench.state, lambda _: HERE, NOW, "bob")
    assert (told.ending, last(bench)) == (Ending.KEPT, told)
    assert bench.extra.read_text() == "extra = yes\n"
    assert (bench.leftovers(), bench.settled()) == ([], ())


def back(bench: Bench, record: Applied, *, force: bool = False, runner: Runner = HERE) -> Applied:
    return roll_back(bench.state, record, lambda _: runner, lambda: NOW, force=force, by="bob")


def test_rollback(bench: Bench) -> None:
    before = bench.snapshot()
    told = back(bench, bench.apply())
    assert (told.ending, told.why, told.ended) == (Ending.UNDONE, "taken back by bob", NOW)
    assert last(bench) == told
    assert bench.snapshot() == before
    assert bench.leftovers() == []
    with pytest.raises(UsageError, match="nothing that was applied is in force"):
        chain(journal.records(bench.state), None)


def test_rollback_refuses_what_somebody_changed(bench: Bench) -> None:
    record = bench.apply()
    bench.extra.write_text("by hand\n")
    bench.fresh.unlink()
    now = bench.snapshot()
    with pytest.raises(UsageError) as refused:
        back(bench, record)
    assert str(refused.value).splitlines() == [
        f"{HOST}: {bench.extra} was changed since",
        f"{HOST}: {bench.fresh} was changed since",
        "--force puts the old ones back all the same",
    ]
    assert (bench.snapshot(), last(bench)) == (now, record)
    assert back(bench, record, force=True).ending is Ending.UNDONE
    assert bench.extra.read_text() == "extra = no\n"
    assert (bench.home() / "replaced/1").read_text() == "by hand\n"


def test_rollback_of_what_is_gone(bench: Bench) -> None:
    record = bench.apply()
    shutil.rmtree(bench.home())
    with pytest.raises(UsageError, match=r"its backup in .* is gone"):
        back(bench, record)


def test_rollback_waits_for_whoever_is_at_the_host(bench: Bench) -> None:
    """It stays in force, and on record as kept."""
    record = bench.apply()
    after = bench.snapshot()
    (bench.home().parent / "lock").write_text("p7\tbob, plan p7, since noon\n")
    with pytest.raises(HostHeld, match=f"^{HOST}: another apply is under way there: bob, plan p7, since noon; "):
        back(bench, record)
    assert (last(bench), bench.snapshot()) == (record, after)


def test_rollback_that_loses_the_connection_is_finished_later(bench: Bench) -> None:
    before = bench.snapshot()
    record = bench.apply()
    endings = []
    for calls_left in (4, 5, 6, 7):
        assert back(bench, record, runner=Unreliable(calls_left)).ending is Ending.UNFINISHED
        (mended,) = bench.settled()
        endings.append(mended.ending)
    assert endings == [Ending.KEPT, Ending.KEPT, Ending.KEPT, Ending.UNDONE]
    assert bench.snapshot() == before
    assert bench.leftovers() == []


def test_what_was_built_upon_comes_after(bench: Bench) -> None:
    first = bench.apply(only(bench.plan("a"), bench.written()))
    second = bench.apply(only(bench.plan("b"), bench.edited()))
    third = bench.apply(only(bench.plan("c"), replace(bench.written(), writes=(Written(str(bench.extra), "3\n"),))))
    records = journal.records(bench.state)
    assert chain(records, None) == (third,)
    assert chain(records, "b") == (second,)
    assert chain(records, "a") == (third, first)
    with pytest.raises(UsageError, match="x: no apply of this name is in force"):
        chain(records, "x")


def test_the_script_works_without_us(bench: Bench) -> None:
    """As an operator would at the console of the host."""
    before = bench.snapshot()
    bench.apply()
    script = ["sh", str(bench.home() / "undo.sh")]
    assert subprocess.run(script, capture_output=True, check=True).stdout == b"undone\n"
    assert bench.snapshot() == before
    assert b"undone already" in subprocess.run(script, capture_output=True, check=True).stdout
    told = back(bench, last(bench))
    assert told.ending is Ending.UNDONE
