"""The rule files an operator names, read from disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from gatepost.detect import rules
from gatepost.detect.rule import Rule
from gatepost.errors import DeclarationError, UsageError, because
from gatepost.model.watching import Watching

LARGEST = 1_000_000  # bytes of a file
MOST = 5000  # files


def load(watching: Watching, here: Path) -> tuple[Rule, ...]:
    """Ours and those of `watch.rules`, without `watch.off`. Raises DeclarationError with every problem at once."""
    loaded = read(watching, here)
    if loaded.problems:
        raise DeclarationError("rules", loaded.problems)
    return loaded.rules


def read(watching: Watching, here: Path) -> rules.Loaded:
    """The same with the problems beside the rules that have none. `here` is the directory of the declaration."""
    return rules.load(_texts([here / one for one in watching.rules]), watching.off)


def _texts(paths: Sequence[Path]) -> Iterator[tuple[str, str]]:
    for path in _files(paths):
        try:
            if path.stat().st_size > LARGEST:
                raise UsageError(f"{path}: larger than {LARGEST} bytes, this is no file of rules")
            yield str(path), path.read_text(encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{path}: {because(error)}") from None
        except UnicodeDecodeError:
            raise UsageError(f"{path}: not UTF-8 text") from None


def _files(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        inside = [one for ending in ("*.yml", "*.yaml") for one in path.rglob(ending)] if path.is_dir() else [path]
        found += sorted(inside)
        if len(found) > MOST:
            raise UsageError(f"{path}: more than {MOST} files of rules")
    return found
