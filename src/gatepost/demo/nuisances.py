"""Peers that speak no mail protocol well, or not at all: each a handler for `servers.listening`."""

from __future__ import annotations

import asyncio
import socket
import struct

from gatepost.demo.servers import Handler
from gatepost.demo.stream import Gone, Stream

FOREVER = 3600.0
FLOOD = b"220-" + b"so much to say " * 60 + b"\r\n"


async def silent(stream: Stream) -> None:
    """Accepts, and never says a word; hears everything out."""
    while await stream.raw():
        pass


async def mute_then_gone(_stream: Stream) -> None:
    """Accepts and closes."""


async def resets(stream: Stream) -> None:
    """Accepts, and resets once the client is surely there: a zero linger turns the close into RST."""
    await asyncio.sleep(0.2)
    sock = stream.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.writer.transport.abort()


async def floods(stream: Stream) -> None:
    """A greeting of continuation lines that never ends."""
    while True:
        await stream.send(FLOOD * 20)


async def endless_line(stream: Stream) -> None:
    await stream.send(b"220 ")
    while True:
        await stream.send(b"x" * 4096)


async def garbage(stream: Stream) -> None:
    await stream.send(bytes(range(128, 256)) * 4 + b"\r\n")
    await asyncio.sleep(FOREVER)


def says(first: bytes, *, then_closes: bool = False) -> Handler:
    """Greets with these bytes and answers nothing: HTTP, SSH, half a line, a refusal."""

    async def handle(stream: Stream) -> None:
        await stream.send(first)
        if not then_closes:
            await silent(stream)

    return handle


def drips(text: bytes, every: float) -> Handler:
    """One octet at a time: each read succeeds, nothing is ever finished."""

    async def handle(stream: Stream) -> None:
        for octet in text * 1000:
            await stream.send(bytes([octet]))
            await asyncio.sleep(every)

    return handle


async def http(stream: Stream) -> None:
    """A web server: silent until spoken to."""
    await stream.until((b"\r\n\r\n", b"\n\n", b"\r\n"))
    await stream.send(b"HTTP/1.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def stripping(address: str, port: int, keyword: bytes = b"STARTTLS", *, mangle: bool = False) -> Handler:
    """A device on the path to a good server that takes the upgrade out of what is offered.

    `mangle` writes X over it, as some firewalls do, and refuses the command when it is sent all the same.
    """

    async def handle(stream: Stream) -> None:
        reader, writer = await asyncio.open_connection(address, port)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_down(reader, stream, keyword, mangle=mangle))
                both.create_task(_up(stream, writer, keyword))
        except* (Gone, OSError):
            raise Gone from None
        finally:
            writer.close()

    return handle


async def _down(reader: asyncio.StreamReader, stream: Stream, keyword: bytes, *, mangle: bool) -> None:
    while line := await reader.readline():
        await stream.send(_mangled(line, keyword) if mangle else _stripped(line, keyword))
    raise Gone


def _mangled(line: bytes, keyword: bytes) -> bytes:
    return line.replace(keyword, b"X" * (len(keyword) - 1) + b"A")


def _stripped(line: bytes, keyword: bytes) -> bytes:
    if keyword not in line:
        return line
    if line.startswith(b"250 "):
        return b"250 HELP\r\n"  # the last line of a reply has to stay one
    alone = line.removeprefix(b"250-").strip().strip(b'"') == keyword
    return b"" if alone else line.replace(b" " + keyword, b"")


async def _up(stream: Stream, writer: asyncio.StreamWriter, keyword: bytes) -> None:
    while True:
        line = await stream.until((b"\n",))
        blocked = keyword in line.upper().split()
        writer.write((b"XXXXXXXX" if blocked else line) + b"\r\n")
        await writer.drain()
