"""Applying a plan with real files and real shells: kept, or everything as it was."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from gatepost.edge.host import journal
from gatepost.edge.host.applying import Moment, Stage
from gatepost.edge.host.hand import HostHeld
from gatepost.errors import CannotLook, UsageError
from gatepost.model.plan import Act, Ending, Found, Step, Written
from tests.edge.host.bench import (
    HERE,
    HOST,
    MOMENTS,
    Bench,
    Unreliable,
    contents,
    failing,
    last,
    only,
    two_hosts,
    until,
)

AT_IT = r"alice, plan p1, since \d{4}-\d\d-\d\d \d\d:\d\d UTC"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path).make()


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
    assert re.fullmatch(f"another apply is under way: {AT_IT}", told[0])


@pytest.mark.parametrize("name", ["p1", "p2"])
def test_one_at_a_time_on_the_host(bench: Bench, tmp_path: Path, name: str) -> None:
    """From another machine, which has a state of its own. Nothing was done, so nothing is on record."""
    elsewhere = replace_state(bench, tmp_path / "elsewhere")
    told: list[str] = []

    def look_again() -> str:
        with pytest.raises(HostHeld) as refused:
            elsewhere.apply(bench.plan(name), backups=bench.backups)
        told.append(str(refused.value).splitlines()[0])
        return ""

    assert bench.apply(look_again=look_again).ending is Ending.KEPT
    assert re.fullmatch(f"{HOST}: another apply is under way there: {AT_IT}; nothing was changed", told[0])
    assert journal.records(elsewhere.state) == ()
    assert bench.extra.read_text() == "extra = yes\n", "it did not undo the other one"


def test_a_host_that_was_opened_before_the_held_one_is_let_go(bench: Bench, tmp_path: Path) -> None:
    elsewhere = replace_state(bench, tmp_path / "elsewhere")
    hosts = {"mx2": HERE, HOST: HERE}
    both = only(bench.plan("p2"), replace(bench.edited(), host="mx2"), bench.second())

    def look_again() -> str:
        with pytest.raises(HostHeld):
            elsewhere.apply(both, hosts=hosts, backups=bench.backups)
        return ""

    assert bench.apply(look_again=look_again).ending is Ending.KEPT
    assert journal.records(elsewhere.state) == ()
    assert [one.name for one in (bench.backups / "mx2").iterdir()] == []


def replace_state(bench: Bench, root: Path) -> Bench:
    """Another gatepost that works on the same files."""
    root.mkdir()
    (root / "etc").symlink_to(bench.root / "etc")
    (root / "running").symlink_to(bench.running)
    return Bench(root)


def test_a_firewall_that_cuts_new_connections_is_taken_back(bench: Bench) -> None:
    """The connection in use still works; only a new one shows it."""
    before = bench.snapshot()
    told = bench.apply(afresh=lambda _: Unreliable(0))
    assert told.ending is Ending.ROLLED_BACK
    assert told.why == "a new connection is no longer possible: ssh mx1: connection lost"
    assert bench.snapshot() == before


def test_two_hosts_are_kept_or_taken_back_together(bench: Bench) -> None:
    before = bench.snapshot()
    hosts = {HOST: HERE, "mx2": HERE}
    plan = two_hosts(bench)
    assert bench.apply(plan, hosts=hosts, look_again=lambda: "no").ending is Ending.ROLLED_BACK
    assert bench.snapshot() == before
    told = bench.apply(plan, hosts=hosts)
    assert (told.ending, told.ways) == (Ending.KEPT, ((HOST, "local"), ("mx2", "local")))


@pytest.mark.parametrize("way", ["0777", "0770", "owner", "link"])
@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_backups_where_others_can_put_scripts_of_theirs(bench: Bench, way: str) -> None:
    """What lies there is run with our rights later."""
    place = bench.root / "shared"
    place.mkdir()
    if way == "link":
        (bench.root / "lib").symlink_to(place)
    os.chown(place, 65534 if way in {"link", "owner"} else 0, 65534)
    place.chmod(int(way, 8) if way.isdecimal() else 0o755)
    told = bench.apply(backups=bench.root / "lib" if way == "link" else place)
    assert told.ending is Ending.ROLLED_BACK
    assert "others than root may change what is in " in told.why
    assert bench.extra.read_text() == "extra = no\n"


@pytest.mark.parametrize(("mode", "group"), [(0o1777, 65534), (0o770, 0)])
@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_backups_where_others_have_only_their_own(bench: Bench, mode: int, group: int) -> None:
    place = bench.root / "shared"
    place.mkdir()
    os.chown(place, 0, group)
    place.chmod(mode)
    assert bench.apply(backups=place).ending is Ending.KEPT


def test_a_directory_that_was_there_keeps_its_mode(bench: Bench) -> None:
    """`--backups /etc` for a host named like something in it must not shut the servers out of their own files."""
    home = bench.backups / HOST
    home.mkdir(parents=True)
    home.chmod(0o755)
    assert bench.apply().ending is Ending.KEPT
    assert home.stat().st_mode & 0o777 == 0o755
    assert bench.home().stat().st_mode & 0o777 == 0o700, "what is saved is for root alone"
