"""A server on loopback in a thread and an event loop of its own, which leaves nothing open when it ends."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Self

SETTLING = 3  # rounds of the loop in which closed connections let go of their sockets


class Aside:
    """`with` it to have it up. A subclass says in `_serve` what goes up and when that is done (`_ready`)."""

    def __init__(self) -> None:
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        """Until `_stop` is set."""
        raise NotImplementedError

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
            self._loop.run_until_complete(self._settle())
        finally:
            self._loop.close()

    async def _settle(self) -> None:
        """Whoever is still being served is cut off: the loop must not end before their sockets are closed."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for _ in range(SETTLING):
            await asyncio.sleep(0)
