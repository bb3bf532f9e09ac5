"""From the thread that reads to the one that takes: a queue that is full holds the reader up until it is all over."""

from __future__ import annotations

import queue
import threading
from typing import TypeVar

POLL = 0.1  # seconds

One = TypeVar("One")


def handed(waiting: queue.Queue[One], one: One, over: threading.Event) -> bool:
    """False when it was over before anybody took."""
    while not over.is_set():
        try:
            waiting.put(one, timeout=POLL)
        except queue.Full:
            continue
        return True
    return False
