"""The declaration a command works with: the file named, or the one in this directory."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from gatepost.declare import read
from gatepost.errors import UsageError, because
from gatepost.model.architecture import Architecture

DEFAULT_DECLARATION = Path("gatepost.toml")
DEFAULT_STATE = Path(".gatepost")
MAX_DECLARATION = 262_144  # octets


def load(path: Path | None) -> Architecture:
    """The declaration named, or the one in this directory, or an empty one."""
    if path is None:
        if not DEFAULT_DECLARATION.is_file():
            return Architecture()
        path = DEFAULT_DECLARATION
    try:
        if path.stat().st_size > MAX_DECLARATION:
            raise UsageError(f"{path}: larger than {MAX_DECLARATION} octets, this is no declaration")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {because(error)}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8 text") from None
    return read(text, str(path), today=today())


def today() -> date:
    return datetime.now(UTC).date()


def state(given: Path | None) -> Path | None:
    """The state directory named, or the one in this directory where there is one.

    It is tried before anything is looked at. Raises UsageError when it cannot be used.
    """
    chosen = given or (DEFAULT_STATE if DEFAULT_STATE.is_dir() else None)
    if chosen:
        from gatepost.edge.store import database

        with database(chosen):
            pass
    return chosen
