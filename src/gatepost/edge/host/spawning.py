"""Running one program on this machine, within bounds of time and output, and leaving nothing of it behind.

Output is bounded while it is read. The end is the end of the program, not of its output: a daemon that it started may
keep the pipes open for days (ssh does so for a shared connection).
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO

BLOCK = 65536
LARGEST_COMPLAINT = 1024 * 1024  # bytes of standard error that are kept
TICK = 0.05  # seconds between looks at a program that closed or passed on its output


@dataclass(frozen=True, slots=True)
class Ended:
    """`why` tells why there is no exit status to trust."""

    code: int
    out: bytes = b""
    err: bytes = b""
    why: str = ""


def spawn(words: Sequence[str], stdin: bytes, *, patience: float, largest: int) -> Ended:
    """Raises OSError when the program cannot be started at all."""
    child = subprocess.Popen(  # noqa: S603 - the words are ours, or the operator's declaration
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    talk = _Talk(child, stdin, time.monotonic() + patience, largest)
    try:
        why = talk.through()
    finally:
        if child.poll() is None:
            _kill(child)
        talk.close()
    why = f"no end within {patience:g} s" if why == _LATE else why
    return Ended(child.returncode, bytes(talk.out), bytes(talk.err), why)


def _kill(child: subprocess.Popen[bytes]) -> None:
    """The whole session: a shell that is killed alone leaves what it started to go on."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


_LATE = "late"


@dataclass(slots=True)
class _Talk:
    child: subprocess.Popen[bytes]
    left: bytes
    deadline: float
    largest: int
    out: bytearray = field(default_factory=bytearray)
    err: bytearray = field(default_factory=bytearray)
    ready: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def through(self) -> str:
        """Until the program has ended; else why not."""
        for pipe, event, act in (
            (self.child.stdin, selectors.EVENT_WRITE, self._write),
            (self.child.stdout, selectors.EVENT_READ, self._read_out),
            (self.child.stderr, selectors.EVENT_READ, self._read_err),
        ):
            if pipe:
                os.set_blocking(pipe.fileno(), False)
                self.ready.register(pipe, event, act)
        while True:
            ended = self.child.poll() is not None
            moved = self._move(0.0 if ended else TICK)
            if len(self.out) > self.largest:
                return f"more than {self.largest // 1048576 or 1} MB of output"
            if ended and not moved:
                return ""
            if time.monotonic() > self.deadline:
                return "" if ended else _LATE

    def _move(self, patience: float) -> bool:
        """Whether anything could be read or written."""
        if not self.ready.get_map():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(patience)
            return False
        moved = False
        for key, _ in self.ready.select(patience):
            moved |= key.data(key.fd)
        return moved

    def _write(self, pipe: int) -> bool:
        try:
            self.left = self.left[os.write(pipe, self.left[:BLOCK]) :] if self.left else b""
        except BrokenPipeError:
            self.left = b""
        except BlockingIOError:
            return False
        if not self.left:
            self._done(self.child.stdin)
        return bool(self.left)

    def _read_out(self, pipe: int) -> bool:
        block = os.read(pipe, BLOCK)
        self.out += block
        return self._more(block, self.child.stdout)

    def _read_err(self, pipe: int) -> bool:
        block = os.read(pipe, BLOCK)
        self.err += block[: max(0, LARGEST_COMPLAINT - len(self.err))]
        return self._more(block, self.child.stderr)

    def _more(self, block: bytes, pipe: IO[bytes] | None) -> bool:
        if not block:
            self._done(pipe)
        return bool(block)

    def _done(self, pipe: IO[bytes] | None) -> None:
        if pipe:
            self.ready.unregister(pipe)
            pipe.close()

    def close(self) -> None:
        self.ready.close()
        for pipe in (self.child.stdin, self.child.stdout, self.child.stderr):
            if pipe and not pipe.closed:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
