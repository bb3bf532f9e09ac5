"""Kill a writer again and again, and look each time whether the lake is what it must be.

    python -m tests.edge.lake.killing DIRECTORY ROUNDS SEED

The parent imports everything and starts no thread; each writer and each inspection is a fork of it, so that a round
takes no longer than its work.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import duckdb  # noqa: F401 - for the children

from gatepost.edge.lake import upkeep
from gatepost.edge.lake.lake import Lake
from tests.edge.lake import rows

KEEP = 4  # days
WHILE_WORKING = 0.8  # of the kills; the others may come while the lake is opened
LONGEST = 0.12  # seconds that a writer lives


def main(directory: Path, rounds: int, seed: int) -> int:
    dice = random.Random(seed)  # noqa: S311 - chance, not secrecy
    for turn in range(rounds):
        ready, begun = os.pipe()
        pid = _child(lambda: write(directory, random.Random(seed * 1000 + turn), begun))  # noqa: B023, S311 - run at once
        os.close(begun)
        if dice.random() < WHILE_WORKING:
            os.read(ready, 1)  # a busy machine may take long to come so far
        os.close(ready)
        time.sleep(dice.uniform(0.001, LONGEST))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        if os.waitpid(_child(lambda: inspect(directory)), 0)[1]:
            sys.stdout.write(f"broken after round {turn}\n")
            return 1
    inspection = _child(lambda: report(directory, rounds))
    return 1 if os.waitpid(inspection, 0)[1] else 0


def write(directory: Path, dice: random.Random, begun: int) -> None:
    """As `watch` works: goes on from the position, derives, compacts and prunes now and then. Never ends."""
    with Lake.open(directory, write=True) as lake:
        lake.number(rows.LOG)
        with suppress(BrokenPipeError):
            os.write(begun, b".")
        while True:
            step(lake, dice)


def step(lake: Lake, dice: random.Random) -> None:
    position = lake.position(rows.LOG)
    begun = position.offset // rows.WIDTH if position else 0
    what = dice.random()
    if what < 0.7:
        count = dice.randint(1, 400)
        lake.append(rows.events(begun, count), rows.after(begun + count))
        lake.remember("derived", str(begun + count))
        if dice.random() < 0.5:
            day = rows.day_of(begun)
            lake.replace("signals", day, rows.signals(day, dice.randint(0, 20)))
        if dice.random() < 0.6:
            lake.commit()
    elif what < 0.85:
        lake.commit()
        upkeep.compact(lake, least=dice.randint(2, 6))
    elif what < 0.93:
        lake.commit()
        upkeep.prune(lake, KEEP, rows.day_of(begun))
    else:
        lake.commit()
        upkeep.mask(lake, 2, rows.day_of(begun), b"k" * 32)


def inspect(directory: Path) -> None:
    """Whole days from some day on, up to the position, each row once; first as it was left, then after recovery."""
    _sound(directory)
    with Lake.open(directory, write=True) as lake:
        named = {one.file for one in lake.present()}
        on_disk = {p.relative_to(directory).as_posix() for p in directory.glob("*/day=*/*")}
        _must(on_disk == named, f"files that nothing names: {sorted(on_disk - named)}, lost: {sorted(named - on_disk)}")
    _sound(directory)


def _sound(directory: Path) -> None:
    with Lake.open(directory) as lake:
        broken = lake.verify()
        position, derived = lake.position(rows.LOG), lake.memory("derived")
    _must(not broken, f"chain: {broken}")
    end = position.offset // rows.WIDTH if position else 0
    found = rows.numbers(directory)
    _must(derived in {"", str(end)}, f"remembered {derived}, read {end}")
    start = found[0] if found else end
    _must(found == list(range(start, end)), f"{len(found)} rows from {start}, {end - start} expected")
    _must(not found or start % rows.A_DAY == 0, f"a day was cut at {start}")


def report(directory: Path, rounds: int) -> None:
    with Lake.open(directory) as lake:
        position = lake.position(rows.LOG)
        _must(position is not None, "nothing was ever committed")
        count = position.offset // rows.WIDTH if position else 0
        sys.stdout.write(f"{rounds} kills, {count} rows committed, {lake.sequence} links, chain whole\n")


def _must(true: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not true:
        raise AssertionError(otherwise)


def _child(work: Callable[[], None]) -> int:
    if pid := os.fork():
        return pid
    try:
        work()
        sys.stdout.flush()
        os._exit(0)
    except BaseException:  # noqa: BLE001 - a child must never return into the parent's code
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
