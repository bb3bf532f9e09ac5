"""Applying a plan with real files and real shells: kept, or everything as it was, whatever happens in between."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest

from gatepost.edge import journal
from gatepost.edge.applying import Moment, Stage
from gatepost.edge.mending import chain, keep, roll_back
from gatepost.edge.runner import Runner
from gatepost.errors import CannotLook, UsageError
from gatepost.model.bundle import Ran
from gatepost.model.plan import Act, Applied, Ending, Found, Plan, Step, Written
from tests.edge.bench import HERE, HOST, NOW, Bench, only, until

ENVIRONMENT = os.environ | {"PYTHONPATH": "src:."}
MOMENTS = 23  # of one apply of the bench's plan


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path).make()


@pytest.fixture
def after(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What an apply that is kept makes of the bench."""
    other = Bench(tmp_path_factory.mktemp("after")).make()
    assert other.apply().ending is Ending.KEPT
    return contents(other)


def contents(bench: Bench) -> dict[str, str]:
    """Without the copies that stand ready beside the files while it is under way."""
    return {name: content for name, (content, _, _) in bench.snapshot().items() if "gatepost-before" not in name}


def last(bench: Bench) -> Applied:
    return journal.records(bench.state)[-1]


def test_kept(bench: Bench) -> None:
    moments: list[Moment] = []
    told = bench.apply(watch=moments.append)
    assert (told.ending, told.done, told.why) == (Ending.KEPT, ("files", "edit", "again"), "")
    assert bench.main.is_symlink()
    assert bench.main.read_text() == bench.running.read_text() == "good = yes\ncolour = green\nsecond = yes\n"
    assert bench.main.stat().st_mode & 0o777 == 0o644
    assert (bench.extra.read_text(), bench.extra.stat().st_mode & 0o777) == ("extra = yes\n", 0o640)
    assert (bench.fresh.read_text(), bench.fresh.stat().st_mode & 0o777) == ("fresh = 1\n", 0o600)
    assert bench.leftovers() == []
    assert last(bench) == told
    stages = [one.stage for one in moments]
    assert len(stages) == MOMENTS
    assert stages.count(Stage.SETTLED) == 1, "one reload, after the last step"
    assert stages.index(Stage.ARMED) < stages.index(Stage.BEGUN)
    until(lambda: bench.guardian() is None, "the guardian's end")


def test_the_record_comes_before_anything_else(bench: Bench) -> None:
    before = bench.snapshot()
    seen: list[tuple[Ending, bool]] = []

    def watch(moment: Moment) -> None:
        if moment.stage is Stage.RECORDED:
            seen.append((last(bench).ending, bench.backups.exists()))
        if moment.stage is Stage.ARMED:
            assert bench.snapshot().items() >= before.items()

    bench.apply(watch=watch)
    assert seen == [(Ending.UNFINISHED, False)]


def test_a_look_that_finds_something_undoes_all(bench: Bench) -> None:
    before = bench.snapshot()
    told = bench.apply(look_again=lambda: "993 no longer answers")
    assert (told.ending, told.why) == (Ending.ROLLED_BACK, "993 no longer answers")
    assert bench.snapshot() == before
    assert bench.leftovers() == []
    until(lambda: bench.guardian() is None, "the guardian's end")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), CannotLook("no resolver"), RuntimeError("a defect")])
def test_a_look_that_ends_badly_undoes_all(bench: Bench, error: BaseException) -> None:
    before = bench.snapshot()

    def look_again() -> str:
        raise error

    with suppress(RuntimeError):
        bench.apply(look_again=look_again)
    assert last(bench).ending is Ending.ROLLED_BACK
    assert str(error) in last(bench).why
    assert bench.snapshot() == before


def failing(bench: Bench, **what: object) -> Plan:
    """The bench's plan with a last step that goes wrong."""
    step = replace(bench.second(), key="bad", **what)  # type: ignore[arg-type]  # the caller names fields of a step
    return only(bench.plan(), bench.written(), bench.edited(), step)


def test_an_act_that_fails(bench: Bench) -> None:
    before = bench.snapshot()
    told = bench.apply(failing(bench, acts=(Act(("sh", "-c", "echo no such thing >&2; exit 3")),)))
    assert (told.ending, told.done) == (Ending.ROLLED_BACK, ("files", "edit"))
    assert told.why.endswith("no such thing")
    assert bench.snapshot() == before


