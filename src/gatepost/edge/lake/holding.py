"""Who works with a lake right now: one writer, and readers whose files must stay.

Both are locks of the kernel on files (flock): a process that is killed lets go of them at once.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gatepost.errors import UsageError

WRITER = "writer.lock"
READERS = "readers"
NUMBER = 20  # digits that a lease is written with


class Writer:
    """The right to write. Raises UsageError that names the process which has it."""

    def __init__(self, lake: Path) -> None:
        self._handle = os.open(lake / WRITER, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = os.pread(self._handle, NUMBER, 0).decode("ascii", "replace").strip()
            os.close(self._handle)
            whose = f"process {other}" if other.isdecimal() else "another process"
            raise UsageError(
                f"{lake}: {whose} is writing to it; only one can: wait until it is done, or stop it"
            ) from None
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def written(lake: Path) -> bool:
    """Is somebody writing to it now?"""
    try:
        handle = os.open(lake / WRITER, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


class Lease:
    """A reader's claim on the files of one state of the lake. Without the right to write there is none."""

    def __init__(self, lake: Path) -> None:
        self._path = lake / READERS / f"{os.getpid()}-{secrets.token_hex(6)}"
        self._handle = -1
        with suppress(OSError):
            self._path.parent.mkdir(exist_ok=True, mode=0o770)
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o660)
            fcntl.flock(self._handle, fcntl.LOCK_EX)

    def narrow(self, sequence: int) -> None:
        """From now on only what is in the lake at this link must stay."""
        if self._handle >= 0:
            with suppress(OSError):
                os.pwrite(self._handle, f"{sequence:{NUMBER}d}".encode(), 0)

    def close(self) -> None:
        if self._handle >= 0:
            with suppress(OSError):
                self._path.unlink()
            os.close(self._handle)
            self._handle = -1


def oldest(lake: Path) -> int | None:
    """The oldest state that a living reader looks at; None where nobody reads. Leases of the dead are cleared."""
    return min(_living(lake), default=None)


def _living(lake: Path) -> Iterator[int]:
    folder = lake / READERS
    for path in folder.iterdir() if folder.is_dir() else ():
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between its making and its locking a lease is empty: it may be a reader's who is just coming.
            if os.fstat(handle).st_size:
                path.unlink(missing_ok=True)
            else:
                yield from _fresh(path, handle)
        except BlockingIOError:
            words = os.pread(handle, NUMBER, 0).strip()
            yield int(words) if words.isdigit() else 0
        finally:
            os.close(handle)


def _fresh(path: Path, handle: int) -> Iterator[int]:
    """An empty lease that nobody has locked: its reader was killed, unless it was made in the last minute."""
    import time

    if time.time() - os.fstat(handle).st_mtime < 60:
        yield 0
    else:
        path.unlink(missing_ok=True)
