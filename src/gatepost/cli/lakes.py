"""The lake as commands read it: one that nothing was ever read into answers nothing, and that is said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gatepost.edge.lake.lake import Lake


def opened(state: Path) -> Lake:
    """For reading. Raises CannotLook where no log was read: an empty table would look like good news.

    A run that was stopped, by a full disk for instance, leaves lines that no session was made of: that is said.
    """
    from gatepost.edge.lake.lake import FOLDER, Lake
    from gatepost.errors import CannotLook

    lake = Lake.open(state / FOLDER)
    if not lake.sources():
        lake.close()
        raise CannotLook(
            f"no log was read into {state} yet: gatepost logs import /var/log/mail.log*, gatepost watch, or --state DIR"
        )
    _tell_what_is_missing(lake)
    return lake


def _tell_what_is_missing(lake: Lake) -> None:
    import sys

    from gatepost.edge.lake import deriving, holding
    from gatepost.errors import CannotLook
    from gatepost.report.tally import plural

    rows = deriving.behind(lake)
    nothing = rows and not lake.present("sessions")
    if not rows or (not nothing and holding.written(lake.directory)):  # the watch is at it
        return
    said = (
        f"{plural(rows, 'line')} in {lake.directory} are not put together to sessions yet: the last run was stopped; "
        "gatepost logs import with any file of before, or gatepost watch, goes on"
    )
    if nothing:
        lake.close()
        raise CannotLook(said)
    sys.stderr.write(f"gatepost: not counted here: {said}\n")
