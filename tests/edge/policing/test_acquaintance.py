"""Networks that policyd learns from the lake."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from gatepost.edge.lake.lake import Lake
from gatepost.edge.policing.acquaintance import from_lake
from gatepost.lake.columns import USAGE


def test_learns_who_logged_in_from_where(tmp_path: Path) -> None:
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)
    row = {
        "at": day,
        "direction": "in",
        "user": "Alice@Example.org",
        "network": "192.0.2.0/24",
        "first": day,
        "last": day,
    }
    rows = [row, row | {"user": ""}, row | {"user": "b", "direction": "out"}]
    with Lake.open(tmp_path, write=True) as lake:
        lake.replace("usage", day.date(), pa.Table.from_pylist(rows, schema=USAGE))
        lake.commit()
    (known,) = from_lake(tmp_path, 90)
    assert (known.user, known.network, known.first) == ("alice@example.org", "192.0.2.0/24", day.timestamp())
    assert from_lake(tmp_path, 1) == ()
