"""A small DNS server on loopback, UDP and TCP, in a thread of its own.

    with Dns({("example.org", "MX"): ["10 mx1.example.org."], ("mx1.example.org", "A"): ["192.0.2.5"]}) as dns:
        resolver_at(dns.where)

A name with records has no others (NOERROR, empty); a name without any does not exist. `trouble` maps a name to
what happens instead: `servfail`, `refused`, `silent`, `garbage`, `truncated` (over UDP: ask again over TCP).
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self, cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

Zone = Mapping[tuple[str, str], Sequence[str]]


class Dns:
    def __init__(self, zone: Zone, trouble: Mapping[str, str] | None = None) -> None:
        self.zone = {(dns.name.from_text(name), kind): texts for (name, kind), texts in zone.items()}
        self.trouble = {dns.name.from_text(name): what for name, what in (trouble or {}).items()}
        self.asked: list[str] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def where(self) -> str:
        return f"127.0.0.1#{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        listener, udp = _pair()
        self.port = listener.getsockname()[1]
        tcp = await asyncio.start_server(self._stream, sock=listener)
        transport, _ = await self._loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=udp)
        self._ready.set()
        await self._stop.wait()
        transport.close()
        tcp.close()

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            (size,) = struct.unpack("!H", await reader.readexactly(2))
            if answer := self.answer(await reader.readexactly(size), udp=False):
                writer.write(struct.pack("!H", len(answer)) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def answer(self, data: bytes, *, udp: bool) -> bytes | None:
        query = dns.message.from_wire(data)
        name, kind = query.question[0].name, dns.rdatatype.to_text(query.question[0].rdtype)
        self.asked.append(f"{name.to_text(omit_final_dot=True)} {kind}")
        reply = dns.message.make_response(query, recursion_available=True)
        match self.trouble.get(name):
            case "silent":
                return None
            case "garbage":
                return data[:2] + b"\xff" * 20
            case "servfail" | "refused" as code:
                reply.set_rcode(dns.rcode.from_text(code.upper()))
                return reply.to_wire()
            case "truncated" if udp:
                reply.flags |= dns.flags.TC
                return reply.to_wire()
        self._fill(reply, name, kind)
        return reply.to_wire()

    def _fill(self, reply: dns.message.Message, name: dns.name.Name, kind: str) -> None:
        """Records, or the other end of a CNAME, or that there is no such name."""
        if texts := self.zone.get((name, kind)):
            reply.answer.append(dns.rrset.from_text_list(name, 60, "IN", kind, texts))
        elif alias := self.zone.get((name, "CNAME")):
            reply.answer.append(dns.rrset.from_text_list(name, 60, "IN", "CNAME", alias))
            self._fill(reply, dns.name.from_text(alias[0]), kind)
        elif not any(one == name for one, _ in self.zone):
            reply.set_rcode(dns.rcode.NXDOMAIN)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: Dns) -> None:
        self.server = server
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        answer = self.server.answer(data, udp=True)
        if answer and self.transport:
            self.transport.sendto(answer, addr)


def _pair() -> tuple[socket.socket, socket.socket]:
    """A TCP and a UDP socket on one free port."""
    while True:
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(("127.0.0.1", tcp.getsockname()[1]))
        except OSError:
            tcp.close()
            udp.close()
        else:
            return tcp, udp
