"""What every command that plans or changes does first: end an apply that was cut off, and say which way it went."""

from __future__ import annotations

import getpass
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from gatepost.model.plan import Applied

FINISH = "gatepost rollback finishes it"


def settle(state: Path | None, backups: str | None = None) -> tuple[Applied, ...]:
    """Told on stderr. Raises UsageError for a state directory that cannot be used.

    Nobody is asked, so only scripts in the usual directory of the host are run, or in the one the operator names: the
    state directory may have come with somebody else's files.
    """
    from dataclasses import replace
    from datetime import UTC, datetime

    from gatepost.cli import telling
    from gatepost.cli.declared import DEFAULT_STATE
    from gatepost.edge.host.hand import ROOT
    from gatepost.edge.host.mending import cut_off, settled
    from gatepost.edge.host.runner import Ways
    from gatepost.report.applied import mended

    directory, trusted = state or DEFAULT_STATE, {ROOT, backups or ROOT}
    with Ways() as ways:
        found = settled(directory, ways.to, datetime.now(UTC), who(), trusted)
    left = [one for one in cut_off(directory) if one.backups not in trusted]
    for one in (*found, *(replace(one, why=f"its backups are in {one.backups}: {FINISH}") for one in left)):
        sys.stderr.write(mended(one, width=telling.width(), colour=sys.stderr.isatty() and telling.colour()))
    return found


def settle_elsewhere(state: Path, *, sure: bool) -> tuple[Applied, ...]:
    """The same for other directories, when the operator agrees.

    Raises UsageError when nobody is there to be asked, and Exit when the operator says no.
    """
    from gatepost.cli.carrying import agreed
    from gatepost.edge.host.hand import ROOT
    from gatepost.edge.host.mending import cut_off
    from gatepost.errors import UsageError
    from gatepost.report.escape import printable

    found: list[Applied] = []
    for name in sorted({one.backups for one in cut_off(state)} - {ROOT}):
        if not sure and not sys.stdin.isatty():
            raise UsageError("nobody is there to be asked: pass --yes to finish it")
        if not sure and not agreed(f"run the scripts in {printable(name)} to finish it?"):
            raise typer.Exit(1)
        found += settle(state, name)
    return tuple(found)


def who() -> str:
    """`alice@admin1`: the person, also behind sudo."""
    try:
        user = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a number without a name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
