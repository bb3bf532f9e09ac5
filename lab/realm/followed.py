"""When the bytes of a log came: what a delay is measured from."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

LOOK = 0.002  # seconds


@dataclass(slots=True)
class Growth:
    """The sizes of files over time, while the block around it lasts."""

    files: tuple[Path, ...]
    seen: list[tuple[float, Path, int]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        if self.thread:
            self.thread.join()

    def written(self, file: Path, offset: int) -> float:
        """When the byte at this offset was there, on the clock that all processes share."""
        return next(at for at, name, size in self.seen if name == file and size > offset)

    def _look(self) -> None:
        before = dict.fromkeys(self.files, -1)
        while not self.over.is_set():
            for file in self.files:
                size = file.stat().st_size
                if size != before[file]:
                    before[file] = size
                    self.seen.append((time.monotonic(), file, size))
            time.sleep(LOOK)
