"""Opens connections to one endpoint within a budget: how many, how many at once, how fast, how long.

The server's limits decide whether an audit is true (anvil, postscreen, Dovecot's process limits), so the number
of connections is counted, capped and reported.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gatepost.edge.net import Patience, SocketWire, connect
from gatepost.errors import BudgetSpent
from gatepost.model.architecture import Endpoint
from gatepost.wire.lines import TlsFacts

UNANSWERED = 0.5  # seconds, longer than most ways in the world take


@dataclass(frozen=True, slots=True)
class Budget:
    """Per endpoint: `connections` in all, `at_once` in parallel, `rate` a minute (None: no pacing), `seconds`."""

    connections: int = 18
    at_once: int = 4
    rate: float | None = None
    seconds: float = 150.0


@dataclass(slots=True)
class HostGate:
    """How many connections one address sees at the same time, over all its ports."""

    at_once: int = 12
    gate: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.gate = asyncio.Semaphore(self.at_once)


@dataclass(slots=True)
class Place:
    """One of the places at a gate, taken and left as often as one likes."""

    gate: asyncio.Semaphore
    taken: bool = False

    async def take(self) -> None:
        if not self.taken:
            await self.gate.acquire()
            self.taken = True

    def leave(self) -> None:
        if self.taken:
            self.taken = False
            self.gate.release()


@dataclass(slots=True)
class Dialer:
    """`Dial` for one endpoint. `first_answer` seconds are allowed at first: postscreen lets a newcomer wait."""

    at: Endpoint
    host: HostGate
    budget: Budget = field(default_factory=Budget)
    patience: Patience = field(default_factory=Patience)
    first_answer: float = 20.0
    source: str | None = None
    used: int = 0
    seen_source: str = ""
    opened: float = 0.0
    _gate: asyncio.Semaphore = field(init=False)
    _next: float = field(init=False, default=0.0)
    _until: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._gate = asyncio.Semaphore(self.budget.at_once)

    async def __call__(self) -> LimitedWire:
        self._check(time.monotonic())
        await self._gate.acquire()
        place = Place(self.host.gate)
        try:
            await place.take()
            self._start()
            self._check(time.monotonic())
            self.used += 1
            await self._pace()
            patience = self.patience
            if self.used == 1:
                patience = replace(patience, answer=max(patience.answer, self.first_answer))
            patience = replace(patience, whole=min(patience.whole, max(1.0, self._until - time.monotonic())))
            inner = await self._connected(patience, place)
        except BaseException:
            self._release(place)
            raise
        self.seen_source = self.seen_source or inner.source
        self.opened = time.monotonic()
        return LimitedWire(inner, lambda: self._release(place))

    async def _connected(self, patience: Patience, place: Place) -> SocketWire:
        """Who does not answer has no connection of ours to bear, so a firewall's silence holds up no other port."""
        unanswered = asyncio.get_running_loop().call_later(UNANSWERED, place.leave)
        try:
            inner = await connect(self.at.address, self.at.port, patience, self.source)
        finally:
            unanswered.cancel()
        try:
            await place.take()
        except BaseException:
            await inner.close()
            raise
        return inner

    def _start(self) -> None:
        """The clock runs from the first connection: waiting for a place among other ports costs this one nothing."""
        if not self._until:
            pacing = 60.0 * self.budget.connections / self.budget.rate if self.budget.rate else 0.0
            self._until = time.monotonic() + self.budget.seconds + pacing

    def elapsed(self) -> float:
        """Seconds since the newest connection was opened."""
        return time.monotonic() - self.opened

    def _check(self, now: float) -> None:
        if self.used >= self.budget.connections:
            raise BudgetSpent(f"the budget of {self.budget.connections} connections is used up")
        if self._until and now > self._until:
            raise BudgetSpent(f"the budget of {self.budget.seconds:.0f} s is used up")

    async def _pace(self) -> None:
        if not self.budget.rate:
            return
        now = time.monotonic()
        wait, self._next = self._next - now, max(self._next, now) + 60.0 / self.budget.rate
        if wait > 0:
            await asyncio.sleep(wait)

    def _release(self, place: Place) -> None:
        self._gate.release()
        place.leave()


@dataclass(slots=True)
class LimitedWire:
    """A wire that gives its place back when closed."""

    inner: SocketWire
    release: Callable[[], None]
    closed: bool = False

    def waiting(self) -> bool:
        return self.inner.waiting()

    async def read(self) -> bytes:
        return await self.inner.read()

    async def write(self, data: bytes) -> None:
        await self.inner.write(data)

    async def start_tls(self, name: str | None, *, highest: str = "") -> TlsFacts:
        return await self.inner.start_tls(name, highest=highest)

    async def renegotiate(self) -> bool:
        return await self.inner.renegotiate()

    def max_early_data(self) -> int | None:
        return self.inner.max_early_data()

    async def close(self) -> None:
        if not self.closed:
            self.closed = True
            await self.inner.close()
            self.release()
