"""Which characters the octets of an XML document are: its own word where it is believable, UTF-8 otherwise."""

from __future__ import annotations

import codecs
import re

_DECLARED = re.compile(rb"""^<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_USUAL = re.compile(
    r"(?i)ascii|us-ascii|utf-?8|utf-?16(le|be)?|iso-8859-\d{1,2}|latin-?1|windows-125\d|cp125\d|koi8-[ru]"
)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)


class Decoder:
    """Octets to UTF-8 octets. What is wrongly encoded becomes U+FFFD: one bad name must not cost a report."""

    def __init__(self) -> None:
        self._decoder: codecs.IncrementalDecoder | None = None
        self._waiting = b""

    def utf8(self, chunk: bytes, *, last: bool = False) -> bytes:
        """Blank space before the first element is dropped, since no XML declaration may follow it."""
        if self._decoder is None:
            self._waiting = (self._waiting + chunk).lstrip(b" \t\r\n")
            if len(self._waiting) < 256 and not last:
                return b""
            self._decoder = codecs.getincrementaldecoder(guessed(self._waiting))("replace")
            chunk, self._waiting = self._waiting, b""
        return self._decoder.decode(chunk, last).encode("utf-8", "replace")


def guessed(start: bytes) -> str:
    """By its mark or first character, then by its declaration; a declared UTF-16 that is none is ignored."""
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    found = _DECLARED.match(start)
    declared = found[1].decode("ascii").lower() if found else "utf-8"
    if declared.startswith("utf") or not _USUAL.fullmatch(declared):
        return "utf-8"
    try:
        return codecs.lookup(declared).name
    except LookupError:
        return "utf-8"
