"""What the watch can take: `python -m lab.watching`, lines at a given pace, and how long until a block is decided.

The log is written by a process of its own, each line with the moment at which it is written. The watch follows the
file with everything it has but a kernel: lake, rules, alerts, ledger, derived data. The delay of a block runs from the
line that made a blocking rule fire for the address to the ledger's entry.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from gatepost.detect.rules import load
from gatepost.edge.lake.lake import Lake
from gatepost.edge.logs.following import follow
from gatepost.edge.watch import delivery, ledger, loop
from gatepost.edge.watch.beside import Asking, Homes
from gatepost.edge.watch.blocks import Blocks
from gatepost.edge.watch.metrics import Metrics
from gatepost.edge.watch.noticing import Noticing
from gatepost.edge.watch.posting import Poster
from gatepost.model.alert import Hit, Response
from gatepost.model.architecture import Architecture, Host
from gatepost.model.event import MICROSECONDS
from gatepost.model.log import Clock
from gatepost.model.watching import Watching
from gatepost.watch import decide, spared
from lab.maillog import Wanted, write
from lab.places import PROJECT

RATE = 20_000  # lines a second
SECONDS = 30
BEGIN = 8.0  # seconds from now, when the first line is written: the watch is ready by then
TICK = 0.01  # seconds
HERE = Architecture(hosts=(Host("mx1", ("198.51.100.25",), ()),), watching=Watching(block=True))


@dataclass(slots=True)
class Delays:
    """When an address had to be blocked, and when it was; microseconds."""

    due: dict[str, int] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)

    def hit(self, hit: Hit) -> None:
        self.due.setdefault(dict(hit.group).get("client", ""), hit.last)

    def seconds(self) -> list[float]:
        return sorted((at - self.due[one]) / MICROSECONDS for one, at in self.done.items() if one in self.due)


class Noted(Noticing):
    """Remembers the moment of the line that first made a blocking rule fire."""

    delays: Delays

    def add(self, hit: Hit) -> None:
        Noticing.add(self, hit)
        if self.blocking(hit.rule):
            self.delays.hit(hit)

    def blocking(self, name: str) -> bool:
        return any(rule.id == name and rule.response is Response.BLOCK for rule in self.rules)


def bench_watching(rate: int = RATE, seconds: int = SECONDS) -> None:
    with TemporaryDirectory(prefix="gatepost-bench-") as folder:
        ready, log = Path(folder, "made.log"), Path(folder, "mail.log")
        write(ready, Wanted(rate * seconds, form="iso", start=datetime.now(UTC), days=seconds / 86400))
        log.touch()
        writer = subprocess.Popen(
            [sys.executable, "-m", "lab.watching", "pace", str(ready), str(log), str(rate)], cwd=PROJECT
        )
        try:
            said = subprocess.run(
                [sys.executable, "-m", "lab.watching", "watch", folder, str(rate * seconds)],
                cwd=PROJECT, capture_output=True, text=True, timeout=20 * seconds + 60, check=False,
            )  # fmt: skip
        finally:
            writer.kill()
            writer.wait()
        _show(said.stdout.strip().splitlines()[-1] if said.returncode == 0 else "", said.stderr, rate)


def _show(told: str, trouble: str, rate: int) -> None:
    print(f"\nwatch, {rate:,} lines/s of the generated mix")
    if not told:
        print(f"  failed: {trouble.strip().splitlines()[-1] if trouble.strip() else 'nothing was told'}")
        return
    for name, value in json.loads(told).items():
        print(f"  {name:44} {value}")


def pace(ready: str, log: str, rate: int) -> None:
    """Each line as if it were written now, so that its own time tells when it was."""
    begin = time.time() + BEGIN
    with Path(ready).open("rb") as lines, Path(log).open("ab", buffering=0) as out:
        written = 0
        time.sleep(BEGIN)
        while True:
            owed = int((time.time() - begin) * rate) - written
            some = [line for _, line in zip(range(owed), lines, strict=False)]
            if owed > 0 and not some:
                return
            stamp = datetime.now(UTC).isoformat(timespec="microseconds").encode()
            out.write(b"".join(stamp + line[line.index(b" ") :] for line in some))
            written += len(some)
            time.sleep(TICK)


def watch(folder: str, lines: int, *, derive: bool) -> None:
    delays, stop = Delays(), threading.Event()
    with ExitStack() as stack:
        lake = stack.enter_context(Lake.open(Path(folder, "lake"), write=True))
        book = stack.enter_context(ledger.opened(Path(folder)))
        courier = stack.enter_context(delivery.opened(Path(folder), (), Poster("mx1")))
        noticing = Noted(load().rules)
        noticing.delays = delays
        homes, allowed = Homes(lake), spared(HERE)
        now = int(time.time() * MICROSECONDS)

        def decided(alerts, blocks, now, _together):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - see loop.Decide
            return decide(alerts, blocks, HERE, now, dry=True, sparing=allowed)

        one = loop.Watch(
            lake, noticing, Blocks(book, {}, dry=True), courier, Metrics(), decided, Clock(now), history=homes
        )
        asking = Asking(
            lake, Path(folder), HERE.watching, noticing.rules, stop, keep=one.keeping.commit, learn=homes.learn
        )
        beside = threading.Thread(target=asking.run, daemon=True)
        beside.start()
        seen, begun, longest = [0], [0.0], [0.0]
        first = megabytes()

        def tick(_at: int) -> None:
            wall = time.time()
            for block in book.of(delays.due.keys() - delays.done.keys(), now) if one.tally.blocks != seen[0] else ():
                delays.done[block.address] = int(wall * MICROSECONDS)
            seen[0] = one.tally.blocks
            if not begun[0] and one.tally.lines:
                begun[0] = time.process_time()
            if one.tally.last:
                longest[0] = max(longest[0], wall - one.tally.last / MICROSECONDS if one.crowded else 0.0)
            if one.tally.alerts and derive:
                asking.raised.set()
            if one.tally.lines >= lines:
                stop.set()

        loop.run(one, follow(str(Path(folder, "mail.log")), None, stop), stop, tick)
        used = time.process_time() - begun[0]
        beside.join(60)
    print(json.dumps(_told(one, delays, used, longest[0], first)))


def _told(one: loop.Watch, delays: Delays, used: float, behind: float, first: float) -> dict[str, str]:
    waits = delays.seconds()
    rows = {"lines": f"{one.tally.lines:,}", "for each second of processor time": f"{one.tally.lines / used:,.0f}"}
    if waits:
        rows["from line to block, p50, p99, longest, s"] = (
            f"{waits[len(waits) // 2]:.2f}  {waits[len(waits) * 99 // 100]:.2f}  {waits[-1]:.2f}"
        )
    return rows | {
        "addresses blocked, and due": f"{len(delays.done):,} of {len(delays.due):,}",
        "alerts": f"{one.tally.alerts:,}",
        "furthest behind, s": f"{behind:.2f}",
        "commits": str(one.keeping.commits),
        "memory before the first line, and at most, MB": f"{first:.0f}  {megabytes():.0f}",
    }


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(what: str, *rest: str) -> None:
    if what == "pace":
        pace(rest[0], rest[1], int(rest[2]))
    elif what == "watch":
        watch(rest[0], int(rest[1]), derive=len(rest) < 3)
    else:
        bench_watching(int(what), *map(int, rest))


if __name__ == "__main__":
    main(*(sys.argv[1:] or [str(RATE)]))
