"""kill -9 at any instant of append, commit, replace, compaction, masking and retention loses and doubles nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROUNDS = 60
ROOT = Path(__file__).parents[3]


@pytest.mark.live
def test_a_writer_killed_at_any_instant_leaves_what_it_committed(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.edge.lake.killing", str(tmp_path / "lake"), str(ROUNDS), "5"],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT}/src:{ROOT}", "PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
        timeout=110, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "chain whole" in ran.stdout
