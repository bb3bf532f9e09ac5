"""The values of one answer, read each for itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from gatepost.errors import PeerGarbled

MAX_RECORDS = 64  # of one kind at one name

Row = TypeVar("Row")


def read(values: Sequence[str], parse: Callable[[str], Row]) -> tuple[list[Row], list[str]]:
    """A record that cannot be read is a problem and left out; it costs no other."""
    kept: list[Row] = []
    problems: list[str] = []
    for value in values[:MAX_RECORDS]:
        try:
            kept.append(parse(value))
        except PeerGarbled as error:
            problems.append(str(error))
    if len(values) > MAX_RECORDS:
        problems.append(f"{len(values)} records, of which the first {MAX_RECORDS} were read")
    return kept, problems
