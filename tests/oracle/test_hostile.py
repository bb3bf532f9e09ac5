"""Peers that flood instead of shaking hands: each ends within the patience given, and nobody else waits for it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gatepost.edge.net import Patience, connect
from gatepost.errors import GatepostError

pytestmark = pytest.mark.live

PATIENCE = Patience(connect=2.0, answer=1.0, whole=1.5)
SLACK = 3.0  # seconds a loaded machine may add
# In another process, because in earnest it is: the starved loop must be ours alone.
FLOODER = """
import socket, sys, time
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
peer, _ = listener.accept()
peer.recv(1)
ends = time.monotonic() + 10  # longer than anybody should listen
try:
    while time.monotonic() < ends:
        peer.sendall(bytes.fromhex(sys.argv[1]))
except OSError:
    pass
"""


def record(content: int, body: bytes) -> bytes:
    return bytes([content, 3, 3]) + len(body).to_bytes(2, "big") + body


FLOODS = [
    pytest.param(record(22, bytes(4)) * 200, id="hello-requests"),
    pytest.param(record(22, b"") * 200, id="empty-records"),
    pytest.param(record(21, b"\x01\x70") * 200, id="warnings"),
    pytest.param(record(20, b"\x01") * 200, id="cipher-changes"),
    pytest.param(b"220 still clear\r\n" * 200, id="clear-text"),
]


@pytest.mark.parametrize("data", FLOODS)
def test_a_flood_instead_of_a_handshake_starves_nobody(data: bytes) -> None:
    with _flooder(data) as port:
        taken, ticks = asyncio.run(_handshake(port))
    assert taken < PATIENCE.whole + SLACK
    assert ticks >= int(taken)  # of a tenth of a second each


@contextmanager
def _flooder(data: bytes) -> Iterator[int]:
    running = subprocess.Popen([sys.executable, "-c", FLOODER, data.hex()], stdout=subprocess.PIPE)
    try:
        assert running.stdout is not None
        yield int(running.stdout.readline())
    finally:
        running.kill()
        running.communicate()


async def _handshake(port: int) -> tuple[float, int]:
    """Seconds until it was given up, and how often another task could run meanwhile."""
    ticks = 0

    async def count() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.1)
            ticks += 1

    counting, began = asyncio.create_task(count()), time.monotonic()
    wire = await connect("127.0.0.1", port, PATIENCE)
    try:
        with pytest.raises(GatepostError):
            await wire.start_tls("mail.lab.test")
        return time.monotonic() - began, ticks
    finally:
        counting.cancel()
        await wire.close()
