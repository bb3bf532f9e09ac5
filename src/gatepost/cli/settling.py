"""What every command that plans or changes does first: end an apply that was cut off, and say which way it went."""

from __future__ import annotations

import getpass
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gatepost.model.plan import Applied


def settle(state: Path | None) -> tuple[Applied, ...]:
    """Told on stderr. Raises UsageError for a state directory that cannot be used."""
    from datetime import UTC, datetime

    from gatepost.cli import telling
    from gatepost.cli.declared import DEFAULT_STATE
    from gatepost.edge.mending import settled
    from gatepost.edge.runner import Ways
    from gatepost.report.applied import mended

    with Ways() as ways:
        found = settled(state or DEFAULT_STATE, ways.to, datetime.now(UTC), who())
    for one in found:
        sys.stderr.write(mended(one, width=telling.width(), colour=sys.stderr.isatty() and telling.colour()))
    return found


def who() -> str:
    """`alice@admin1`: the person, also behind sudo."""
    try:
        user = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a number without a name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
