"""Files that do not grow, compressed or not, as a stream of plain bytes.

What a file is, its first bytes tell: a name may lie. Everything is streamed, so that a file which unpacks to a
terabyte costs time and no memory.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from gatepost.edge.logs.cutting import Cutter, Piece
from gatepost.errors import CannotLook, because
from gatepost.model.log import Chunk, Position, Shape

BLOCK = 1024 * 1024
SMALL = 65536
LARGEST = 8 * BLOCK  # bytes of a chunk
HEAD = 512  # bytes that tell one file from another: the first two or three lines
ENDINGS = (".gz", ".xz", ".bz2", ".zst", ".lzma")
BROKEN = (EOFError, OSError, zlib.error, lzma.LZMAError, ValueError)
_GZIP, _XZ, _BZIP2, _ZSTD = b"\x1f\x8b", b"\xfd7zXZ\x00", b"BZh", b"\x28\xb5\x2f\xfd"


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


class Stream(Readable, Protocol):
    """What can be read to its end and closed; the number is of the file itself."""

    def fileno(self) -> int: ...


def archive(path: str, position: Position | None = None) -> Iterator[Chunk]:
    """The lines of a file from a position on; from its start where the position is of another file.

    Raises CannotLook where the file cannot be opened. One that turns out broken gives what can be read of it, and a
    last chunk whose note says so.
    """
    generation = generation_of(path)
    begun = position is not None and same(position.generation, path)
    offset = position.offset if position and begun else 0
    note = "" if begun or not position else f"{path} is not the file that was read before: read from its start"
    yield from pieces(
        path, path, Shape.ARCHIVE, position.generation if position and begun else generation, offset, note
    )


class Moved(Exception):
    """Another file has the name by now."""


def pieces(
    path: str, source: str, shape: Shape, generation: str, offset: int, note: str = "", inode: int | None = None
) -> Iterator[Chunk]:
    """A finished file as chunks; `source` is the name it had when it grew. Raises Moved where it is not that inode."""
    cutter = Cutter()
    with closing(open_stream(path)) as stream:
        if inode is not None and os.fstat(stream.fileno()).st_ino != inode:
            raise Moved
        why = _skip(stream, path, offset)
        cutter.start = offset
        while not why:
            data, why = _gathered(stream, path)
            for piece in cutter.feed(data) if data else ():
                yield chunk(piece, source, shape, generation, note)
                note = ""
            if not data and not why:
                break
    for piece in cutter.flush() if not why else ():
        yield chunk(piece, source, shape, generation, note)
        note = ""
    if why or note:
        after = Position(source, shape, generation, cutter.start)
        yield Chunk(b"", cutter.start, after, "; ".join(filter(None, (note, why))))


def chunk(piece: Piece, source: str, shape: Shape, generation: str, note: str = "") -> Chunk:
    told = "; ".join(filter(None, (note, piece.note)))
    return Chunk(piece.lines, piece.start, Position(source, shape, generation, piece.end), told)


def open_stream(path: str) -> Stream:
    """The file's plain bytes. Raises CannotLook."""
    try:
        return _opened(path)
    except OSError as error:
        raise CannotLook(f"{path} cannot be read: {because(error)}") from error


def generation_of(path: str) -> str:
    """Inode, number of first bytes and their digest. Raises CannotLook."""
    with closing(open_stream(path)) as stream:
        return generation(os.fstat(stream.fileno()).st_ino, _start(stream, HEAD))


def generation(inode: int, head: bytes) -> str:
    return f"{inode}:{len(head)}:{digest(head)}"


def digest(head: bytes) -> str:
    return hashlib.sha256(head).hexdigest()[:24]


def same(generation: str, path: str) -> bool:
    """The file begins with the bytes that were noted, however it is compressed and called by now.

    Of a file that was noted when it was empty only the inode tells.
    """
    inode, length, noted = parts(generation)
    if length == 0:
        try:
            return os.stat(path).st_ino == inode  # noqa: PTH116 - a path is text here, as in a position
        except OSError:
            return False
    try:
        head = _head(path, length)
    except CannotLook:
        return False
    return len(head) == length and digest(head) == noted


def parts(generation: str) -> tuple[int, int, str]:
    inode, _, rest = generation.partition(":")
    length, _, noted = rest.partition(":")
    plain = inode.isdigit() and length.isdigit() and len(inode) < 30 and len(length) < 9
    return (int(inode), min(int(length), HEAD), noted) if plain else (0, 0, "")


