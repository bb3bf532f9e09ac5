"""The compiled scanner, loaded through its C interface: no compiler and no build of Python matters, only the machine.

It gives the interpreter free while it works, so that two threads scan on two cores. A batch hands its memory to Arrow
as it is, and takes it back when the last table that looks at it is gone.
"""

from __future__ import annotations

import ctypes
import struct
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from pathlib import Path

import pyarrow as pa

from gatepost.edge.logs.shapes import Known, known
from gatepost.lake.columns import EVENTS
from gatepost.logs.heading import heading
from gatepost.model.event import Event
from gatepost.model.log import Clock, Coverage

LIBRARY = Path(__file__).with_name("gatepost-scanner.so")
VERSION = 1
SPARE = 4  # batches kept for later; each has some 20 MB for a chunk of 8 MB
NONE = -(2**63)  # in place of a number that is not there
VALUES, TEXT, VALID, WORDS, WORD_ENDS = range(5)
LEFT, COUNTS, WANTED = 10, 11, 12
HOURS = tuple(f"{hour:02}:{rest}" for hour in range(24) for rest in ("00:00", "59:59"))

_cells = attrgetter(*EVENTS.names)


@lru_cache(1)
def engine() -> Engine | None:
    """None where nothing was built, or what was built is of another version."""
    try:
        library = ctypes.CDLL(str(LIBRARY))
        library.gatepost_version.restype = ctypes.c_uint32
        if library.gatepost_version() != VERSION:
            return None
    except (OSError, AttributeError):
        return None
    return Engine.made(library)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One line that was left: where it lies in the buffer, without its newline."""

    begin: int
    end: int


class Engine:
    """The shapes, ready to be matched; safe to use from any number of threads, each with its own batch."""

    def __init__(self, library: ctypes.CDLL, handle: int, shapes: Known) -> None:
        self.library, self.handle, self.shapes = library, handle, shapes
        self._spare: deque[Batch] = deque()

    @classmethod
    def made(cls, library: ctypes.CDLL) -> Engine | None:
        _declare(library)
        shapes = known()
        handle = library.gatepost_engine_new(shapes.table, len(shapes.table))
        return cls(library, handle, shapes) if handle else None

    def batch(self, clock: Clock) -> Batch:
        try:
            batch = self._spare.pop()
        except IndexError:
            batch = Batch(self)
        self.library.gatepost_batch_clear(batch.handle, batch.clock != clock)
        batch.clock = clock
        return batch

    def give_back(self, batch: Batch) -> None:
        if len(self._spare) < SPARE:
            self._spare.append(batch)
        else:
            self.library.gatepost_batch_free(batch.handle)


class Batch:
    """The memory for one buffer of lines."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.handle: int = engine.library.gatepost_batch_new(engine.handle)
        self.clock: Clock | None = None

    def recognise(self, lines: bytes, clock: Clock) -> bool:
        """False where the whole buffer has to go the slow path."""
        library, at = self.engine.library, 0
        while at < len(lines):
            at = library.gatepost_match(self.engine.handle, self.handle, lines, len(lines), at)
            if at < 0:
                return False
            if at < len(lines):
                self._tell(lines, clock)
        return True

    def left(self) -> tuple[Stretch, ...]:
        numbers = self._numbers(LEFT, "I")
        return tuple(map(Stretch, numbers[::2], numbers[1::2]))

    def coverage(self) -> Iterator[Coverage]:
        """Of the lines that were recognised: all are understood."""
        for counted, lines in zip(self.engine.shapes.counted, self._numbers(COUNTS, "Q"), strict=True):
            if lines:
                auth = lines if counted.auth else 0
                yield Coverage(counted.daemon, lines, lines, auth, auth, 0)

    def fill(self, lines: bytes, rows: Iterable[Event | None], source: int, offset: int) -> pa.Table | None:
        """The table. `rows` are the events of the lines that were left; None where one becomes no row."""
        encoded = b"".join(map(_encoded, rows))
        count = self.engine.library.gatepost_fill(
            self.engine.handle, self.handle, lines, len(lines), encoded, len(encoded), source, offset
        )
        if count < 0:
            return None
        held = Held(self)
        return pa.table([held.column(number, one.type, count) for number, one in enumerate(EVENTS)], schema=EVENTS)

    def part(self, column: int, what: int) -> tuple[int, int]:
        size = ctypes.c_size_t()
        address = self.engine.library.gatepost_part(self.handle, column, what, ctypes.byref(size))
        return address or 0, size.value

    def _tell(self, lines: bytes, clock: Clock) -> None:
        begin, end, zone, zone_end = self._numbers(WANTED, "Q")
        day, offset = lines[begin:end], lines[zone:zone_end]
        at, even = day_of(day, offset, clock)
        self.engine.library.gatepost_day(self.handle, day + offset, len(day + offset), at, even)

    def _numbers(self, what: int, letter: str) -> tuple[int, ...]:
        address, size = self.part(0, what)
        return struct.unpack(f"<{size // struct.calcsize(letter)}{letter}", ctypes.string_at(address, size))


