"""Messages out of a TCP stream of syslog: counted (RFC 6587 section 3.4.1), ended by a line feed, or both in turn."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gatepost.edge.logs.cutting import LONGEST

_COUNT = re.compile(rb"([1-9]\d{0,7}) <")
_PERHAPS = re.compile(rb"[1-9]\d{0,7} ?")


@dataclass(slots=True)
class Frames:
    """One connection. Fed with any blocks it gives the same lines; what is too long is cut and counted."""

    held: bytes = b""
    skip: int = 0  # bytes of a counted message that are not kept
    until_end: bool = False  # the rest of a line is not kept
    cut: int = 0

    def feed(self, block: bytes) -> list[bytes]:
        data = self.held + block
        lines: list[bytes] = []
        while data:
            rest = self._one(data, lines)
            if rest is None:
                break
            data = rest
        self.held = data
        return lines

    def close(self) -> tuple[list[bytes], bool]:
        """The last line, which needs no end when the connection has one; and whether a counted message broke off."""
        broken = bool(self.skip or _COUNT.match(self.held))
        return ([] if broken or self.until_end else _kept(self.held)), broken

    def _one(self, data: bytes, lines: list[bytes]) -> bytes | None:
        """What is left behind one message; None where more has to come."""
        if self.skip:
            gone = min(self.skip, len(data))
            self.skip -= gone
            return data[gone:]
        if self.until_end:
            end = data.find(b"\n")
            self.until_end = end < 0
            return b"" if end < 0 else data[end + 1 :]
        if data[0] in b"\r\n\0":
            return data.lstrip(b"\r\n\0")
        if counted := _COUNT.match(data):
            return self._counted(data, counted, lines)
        if _PERHAPS.fullmatch(data):
            return None
        return self._ended(data, lines)

    def _counted(self, data: bytes, counted: re.Match[bytes], lines: list[bytes]) -> bytes | None:
        begins, length = counted.end() - 1, int(counted[1])
        kept = min(length, LONGEST)
        if len(data) - begins < kept:
            return None
        lines += _kept(data[begins : begins + kept])
        self.skip = length - kept
        self.cut += self.skip > 0
        return data[begins + kept :]

    def _ended(self, data: bytes, lines: list[bytes]) -> bytes | None:
        end = data.find(b"\n", 0, LONGEST + 1)
        if end >= 0:
            lines += _kept(data[:end])
            return data[end + 1 :]
        if len(data) <= LONGEST:
            return None
        lines += _kept(data[:LONGEST])
        self.cut += 1
        self.until_end = True
        return data[LONGEST:]


def one_line(message: bytes) -> bytes:
    """A message as one line. A line feed inside it would let its writer forge the next one: shown as rsyslog does."""
    return message.rstrip(b"\r\n\0").replace(b"\n", b"#012").replace(b"\0", b"#000") + b"\n"


def _kept(message: bytes) -> list[bytes]:
    line = one_line(message)
    return [line] if line != b"\n" else []