def test_a_check_that_fails_settles_nothing(bench: Bench) -> None:
    before = bench.snapshot()
    mark = bench.root / "reloaded"
    reload = Act(("touch", str(mark)))
    told = bench.apply(
        failing(bench, acts=(Act(("tee", str(bench.main)), "half writ"),), settles=(reload,)),
    )
    assert told.ending is Ending.ROLLED_BACK
    assert told.why.startswith(f"{HOST}: grep -q ^good")
    assert not mark.exists()
    assert bench.snapshot() == before


def test_a_reload_that_is_refused_comes_again_with_the_old_files(bench: Bench) -> None:
    before = bench.snapshot()
    log = bench.root / "reloads"
    reload = Act(("sh", "-c", f"cat {bench.main} >>{log}; ! grep -q green {bench.main}"))
    steps = tuple(replace(one, settles=(reload,)) for one in bench.plan().steps)
    told = bench.apply(only(bench.plan(), *steps))
    assert told.ending is Ending.ROLLED_BACK
    assert bench.snapshot() == before
    assert log.read_text() == "good = yes\ncolour = green\nsecond = yes\ngood = yes\ncolour = red\n"


def test_what_an_undo_cannot_mend_is_told(bench: Bench) -> None:
    bad = Act(("sh", "-c", "echo it is dead >&2; exit 1"))
    told = bench.apply(failing(bench, settles=(bad,)))
    assert told.ending is Ending.ROLLED_BACK
    assert "failed with status 1: it is dead" in told.why.partition(". ")[2]


def test_undo_commands_run_backwards_and_only_where_begun(bench: Bench) -> None:
    log = bench.root / "undone"

    def undoes(word: str) -> tuple[Act, ...]:
        return (Act(("sh", "-c", f"cat >>{log}"), f"{word}\n"),)

    first = replace(bench.written(), undo=undoes("first"))
    second = replace(bench.edited(), undo=undoes("second"), checks=(Act(("false",)),))
    third = replace(bench.second(), undo=undoes("third"))
    assert bench.apply(only(bench.plan(), first, second, third)).ending is Ending.ROLLED_BACK
    assert log.read_text() == "second\nfirst\n"


@pytest.mark.parametrize("rounds", [2, 3])
def test_twice_changes_nothing(bench: Bench, rounds: int) -> None:
    steps = (
        bench.written(),
        replace(bench.edited(), already=(Act(("grep", "-q", "green", str(bench.main))),)),
    )
    plan = only(bench.plan(), *steps)
    assert bench.apply(plan).ending is Ending.KEPT
    before = bench.snapshot()
    records = journal.records(bench.state)
    for _ in range(rounds - 1):
        told = bench.apply(plan, look_again=lambda: "nobody looks")
        assert (told.ending, told.done, told.plan.steps) == (Ending.KEPT, (), ())
    assert bench.snapshot() == before
    assert journal.records(bench.state) == records


def test_only_what_is_not_so_yet_is_done(bench: Bench) -> None:
    assert bench.apply(only(bench.plan(), bench.written())).ending is Ending.KEPT
    told = bench.apply()
    assert (told.id, told.done) == ("p1-2", ("edit", "again"))


def test_a_file_changed_since_the_plan_refuses_all_of_it(bench: Bench) -> None:
    digest = sha256(bench.main.read_bytes()).hexdigest()
    found = (Found(str(bench.main), digest), Found(str(bench.fresh)), Found(str(bench.extra), digest))
    plan = only(bench.plan(), replace(bench.edited(), found=found))
    bench.fresh.write_text("somebody else\n")
    before = bench.snapshot()
    with pytest.raises(UsageError) as refused:
        bench.apply(plan)
    assert str(refused.value).splitlines() == [
        f"{HOST}: {bench.fresh} appeared since the plan was made",
        f"{HOST}: {bench.extra} changed since the plan was made",
    ]
    assert (bench.snapshot(), journal.records(bench.state)) == (before, ())
    bench.main.resolve().unlink()
    with pytest.raises(UsageError, match=r"main\.cf is gone since the plan was made"):
        bench.apply(plan)


