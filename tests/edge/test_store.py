"""Since when a finding is open: remembered, and counted anew after a return."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gatepost.edge.store import remember
from gatepost.errors import UsageError
from gatepost.model.finding import Finding
from gatepost.model.words import Outcome, Role, Severity

DAY = timedelta(days=1)
START = datetime(2026, 11, 1, tzinfo=UTC)


def finding(outcome: Outcome) -> Finding:
    return Finding(
        "GP-TLS-002", "judge", "mx.test:465", Role.SUBMISSION, outcome, Severity.HIGH, "why", (), "", ("mx.test:465",)
    )


def test_first_seen_stays_until_fixed_and_starts_again_after_a_return(tmp_path: Path) -> None:
    (one,) = remember(tmp_path, (finding(Outcome.FAIL),), START)
    (two,) = remember(tmp_path, (finding(Outcome.FAIL),), START + DAY)
    assert (one.first_seen, two.first_seen) == (START, START)
    (fine,) = remember(tmp_path, (finding(Outcome.PASS),), START + 2 * DAY)
    assert fine.first_seen is None
    (back,) = remember(tmp_path, (finding(Outcome.FAIL),), START + 3 * DAY)
    assert back.first_seen == START + 3 * DAY


def test_not_seen_is_not_fixed(tmp_path: Path) -> None:
    remember(tmp_path, (finding(Outcome.FAIL),), START)
    remember(tmp_path, (finding(Outcome.UNKNOWN),), START + DAY)
    (still,) = remember(tmp_path, (finding(Outcome.FAIL),), START + 2 * DAY)
    assert still.first_seen == START


def test_an_unusable_directory_is_the_operators_to_mend(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    with pytest.raises(UsageError, match="--state"):
        remember(blocked, (finding(Outcome.FAIL),), START)
