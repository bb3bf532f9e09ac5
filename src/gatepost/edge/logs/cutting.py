"""Whole lines out of a stream of bytes, however it was cut, with the offset of each and a bound on all of them."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 65536  # bytes of a line; the longest that a mail daemon writes is a tenth of it


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines that follow one another. `end` is where the stream goes on behind them."""

    lines: bytes
    start: int
    end: int
    note: str = ""


@dataclass(slots=True)
class Cutter:
    """Fed with any blocks it gives the same lines.

    A line that is too long comes out when its end has come, so that an offset never points into the middle of one. Zero
    bytes before a line are what a writer leaves that goes on at its old place after a truncation: they are skipped.
    """

    start: int = 0  # of the open line in the stream
    held: bytes = b""  # what is kept of it
    beyond: int = 0  # what is not
    zeros: int = 0  # skipped before it

    def feed(self, block: bytes) -> list[Piece]:
        found: list[Piece] = []
        if self.beyond:
            end = block.find(b"\n")
            if end < 0:
                self.beyond += len(block)
                return found
            found.append(self._too_long(self.held, len(self.held) + self.beyond + end))
            self.held, block = b"", block[end + 1 :]
        data = self.held + block
        self.held, self.beyond = b"", 0
        self._cut(data, found)
        return found

    def flush(self) -> list[Piece]:
        """The open line, for a stream that has ended. Nothing is known of whether the rest of it was ever written."""
        if self.beyond:
            found = [self._too_long(self.held, len(self.held) + self.beyond - 1)]
        elif self.held.strip(b"\0"):
            found = [self._piece(self.held + b"\n", len(self.held), "its last line has no end")]
        else:
            found = []
        self.held, self.beyond = b"", 0
        return found

    def _cut(self, data: bytes, found: list[Piece]) -> None:
        data = self._without_zeros(data)
        done = at = 0  # lines up to `at` are known to be short
        while True:
            end = data.rfind(b"\n", at, at + LONGEST + 1)
            if end >= 0:
                at = end + 1
            elif len(data) - at <= LONGEST:
                break
            else:
                if at > done:
                    found.append(self._piece(data[done:at], at - done))
                rest = self._without_zeros(data[at:])
                if len(rest) < len(data) - at:
                    self._cut(rest, found)
                    return
                end = data.find(b"\n", at + LONGEST)
                if end < 0:
                    self.held, self.beyond = data[at : at + LONGEST], len(data) - at - LONGEST
                    return
                found.append(self._too_long(data[at : at + LONGEST], end - at))
                done = at = end + 1
        if at > done:
            found.append(self._piece(data[done:at], at - done))
        self.held = data[at:]

    def _without_zeros(self, data: bytes) -> bytes:
        if data[:1] != b"\0":
            return data
        bare = data.lstrip(b"\0")
        self.zeros += len(data) - len(bare)
        self.start += len(data) - len(bare)
        return bare

    def _too_long(self, kept: bytes, length: int) -> Piece:
        return self._piece(kept + b"\n", length + 1, f"a line of {length} bytes was cut at {LONGEST}")

    def _piece(self, lines: bytes, taken: int, note: str = "") -> Piece:
        notes = [note] if note else []
        if self.zeros:
            notes.append(f"{self.zeros} zero bytes were skipped")
        piece = Piece(lines, self.start, self.start + taken, "; ".join(notes))
        self.start += taken
        self.zeros = 0
        return piece