def test_a_directory_that_vanished(bench: Bench) -> None:
    before = bench.snapshot()
    gone = Written(str(bench.root / "nowhere/x.cf"), "x\n")
    told = bench.apply(failing(bench, writes=(gone,)))
    assert (told.ending, told.why) == (
        Ending.ROLLED_BACK, f"{HOST}: the directory of {bench.root}/nowhere/x.cf is gone"
    )  # fmt: skip
    assert bench.snapshot() == before


def test_a_directory_that_vanishes_meanwhile_comes_back(bench: Bench) -> None:
    before = contents(bench)

    def look_again() -> str:
        shutil.rmtree(bench.root / "etc/real")
        return "it is gone"

    assert bench.apply(look_again=look_again).ending is Ending.ROLLED_BACK
    assert contents(bench) == before


def test_a_read_only_file_stays_one(bench: Bench) -> None:
    bench.extra.chmod(0o444)
    assert bench.apply().ending is Ending.KEPT
    assert (bench.extra.read_text(), bench.extra.stat().st_mode & 0o777) == ("extra = yes\n", 0o444)


def test_what_somebody_writes_meanwhile_is_not_lost(bench: Bench) -> None:
    def look_again() -> str:
        bench.extra.write_text("by hand\n")
        return "no"

    assert bench.apply(look_again=look_again).ending is Ending.ROLLED_BACK
    assert bench.extra.read_text() == "extra = no\n"
    assert (bench.home() / "replaced/1").read_text() == "by hand\n"


def test_strange_names(bench: Bench) -> None:
    odd = bench.root / "etc/it's a $(touch x) * name.cf"
    odd.write_text("old\n")
    before = bench.snapshot()
    steps = only(bench.plan(), replace(bench.written(), writes=(Written(str(odd), "new 'quoted' $HOME\n"),)))
    assert bench.apply(steps, look_again=lambda: "no").ending is Ending.ROLLED_BACK
    assert bench.snapshot() == before
    assert bench.apply(steps).ending is Ending.KEPT
    assert odd.read_text() == "new 'quoted' $HOME\n"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"host": "other.example.org"}, "no way to this host"),
        ({"host": "../etc"}, "is no name of a host"),
        ({"touches": ("main.cf",)}, "no absolute path"),
        ({"touches": ("/etc/a\nb",)}, "no absolute path"),
        ({"acts": (Act(()),)}, "a command without words"),
        ({"acts": (Act(("a\0b",)),)}, "a command without words"),
        ({"acts": (Act(("cat",), "\ud800"),)}, "not Unicode"),
        ({"settles": (Act(("cat",), "x"),)}, "a reload takes no input"),
        ({"writes": (Written("/etc/x", "", 0o200000),)}, "no permission bits"),
    ],
)
def test_plans_nobody_should_carry_out(bench: Bench, change: dict[str, object], sentence: str) -> None:
    step: Step = replace(bench.edited(), **change)  # type: ignore[arg-type]  # fields of a step
    with pytest.raises(UsageError, match=sentence):
        bench.apply(only(bench.plan(), step))
    assert journal.records(bench.state) == ()


def test_a_path_that_is_no_file(bench: Bench) -> None:
    told = bench.apply(failing(bench, touches=(str(bench.root / "etc"),)))
    assert (told.ending, told.done) == (Ending.ROLLED_BACK, ())
    assert told.why.endswith("etc is no regular file")
    assert not bench.home().exists()
    assert bench.leftovers() == []


def test_no_place_for_backups(bench: Bench) -> None:
    (bench.root / "file").write_text("")
    before = bench.snapshot()
    told = bench.apply(backups=bench.root / "file")
    assert told.ending is Ending.ROLLED_BACK
    assert "cannot be made or entered" in told.why
    assert bench.snapshot() == before


def test_one_at_a_time_here(bench: Bench) -> None:
    told: list[str] = []

    def look_again() -> str:
        with pytest.raises(CannotLook) as refused:
            bench.apply()
        told.append(str(refused.value))
        return ""

    assert bench.apply(look_again=look_again).ending is Ending.KEPT
    assert told == ["another apply is under way: alice, plan p1"]


