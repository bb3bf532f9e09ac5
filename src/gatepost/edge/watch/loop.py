"""The loop of `gatepost watch`: lines in, lake and rules, alerts, blocks, messages; each stage a small function.

    read      a chunk: rows into the lake, signals through the rules
    act       alerts that are new or have grown: decided, blocked, queued to be told
    keep      rows and positions, once a minute: whatever kills us loses nothing and doubles nothing
    upkeep    what can wait: proofs, a look whether the kernel still holds the blocks, figures

What may take long runs beside it in threads of its own: proofs of blocks, messages, questions of history to the lake.
"""

from __future__ import annotations

import gc
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

from gatepost.detect.folding import Login, place
from gatepost.detect.saying import span
from gatepost.edge.lake.lake import Lake
from gatepost.edge.logs.handing import handed
from gatepost.edge.logs.scanner import Scanned, scan
from gatepost.edge.watch.blocks import Blocks
from gatepost.edge.watch.delivery import Courier
from gatepost.edge.watch.history import recent
from gatepost.edge.watch.keeping import Keeping
from gatepost.edge.watch.metrics import Metrics
from gatepost.edge.watch.noticing import Noticing
from gatepost.edge.watch.rows import events, latest
from gatepost.logs import years
from gatepost.model.alert import Alert, Block, BlockEnd
from gatepost.model.event import MICROSECONDS
from gatepost.model.log import Chunk, Clock

LOOK, TOGETHER = (seconds * MICROSECONDS for seconds in (30, 60))
HISTORY = 90 * 86400 * MICROSECONDS  # of blocks: what makes the next one longer
IDLE = 0.1  # seconds to wait for lines
AHEAD = 2  # chunks
PROVED_AT_ONCE = 500
BREATH = 2  # times as long as the last act took
WARM = 200_000  # signals: some seconds
PIECE = 5_000  # rows between two looks whether somebody is to be blocked
LAGGING = 10 * MICROSECONDS  # behind the newest line, that it is said


class Decided(Protocol):
    @property
    def block(self) -> tuple[Block, ...]: ...
    @property
    def extend(self) -> tuple[Block, ...]: ...
    @property
    def refuse(self) -> tuple[Block, ...]: ...
    @property
    def delay(self) -> tuple[str, ...]: ...
    @property
    def lock(self) -> tuple[str, ...]: ...


Decide = Callable[[Sequence[Alert], Sequence[Block], int, str], Decided]
"""Alerts, blocks so far, now, and the sentence when all clients are one."""


@dataclass(slots=True)
class Tally:
    """For whoever looks on."""

    lines: int = 0
    signals: int = 0
    alerts: int = 0
    blocks: int = 0
    refused: int = 0
    by_service: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    last: int = 0


