"""Applying on a file system that is full, or fills up: nothing done, or all of it undone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from gatepost.edge.host import journal
from gatepost.edge.host.applying import Moment, Stage
from gatepost.edge.host.mending import roll_back
from gatepost.errors import UsageError
from gatepost.model.plan import Ending, Written
from tests.edge.host.bench import ENVIRONMENT, HERE, NOW, START, Bench, last, only, until

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="mounts a small file system: needs root"),
]
SIZE = 256 * 1024  # octets


@contextmanager
def small(path: Path) -> Iterator[Path]:
    path.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(path)], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Configuration and backups each on a small file system of its own."""
    with small(tmp_path / "etc"), small(tmp_path / "lib"):
        yield Bench(tmp_path).make()


def fill(directory: Path) -> Path:
    """To the last octet."""
    path = directory / "filler"
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    return path


def test_no_room_for_backups(bench: Bench) -> None:
    before = bench.snapshot()
    fill(bench.backups)
    told = bench.apply()
    assert (told.ending, told.done) == (Ending.ROLLED_BACK, ())
    assert "no room" in told.why
    assert bench.snapshot() == before
    assert bench.leftovers() == []
    assert not bench.home().exists()


def test_no_room_beside_the_files(bench: Bench) -> None:
    filler = fill(bench.root / "etc")
    told = bench.apply()
    filler.unlink()
    assert (told.ending, told.done) == (Ending.ROLLED_BACK, ())
    assert "there is no room for a copy beside" in told.why
    assert bench.leftovers() == []


def test_a_write_that_finds_no_room(bench: Bench) -> None:
    before = bench.snapshot()
    large = replace(bench.written(), key="large", writes=(Written(str(bench.fresh), "x" * 2 * SIZE),))
    told = bench.apply(only(bench.plan(), bench.edited(), large))
    assert (told.ending, told.done) == (Ending.ROLLED_BACK, ("edit",))
    assert told.why.endswith("fresh.cf cannot be written")
    assert bench.snapshot() == before
    assert bench.leftovers() == []


@pytest.mark.parametrize("stage", [Stage.ARMED, Stage.WRITTEN, Stage.ACTED, Stage.LOOKING])
def test_it_fills_up_meanwhile(bench: Bench, stage: Stage) -> None:
    """Both file systems, to the last octet: undoing needs no room."""
    before = bench.snapshot()
    fillers: list[Path] = []

    def watch(moment: Moment) -> None:
        if moment.stage is stage and not fillers:
            fillers.extend((fill(bench.root / "etc"), fill(bench.backups)))

    told = bench.apply(watch=watch, look_again=lambda: "no")
    for filler in fillers:
        filler.unlink()
    assert told.ending is Ending.ROLLED_BACK
    assert bench.snapshot() == before
    assert bench.leftovers() == []
    assert bench.settled() == ()


def test_no_room_for_a_rollback(bench: Bench) -> None:
    record = bench.apply()
    filler = fill(bench.root / "etc")
    after = bench.snapshot()
    told = roll_back(bench.state, record, lambda _: HERE, lambda: NOW)
    assert told.ending is Ending.UNFINISHED
    assert "there is no room for a copy beside" in told.why
    assert bench.snapshot() == after
    assert [one.ending for one in bench.settled()] == [Ending.KEPT]
    filler.unlink()
    (kept,) = journal.records(bench.state)
    assert roll_back(bench.state, kept, lambda _: HERE, lambda: NOW).ending is Ending.UNDONE


def test_no_room_for_the_record(bench: Bench, tmp_path: Path) -> None:
    before = bench.snapshot()
    with small(tmp_path / "state"):
        filler = fill(bench.state)
        with pytest.raises(UsageError, match="no space left"):
            bench.apply()
        filler.unlink()
        assert bench.snapshot() == before
        assert not bench.home().exists()
        assert bench.apply().ending is Ending.KEPT


def test_a_file_that_nobody_may_change(tmp_path: Path) -> None:
    """Immutable: our write fails as any other, and what came before it is undone."""
    bench = Bench(tmp_path).make()
    before = bench.snapshot()
    if not shutil.which("chattr") or subprocess.run(["chattr", "+i", bench.extra], check=False).returncode:
        pytest.skip("this file system has no immutable files")
    try:
        told = bench.apply(only(bench.plan(), bench.edited(), bench.written()))
    finally:
        subprocess.run(["chattr", "-i", bench.extra], check=True)
    assert (told.ending, told.done) == (Ending.ROLLED_BACK, ("edit",))
    assert told.why.endswith("extra.cf cannot be written")
    assert bench.snapshot() == before
    assert bench.leftovers() == []


def remount(path: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(path)], check=True)


def test_backups_that_can_no_longer_be_written_are_still_good_to_undo(bench: Bench) -> None:
    """An error of the disk makes a file system read-only, and then gatepost is gone: the guardian has all it needs."""
    before = bench.snapshot()
    script = "bench.apply(within=3, watch=lambda m: m.stage == 'settled' and os.kill(os.getpid(), signal.SIGSTOP))"
    with subprocess.Popen([sys.executable, "-c", START + script, str(bench.root)], env=ENVIRONMENT) as process:
        until(lambda: "second = yes" in bench.running.read_text(), "the reload")
        remount(bench.backups, "ro")
        try:
            until(lambda: bench.guardian() is None, "the guardian's end")
            assert bench.snapshot() == before
        finally:
            remount(bench.backups, "rw")
            process.kill()


def test_what_cannot_be_decided_is_not_kept(bench: Bench) -> None:
    """Else the guardian would take it back afterwards."""
    before = bench.snapshot()

    def watch(moment: Moment) -> None:
        if moment.stage is Stage.KEEPING:
            remount(bench.backups, "ro")

    try:
        told = bench.apply(watch=watch)
    finally:
        remount(bench.backups, "rw")
    assert told.ending is Ending.UNFINISHED
    assert "cannot be written: it is not kept" in told.why
    assert "the files are as before, which cannot be noted" in told.why
    bench.settled()
    assert last(bench).ending is Ending.ROLLED_BACK
    assert bench.snapshot() == before
