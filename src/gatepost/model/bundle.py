"""What was taken from a host: the output of commands and the state of files, unread.

The same bundle comes from this machine, over SSH, out of a namespace, or from a file that `gatepost collect` wrote
elsewhere; `servers` and `firewall` read it and cannot tell the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

NOT_FOUND = 127  # exit status of a program that is not there, as in POSIX shells


@dataclass(frozen=True, slots=True)
class Ran:
    """One command on the host. `why` tells why it could not run at all; then there is no exit status to trust."""

    argv: tuple[str, ...]
    code: int
    stdout: str = ""
    stderr: str = ""
    why: str = ""

    @property
    def ok(self) -> bool:
        return self.code == 0 and not self.why

    @property
    def absent(self) -> bool:
        """The program is not on the host."""
        return self.code == NOT_FOUND


@dataclass(frozen=True, slots=True)
class FileTaken:
    """A file of the host. `text` is None where only its state was wanted: a private key never leaves the host.

    `mode` are the permission bits. `note` holds what a command on the host said of it (for a key: the SHA-256 of its
    public half, hexadecimal).
    """

    path: str
    exists: bool
    mode: int = 0
    owner: str = ""
    group: str = ""
    size: int = 0
    modified: datetime | None = None
    text: str | None = None
    note: str = ""
    why: str = ""  # it could not be read, and why


@dataclass(frozen=True, slots=True)
class Bundle:
    host: str  # the name under [hosts]
    taken_at: datetime
    via: str  # "this machine", "ssh root@mx1.example.org", …
    ran: tuple[Ran, ...] = ()
    files: tuple[FileTaken, ...] = ()

    def command(self, *argv: str) -> Ran | None:
        """The command with exactly these words."""
        return next((r for r in self.ran if r.argv == argv), None)

    def commands(self, *start: str) -> Sequence[Ran]:
        """Every command that begins with these words, in the order they ran."""
        return [r for r in self.ran if r.argv[: len(start)] == start]

    def file(self, path: str) -> FileTaken | None:
        return next((f for f in self.files if f.path == path), None)