def _head(path: str, length: int) -> bytes:
    with closing(open_stream(path)) as stream:
        return _start(stream, length)


def _start(stream: Stream, length: int) -> bytes:
    found = b""
    while len(found) < length:
        try:
            more = stream.read(length - len(found))
        except BROKEN:
            break
        if not more:
            break
        found += more
    return found


def _opened(path: str) -> Stream:
    if not Path(path).is_file():
        raise CannotLook(f"{path} is no file" if Path(path).exists() else f"{path} does not exist")
    file: IO[bytes] = Path(path).open("rb")  # noqa: SIM115 - closed by whoever reads the stream
    magic = file.read(6)
    file.seek(0)
    if magic.startswith(_GZIP):
        unpacked = gzip.GzipFile(fileobj=file)
        return _Both(unpacked, unpacked.read1, file)
    if magic.startswith(_XZ):
        members = _Members(file, lzma.LZMADecompressor)
        return _Both(members, members.read, file)
    if magic.startswith(_BZIP2):
        members = _Members(file, bz2.BZ2Decompressor)
        return _Both(members, members.read, file)
    if magic.startswith(_ZSTD):
        import pyarrow as pa

        packed = pa.CompressedInputStream(file, "zstd")
        return _Both(packed, lambda size: packed.read(min(size, SMALL)), file)
    return file


@dataclass(slots=True)
class _Members:
    """One member after another. The modules' own files take padding, and what lies behind it, for the end."""

    file: IO[bytes]
    make: Callable[[], lzma.LZMADecompressor | bz2.BZ2Decompressor]
    member: lzma.LZMADecompressor | bz2.BZ2Decompressor = field(init=False)

    def __post_init__(self) -> None:
        self.member = self.make()

    def read(self, size: int, /) -> bytes:
        """Something, until the end. Raises EOFError, OSError or LZMAError, also for what is no member behind one."""
        found = given = b""
        while not found:
            if self.member.eof:
                given = self._behind(self.member.unused_data)
                if not given:
                    return b""
                self.member = self.make()
            elif self.member.needs_input:
                given = self.file.read(SMALL)
                if not given:
                    raise EOFError
            found, given = self.member.decompress(given, size), b""
        return found

    def _behind(self, rest: bytes) -> bytes:
        """The start of the next member; a stream of xz may be padded with zero bytes."""
        while not (bare := rest.lstrip(b"\0")):
            rest = self.file.read(SMALL)
            if not rest:
                return b""
        return bare

    def close(self) -> None:
        """The file below is closed by who opened it."""


@dataclass(frozen=True, slots=True)
class _Both:
    """The unpacked stream, and the file below it: the modules close only their own."""

    unpacked: Readable
    take: Callable[[int], bytes]  # what comes before a damage must not be lost with it
    file: IO[bytes]

    def fileno(self) -> int:
        return self.file.fileno()

    def read(self, size: int, /) -> bytes:
        return self.take(size)

    def close(self) -> None:
        try:
            self.unpacked.close()
        finally:
            self.file.close()


def _gathered(stream: Stream, path: str) -> tuple[bytes, str]:
    """Some megabytes, and why no more can come."""
    found: list[bytes] = []
    size = 0
    while size < LARGEST - BLOCK:
        try:
            more = stream.read(BLOCK)
        except BROKEN as error:
            return b"".join(found), _broken(path, error)
        if not more:
            break
        found.append(more)
        size += len(more)
    return b"".join(found), ""


def _skip(stream: Stream, path: str, offset: int) -> str:
    if isinstance(stream, _Both):
        while offset:
            try:
                passed = len(stream.read(min(BLOCK, offset)))
            except BROKEN as error:
                return _broken(path, error)
            if not passed:
                return f"{path} is shorter than what was read of it before"
            offset -= passed
    elif hasattr(stream, "seek"):
        stream.seek(offset)
    return ""


def _broken(path: str, error: BaseException) -> str:
    cut = isinstance(error, EOFError) or "runcated" in str(error) or "end-of-stream" in str(error)
    what = "ends in the middle of its compressed data" if cut else "is damaged"
    return f"{path} {what}: what comes before was read"
