"""Two hundred small hosts on loopback, in a process of their own: `python -m lab.crowd DIRECTORY COUNT`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from gatepost.demo.habits import Habits
from gatepost.demo.world import Place, Stall, open_world

DOMAIN = "crowd.test"
PORTS = (10465, 10993)


def places(count: int) -> tuple[Place, ...]:
    return tuple(_place(f"host{n:03}.{DOMAIN}", f"127.1.{n // 250}.{n % 250 + 1}") for n in range(count))


def _place(name: str, address: str) -> Place:
    submission = Habits("smtp", name=name, domain=name, submission=True, implicit=True)
    mailbox = Habits("imap", name=name, domain=name, implicit=True)
    return Place(name, address, (Stall(PORTS[0], "submissions", submission), Stall(PORTS[1], "imaps", mailbox)))


async def serve(directory: Path, count: int) -> None:
    """Until our standard input ends: whoever started us is then gone."""
    async with open_world(directory, places(count)):
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
