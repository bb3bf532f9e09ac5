"""The guardian alone: it fires after silence, never after a keep, and only one of them decides."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gatepost.edge.host import backup, guardian
from gatepost.edge.host.backup import Share
from gatepost.edge.host.guardian import Fate
from gatepost.edge.host.hand import Hand, TakenBack, script
from gatepost.errors import CannotLook, StepFailed
from gatepost.model.bundle import Ran
from tests.edge.host.bench import HERE, HOST, Bench, until


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path).make()
    yield made
    if pid := made.guardian():
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def hand(bench: Bench) -> Hand:
    """With one step done, and nobody watching yet."""
    return changed(bench)


def changed(bench: Bench) -> Hand:
    hand = Hand(HOST, HERE, "p1", str(bench.backups))
    step = bench.written()
    hand.do("open", "alice")
    backup.save(hand, Share(HOST, (step,)))
    hand.do("begin", "begun/1")
    for number, one in enumerate(step.writes, 1):
        hand.do("put", str(number), "600", str(len(one.text)), stdin=one.text)
    return hand


def test_silence(bench: Bench, hand: Hand) -> None:
    assert bench.extra.read_text() == "extra = yes\n"
    guardian.arm(hand, 1)
    assert guardian.told(hand) == guardian.Told(Fate.OPEN, guarded=True)
    until(lambda: bench.guardian() is None, "the guardian's end")
    told = guardian.told(hand)
    assert (told.fate, told.guarded, told.log) == (
        Fate.UNDONE, False, ("guardian: gatepost was silent for 1 seconds", "undone")
    )  # fmt: skip
    assert (bench.extra.read_text(), bench.fresh.exists(), bench.leftovers()) == ("extra = no\n", False, [])
    with pytest.raises(TakenBack):
        guardian.keep(hand)
    with pytest.raises(TakenBack):
        hand.do("begin", "begun/2")


def test_a_sign_of_life_puts_it_off(bench: Bench, hand: Hand) -> None:
    """Of two armed at once, the one that hears nothing is the first."""
    silent = changed(Bench(bench.root / "other").make())
    guardian.arm(hand, 2)
    guardian.arm(silent, 2)

    def beaten() -> bool:
        guardian.beat(hand, 2)
        return guardian.told(silent).fate is Fate.UNDONE

    until(beaten, "the undo of the silent one")
    assert guardian.told(hand).fate is Fate.OPEN
    guardian.keep(hand)
    assert bench.extra.read_text() == "extra = yes\n"


def test_what_is_kept_stays(bench: Bench, hand: Hand) -> None:
    guardian.arm(hand, 1)
    guardian.keep(hand)
    until(lambda: bench.guardian() is None, "the guardian's end")
    assert guardian.told(hand).fate is Fate.KEPT
    assert (bench.extra.read_text(), bench.leftovers()) == ("extra = yes\n", [])
    guardian.keep(hand)  # twice is once
    assert guardian.take_back(hand) == ""
    assert (bench.extra.read_text(), bench.leftovers()) == ("extra = no\n", [])


@dataclass(frozen=True)
class CutOff:
    """A way that breaks before the undo comes through; the guardian is told to wait a second only."""

    where: str = "this machine"

    def run(self, argv: Sequence[str], *, stdin: str = "", patience: float = 60.0) -> Ran:
        if argv[4] == "undo":
            raise CannotLook("the connection broke")
        words = [*argv[:-1], "1"] if argv[4] == "arm" else argv
        return HERE.run(words, stdin=stdin, patience=patience)


def test_a_rollback_that_is_cut_off_is_finished_by_the_host(bench: Bench, hand: Hand) -> None:
    guardian.arm(hand, 20)
    guardian.keep(hand)
    until(lambda: bench.guardian() is None, "the guardian's end")
    with pytest.raises(CannotLook, match="the connection broke"):
        guardian.take_back(replace(hand, runner=CutOff()))
    until(lambda: guardian.told(hand).fate is Fate.UNDONE, "the undo")
    until(lambda: bench.guardian() is None, "the guardian's end")
    assert (bench.extra.read_text(), bench.leftovers()) == ("extra = no\n", [])


def test_only_one_decides(tmp_path: Path) -> None:
    """Keeping at the very second in which guardians fire: what each host says is what its files are."""
    benches = [Bench(tmp_path / str(n)).make() for n in range(12)]
    hands = [changed(one) for one in benches]
    for hand in hands:
        guardian.arm(hand, 1)

    racing = [threading.Thread(target=_keep_late, args=(hand,)) for hand in hands]
    for one in racing:
        one.start()
    for one in racing:
        one.join()
    for bench, hand in zip(benches, hands, strict=True):
        until(lambda bench=bench: bench.guardian() is None, "the guardian's end")  # type: ignore[misc]  # bound early
        fate = guardian.told(hand).fate
        assert fate in {Fate.KEPT, Fate.UNDONE}
        assert bench.extra.read_text() == ("extra = yes\n" if fate is Fate.KEPT else "extra = no\n")
        assert bench.leftovers() == []


def _keep_late(hand: Hand) -> None:
    """About when a guardian of one second decides."""
    started = Path(hand.directory, "guardian").stat().st_mtime
    until(lambda: time.time() > started + 1, "a second")
    try:
        guardian.keep(hand)
    except TakenBack:
        return


def test_both_undo_at_once(bench: Bench, hand: Hand) -> None:
    """We and the guardian: the second one finds it done."""
    before = Bench(bench.root / "fresh").make().snapshot()
    guardian.arm(hand, 60)
    both = [threading.Thread(target=guardian.take_back, args=(hand,)) for _ in range(4)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert guardian.told(hand).fate is Fate.UNDONE
    assert {name: seen[:2] for name, seen in bench.snapshot().items()} == {
        name: seen[:2] for name, seen in before.items()
    }


def test_a_backup_that_is_gone_needs_no_guardian(bench: Bench, hand: Hand) -> None:
    guardian.arm(hand, 600)
    pid = bench.guardian()
    assert pid
    shutil.rmtree(hand.directory)
    until(lambda: not Path(f"/proc/{pid}").exists(), "the guardian's end")
    assert guardian.told(hand).fate is Fate.NOTHING
    assert guardian.take_back(hand) == ""


def test_it_leads_a_session_of_its_own(bench: Bench, hand: Hand) -> None:
    """Neither a terminal that closes nor a process group that is killed takes it along."""
    guardian.arm(hand, 600)
    pid = bench.guardian()
    assert pid
    assert (os.getsid(pid), os.getpgid(pid)) == (pid, pid)
    for sign in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        os.kill(pid, sign)
    guardian.beat(hand, 600)
    assert bench.guardian() == pid
    guardian.take_back(hand)


def test_the_clock_does_not_matter(bench: Bench, hand: Hand) -> None:
    """It counts seconds; nothing it reads holds a time of day."""
    guardian.arm(hand, 600)
    assert Path(hand.directory, "alive").read_text() == "1 600\n"
    assert "date" not in Path(hand.directory, "guardian.sh").read_text()
    guardian.take_back(hand)
    assert bench.leftovers() == []


def test_a_damaged_backup_is_no_success(bench: Bench, hand: Hand) -> None:
    """What cannot be put back is told, and stays unfinished."""
    guardian.arm(hand, 600)
    Path(hand.directory, "before/1").write_text("something else\n")
    (bench.extra.parent / ".extra.cf.gatepost-before").unlink()
    bench.extra.unlink()
    bench.extra.mkdir()
    with pytest.raises(StepFailed, match=r"unlike before: .*extra\.cf"):
        guardian.take_back(hand)
    assert guardian.told(hand).fate is Fate.UNDO
    bench.extra.rmdir()
    assert guardian.take_back(hand) == ""


def test_old_backups_go(bench: Bench) -> None:
    """The newest of what is over stay; what is not over stays in any case."""
    bench.apply(bench.plan("open"), within=600, confirm=0, look_again=lambda: "")
    home = bench.home("open").parent
    for number in range(25):
        made = home / f"old-{number:02}"
        made.mkdir()
        (made / "undone").touch()
        os.utime(made, (number, number))
    (home / "unfinished").mkdir()
    os.utime(home / "unfinished", (0, 0))
    steps = replace(bench.plan("next"), steps=(replace(bench.second(), key="next"),))
    bench.apply(steps)
    left = {one.name for one in home.iterdir()}
    assert left == {"open", "next", "unfinished", *(f"old-{n:02}" for n in range(7, 25))}


def test_every_shell_reads_the_scripts() -> None:
    shells = [one for one in ("dash", "bash", "busybox", "ksh", "zsh") if shutil.which(one)]
    assert shells
    undo = "DIR=/x\n" + script("undo")
    for shell in shells:
        for text in (script("hand"), script("guardian"), undo):
            words = [shell, *(["sh"] if shell == "busybox" else []), "-n"]
            subprocess.run(words, input=text.encode(), check=True)
