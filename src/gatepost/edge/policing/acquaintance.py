"""What the lake tells policyd when it starts: the networks that accounts logged in from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from gatepost.edge.lake.lake import Lake
from gatepost.policing.attempt import account
from gatepost.policing.memory import Known

KNOWN = """
SELECT "user", network, epoch(min(first)), epoch(max(last)) FROM usage
WHERE direction = 'in' AND "user" <> '' AND network <> '' AND "at" >= ? GROUP BY ALL ORDER BY max(last)
"""


def from_lake(directory: Path, days: int) -> tuple[Known, ...]:
    """Oldest first. Raises UsageError for a lake that cannot be read."""
    since = datetime.now(UTC) - timedelta(days=days)
    with Lake.open(directory) as lake, lake.connect() as connection:
        rows = connection.execute(KNOWN, [since]).fetchall()
    return tuple(Known(account(user), network, first, last) for user, network, first, last in rows)
