"""The lake as commands read it: one that nothing was ever read into answers nothing, and that is said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gatepost.edge.lake.lake import Lake


def opened(state: Path) -> Lake:
    """For reading. Raises CannotLook where no log was read: an empty table would look like good news."""
    from gatepost.edge.lake.lake import FOLDER, Lake
    from gatepost.errors import CannotLook

    lake = Lake.open(state / FOLDER)
    if not lake.sources():
        lake.close()
        raise CannotLook(
            f"no log was read into {state} yet: gatepost logs import /var/log/mail.log*, gatepost watch, or --state DIR"
        )
    return lake
