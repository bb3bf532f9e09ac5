"""The systemd journal, read by its own program: one JSON object a line, and a cursor to go on from."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import IO

from gatepost.edge.logs.cutting import Cutter, Piece
from gatepost.errors import CannotLook, because
from gatepost.logs.journal import CURSOR
from gatepost.model.log import Chunk, Position, Shape

POLL = 0.1
BLOCK = 256 * 1024
PATIENCE = 2.0  # seconds for the program to end
TRIES = 3  # ends without one entry, before we give up
COMPLAINT = 4096  # bytes of standard error that are kept
FIELDS = "MESSAGE,_HOSTNAME,SYSLOG_IDENTIFIER,SYSLOG_PID,_PID,_COMM"
MAIL_AND_KERNEL = ("SYSLOG_FACILITY=2", "SYSLOG_FACILITY=0")


def journal(
    unit: str, position: Position | None, stop: threading.Event, *, more: tuple[str, ...] = (), ends: bool = False
) -> Iterator[Chunk]:
    """Entries of a unit (a glob too), or of the facilities mail and kernel where it is empty.

    A daemon that logs to its standard output has no facility: it is found by its unit. `more` goes to journalctl, such
    as `--directory`; `ends` reads what is there and stops. Raises CannotLook where journalctl is missing or refuses.
    """
    name = f"journal:{unit}" if unit else "journal"
    last = position or Position(name, Shape.JOURNAL, "", 0)
    fruitless = 0
    note = ""
    while not stop.is_set():
        reading = _Reading(_words(unit, last.cursor, more, ends=ends), last, stop, note)
        for chunk in reading.chunks():
            last, fruitless = chunk.after, 0
            yield chunk
        if ends and reading.code == 0:
            return
        fruitless += 1
        if fruitless >= TRIES and not stop.is_set():
            raise CannotLook(f"journalctl ends at once: {reading.complaint or f'status {reading.code}'}")
        note = f"journalctl ended and was started again: {reading.complaint or f'status {reading.code}'}"
        stop.wait(fruitless)


def _words(unit: str, cursor: str, more: tuple[str, ...], *, ends: bool) -> tuple[str, ...]:
    follow = () if ends else ("--follow", "--no-tail")
    after = (f"--after-cursor={cursor}",) if cursor else ()
    which = (f"--unit={unit}",) if unit else MAIL_AND_KERNEL
    return ("journalctl", "--output=json", f"--output-fields={FIELDS}", "--all", "--quiet", "--no-pager",
            *follow, *after, *more, *which)  # fmt: skip


@dataclass(slots=True)
class _Reading:
    words: tuple[str, ...]
    last: Position
    stop: threading.Event
    note: str = ""
    code: int = 0
    complaint: str = ""
    cutter: Cutter = field(default_factory=Cutter)

    def chunks(self) -> Iterator[Chunk]:
        try:
            child = subprocess.Popen(  # noqa: S603 - our own words; the unit stands behind its option
                self.words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise CannotLook(f"journalctl cannot be run: {because(error)}") from error
        self.cutter.start = self.last.offset
        try:
            yield from self._read(child)
        finally:
            _end(child)
            self.code = child.returncode

    def _read(self, child: subprocess.Popen[bytes]) -> Iterator[Chunk]:
        out, err = _pipes(child)
        with selectors.DefaultSelector() as ready:
            ready.register(out, selectors.EVENT_READ)
            ready.register(err, selectors.EVENT_READ)
            while out in ready.get_map() and not self.stop.is_set():
                for key, _ in ready.select(POLL):
                    block = os.read(key.fd, BLOCK)
                    if not block:
                        ready.unregister(key.fileobj)
                    elif key.fileobj is err:
                        self.complaint = (self.complaint + block.decode(errors="replace"))[-COMPLAINT:].strip()
                    else:
                        yield from map(self._chunk, self.cutter.feed(block))

    def _chunk(self, piece: Piece) -> Chunk:
        cursor, boot = _marks(piece.lines)
        generation = boot or self.last.generation
        self.last = replace(self.last, generation=generation, offset=piece.end, cursor=cursor or self.last.cursor)
        note, self.note = self.note, ""
        return Chunk(piece.lines, piece.start, self.last, "; ".join(filter(None, (note, piece.note))))


def _marks(lines: bytes) -> tuple[str, str]:
    """Cursor and boot of the last entry that is whole."""
    ends = len(lines) - 1
    while ends > 0:
        begins = lines.rfind(b"\n", 0, ends) + 1
        try:
            entry = json.loads(lines[begins:ends])
        except (ValueError, RecursionError):
            ends = begins - 1
            continue
        if isinstance(entry, dict) and isinstance(entry.get(CURSOR), str):
            return entry[CURSOR], str(entry.get("_BOOT_ID", ""))
        ends = begins - 1
    return "", ""


def _pipes(child: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if child.stdout is None or child.stderr is None:
        raise CannotLook("journalctl has no output")
    return child.stdout, child.stderr


def _end(child: subprocess.Popen[bytes]) -> None:
    """The whole session: journalctl may be a script on some machines."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(PATIENCE)
    for pipe in (child.stdout, child.stderr):
        if pipe:
            pipe.close()
