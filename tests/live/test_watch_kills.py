"""`gatepost watch` killed while lines are written and the log rotates: every line is taken once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.killed import run

pytestmark = pytest.mark.live


def test_every_line_once_whenever_it_is_killed(tmp_path: Path) -> None:
    told = run(tmp_path, 15, 5)
    assert (told.events, told.users) == (told.lines, told.lines)
    assert told.rotations > 1
    assert told.lines > 1000
    assert told.verified.startswith("✓ whole")
