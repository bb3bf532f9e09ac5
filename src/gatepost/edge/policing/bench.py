"""The bench that hears both protocols: memory, locks and the record of what was answered.

Nothing here may stop a login: whatever goes wrong is told once, and the attempt goes on.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gatepost.edge.policing import store
from gatepost.errors import GatepostError
from gatepost.policing import judging, record
from gatepost.policing.attempt import ALLOW, Answer, Attempt, Ended
from gatepost.policing.limits import Limits
from gatepost.policing.memory import DAY, Known, Memory

FRESH = 1.0  # seconds that locks are believed without another look
KEEPING = 30.0  # seconds between two savings of what is known
LARGEST_RECORD = 64 << 20  # bytes of the file before it is put aside
RECORD = "policyd.log"


@dataclass(slots=True)
class Bench:
    """`clock` is handed in, so that a test need not wait."""

    directory: Path
    limits: Limits = field(default_factory=Limits)
    log_only: bool = False
    clock: Callable[[], float] = time.time
    complain: Callable[[str], None] = lambda _: None
    memory: Memory = field(init=False)
    answered: int = 0
    _locks: Mapping[str, judging.Lock] = field(default_factory=dict)
    _slowed: frozenset[str] = frozenset()
    _looked: float = 0.0
    _saved: float = 0.0
    _host: str = field(default_factory=socket.gethostname)

    def __post_init__(self) -> None:
        self.memory = Memory(self.limits)
        self.memory.recall(store.known(self.directory, self._horizon()))
        self._saved = self.clock()

    def recall(self, known: tuple[Known, ...]) -> None:
        """What the lake tells of earlier logins."""
        self.memory.recall(known)

    def ask(self, attempt: Attempt) -> Answer:
        now = self.clock()
        try:
            locks = self._now_locked(now)
            if attempt.stage == "login":
                answer = judging.login(attempt, self.memory, locks, now, self._slowed)
            else:
                answer = judging.sending(attempt, self.memory, locks, now)
        except Exception as error:  # noqa: BLE001 - a defect of ours must not keep anybody from their mail
            self.complain(f"let an attempt pass: {type(error).__name__}: {error}")
            answer = ALLOW
        self.answered += 1
        if attempt.user:
            self._write(record.asked(attempt, answer), now)
        return ALLOW if self.log_only else answer

    def told(self, ended: Ended) -> None:
        now = self.clock()
        self.memory.note(ended, now)
        self._write(record.told(ended), now)
        if now - self._saved > KEEPING:
            self.save()

    def save(self) -> None:
        """What is known outlives us; without a disk it lives as long as we do."""
        self._saved = self.clock()
        try:
            store.remember(self.directory, self.memory.acquaintances(), self._horizon())
        except GatepostError as error:
            self.complain(str(error))

    def _now_locked(self, now: float) -> Mapping[str, judging.Lock]:
        if not 0 <= now - self._looked < FRESH:
            self._looked = now
            try:
                self._locks = store.locks(self.directory, now)
                self._slowed = store.slowed(self.directory, now)
            except GatepostError as error:  # the locks seen last still hold
                self.complain(str(error))
        return self._locks

    def _write(self, message: str, now: float) -> None:
        path = self.directory / RECORD
        try:
            if path.exists() and path.stat().st_size > LARGEST_RECORD:
                path.replace(path.with_name(f"{RECORD}.1"))
            with open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a", encoding="ascii") as out:  # noqa: PTH123 - the mode at creation
                out.write(record.line(now, self._host, os.getpid(), message))
        except OSError as error:
            with suppress(Exception):
                self.complain(f"{path}: {error.strerror}")

    def _horizon(self) -> float:
        return self.clock() - self.limits.remembered_days * DAY
