"""Every place that lines come from, as one kind of thing, and several of them as one stream."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from gatepost.edge.logs.archives import archive
from gatepost.edge.logs.following import follow
from gatepost.edge.logs.handing import handed
from gatepost.edge.logs.journald import journal
from gatepost.errors import GatepostError
from gatepost.model.log import Chunk, Position, Shape

WAITING = 4  # chunks of all sources that wait to be taken: about 32 MB at most

__all__ = ["Reading", "Source", "archive", "follow", "journal", "together"]


class Source(Protocol):
    @property
    def name(self) -> str:
        """What an operator calls it, and what `Position.source` holds."""
        ...

    def chunks(self) -> Iterator[Chunk]:
        """Blocks while nothing comes. Raises CannotLook where nothing can."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """A source and where to begin in it."""

    name: str
    begin: Callable[[Position | None], Iterator[Chunk]]
    position: Position | None = None
    shape: Shape = Shape.FILE

    def chunks(self) -> Iterator[Chunk]:
        return self.begin(self.position)

    def failed(self, why: str) -> Chunk:
        """A chunk without lines, whose position is the one before: nothing is read over."""
        at = self.position or Position(self.name, self.shape, "", 0)
        return Chunk(b"", at.offset, at, why)


def together(sources: tuple[Reading, ...], stop: threading.Event) -> Iterator[Chunk]:
    """The chunks of several sources as they come, each source in its own order and thread, until all have ended.

    A source that cannot be read ends with a chunk whose note says why; the others go on. Who takes too slowly holds the
    sources up, so no more than a few chunks wait.
    """
    waiting: queue.Queue[Chunk | None] = queue.Queue(WAITING)
    threads = [
        threading.Thread(target=_pass_on, args=(one, waiting, stop), name=one.name, daemon=True) for one in sources
    ]
    for thread in threads:
        thread.start()
    running = len(threads)
    while running:
        chunk = waiting.get()
        if chunk is None:
            running -= 1
        else:
            yield chunk


def _pass_on(source: Reading, waiting: queue.Queue[Chunk | None], stop: threading.Event) -> None:
    last: Chunk | None = None
    try:
        for chunk in source.chunks():
            last = chunk
            if not handed(waiting, chunk, stop):
                return
    except GatepostError as error:
        failed = source.failed(str(error))
        handed(waiting, Chunk(b"", last.after.offset, last.after, str(error)) if last else failed, stop)
    finally:
        handed(waiting, None, threading.Event())
