"""The budget: counted, capped, given back."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gatepost.edge.dialer import Budget, Dialer, HostGate
from gatepost.edge.net import Patience
from gatepost.errors import BudgetSpent, PeerUnreachable
from gatepost.model.architecture import Endpoint


async def _listening() -> tuple[asyncio.Server, Endpoint]:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, Endpoint("here.test", "127.0.0.1", server.sockets[0].getsockname()[1])


def test_the_budget_is_a_hard_cap() -> None:
    async def go() -> int:
        server, at = await _listening()
        dial = Dialer(at, HostGate(), Budget(connections=2))
        async with server:
            for _ in range(2):
                wire = await dial()
                assert await wire.read() == b"220 here\r\n"
                await wire.close()
            with pytest.raises(BudgetSpent, match="2 connections"):
                await dial()
        return dial.used

    assert asyncio.run(go()) == 2


def test_a_place_is_given_back_on_close_and_only_once() -> None:
    async def go() -> None:
        server, at = await _listening()
        gate = HostGate(at_once=1)
        dial = Dialer(at, gate, Budget(connections=5, at_once=1))
        async with server:
            first = await dial()
            second = asyncio.create_task(dial())
            await asyncio.sleep(0)
            assert not second.done()
            await first.close()
            await first.close()
            wire = await asyncio.wait_for(second, 5)
            third = asyncio.create_task(dial())
            await asyncio.sleep(0)
            assert not third.done()
            await wire.close()
            await (await asyncio.wait_for(third, 5)).close()

    asyncio.run(go())


def test_a_refused_port_is_told_from_a_lost_packet_and_gives_its_place_back() -> None:
    async def go() -> None:
        server, at = await _listening()
        server.close()
        await server.wait_closed()
        dial = Dialer(at, HostGate(at_once=1), Budget(connections=9, at_once=1))
        for _ in range(3):
            with pytest.raises(PeerUnreachable, match="connection refused") as refused:
                await dial()
            assert refused.value.refused

    asyncio.run(go())


@contextmanager
def _silent() -> Iterator[socket.socket]:
    """A port whose queue is full with one connection: Linux drops what asks for more, and is asked again later."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        listener.setblocking(False)
        with socket.create_connection(listener.getsockname()):
            yield listener


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux is silent when a queue is full")
def test_a_silent_port_holds_no_place_until_it_answers() -> None:
    async def go() -> None:
        server, at = await _listening()
        gate = HostGate(at_once=1)
        with _silent() as listener:
            silent = Endpoint("here.test", "127.0.0.1", listener.getsockname()[1])
            waiting = asyncio.create_task(Dialer(silent, gate, patience=Patience(connect=30.0))())
            await asyncio.sleep(0)
            async with server:
                wire = await asyncio.wait_for(Dialer(at, gate)(), 20)
                assert not waiting.done()
                await _answered(listener)
                assert not waiting.done(), "the only place is taken"
                await wire.close()
                late = await asyncio.wait_for(waiting, 20)
                assert gate.gate.locked()
                await late.close()
                assert not gate.gate.locked()

    asyncio.run(go())


async def _answered(listener: socket.socket) -> None:
    """Makes room in the queue, and takes the connection that waited for it."""
    for _ in range(2):
        taken, _address = await asyncio.get_running_loop().sock_accept(listener)
        taken.close()


def test_a_rate_spaces_connections() -> None:
    async def go() -> float:
        server, at = await _listening()
        dial = Dialer(at, HostGate(), Budget(connections=4, rate=600.0))
        begin = time.monotonic()
        async with server:
            for _ in range(3):
                await (await dial()).close()
        return time.monotonic() - begin

    assert asyncio.run(go()) >= 0.2  # two gaps of a tenth of a second
