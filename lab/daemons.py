"""Stopping daemons for good: a master and everything in its process group, whether or not it wants to."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

GRACE = 10.0  # seconds


def master(pid_file: Path, name: bytes) -> int | None:
    """The process a pid file names, when it lives and is what it should be. A dead one has no command line."""
    try:
        pid = int(pid_file.read_text())
        return pid if name in Path(f"/proc/{pid}/cmdline").read_bytes() else None
    except (OSError, ValueError):
        return None


def stop(masters: Iterable[int]) -> None:
    """Ask all of them at once, wait, and insist. Postfix and Dovecot make their master the leader of its group."""
    groups = set(masters)
    for pid in groups:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while (left := groups & _living_groups()) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def end(pids: Iterable[int]) -> None:
    """The same for single processes, of which some may lead no group."""
    left = set(pids)
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        deadline = time.monotonic() + GRACE
        while left and time.monotonic() < deadline:
            left = {pid for pid in left if _alive(pid)}
            time.sleep(0.02 if left else 0)


def _alive(pid: int) -> bool:
    """A zombie is not: whoever started it may still look at it, but it does nothing any more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def _living_groups() -> set[int]:
    """Process groups with at least one member that is not a zombie (proc(5): state and group follow the name)."""
    found: set[int] = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, IndexError, ValueError):
            state, _parent, group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            if state != "Z":
                found.add(int(group))
    return found