@pytest.mark.parametrize("name", ["p1", "p2"])
def test_one_at_a_time_on_the_host(bench: Bench, tmp_path: Path, name: str) -> None:
    """From another machine, which has a state of its own."""
    elsewhere = replace_state(bench, tmp_path / "elsewhere")
    told: list[Applied] = []

    def look_again() -> str:
        told.append(elsewhere.apply(bench.plan(name), backups=bench.backups))
        return ""

    assert bench.apply(look_again=look_again).ending is Ending.KEPT
    assert [(one.ending, one.why) for one in told] == [(Ending.ROLLED_BACK, f"{HOST}: alice, plan p1")]
    assert bench.extra.read_text() == "extra = yes\n", "it did not undo the other one"


def replace_state(bench: Bench, root: Path) -> Bench:
    """Another gatepost that works on the same files."""
    root.mkdir()
    (root / "etc").symlink_to(bench.root / "etc")
    (root / "running").symlink_to(bench.running)
    return Bench(root)


def die(roots: Sequence[Path], within: float) -> None:
    subprocess.run(
        [sys.executable, "-m", "tests.edge.bench", str(within), *map(str, roots)],
        check=True,
        timeout=100,
        env=ENVIRONMENT,
    )


def benches(tmp_path: Path) -> list[Bench]:
    return [Bench(tmp_path / str(number)).make() for number in range(MOMENTS)]


def whole(bench: Bench, before: dict[str, str], after: dict[str, str], told: Ending) -> None:
    """Fully before or fully after, as the record says, and nothing left lying about."""
    assert contents(bench) == (after if told is Ending.KEPT else before)
    assert told in {Ending.KEPT, Ending.ROLLED_BACK}
    assert bench.leftovers() == []
    assert bench.settled() == ()


def test_killed_at_every_moment_the_guardian_undoes(tmp_path: Path, after: dict[str, str]) -> None:
    many = benches(tmp_path)
    before = contents(many[0])
    die([one.root for one in many], within=1)
    for one in many:
        until(lambda one=one: one.guardian() is None, "the guardian's end")  # type: ignore[misc]  # bound early
        assert contents(one) in (before, after)
        told = one.settled()
        whole(one, before, after, (told[0] if told else last(one)).ending)


@pytest.mark.parametrize("guarded", [True, False])
def test_killed_at_every_moment_the_next_run_mends(tmp_path: Path, after: dict[str, str], guarded: bool) -> None:  # noqa: FBT001 - a row
    """With the guardian killed too, as by a power cut, and with it still counting."""
    many = benches(tmp_path)
    before = contents(many[0])
    die([one.root for one in many], within=600)
    endings = []
    for one in many:
        if not guarded and (pid := one.guardian()):
            os.kill(pid, signal.SIGKILL)
        told = one.settled()
        endings.append((told[0] if told else last(one)).ending)
        whole(one, before, after, endings[-1])
    assert endings == sorted(endings, reverse=True), "once it is kept, it is not taken back"
    assert set(endings) == {Ending.KEPT, Ending.ROLLED_BACK}
    for one in many:
        until(lambda one=one: one.guardian() is None, "the guardian's end")  # type: ignore[misc]  # bound early


def test_cut_off_in_the_middle_of_a_command(bench: Bench) -> None:
    """Everything of ours is killed while a step is half done."""
    before = bench.snapshot()
    ours = subprocess.Popen([sys.executable, "-c", _START + _SLOWLY, str(bench.root)], env=ENVIRONMENT)
    try:
        until((bench.root / "half").exists, "the slow step")
    finally:
        ours.kill()
        ours.wait()
    for pid in processes(bench):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert bench.snapshot() != before
    (told,) = bench.settled()
    assert (told.ending, told.why) == (
        Ending.ROLLED_BACK, "gatepost was cut off; everything was taken back now"
    )  # fmt: skip
    assert bench.snapshot() == before
    assert bench.leftovers() == []


_START = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from gatepost.model.plan import Act
from tests.edge.bench import HERE, HOST, Bench, only
bench = Bench(Path(sys.argv[1]))
"""
_SLOWLY = """
slow = Act(("sh", "-c", f"echo half >{bench.main}; : >{bench.root}/half; sleep 50"))
bench.apply(only(bench.plan(), bench.written(), bench.edited(), replace(bench.second(), acts=(slow,))))
"""


def in_a_process(bench: Bench, script: str) -> None:
    """Of its own, which kills itself."""
    ended = subprocess.run(
        [sys.executable, "-c", _START + script, str(bench.root)], check=False, timeout=60, env=ENVIRONMENT
    )
    assert ended.returncode == -signal.SIGKILL


def processes(bench: Bench) -> list[int]:
    """All that carry this bench's directory in their words."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with suppress(OSError):
                if str(bench.root).encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found


