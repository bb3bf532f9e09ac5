"""From a source into the lake: reading, scanning and writing at the same time, in order, with bounded memory.

    with Lake.open(state / "lake", write=True) as lake:
        taken = take(archive(path, lake.position(str(path))), lake, clock)

A commit holds rows together with how far their source was read. Whatever ends a run between two commits, the next one
goes on where the last commit stands: nothing is lost and nothing doubled.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

from gatepost.edge.lake.lake import Lake
from gatepost.edge.logs.handing import handed
from gatepost.edge.logs.scanner import Scanned, scan
from gatepost.logs.coverage import Tally
from gatepost.model.log import Chunk, Clock, Coverage

WORKERS = 2
AHEAD = 1  # chunks read beyond those being scanned
ROWS = 262_144  # a commit: some 70 MB of columns, one row group
SECONDS = 1.0  # and no later than this after rows came

Clocks = Clock | Callable[[Chunk], Clock]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come. `bytes` are those of the uncompressed text."""

    lines: int
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What a run brought into the lake, all of it committed. `notes` are the sources' own: rotated, cut, a gap."""

    lines: int
    rows: int
    bytes: int
    coverage: tuple[Coverage, ...]
    notes: tuple[str, ...]


def take(
    chunks: Iterable[Chunk],
    lake: Lake,
    clock: Clocks,
    *,
    workers: int = WORKERS,
    rows: int = ROWS,
    seconds: float = SECONDS,
    progress: Callable[[Progress], None] | None = None,
) -> Taken:
    """Everything that `chunks` give, until they end. Raises what reading, scanning or the lake raised."""
    run = _Run(lake, rows, seconds, progress)
    with ThreadPoolExecutor(workers, "scan") as pool, _Ahead(chunks, pool, lake, clock, workers + AHEAD) as ahead:
        for one in ahead.until(run.due):
            if one is None:
                run.commit()
            else:
                run.append(*one)
    run.commit()
    return run.taken()


class _Run:
    """The writing half."""

    def __init__(self, lake: Lake, rows: int, seconds: float, progress: Callable[[Progress], None] | None) -> None:
        self.lake, self.most, self.seconds, self.progress = lake, rows, seconds, progress
        self.lines = self.rows = self.bytes = self.waiting = 0
        self.begun: float | None = None
        self.tally = Tally()
        self.notes: list[str] = []

    def append(self, chunk: Chunk, scanned: Scanned) -> None:
        if chunk.lines:  # else it only tells something, and its position is none to keep
            self.lake.append(scanned.table, chunk.after)
            self.begun = self.begun or time.monotonic()
        self.waiting += scanned.table.num_rows
        self.rows += scanned.table.num_rows
        self.lines += chunk.lines.count(b"\n")
        self.bytes += len(chunk.lines)
        for one in scanned.coverage:
            self.tally.merge(one)
        if chunk.note:
            self.notes.append(chunk.note)
        if self.waiting >= self.most or self.due() <= 0:
            self.commit()
        elif self.progress:
            self.progress(Progress(self.lines, self.rows, self.bytes))

    def due(self) -> float:
        """Seconds until the next commit; infinite where nothing waits for one."""
        return float("inf") if self.begun is None else self.begun + self.seconds - time.monotonic()

    def commit(self) -> None:
        if self.begun is None:
            return
        self.lake.commit()
        self.begun, self.waiting = None, 0
        if self.progress:
            self.progress(Progress(self.lines, self.rows, self.bytes))

    def taken(self) -> Taken:
        return Taken(self.lines, self.rows, self.bytes, self.tally.coverage(), tuple(self.notes))


_Next = tuple[Chunk, Future[Scanned]]


class _Ahead:
    """Reads in a thread of its own and has the chunks scanned, never more of them than fit in the queue."""

    def __init__(
        self, chunks: Iterable[Chunk], pool: ThreadPoolExecutor, lake: Lake, clock: Clocks, length: int
    ) -> None:
        self.chunks, self.pool, self.lake, self.clock = chunks, pool, lake, clock
        self.queue: queue.Queue[_Next | BaseException | None] = queue.Queue(length)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._read, name="read logs", daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Does not wait for the reader: it may stand in a read that nobody ends."""
        self.over.set()

    def until(self, due: Callable[[], float]) -> Iterator[tuple[Chunk, Scanned] | None]:
        """The chunks in order, None each time that a commit is due while nothing comes."""
        while True:
            wait = due()
            try:
                one = self.queue.get(timeout=None if wait == float("inf") else max(wait, 0.001))
            except queue.Empty:
                yield None
                continue
            if one is None:
                return
            if isinstance(one, BaseException):
                raise one
            chunk, scanned = one
            yield chunk, scanned.result()

    def _read(self) -> None:
        try:
            for chunk in self.chunks:
                clock = self.clock(chunk) if callable(self.clock) else self.clock
                number = self.lake.number(chunk.after.source)
                if self.over.is_set():
                    return
                scanned = self.pool.submit(scan, chunk.lines, clock, number, chunk.offset)
                if not handed(self.queue, (chunk, scanned), self.over):
                    return
            handed(self.queue, None, self.over)
        except BaseException as error:  # noqa: BLE001 - raised again by whoever takes from the queue
            handed(self.queue, error, self.over)
