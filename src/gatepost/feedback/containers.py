"""What reports come in: mail, gzip and zip, unpacked as streams within bounds, whatever the name or type says.

Content decides, not the name. A packed report is measured first and read afterwards: a bomb costs a second, no memory.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from io import BytesIO
from itertools import chain
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from gatepost.feedback import mime
from gatepost.feedback.contents import NoReport, ReportRefused

MIB = 1024 * 1024
MAX_XML = 256 * MIB
MAX_JSON = 16 * MIB  # a parsed one needs several times its size; real ones have kilobytes
MAX_PACKED = 64 * MIB
MAX_RATIO = 400  # packed to unpacked; honest reports reach 60, bombs 1000
SMALL = 16 * MIB  # unpacked; below it nobody counts the ratio
MAX_MEMBERS = 1000  # of a zip or gzip file
BLOCK = 64 * 1024
HEAD = 4096
_CLAIMS = re.compile(r"(?i)\.(xml|json|gz|gzip|zip)$")
_CLAIMED = re.compile(r"(?i)(application|text)/(.*\+)?(x-)?(xml|json|gzip|gzip-compressed|zip|zip-compressed)")
_OTHER = re.compile(r"(?i)(image|audio|video|font|message)/|text/(?!xml|json)")
_BARE_XML = re.compile(rb"\s*<(\?xml|feedback)")


class Form(StrEnum):
    GZIP = "gzip"
    JSON = "json"
    MAIL = "mail"
    UNKNOWN = "unknown"
    XML = "xml"
    ZIP = "zip"


@dataclass(frozen=True, slots=True)
class Document:
    """One report as XML or JSON. Its content is gone once the next document was asked for."""

    name: str
    form: Form
    content: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that could not be unpacked, and why; what comes after it is still read."""

    name: str
    why: ReportRefused


def documents(name: str, chunks: Iterable[bytes]) -> Iterator[Document | Refusal]:
    """Every report in one file or mail."""
    return _guarded(name, partial(_opened, name, chunks))


def _guarded(name: str, unpack: Callable[[], Iterator[Document | Refusal]]) -> Iterator[Document | Refusal]:
    try:
        yield from unpack()
    except ReportRefused as why:
        yield Refusal(name, why)


def _opened(name: str, chunks: Iterable[bytes]) -> Iterator[Document | Refusal]:
    head, content = _peeked(chunks)
    form = sniffed(head)
    if form is Form.MAIL:
        return _mailed(name, content)
    return _unpacked(name, form, head, content)


def _unpacked(name: str, form: Form, head: bytes, content: Iterator[bytes]) -> Iterator[Document | Refusal]:
    if form is Form.GZIP:
        return _gzip(name, _collected(content))
    if form is Form.ZIP:
        return _zip(name, _collected(content))
    if form in {Form.XML, Form.JSON}:
        return iter([_document(name, form, content)])
    if not head.strip(b"\0 \t\r\n"):
        raise NoReport("it is empty" if not head else "it holds nothing but blanks or zeros")
    raise NoReport("it is neither XML, JSON, gzip, zip nor a mail")


def sniffed(head: bytes) -> Form:
    """By the first octets; UTF-16 has zeros between its characters."""
    if head.startswith(b"\x1f\x8b"):
        return Form.GZIP
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Form.ZIP
    bare = head.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")
    if bare.startswith(b"<"):
        return Form.XML
    if bare.startswith((b"{", b"[")):
        return Form.JSON
    return Form.MAIL if mime.looks_like_mail(head) else Form.UNKNOWN


def _mailed(name: str, content: Iterator[bytes]) -> Iterator[Document | Refusal]:
    for part in mime.parts(content):
        label = f"{name}: {part.filename}" if part.filename else name
        yield from _guarded(label, partial(_attached, label, part))


def _attached(name: str, part: mime.Part) -> Iterator[Document | Refusal]:
    """Logos, signatures and the text for people are no reports; what claims to be one and is not is told."""
    claims = bool(_CLAIMS.search(part.filename) or _CLAIMED.fullmatch(part.type))
    head, content = _peeked(part.content)
    form = sniffed(head)
    if not claims and _OTHER.match(part.type):
        return _unpacked(name, form, head, content) if _BARE_XML.match(head) else iter(())
    if form in {Form.UNKNOWN, Form.MAIL}:
        if claims:
            raise ReportRefused(f"it calls itself {part.type} and is something else")
        return iter(())
    return _unpacked(name, form, head, content)


def _document(name: str, form: Form, content: Iterator[bytes]) -> Document:
    return Document(name, form, _bounded(content, MAX_XML if form is Form.XML else MAX_JSON, "the report"))


