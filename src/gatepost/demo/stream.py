"""The server's end of a connection: lines out of bytes it owns, and TLS through memory buffers.

Owning the bytes is the point: what a client sent behind STARTTLS is still there to be thrown away, as it
should be, or to be run inside TLS, as a faulty server does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from OpenSSL import SSL

from gatepost.demo.answerer import Answerer
from gatepost.errors import PeerGarbled
from gatepost.wire.tls.client_hello import read_client_hello

CHUNK = 16384
MAX_HELD = 1 << 20


class Gone(Exception):
    """The client left, or sent what no server has to bear."""


@dataclass(slots=True)
class Stream:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    held: bytearray = field(default_factory=bytearray)
    tls: SSL.Connection | None = None
    answerer: Answerer | None = None

    @property
    def encrypted(self) -> bool:
        return self.tls is not None

    async def line(self, *, bare_lf: bool = False) -> bytes:
        """The next line without its ending. A strict server ends lines at CRLF only."""
        return await self.until((b"\n",) if bare_lf else (b"\r\n",))

    async def until(self, ends: tuple[bytes, ...]) -> bytes:
        """Everything up to the first of `ends`, which is dropped."""
        while True:
            found = [(at, end) for end in ends if (at := self.held.find(end)) >= 0]
            if found:
                at, end = min(found)
                taken = bytes(self.held[:at])
                del self.held[: at + len(end)]
                return taken.removesuffix(b"\r") if end == b"\n" else taken
            if len(self.held) > MAX_HELD:
                raise Gone
            await self.more()

    async def more(self) -> None:
        data = await self._read()
        if not data:
            raise Gone
        self.held += data

    async def send(self, data: bytes) -> None:
        if self.tls is None:
            await self._out(data)
            return
        try:
            self.tls.sendall(data)
        except SSL.Error:
            raise Gone from None
        await self._flush()

    async def say(self, *lines: str) -> None:
        await self.send("".join(f"{line}\r\n" for line in lines).encode("latin-1"))

    async def start_tls(self, context: SSL.Context, *, keep: bool = False) -> None:
        """Handshake as the server. `keep` leaves bytes that came in clear in the buffer: the flaw of 2011."""
        if not keep:
            self.held.clear()
        first = await self._front() if self.answerer else b""
        self.tls = SSL.Connection(context, None)
        self.tls.set_accept_state()
        if first:
            self.tls.bio_write(first)
        while True:
            try:
                self.tls.do_handshake()
            except SSL.WantReadError:
                await self._flush()
                await self._refill()
            except SSL.Error:
                await self._flush()
                raise Gone from None
            else:
                await self._flush()
                return

    async def _front(self) -> bytes:
        """Let the answerer have the hello first; returns the bytes it left alone."""
        assert self.answerer is not None  # noqa: S101 - the caller looked
        first = b""
        try:
            while (hello := read_client_hello(first)) is None:
                first += await self.raw()
            flight = self.answerer.answer(hello)
            if flight is None:
                return first
            await self.send(flight)
            await self.answerer.rest(self)
        except PeerGarbled:
            return first
        raise Gone

    async def raw(self) -> bytes:
        """What comes next in clear. Raises Gone at the end."""
        data = await self._in()
        if not data:
            raise Gone
        return data

    async def _read(self) -> bytes:
        if self.tls is None:
            return await self._in()
        while True:
            try:
                return self.tls.recv(CHUNK)
            except SSL.WantReadError:
                await self._flush()
                await self._refill()
            except SSL.Error:
                await self._flush()
                raise Gone from None

    async def _refill(self) -> None:
        assert self.tls is not None  # noqa: S101 - only called inside TLS
        self.tls.bio_write(await self.raw())

    async def _flush(self) -> None:
        assert self.tls is not None  # noqa: S101 - only called inside TLS
        while True:
            try:
                data = self.tls.bio_read(CHUNK)
            except SSL.WantReadError:
                return
            await self._out(data)

    async def _in(self) -> bytes:
        try:
            return await self.reader.read(CHUNK)
        except OSError:
            raise Gone from None

    async def _out(self, data: bytes) -> None:
        try:
            self.writer.write(data)
            await self.writer.drain()
        except OSError:
            raise Gone from None
