"""What was read on its way into the lake, without holding up whoever reads.

A commit takes as long as the disk wants, and waits for others that write: the loop only lays rows down here. Rows and
positions are committed together, so a kill costs reading them again and nothing else; blocks do not wait for it. Each
commit is a link of the chain for good, therefore one a minute and not one a second.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pyarrow as pa

from gatepost.edge.lake.lake import Lake
from gatepost.model.log import Position

EVERY = 60.0  # seconds
ROWS = 100_000  # some 30 MB: as many are committed at once
TOO_MANY = 2 * ROWS  # then the reader waits, and falls behind where all can see it
PIECES = 16  # small tables that are made one: each holds on to the memory it was scanned into


@dataclass(slots=True)
class _Laid:
    """Of one source, in order."""

    after: Position
    whole: list[pa.Table] = field(default_factory=list)
    pieces: list[pa.Table] = field(default_factory=list)

    def add(self, table: pa.Table, after: Position) -> None:
        self.pieces.append(table)
        self.after = after
        if len(self.pieces) >= PIECES:
            self.whole.append(pa.concat_tables(self.pieces).unify_dictionaries().combine_chunks())
            self.pieces.clear()


@dataclass(slots=True)
class Keeping:
    """`take` and `go_on` belong to the loop; `commit` may be called by any thread."""

    lake: Lake
    laid: dict[str, _Laid] = field(default_factory=dict)
    rows: int = 0
    every: float = EVERY
    commits: int = 0
    owed: bool = False  # in the lake's hands, and not written yet
    since: float = field(default_factory=time.monotonic)  # the last commit
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "keep"))
    running: Future[None] | None = None
    laying: threading.Lock = field(default_factory=threading.Lock)
    committing: threading.Lock = field(default_factory=threading.Lock)

    @property
    def waiting(self) -> bool:
        """Something is not committed yet."""
        return bool(self.laid) or self.owed

    def take(self, table: pa.Table, after: Position) -> None:
        with self.laying:
            if after.source in self.laid:
                self.laid[after.source].add(table, after)
            else:
                self.laid[after.source] = _Laid(after, pieces=[table])
            self.rows += table.num_rows

    def go_on(self) -> None:
        """Commit what is due, beside. Raises what the last one raised: a lake that cannot be written ends a watch."""
        if self.running is not None and (self.running.done() or self.rows >= TOO_MANY):
            done, self.running = self.running, None
            done.result()
        if self.running is None and self.waiting and (self.rows >= ROWS or time.monotonic() - self.since >= self.every):
            self.running = self.pool.submit(self.commit)

    def commit(self) -> None:
        with self.committing:
            with self.laying:
                laid, self.laid, self.rows = self.laid, {}, 0
            for one in laid.values():
                self.lake.append(pa.concat_tables([*one.whole, *one.pieces]), one.after)
                self.owed = True
            if self.owed:
                self.lake.commit()
                self.owed = False
                self.commits += 1
            self.since = time.monotonic()

    def close(self) -> None:
        """All of it is kept."""
        self.pool.shutdown()
        if self.running is not None:
            self.running.result()
            self.running = None
        self.commit()
