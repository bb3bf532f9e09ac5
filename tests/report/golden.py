"""Output kept as files: `GATEPOST_GOLDEN=write pytest tests/report` writes them anew, to be read in the diff."""

from __future__ import annotations

import os
from pathlib import Path

DATA = Path(__file__).parent / "data"


def golden(name: str, made: str) -> str:
    """What the file says. Compare it with `made`."""
    path = DATA / name
    if os.environ.get("GATEPOST_GOLDEN") == "write":
        path.write_text(made, encoding="utf-8", newline="")
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()