def _gzip(name: str, packed: bytes) -> Iterator[Document]:
    head = _measured(_inflated(packed), len(packed))
    yield _document(_without(name, (".gz", ".gzip")), _inner(head), _inflated(packed))


def _inner(head: bytes) -> Form:
    form = sniffed(head)
    if form in {Form.GZIP, Form.ZIP}:
        raise ReportRefused(f"a {form.value} file is packed inside it; nested archives are not unpacked")
    if form not in {Form.JSON, Form.XML}:
        raise NoReport("what is packed inside is neither XML nor JSON")
    return form


def _inflated(packed: bytes) -> Iterator[bytes]:
    """RFC 1952: one or more members; what follows them, often a line end, is ignored."""
    view = memoryview(packed)
    unpacker = zlib.decompressobj(wbits=31)
    members, at = 1, 0
    while at < len(view) or unpacker.unconsumed_tail:
        if unpacker.eof:
            if members == MAX_MEMBERS or bytes(view[at : at + 2]) != b"\x1f\x8b":
                return
            unpacker, members = zlib.decompressobj(wbits=31), members + 1
        block = unpacker.unconsumed_tail or view[at : at + BLOCK]
        at += 0 if unpacker.unconsumed_tail else len(block)
        try:
            piece = unpacker.decompress(block, BLOCK)
        except zlib.error:
            raise ReportRefused("its gzip data is damaged") from None
        at -= len(unpacker.unused_data)
        if piece:
            yield piece
    if not unpacker.eof:
        raise ReportRefused("its gzip data ends in the middle")


def _zip(name: str, packed: bytes) -> Iterator[Document | Refusal]:
    if packed.count(b"PK\x01\x02") > MAX_MEMBERS:  # before the directory is read: each entry would cost memory
        raise ReportRefused(f"the zip file has more than {MAX_MEMBERS:,} members")
    with _archive(packed) as archive:
        members = [one for one in archive.infolist() if not one.is_dir() and "__MACOSX" not in one.filename]
        if sum(one.file_size for one in members) > MAX_XML:
            raise ReportRefused(f"unpacked it has more than {MAX_XML // MIB} MiB")
        if not members:
            raise NoReport("the zip file is empty")
        for one in members:
            label = f"{name}: {one.filename[:200]}" if len(members) > 1 else _without(name, (".zip",))
            yield from _guarded(label, partial(_member, label, archive, one))


def _archive(packed: bytes) -> ZipFile:
    try:
        return ZipFile(BytesIO(packed))
    except _ZIP_TROUBLE:
        raise ReportRefused("the zip file is damaged or ends in the middle") from None


def _member(name: str, archive: ZipFile, member: ZipInfo) -> Iterator[Document]:
    if member.flag_bits & 1:
        raise ReportRefused("it is encrypted")
    if member.compress_type not in {ZIP_DEFLATED, ZIP_STORED}:
        raise ReportRefused("it is packed in a way no report uses")
    head = _measured(_extracted(archive, member), member.compress_size)
    yield _document(name, _inner(head), _extracted(archive, member))


def _extracted(archive: ZipFile, member: ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(member) as file:
            while block := file.read(BLOCK):
                yield block
    except _ZIP_TROUBLE:
        raise ReportRefused("its data in the zip file is damaged") from None


# What zipfile raises for what it was fed: its own error, and whatever its arithmetic and unpacking meet.
_ZIP_TROUBLE = (BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError, ValueError, zlib.error)


def _measured(content: Iterator[bytes], packed: int) -> bytes:
    """Unpack once and keep only the head. Raises ReportRefused for a bomb."""
    head, size = b"", 0
    for block in _bounded(content, MAX_XML, "unpacked it"):
        size += len(block)
        if len(head) < HEAD:
            head += block[:HEAD]
        if size > SMALL and size > MAX_RATIO * packed:
            raise ReportRefused(f"it unpacks to more than {MAX_RATIO} times its size, as only a bomb does")
    return head


def _bounded(content: Iterable[bytes], most: int, what: str) -> Iterator[bytes]:
    size = 0
    for block in content:
        size += len(block)
        if size > most:
            raise ReportRefused(f"{what} has more than {most // MIB} MiB")
        yield block


def _collected(content: Iterator[bytes]) -> bytes:
    return b"".join(_bounded(content, MAX_PACKED, "the packed file"))


def _peeked(chunks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The beginning, and the whole with it."""
    rest = iter(chunks)
    head = b""
    while len(head) < HEAD and (block := next(rest, None)) is not None:
        head += block
    return head, chain([head], rest)


def _without(name: str, endings: tuple[str, ...]) -> str:
    return next((name[: -len(e)] for e in endings if name.lower().endswith(e)), name)