@dataclass
class Unreliable:
    """A way that breaks at the n-th call, and stays broken."""

    left: int
    where: str = "ssh mx1"

    def run(self, argv: Sequence[str], *, stdin: str = "", patience: float = 30) -> Ran:
        self.left -= 1
        if self.left < 0:
            raise CannotLook("ssh mx1: connection lost")
        return HERE.run(argv, stdin=stdin, patience=patience)


def calls(bench: Bench) -> int:
    """How many an apply takes."""
    way = Unreliable(10_000)
    bench.apply(runner=way)
    return 10_000 - way.left


def test_connection_lost_at_every_call(tmp_path: Path, after: dict[str, str]) -> None:
    total = calls(Bench(tmp_path / "whole").make())
    many = [Bench(tmp_path / str(n)).make() for n in range(2, total)]
    before = contents(many[0])
    for number, one in enumerate(many, 2):
        told = one.apply(runner=Unreliable(number), within=1)
        assert told.ending is Ending.UNFINISHED
        assert "connection lost" in told.why
    for one in many:
        until(lambda one=one: one.guardian() is None, "the guardian's end")  # type: ignore[misc]  # bound early
        (unreached,) = one.settled(lambda _: Unreliable(0))
        assert unreached.ending is Ending.UNFINISHED
        (told,) = one.settled()
        assert told.why.startswith("gatepost was cut off") or told.ending is Ending.KEPT
        whole(one, before, after, told.ending)


def test_an_unfinished_one_refuses_the_next(bench: Bench) -> None:
    bench.apply(runner=Unreliable(12))
    with pytest.raises(CannotLook, match="p1 is still unfinished"):
        bench.apply()
    bench.settled()
    assert bench.apply().id == "p1-2"


def test_a_firewall_that_cuts_new_connections_is_taken_back(bench: Bench) -> None:
    """The connection in use still works; only a new one shows it."""
    before = bench.snapshot()
    told = bench.apply(afresh=lambda _: Unreliable(0))
    assert told.ending is Ending.ROLLED_BACK
    assert told.why == "a new connection is no longer possible: ssh mx1: connection lost"
    assert bench.snapshot() == before


def two_hosts(bench: Bench) -> Plan:
    return only(bench.plan(), bench.written(), replace(bench.edited(), host="mx2"))


def test_two_hosts_are_kept_or_taken_back_together(bench: Bench) -> None:
    before = bench.snapshot()
    hosts = {HOST: HERE, "mx2": HERE}
    plan = two_hosts(bench)
    assert bench.apply(plan, hosts=hosts, look_again=lambda: "no").ending is Ending.ROLLED_BACK
    assert bench.snapshot() == before
    told = bench.apply(plan, hosts=hosts)
    assert (told.ending, told.ways) == (Ending.KEPT, ((HOST, "local"), ("mx2", "local")))


def test_killed_between_two_hosts(bench: Bench) -> None:
    """One host had kept it, the other had not: neither keeps it."""
    before = contents(bench)
    in_a_process(bench, _BETWEEN)
    assert (bench.home() / "decision").read_text() == "kept\n"
    (told,) = bench.settled()
    assert (told.ending, contents(bench), bench.leftovers()) == (Ending.ROLLED_BACK, before, [])


_BETWEEN = """
def watch(moment):
    if (moment.stage, moment.host) == ("kept", HOST):
        os.kill(os.getpid(), signal.SIGKILL)
plan = only(bench.plan(), bench.written(), replace(bench.edited(), host="mx2"))
bench.apply(plan, hosts={HOST: HERE, "mx2": HERE}, watch=watch)
"""


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


def test_rollback_that_loses_the_connection_is_finished_later(bench: Bench) -> None:
    before = bench.snapshot()
    record = bench.apply()
    endings = []
    for calls_left in (3, 4, 5, 6):
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
