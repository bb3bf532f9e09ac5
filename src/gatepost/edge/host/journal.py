"""Every apply on record, one file each: written to the disk itself before anything is changed.

Files, not the database: a record must outlive a power cut, and be readable while another run writes. What a record says
is carried out on hosts, so one that somebody else may have written is refused, and no link is followed.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gatepost.edge.host.readiness import HOST_NAME
from gatepost.errors import CannotLook, UsageError, because
from gatepost.model.plan import Applied, Ending
from gatepost.report.plain import NotPlain, from_plain, mapping, to_plain

SCHEMA = "gatepost/applied/1"
DIRECTORY, LOCK = "applied", "apply.lock"
KEEP = "keep"  # what an operator says
LARGEST = 64 * 1024 * 1024  # octets of one record
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@contextmanager
def locked(state: Path, who: str) -> Iterator[None]:
    """One apply at a time from this state directory; released by the kernel, whatever becomes of us.

    Raises CannotLook with the holder's words.
    """
    with _blaming(state):
        state.mkdir(parents=True, exist_ok=True)
        lock = os.open(state / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        with _blaming(state):
            _take(lock, state)
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{who}\n".encode(), 0)
        yield
        with _blaming(state):
            os.ftruncate(lock, 0)
    finally:
        os.close(lock)


def _take(lock: int, state: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotLook(f"another apply is under way: {holder(state) or 'by an unknown process'}") from None


def holder(state: Path) -> str:
    try:
        return (state / LOCK).read_text(encoding="utf-8", errors="replace").strip()[:200]
    except OSError:
        return ""


def write(state: Path, applied: Applied) -> None:
    """Replace the record in one step, on the disk when this returns. Raises UsageError when it cannot be written."""
    text = json.dumps({"schema": SCHEMA, **mapping(to_plain(applied), "")}, indent=1)
    with _blaming(state):
        directory = state / DIRECTORY
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = directory / f".{applied.id}.partial"
        _put(partial, text)
        partial.replace(directory / f"{applied.id}.json")
        _fsync(directory)
        _fsync(state)


def records(state: Path) -> tuple[Applied, ...]:
    """Oldest first. Raises UsageError for a record that cannot be read: what it says of a host must not be lost."""
    with _blaming(state):
        if not state.exists() or not any(one.name == DIRECTORY for one in state.iterdir()):
            return ()
        _refuse_strangers(state / DIRECTORY, (state / DIRECTORY).lstat())
        found = [_read(path) for path in (state / DIRECTORY).glob("*.json") if NAME.fullmatch(path.stem)]
    return tuple(sorted(found, key=lambda one: (one.started, one.id)))


def unfinished(state: Path) -> tuple[Applied, ...]:
    return tuple(one for one in records(state) if one.ending is Ending.UNFINISHED)


def forget(state: Path, name: str) -> None:
    """Of an apply that came to nothing before anything was changed."""
    with _blaming(state):
        (state / DIRECTORY / f"{name}.json").unlink(missing_ok=True)


def ask(state: Path, name: str) -> None:
    """From now on another session may say that this apply is kept, see `answer`."""
    with _blaming(state):
        _put(_asking(state, name), "asked\n")


def asked(state: Path, name: str) -> bool:
    return _asking(state, name).exists()


def answer(state: Path, name: str) -> None:
    with _blaming(state):
        _put(_asking(state, name), f"{KEEP}\n")


def answered(state: Path, name: str) -> bool:
    with _blaming(state):
        return asked(state, name) and _asking(state, name).read_text(encoding="utf-8").strip() == KEEP


def asked_no_more(state: Path, name: str) -> None:
    with _blaming(state):
        _asking(state, name).unlink(missing_ok=True)


def _asking(state: Path, name: str) -> Path:
    return state / DIRECTORY / f"{name}.confirm"


def named(state: Path, plan: str) -> str:
    """The id of the next apply of this plan. Raises UsageError for a plan whose id is no name."""
    if not NAME.fullmatch(plan):
        raise UsageError(f"{plan[:80]!r} is no name for a plan: letters, digits, dots and hyphens, at most 64")
    used = {one.id for one in records(state)}
    numbered = (f"{plan[:58]}-{n}" for n in range(2, len(used) + 3))
    return next(name for name in (plan, *numbered) if name not in used)


def _read(path: Path) -> Applied:
    try:
        found = from_plain(Applied, json.loads(_text(path)))
    except (ValueError, RecursionError):
        raise UsageError(f"{path}: not a record of an apply") from None
    except NotPlain as error:
        raise UsageError(f"{path}: {error}") from None
    if found.id != path.stem or not all(HOST_NAME.fullmatch(host) for host, _ in found.ways):
        raise UsageError(f"{path}: not a record of an apply")  # its names lead to directories on hosts
    return found


def _text(path: Path) -> str:
    """Raises ValueError for what is no text of ours."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        state = os.fstat(file.fileno())
        _refuse_strangers(path, state)
        if state.st_size > LARGEST:
            raise UsageError(f"{path}: too large for a record")
        return file.read(LARGEST).decode() if stat.S_ISREG(state.st_mode) else ""


def _refuse_strangers(path: Path, state: os.stat_result) -> None:
    """Behind sudo, what the person wrote before is his."""
    ours = {0, os.geteuid()}
    if os.geteuid() == 0 and os.environ.get("SUDO_UID", "").isdecimal():
        ours.add(int(os.environ["SUDO_UID"]))
    if state.st_uid not in ours or state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UsageError(
            f"{path}: others may have written it, and what it says would be done: look, then chown or chmod"
        )


def _put(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _fsync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _blaming(state: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"--state {state}: {because(error)}") from None
