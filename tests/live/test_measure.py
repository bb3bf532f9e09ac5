"""The bench counts what it says it counts."""

from __future__ import annotations

import socket
import sys

import pytest

from lab.measure import Counter, run

HERE = "127.0.29.2"


@pytest.mark.live
def test_connections_are_counted_by_the_kernel() -> None:
    with socket.create_server((HERE, 0)) as server, Counter(HERE) as counter:
        if not counter.works:
            pytest.skip("counting connections needs root and nftables")
        for _ in range(3):
            socket.create_connection(server.getsockname()).close()
        assert counter.count() == 3


def test_a_command_is_measured_to_its_end() -> None:
    cost = run((sys.executable, "-c", "print('early'); print('late'); raise SystemExit(3)"), 30.0)
    assert (cost.status, cost.last) == (3, "late")
    assert cost.cpu > 0
    assert cost.megabytes > 1  # the caller's own size is in it until the command starts


def test_a_command_that_does_not_end_is_ended() -> None:
    cost = run((sys.executable, "-c", "while True: pass"), 0.3)
    assert cost.status == -9
    assert cost.wall < 10