@dataclass(slots=True)
class Watch:
    lake: Lake
    noticing: Noticing
    blocks: Blocks
    courier: Courier
    metrics: Metrics
    decide: Decide
    clock: Clock
    history: Callable[[Iterable[str]], tuple[Login, ...]] = lambda _clients: ()
    told: Callable[[str], None] = lambda _said: None
    milder: Callable[[Decided, Sequence[Alert], int], Iterable[str]] = lambda _said, _found, _now: ()
    tally: Tally = field(default_factory=Tally)
    keeping: Keeping = field(init=False)
    names: dict[int, str] = field(default_factory=dict)  # of the sources, by number
    counted: int = 0  # commits
    crowded: bool = False  # more lines wait already
    behind: int = 0  # microseconds, when it was last told
    looked: int = 0
    compared: int = 0
    rested: int = 0  # when to act again: a storm of alerts must leave time for reading
    together: str = ""
    unproved: list[str] = field(default_factory=list)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "prove"))
    proving: Future[dict[str, str]] | None = None

    def __post_init__(self) -> None:
        self.keeping = Keeping(self.lake)

    def begin(self, now: int) -> None:
        """What is slow the first time is done before the first line: patterns and the engine of the lake are loaded."""
        events(scan(b"-\n", self.clock).table)
        self.history(["127.0.0.1"])
        self.names = {one.number: one.position.source for one in self.lake.sources()}
        if not self.noticing.clock:
            self._warm(now)
        for said in self.blocks.reconcile(now):
            self.told(said)
        self._trouble()

    def _warm(self, now: int) -> None:
        """From what the lake holds of the longest window that is counted line by line."""
        reach = max((rule.reach for rule in self.noticing.rules if rule.live), default=0)
        with closing(self.lake.connect()) as connection:
            self.noticing.warm(recent(connection, now - reach * MICROSECONDS, WARM), now)

    def step(self, chunk: Chunk | None, now: int) -> None:
        if chunk is not None:
            self.read(chunk, now)
        self._look(now)
        self.keeping.go_on()
        self.upkeep(now)

    def read(self, chunk: Chunk, now: int) -> None:
        """In pieces: a large chunk must not keep waiting who is found at its beginning."""
        if chunk.note:
            self.told(f"{chunk.after.source}: {chunk.note}")
        if not chunk.lines:
            return
        self.clock = years.moved(self.clock, now)
        number = self.lake.number(chunk.after.source)
        self.names.setdefault(number, chunk.after.source)
        scanned = scan(chunk.lines, self.clock, number, chunk.offset)
        self.keeping.take(scanned.table, chunk.after)
        for begin in range(0, scanned.table.num_rows, PIECE):
            for signal in self.noticing.take(events(scanned.table.slice(begin, PIECE)), now):
                self.tally.signals += 1
                self.tally.by_service[signal.service] = self.tally.by_service.get(signal.service, 0) + 1
            if begin + PIECE < scanned.table.num_rows:
                self._look(now)
        self._count(chunk, scanned, now)

    def _look(self, now: int) -> None:
        """Alerts leave most of the time for reading, however many there are."""
        if self.noticing.fresh and now >= self.rested:
            begun = time.monotonic()
            self.act(now)
            self.rested = now + int((time.monotonic() - begun) * BREATH * MICROSECONDS)

    def act(self, now: int) -> None:
        found = self.noticing.alerts(now, self.history(self.noticing.seen()))
        if not found:
            return
        meant = {text for one in found for client in one.blockable for text in (client, place(client))}
        before = self.blocks.ledger.of(meant, now - HISTORY)
        said = self.decide(found, before, now, self.together)
        evidence = {one.id: self._places(one) for one in found}
        made = [(one, evidence.get(one.alert, ())) for one in (*said.block, *said.refuse)]
        self.blocks.take(made, now)
        if said.extend:
            self.blocks.extend(said.extend, now)
        self.courier.take(found, now)
        self._say(found, said)
        for sentence in self.milder(said, found, now):
            self.told(sentence)
        self.unproved += [one.address for one in (*said.block, *said.extend) if not one.dry]
        self._trouble()

    def upkeep(self, now: int) -> None:
        self._prove(now)
        if now - self.compared >= TOGETHER:
            self.compared = now
            together = self.noticing.together()
            if together and together != self.together:
                self.told(f"nobody is blocked: {together}")
            self.together = together
        if now - self.looked >= LOOK:
            self.looked = now
            for said in self.blocks.reconcile(now):
                self.told(said)
            self.metrics.standing.set(len(self.blocks.ledger.standing(now)))
            self.metrics.waiting.set(self.courier.waiting())
            self._fallen_behind(now)
            self._trouble()

    def end(self, now: int) -> None:
        """Everything that was read is kept and acted on, and what was decided is proved."""
        if self.noticing.fresh:
            self.act(now)
        self.keeping.close()
        while self.unproved or self.proving:
            if self.proving:
                self.proving.exception()
            self._prove(now)
        self.pool.shutdown()

    def _fallen_behind(self, now: int) -> None:
        """Said when it begins to matter, each time it has doubled, and when it is over."""
        behind = now - self.tally.last if self.crowded else 0
        if behind >= max(LAGGING, 2 * self.behind):
            self.behind = behind
            self.told(f"{span(behind)} behind: lines come faster than they are read, and are read all the same")
        elif self.behind and behind < LAGGING:
            self.behind = 0
            self.told("no longer behind")

    def _prove(self, now: int) -> None:
        if self.proving and self.proving.done():
            done, self.proving = self.proving, None
            if error := done.exception():  # a host that answers oddly ends no watch
                self.told(f"blocks could not be proved: {type(error).__name__}: {error}")
            for address, said in () if error else done.result().items():
                self.blocks.ledger.proved([(address, said, 0)])
                if not said.startswith("proved"):
                    self.told(f"{address}: {said}")
        if self.unproved and not self.proving:
            some, self.unproved = self.unproved[:PROVED_AT_ONCE], self.unproved[PROVED_AT_ONCE:]
            self.proving = self.pool.submit(self.blocks.proofs, some, now)

    def _count(self, chunk: Chunk, scanned: Scanned, now: int) -> None:
        self.tally.lines += chunk.lines.count(b"\n")
        self.metrics.read(scanned.coverage)
        for service, at in latest(scanned.table).items():
            self.metrics.line_of(service, at, now)
            self.tally.last = max(self.tally.last, at)
        self.metrics.commits.inc(self.keeping.commits - self.counted)
        self.counted = self.keeping.commits

    def _places(self, alert: Alert) -> tuple[str, ...]:
        return tuple(f"{self.names.get(p.source, '?')}:{p.offset}" for p in alert.proofs)

    def _say(self, found: Sequence[Alert], said: Decided) -> None:
        self.tally.alerts += len(found)
        self.tally.blocks += len(said.block)
        self.tally.refused += len(said.refuse)
        for one in found:
            self.metrics.alerts.labels(one.severity.value, one.rules[0] if one.rules else "").inc()
            self.told(f"{one.severity.value}: {one.title}: {one.because}")
        for block in (*said.block, *said.extend, *said.refuse):
            refused = block.end is BlockEnd.REFUSED
            result = "refused" if refused else "rehearsed" if block.dry else "blocked"
            self.metrics.blocks.labels(result).inc()
            verb = {"refused": "not blocked", "rehearsed": "would be blocked", "blocked": "blocked"}[result]
            for_ = f": {block.why}" if refused else f" for {(block.until - block.since) // MICROSECONDS} s"
            self.told(f"{block.address} {verb}{for_}")

    def _trouble(self) -> None:
        for one in self.blocks.troubles:
            self.told(one)
        self.blocks.troubles.clear()


