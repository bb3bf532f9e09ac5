"""Work in a process of its own."""

from __future__ import annotations

import os
import sys
import threading
import time

import pytest

from gatepost.edge.apart import apart
from gatepost.errors import CannotLook, UsageError


def pid_and(value: object) -> tuple[int, object]:
    sys.stdout.write("nobody reads this\n")
    return os.getpid(), value


def refuse(said: str) -> None:
    raise UsageError(said)


def break_down() -> None:
    os._exit(7)


def sleep() -> None:
    time.sleep(60)


def test_it_is_done_elsewhere_and_handed_back() -> None:
    pid, value = apart(pid_and, {"a": (1, "ä", b"\xff" * 100_000)})
    assert pid != os.getpid()
    assert value == {"a": (1, "ä", b"\xff" * 100_000)}


def test_what_it_raises_on_purpose_is_raised_here() -> None:
    with pytest.raises(UsageError, match="like this"):
        apart(refuse, "not like this")


def test_a_process_that_breaks_down_is_told() -> None:
    with pytest.raises(CannotLook, match=r"break_down .* ended with 7"):
        apart(break_down)


def test_it_can_be_stopped() -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    begun = time.monotonic()
    with pytest.raises(CannotLook, match="stopped"):
        apart(sleep, stop=stop)
    assert time.monotonic() - begun < 30
