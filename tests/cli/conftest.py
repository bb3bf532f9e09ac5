"""Running the program as a person would, without a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from gatepost.cli.main import main


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str


Gatepost = Callable[..., Said]


@pytest.fixture
def gatepost(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Gatepost:
    def call(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["gatepost", *words])
        monkeypatch.setenv("COLUMNS", "100")  # whatever terminal the tests are run from
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(bool(end.code))
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call