class Held:
    """Keeps a batch until nothing looks at its memory any more."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    def __del__(self) -> None:
        self.batch.engine.give_back(self.batch)

    def column(self, number: int, kind: pa.DataType, rows: int) -> pa.Array:
        if pa.types.is_dictionary(kind):
            indices = pa.Array.from_buffers(pa.int32(), rows, [None, self._buffer(number, VALUES)])
            return pa.DictionaryArray.from_arrays(indices, self._words(number), safe=False)
        if pa.types.is_string(kind):
            return pa.Array.from_buffers(
                kind, rows, [None, self._buffer(number, VALUES), self._buffer(number, TEXT)], null_count=0
            )
        valid = self._buffer(number, VALID)
        return pa.Array.from_buffers(kind, rows, [valid if valid.size else None, self._buffer(number, VALUES)])

    def _words(self, number: int) -> pa.Array:
        """Copied: there are few, and a reader may keep them for long."""
        ends = self._buffer(number, WORD_ENDS)
        count = ends.size // 4 - 1
        buffers = [None, pa.py_buffer(ends.to_pybytes()), pa.py_buffer(self._buffer(number, WORDS).to_pybytes())]
        return pa.Array.from_buffers(pa.string(), count, buffers)

    def _buffer(self, number: int, what: int) -> pa.Buffer:
        address, size = self.batch.part(number, what)
        return pa.foreign_buffer(address, size, self) if size else pa.py_buffer(b"")


def day_of(day: bytes, offset: bytes, clock: Clock) -> tuple[int, bool]:
    """When a day begins as headers are read, and whether each of its seconds follows from that."""
    moments = list(_moments(day, offset, clock))
    begin = moments[0][1]
    if begin is None:
        return 0, False
    return begin, all(at == begin + seconds * 1_000_000 for seconds, at in moments)


def _moments(day: bytes, offset: bytes, clock: Clock) -> Iterator[tuple[int, int | None]]:
    between = b"T" if day[:1].isdigit() else b" "
    for text in HOURS:
        line = heading(day + between + text.encode() + offset + b" host tag[1]: text", clock)
        hours, minutes, seconds = map(int, text.split(":"))
        yield (hours * 60 + minutes) * 60 + seconds, line.at if line else None


def _encoded(event: Event | None) -> bytes:
    if event is None:
        return struct.pack("<I", 0)
    parts = [struct.pack("<I", 1)]
    for cell in _cells(event):
        if isinstance(cell, str):
            text = cell.encode("utf-8", "replace")
            parts += (struct.pack("<I", len(text)), text)
        else:
            parts.append(struct.pack("<q", NONE if cell is None else cell))
    return b"".join(parts)


def _declare(library: ctypes.CDLL) -> None:
    pointer, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int64
    text, small = ctypes.c_char_p, ctypes.c_uint32
    for name, result, arguments in (
        ("engine_new", pointer, (text, size)),
        ("batch_new", pointer, (pointer,)),
        ("batch_free", None, (pointer,)),
        ("batch_clear", None, (pointer, ctypes.c_uint8)),
        ("match", number, (pointer, pointer, text, size, size)),
        ("day", None, (pointer, text, size, number, ctypes.c_uint8)),
        ("fill", number, (pointer, pointer, text, size, text, size, number, number)),
        ("part", pointer, (pointer, small, small, ctypes.POINTER(size))),
    ):
        function = library[f"gatepost_{name}"]
        function.restype = result
        function.argtypes = arguments
        setattr(library, f"gatepost_{name}", function)
