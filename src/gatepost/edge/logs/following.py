"""A file that grows, across rotation, truncation, deletion and our own absence.

The position names the file by its content and the byte where the next line starts. So whatever became of the file
meanwhile, its rest is read first, where it still lies, then what was written after it, then the file of that name.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

from gatepost.edge.logs import archives, rotation
from gatepost.edge.logs.cutting import Cutter
from gatepost.errors import CannotLook, because
from gatepost.model.log import Chunk, Position, Shape

POLL = 0.05  # seconds between looks
LATE = 0.3  # seconds for which a writer may go on in the file that was rotated away
SETTLED = 1.0  # seconds without change after which what looks like half a copy is taken for whole
OPEN_LINE = 5.0  # seconds after which a last line without an end is taken as it is


def follow(
    path: str, position: Position | None, stop: threading.Event, *, open_line: float = OPEN_LINE, once: bool = False
) -> Iterator[Chunk]:
    """Lines as they are written, until `stop`. A file that is not there yet is waited for. `once`: what is there.

    Without a position the file is read from its start, and its rotated predecessors are not.
    """
    yield from _Following(path, stop, open_line, once=once).chunks(position)


@dataclass(slots=True)
class _Following:
    path: str
    stop: threading.Event
    open_line: float
    file: int = -1
    inode: int = 0
    head: bytes = b""
    cutter: Cutter = field(default_factory=Cutter)
    note: str = ""
    finished: str = ""  # the generation that was read to its end, while the log itself is not open
    settling: tuple[rotation.Lying, int] | None = None
    since: float = 0.0
    changed: float = 0.0  # when bytes came last
    once: bool = False
    done: bool = False

    def chunks(self, position: Position | None) -> Iterator[Chunk]:
        try:
            if position and position.generation:
                yield from self._resume(position)
            while not self.stop.is_set() and not self.done:
                if self.file < 0:
                    yield from self._go_on()
                if self.file < 0:
                    self.done = self.once
                    self.stop.wait(0 if self.once else POLL)
                else:
                    yield from self._step()
        except OSError as error:  # a disk or a file server that fails under our hands
            raise CannotLook(f"{self.path} cannot be read: {because(error)}") from error
        finally:
            self._close()

    def _step(self) -> Iterator[Chunk]:
        """What was written since; else look whether the file is still the one of that name."""
        data = os.pread(self.file, archives.BLOCK, self._end())
        if self._truncated():
            yield from self._begun_anew()
        elif data:
            self.changed = time.monotonic()
            yield from self._told(data)
        elif self._replaced() and (self.once or time.monotonic() - self.changed > LATE):
            yield from self._next()
        elif self.once:
            yield from self._flushed()
            self.done = True
        else:
            if self.cutter.held and time.monotonic() - self.changed > self.open_line:
                yield from self._flushed()
            self.stop.wait(POLL)

    def _end(self) -> int:
        return self.cutter.start + len(self.cutter.held) + self.cutter.beyond

    def _told(self, data: bytes) -> Iterator[Chunk]:
        for piece in self.cutter.feed(data):
            yield archives.chunk(piece, self.path, Shape.FILE, self._generation(), self._noted())

    def _flushed(self) -> Iterator[Chunk]:
        for piece in self.cutter.flush():
            yield archives.chunk(piece, self.path, Shape.FILE, self._generation(), self._noted())

    def _noted(self) -> str:
        note, self.note = self.note, ""
        return note

    def _generation(self) -> str:
        if len(self.head) < archives.HEAD:
            self.head = os.pread(self.file, archives.HEAD, 0)
        return archives.generation(self.inode, self.head)

    def _truncated(self) -> bool:
        """Shorter than what we read, or no longer beginning as it did: cut and filled again between two looks."""
        if os.fstat(self.file).st_size < self._end():
            return True
        return os.pread(self.file, len(self.head), 0) != self.head

    def _begun_anew(self) -> Iterator[Chunk]:
        """What `copytruncate` copied away may hold lines that we had not read yet."""
        before = archives.generation(self.inode, self.head)
        self._close()
        self.note = f"{self.path} was truncated"
        yield from self._resume(Position(self.path, Shape.FILE, before, self.cutter.start))

    def _replaced(self) -> bool:
        """Another file has our name by now, and its writer has begun. An empty one may wait for a signal still."""
        try:
            now = os.stat(self.path)  # noqa: PTH116 - a path is text here, as in a position
        except OSError:
            return False
        return now.st_ino != self.inode and now.st_size > 0

    def _next(self) -> Iterator[Chunk]:
        """The open file was rotated away. Whoever still writes to it has had time to stop."""
        if self._end() < os.fstat(self.file).st_size:
            return
        yield from self._flushed()
        self.finished = self._generation()
        self._close()
        self.note = self.note or f"{self.path} was rotated"

    def _go_on(self) -> Iterator[Chunk]:
        """All that was written after the finished file, however often it was rotated, until the log itself is open."""
        while not self.stop.is_set() and self.file < 0:
            row, at = rotation.located(self.path, self.finished)
            rest = row[at + 1 :] if at >= 0 else tuple(one for one in row if one.path == self.path)
            if not rest:
                return
            if rest[0].path != self.path:
                if self._settled(rest):
                    yield from self._whole(rest[0], "", 0)
            elif self._open(rest[0].inode, 0):
                if rotation.located(self.path, self.finished) == (row, at):
                    self.finished = ""
                else:  # copied away and truncated in this very moment
                    self._close()

    def _settled(self, rest: tuple[rotation.Lying, ...]) -> bool:
        """A rotated file that is empty, or begins like the log itself, may be a copy that is being made right now."""
        one = rest[0]
        copying = one.size == 0 or (one.path != rest[-1].path and rotation.alike(one.path, self.path))
        if not copying:
            return True
        if self.settling != (one, one.size):
            self.settling, self.since = (one, one.size), time.monotonic()
        if time.monotonic() - self.since > SETTLED:
            return True
        self.stop.wait(POLL)
        return False

    def _resume(self, position: Position) -> Iterator[Chunk]:
        """Go on where somebody stopped, wherever that lies now."""
        while not self.stop.is_set():
            row, at = rotation.located(self.path, position.generation, position.offset)
            if at < 0:
                self._lost(position)
                return
            if row[at].path != self.path:
                self.note = self.note or f"{self.path} was rotated while nobody read it"
                if (yield from self._whole(row[at], position.generation, position.offset)):
                    return
            elif self._open(row[at].inode, position.offset):
                if self._begins(position.generation):
                    return
                self._close()

    def _begins(self, generation: str) -> bool:
        _, length, noted = archives.parts(generation)
        return not length or archives.digest(self.head[:length]) == noted

    def _lost(self, position: Position) -> None:
        """The file is gone, or it lost its end (a machine that went down hard): then nothing is read twice."""
        row, at = rotation.located(self.path, position.generation)
        if at >= 0 and row[at].path == self.path and archives.parts(position.generation)[1]:
            self.note = f"{self.path} is shorter than what was read of it"
            self._open(row[at].inode, row[at].size)
        elif not self.note:
            self.note = f"what was written to {self.path} after the last reading may be gone: it is another file now"

    def _whole(self, one: rotation.Lying, generation: str, offset: int) -> Generator[Chunk, None, bool]:
        """A rotated file to its end. False where it was renamed while we reached for it: then look again."""
        try:
            generation = generation or archives.generation_of(one.path)
            if rotation.moved(one):
                return False
            for chunk in archives.pieces(one.path, self.path, Shape.FILE, generation, offset, self.note, one.inode):
                self.note = ""
                yield chunk
                if self.stop.is_set():
                    return False
        except archives.Moved:
            return False
        except CannotLook as error:
            if rotation.moved(one):
                return False
            self.note = str(error)
        self.finished = generation or archives.generation(one.inode, b"")
        return True

    def _open(self, inode: int, offset: int) -> bool:
        """False where another file has the name by now."""
        try:
            file = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise CannotLook(f"{self.path} cannot be read: {because(error)}") from error
        seen = os.fstat(file)
        if not stat.S_ISREG(seen.st_mode) or seen.st_ino != inode:
            os.close(file)
            if seen.st_ino != inode:
                return False
            raise CannotLook(f"{self.path} is no file")
        self.file, self.inode = file, inode
        self.head = os.pread(file, archives.HEAD, 0)
        self.cutter = Cutter(offset)
        self.changed = time.monotonic()
        return True

    def _close(self) -> None:
        if self.file >= 0:
            os.close(self.file)
        self.file = -1
