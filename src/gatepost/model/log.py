"""Where log bytes come from, and how far they were taken."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Shape(StrEnum):
    """How a source wraps its lines."""

    ARCHIVE = "archive"  # a file that does not grow, compressed or not
    FILE = "file"
    JOURNAL = "journal"
    JSON = "json"  # one object a line, from Vector or Fluent Bit
    SYSLOG = "syslog"  # a listener


@dataclass(frozen=True, slots=True)
class Position:
    """How far one source was read: commit it together with what was read, and nothing is lost or doubled.

    `generation` tells one file from its successor of the same name: a digest of its first bytes with its inode, or the
    boot of a journal. `offset` counts bytes of the uncompressed text; a journal has `cursor` instead.
    """

    source: str  # path, journal, or listener address: what an operator calls it
    shape: Shape
    generation: str
    offset: int
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines of one source, ending in a newline, in the order written. `offset` is where the first one starts.

    `note` tells what happened before it: rotated, truncated, a line cut because it was too long, a gap.
    """

    lines: bytes
    offset: int
    after: Position
    note: str = ""


@dataclass(frozen=True, slots=True)
class Clock:
    """What the header of a line leaves out. RFC 3164 has neither year nor zone.

    `year` is the year of the newest line; a line that would lie more than a day after `newest` belongs to the year
    before. `zone` is an IANA name, or an offset such as +02:00. `assumed` names what was not told but guessed.
    """

    newest: int  # microseconds UTC: the file's last change, or now
    zone: str = "UTC"
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line with its header taken off; what `logs.dialects` read."""

    at: int | None  # microseconds UTC; None where the line has no time of its own
    host: str
    tag: str  # postfix/submission/smtpd, dovecot, exim …
    pid: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a daemon's log was understood. `auth` counts lines that speak of authentication."""

    daemon: str
    lines: int
    understood: int
    auth: int
    auth_understood: int
    slow: int  # lines the compiled scanner left to the complete patterns
    samples: tuple[str, ...] = ()  # not understood, masked and cut
