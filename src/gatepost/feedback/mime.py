"""The parts of a mail, one after another, decoded as they stream past (RFC 2045, RFC 2046)."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser

from gatepost.feedback.contents import ReportRefused

MAX_HEADER = 256 * 1024  # octets of one header kept; the rest is passed over
MAX_LINE = 64 * 1024  # a longer line comes in pieces
MAX_NESTING = 12
MAX_PARTS = 2000
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
_HEADER_LINE = re.compile(rb"(?:From |[A-Za-z][A-Za-z0-9-]{0,70}[ \t]?:)")


@dataclass(frozen=True, slots=True)
class Part:
    """A part that is no container. Its content is gone once the next part was asked for."""

    type: str
    filename: str
    content: Iterator[bytes]


def looks_like_mail(head: bytes) -> bool:
    return _HEADER_LINE.match(head.lstrip(b"\r\n")) is not None


def parts(chunks: Iterable[bytes]) -> Iterator[Part]:
    """Raises ReportRefused for a mail with too many parts or too deeply nested ones."""
    return _Mail(chunks).parts()


class _Mail:
    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._lines = _lines(chunks)
        self._delimiter: tuple[int, bool] | None = None  # which boundary ended the last part, and whether for good
        self._parts = 0

    def parts(self, boundaries: tuple[bytes, ...] = (), depth: int = 0) -> Iterator[Part]:
        self._parts += 1
        if self._parts > MAX_PARTS or depth > MAX_NESTING:
            raise ReportRefused("the mail has too many parts, or too deeply nested ones")
        header = self._header(boundaries)
        if self._delimiter is not None:
            return  # nothing but a header
        if boundary := _boundary(header):
            yield from self._multipart((*boundaries, boundary), depth + 1)
        elif header.get_content_type() == "message/rfc822":
            yield from self.parts(boundaries, depth + 1)
        else:
            lines = self._body(boundaries)
            yield Part(header.get_content_type(), _filename(header), _decoded(_encoding(header), lines))
            _exhaust(lines)

    def _multipart(self, boundaries: tuple[bytes, ...], depth: int) -> Iterator[Part]:
        mine = len(boundaries) - 1
        _exhaust(self._body(boundaries))  # the preamble
        while self._delimiter == (mine, False):
            yield from self.parts(boundaries, depth)
        if self._delimiter == (mine, True):
            _exhaust(self._body(boundaries[:-1]))  # the epilogue

    def _header(self, boundaries: tuple[bytes, ...]) -> Message:
        kept: list[bytes] = []
        room = MAX_HEADER
        for line in self._body(boundaries):
            if not line.strip(b"\r\n") and (kept or boundaries):
                break
            room -= len(line)
            if line.strip(b"\r\n") and room > 0 and not (line.startswith(b"From ") and not kept):
                kept.append(line)
        return BytesHeaderParser().parsebytes(b"".join(kept))

    def _body(self, boundaries: tuple[bytes, ...]) -> Iterator[bytes]:
        """Lines up to the delimiter of any container we are in: the end of an inner one may be missing."""
        self._delimiter = None
        whole = True
        for line in self._lines:
            if whole and boundaries and line.startswith(b"--") and (found := _found(line, boundaries)):
                self._delimiter = found
                return
            whole = line.endswith(b"\n")
            yield line


def _exhaust(lines: Iterator[bytes]) -> None:
    for _ in lines:
        pass


def _found(line: bytes, boundaries: tuple[bytes, ...]) -> tuple[int, bool] | None:
    word = line[2:].rstrip(b" \t\r\n")
    for n in reversed(range(len(boundaries))):
        if word in {boundaries[n], boundaries[n] + b"--"}:
            return n, word != boundaries[n]
    return None


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line + b"\n"
        if len(rest) > MAX_LINE:
            yield rest
            rest = b""
    if rest:
        yield rest


def _boundary(header: Message) -> bytes:
    """Empty for what is no container; a container without its boundary is read as one part."""
    if header.get_content_maintype() != "multipart":
        return b""
    try:
        return (header.get_boundary() or "")[:200].strip().encode("latin-1", "replace")
    except (LookupError, MessageError, TypeError, ValueError):
        return b""


def _encoding(header: Message) -> str:
    return str(header.get("Content-Transfer-Encoding", "")).strip().lower()


def _filename(header: Message) -> str:
    try:
        written = str(header.get_filename("") or "")[:1000]
        return str(make_header(decode_header(written)))[:300] if "=?" in written else written[:300]
    except (LookupError, MessageError, TypeError, ValueError):
        return ""


def _decoded(encoding: str, lines: Iterator[bytes]) -> Iterator[bytes]:
    if encoding == "base64":
        return _base64(lines)
    if encoding == "quoted-printable":
        return (binascii.a2b_qp(line) for line in lines)
    return _gathered(lines)


def _base64(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Whatever is no base64 is passed over, as RFC 2045 section 6.8 asks; a missing padding is added."""
    rest = b""
    for block in _gathered(lines):
        data = rest + block.translate(None, _NOT_BASE64)
        even = len(data) - len(data) % 4
        rest = data[even:]
        yield _quads(data[:even])
    yield _quads((rest + b"===")[: (len(rest) + 3) // 4 * 4] if len(rest) > 1 else b"")


def _quads(data: bytes) -> bytes:
    try:
        return binascii.a2b_base64(data)
    except binascii.Error:
        raise ReportRefused("its base64 is damaged") from None


def _gathered(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Lines in blocks, since decoding a block costs as much as decoding a line."""
    block: list[bytes] = []
    size = 0
    for line in lines:
        block.append(line)
        size += len(line)
        if size >= MAX_LINE:
            yield b"".join(block)
            block, size = [], 0
    yield b"".join(block)
