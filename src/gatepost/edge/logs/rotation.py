"""Where the rest of a log file lies that was rotated away: `mail.log.1`, `mail.log.2.gz`, `mail.log-20261124.xz`."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gatepost.edge.logs.archives import ENDINGS, generation_of, parts, same
from gatepost.errors import CannotLook

_ROTATED = re.compile(r"\.(?P<number>\d{1,4})|[.-](?P<date>\d{4}-?\d\d-?\d\d(?:[-_T]?\d{1,10})?)|\.(?P<word>old|0)")
MOST = 1000  # rotated files that are looked at
TRIES = 20


@dataclass(frozen=True, slots=True)
class Lying:
    path: str
    inode: int
    size: int = field(compare=False)


def elder(path: str) -> tuple[str, ...]:
    """The rotated files of a log, oldest first. One that lies there plain and compressed is named once."""
    here = Path(path)
    found: dict[str, tuple[tuple[int, int, str], str]] = {}
    try:
        names = [entry.name for entry in os.scandir(here.parent) if entry.name.startswith(here.name)]
    except OSError:
        return ()
    for name in sorted(names)[:MOST]:
        stem = _stem(name)
        rotated = _ROTATED.fullmatch(stem.removeprefix(here.name))
        if rotated and stem not in found:  # the plain one sorts first
            found[stem] = (_age(rotated), str(here.parent / name))
    return tuple(file for _, file in sorted(found.values()))


def located(path: str, generation: str, offset: int = 0) -> tuple[tuple[Lying, ...], int]:
    """The rotated files and the log itself, oldest first, and which of them a generation is; -1 where it is gone.

    Names move while we look, so a look counts when the next one agrees with it.
    """
    now = _look(path)
    for _ in range(TRIES):
        row, at = now, _find(now, generation, offset) if generation else -1
        now = _look(path)
        if now == row:
            return row, at
    return now, -1


def _find(row: Sequence[Lying], generation: str, offset: int) -> int:
    """Which has kept the inode comes first, then the newest that begins alike: a copy, or a compressed one."""
    noted = parts(generation)[0]
    alike = [n for n, one in enumerate(row) if same(generation, one.path) and _long_enough(one, offset)]
    kept = [n for n in alike if row[n].inode == noted]
    return (kept or alike or [-1])[-1]


def alike(one: str, other: str) -> bool:
    """The other file begins with what the first one begins with."""
    try:
        return same(generation_of(one), other)
    except CannotLook:
        return False


def moved(one: Lying) -> bool:
    try:
        return os.stat(one.path).st_ino != one.inode  # noqa: PTH116 - a path is text here, as in a position
    except OSError:
        return True


def _look(path: str) -> tuple[Lying, ...]:
    found = []
    for one in (*elder(path), path):
        with suppress(OSError):
            seen = os.stat(one)  # noqa: PTH116 - a path is text here, as in a position
            found.append(Lying(one, seen.st_ino, seen.st_size))
    return tuple(found)


def _long_enough(one: Lying, offset: int) -> bool:
    return one.path.endswith(ENDINGS) or one.size >= offset


def _stem(name: str) -> str:
    for ending in ENDINGS:
        if name.endswith(ending):
            return name[: -len(ending)]
    return name


def _age(rotated: re.Match[str]) -> tuple[int, int, str]:
    """A number counts up with age, a date does not."""
    if rotated["number"]:
        return (0, -int(rotated["number"]), "")
    return (1, 0, rotated["date"] or "")