def run(
    watch: Watch,
    chunks: Iterable[Chunk],
    stop: threading.Event,
    tick: Callable[[int], None],
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Until `stop`, or until the chunks end. `tick` is called after every step, `ready` before the first."""
    waiting: queue.Queue[Chunk | BaseException | None] = queue.Queue(AHEAD)
    threading.Thread(target=_fill, args=(chunks, waiting, stop), name="read", daemon=True).start()
    watch.begin(_now())
    gc.collect()
    gc.freeze()  # what is there now stays: it need not be looked at again and again
    ready()
    try:
        for chunk in _taken(waiting, stop):
            now = _now()
            watch.crowded = not waiting.empty()
            watch.step(chunk, now)
            tick(now)
    finally:
        stop.set()
        watch.end(_now())


def _taken(waiting: queue.Queue[Chunk | BaseException | None], stop: threading.Event) -> Iterator[Chunk | None]:
    """None where nothing came for a moment: what is due is done all the same."""
    while not stop.is_set():
        try:
            one = waiting.get(timeout=IDLE)
        except queue.Empty:
            yield None
            continue
        if one is None:
            return
        if isinstance(one, BaseException):
            raise one
        yield one


def _fill(chunks: Iterable[Chunk], waiting: queue.Queue[Chunk | BaseException | None], stop: threading.Event) -> None:
    last: BaseException | None = None
    try:
        for chunk in chunks:
            if not handed(waiting, chunk, stop):
                return
    except BaseException as error:  # noqa: BLE001 - raised again by whoever takes: nobody waits for what never comes
        last = error
    handed(waiting, last, stop)


def _now() -> int:
    return time.time_ns() // 1000
