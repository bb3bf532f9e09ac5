"""Telling systemd that we run (sd_notify(3)), without its library: one datagram to a socket that it names."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from dataclasses import dataclass, field


@dataclass(slots=True)
class Notify:
    """Does nothing where nobody asked. `every` is half the time of the watchdog in seconds; 0 where there is none."""

    place: str = field(default_factory=lambda: os.environ.get("NOTIFY_SOCKET", ""))
    every: float = field(default_factory=lambda: _half(os.environ.get("WATCHDOG_USEC", "")))
    told: float = 0.0

    def say(self, *words: str) -> None:
        if not self.place.startswith(("/", "@")):
            return
        address = f"\0{self.place[1:]}" if self.place.startswith("@") else self.place
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            out.sendto("\n".join(words).encode(), address)

    def alive(self, now: float) -> None:
        """To be called often; `now` is of a steady clock."""
        if self.every and now - self.told >= self.every:
            self.told = now
            self.say("WATCHDOG=1")


def _half(text: str) -> float:
    return int(text) / 2e6 if text.isascii() and text.isdecimal() else 0.0
