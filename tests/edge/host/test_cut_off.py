"""Applying while gatepost, its guardian or the connection is killed at every moment: fully before or fully after."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from gatepost.errors import CannotLook
from gatepost.model.plan import Ending
from tests.edge.host.bench import ENVIRONMENT, MOMENTS, START, Bench, Unreliable, contents, in_a_process, last, until


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path).make()


@pytest.fixture
def after(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What an apply that is kept makes of the bench."""
    other = Bench(tmp_path_factory.mktemp("after")).make()
    assert other.apply().ending is Ending.KEPT
    return contents(other)


def die(roots: Sequence[Path], within: float) -> None:
    subprocess.run(
        [sys.executable, "-m", "tests.edge.host.bench", str(within), *map(str, roots)],
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
    ours = subprocess.Popen([sys.executable, "-c", START + _SLOWLY, str(bench.root)], env=ENVIRONMENT)
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


_SLOWLY = """
slow = Act(("sh", "-c", f"echo half >{bench.main}; : >{bench.root}/half; sleep 50"))
bench.apply(only(bench.plan(), bench.written(), bench.edited(), replace(bench.second(), acts=(slow,))))
"""


def processes(bench: Bench) -> list[int]:
    """All that carry this bench's directory in their words."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with suppress(OSError):
                if str(bench.root).encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found


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
