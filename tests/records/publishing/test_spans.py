"""Waiting times in words."""

from __future__ import annotations

import pytest

from gatepost.records.publishing.spans import span


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3540, "59 min"),
        (3599, "1 h"),
        (3600, "1 h"),
        (3601, "1 h 1 min"),
        (7199, "2 h"),
        (86399, "1 d"),
        (86400, "1 d"),
        (90000, "1 d 1 h"),
        (90001, "1 d 2 h"),
        (604800, "7 d"),
    ],
)
def test_spans_round_up(seconds: int, words: str) -> None:
    assert span(seconds) == words
