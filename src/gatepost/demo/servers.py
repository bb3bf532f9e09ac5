"""Listeners: one per `Habits`, each connection a session of its protocol."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count

from OpenSSL import SSL

from gatepost.demo import imap, pop3, sieve, smtp
from gatepost.demo.answerer import Answerer
from gatepost.demo.authority import Papers
from gatepost.demo.habits import Habits
from gatepost.demo.security import context
from gatepost.demo.stream import Gone, Stream

SESSIONS: dict[str, Callable[[Stream, Habits, SSL.Context], smtp.Session | imap.Session | pop3.Session | sieve.Session]]
SESSIONS = {
    "imap": imap.Session,
    "lmtp": smtp.Session,
    "managesieve": sieve.Session,
    "pop3": pop3.Session,
    "smtp": smtp.Session,
}
LIMITED = {"imap": "* BYE too many connections", "managesieve": 'BYE "too many connections"'}
LONGEST = 120.0  # seconds one connection may last
Handler = Callable[[Stream], Awaitable[None]]


def mail(habits: Habits, papers: Papers) -> Handler:
    """A server with these habits, as what one connection gets."""
    tls = context(papers, habits.tls)
    connections = count(1)
    answerer = Answerer.holding(habits.fake, papers) if habits.fake else None

    async def handle(stream: Stream) -> None:
        stream.answerer = answerer
        if habits.connections and next(connections) > habits.connections:
            await stream.say(LIMITED.get(habits.protocol, f"421 4.7.0 {habits.name} too many connections"))
            return
        await SESSIONS[habits.protocol](stream, habits, tls).run()

    return handle


@asynccontextmanager
async def listening(handler: Handler, address: str, port: int) -> AsyncIterator[int]:
    """A listener while the block runs; yields its port (port 0: any free one). Open connections end with it."""
    running: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this in a task
        running.add(task)
        try:
            await _serve(handler, reader, writer)
        finally:
            running.discard(task)

    server = await asyncio.start_server(accept, address, port, backlog=256)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _serve(handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        async with asyncio.timeout(LONGEST):
            await handler(Stream(reader, writer))
    except (Gone, TimeoutError, OSError, asyncio.CancelledError):
        pass  # a client that leaves is none of our business, nor is one we leave
    finally:
        writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()


@asynccontextmanager
async def listeners(handlers: dict[int, Handler], address: str) -> AsyncIterator[dict[int, int]]:
    """Several listeners on one address; yields the port each wanted port got (its own, unless it was taken)."""
    async with AsyncExitStack() as stack:
        got: dict[int, int] = {}
        for wanted, handler in handlers.items():
            try:
                got[wanted] = await stack.enter_async_context(listening(handler, address, wanted))
            except OSError:
                got[wanted] = await stack.enter_async_context(listening(handler, address, 0))
        yield got
