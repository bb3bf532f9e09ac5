"""What runs beside the loop in threads of its own: telling of alerts, and asking the lake about long windows."""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gatepost.detect.folding import Login, place
from gatepost.detect.rule import Rule
from gatepost.edge.apart import apart
from gatepost.edge.lake import upkeep
from gatepost.edge.lake.deriving import derive, derived_apart
from gatepost.edge.lake.lake import Lake
from gatepost.edge.watch import delivery
from gatepost.edge.watch.history import gathered, slow_hits
from gatepost.edge.watch.ledger import looked_at
from gatepost.edge.watch.posting import Poster
from gatepost.errors import GatepostError
from gatepost.model.alert import Hit
from gatepost.model.event import MICROSECONDS
from gatepost.model.watching import Delivery, Watching

if TYPE_CHECKING:
    from gatepost.edge.lake.manifest import Segment

TELLING, ASKING, TIDYING = 1.0, 300.0, 3600.0  # seconds between
SOON = 2.0  # seconds after an alert, when its lines are committed: whoever is told of it looks for it
EASE = 4  # times as long as it took last, and it is not done again
LEAVING = 5.0  # seconds: what takes longer is left to the next start
REACH = 86400 * MICROSECONDS  # hits that ended longer ago are not asked for
BLOCKS = 86400 * MICROSECONDS  # of a message


@dataclass(slots=True)
class Telling:
    """Messages go out while lines are read; a server that hangs holds up nothing else."""

    directory: Path
    places: tuple[Delivery, ...]
    poster: Poster
    stop: threading.Event
    troubles: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        with delivery.opened(self.directory, self.places, self.poster) as courier:
            while True:
                stopped = self.stop.wait(TELLING)
                self.once(courier)
                if stopped:
                    return

    def once(self, courier: delivery.Courier) -> int:
        now = time.time_ns() // 1000
        with looked_at(self.directory) as ledger:
            blocks = ledger.blocks(now - BLOCKS) if ledger else ()
        sent = courier.run(now, blocks)
        self.troubles = dict(courier.troubles)
        return sent


@dataclass(slots=True)
class Asking:
    """Derives what the lake holds, holds the slow rules against it, and keeps the lake in order."""

    lake: Lake
    state: Path
    watching: Watching
    rules: tuple[Rule, ...]
    stop: threading.Event
    found: queue.SimpleQueue[Hit] = field(default_factory=queue.SimpleQueue)
    said: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)
    tidied: float = field(default_factory=time.monotonic)
    raised: threading.Event = field(default_factory=threading.Event)  # an alert, since it was done
    took: float = 0.0  # seconds
    keep: Callable[[], None] = lambda: None  # what was read and waits for its commit
    learn: Callable[[], None] = lambda: None  # what was derived anew

    def run(self) -> None:
        wait = 0.0  # what was read before a kill is derived at once
        while not self._waited(wait):
            self.raised.clear()
            wait = ASKING
            try:
                self.once(self.stop)
                if time.monotonic() - self.tidied > TIDYING:
                    self.tidied = time.monotonic()
                    self.tidy()
            except GatepostError as error:
                if not self.stop.is_set():
                    self.said.put(str(error))

    def _waited(self, longest: float) -> bool:
        """Until there is something to do; true when it is time to end."""
        begun = time.monotonic()
        while (gone := time.monotonic() - begun) < longest:
            if self.raised.is_set() and gone >= max(SOON, EASE * self.took):
                break
            if self.stop.wait(min(SOON, longest)):
                return True
        return self.stop.is_set()

    def last(self) -> None:
        """Once nothing is read any more: what was seen can be asked for."""
        if self.took < LEAVING:
            derive(self.lake)

    def once(self, stop: threading.Event | None = None) -> None:
        """`stop` ends what is done apart; without one it is done to the end."""
        begun = time.monotonic()
        self.keep()
        derive(self.lake, derived_apart(stop))
        self.learn()
        self.took = time.monotonic() - begun
        slow = tuple(rule for rule in self.rules if not rule.live)
        if not slow:
            return
        for hit in apart(slow_hits, self.lake.directory, slow, time.time_ns() // 1000 - REACH, stop=stop):
            self.found.put(hit)

    def tidy(self) -> None:
        """A clock that jumped must delete nothing."""
        today = datetime.now(UTC).date()
        upkeep.compact(self.lake, least=8)
        if upkeep.clock_jumped(self.lake, self.watching.keep_days, today):
            self.said.put("the clock is far from all that was read: nothing is deleted")
            return
        if self.watching.pseudonymise_days is not None:
            upkeep.mask(self.lake, self.watching.pseudonymise_days, today, upkeep.key(self.state))
        upkeep.prune(self.lake, self.watching.keep_days, today)


@dataclass(slots=True)
class Homes:
    """Who logged in from where, as the lake knows it. Each client is asked for once an hour.

    Asking takes a few milliseconds: logins are gathered from the lake beforehand, by whoever derives them.
    """

    lake: Lake
    known: dict[str, tuple[float, tuple[Login, ...]]] = field(default_factory=dict)
    most: int = 20_000
    files: tuple[Segment, ...] | None = None
    table: sqlite3.Connection | None = None
    guard: threading.Lock = field(default_factory=threading.Lock)

    def learn(self) -> None:
        files = self.lake.present("signals")
        if files == self.files:
            return
        table = sqlite3.connect(":memory:", check_same_thread=False)
        table.execute(_HOMES)
        with closing(self.lake.connect()) as connection:
            table.executemany("INSERT OR REPLACE INTO homes VALUES (?, ?, ?, ?, ?)", gathered(connection))
        with self.guard:
            before, self.table, self.files = self.table, table, files
            self.known.clear()
        if before is not None:
            before.close()

    def __call__(self, clients: Iterable[str]) -> tuple[Login, ...]:
        if self.table is None:
            self.learn()
        now = time.monotonic()
        with self.guard:
            if len(self.known) > self.most:
                self.known.clear()
            return tuple(login for one in frozenset(clients) for login in self._of(one, now))

    def _of(self, client: str, now: float) -> tuple[Login, ...]:
        asked, found = self.known.get(client, (0.0, ()))
        if not asked or now - asked > TIDYING:
            query = "SELECT client, account, first, last FROM homes WHERE place = ?"
            rows = self.table.execute(query, (place(client),)).fetchall() if self.table else ()
            found = tuple(Login(*row) for row in rows)
            self.known[client] = (now, found)
        return found


_HOMES = """
CREATE TABLE homes (place TEXT, client TEXT, account TEXT, first INTEGER, last INTEGER,
    PRIMARY KEY (place, client, account)) WITHOUT ROWID
"""
