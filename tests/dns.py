"""A small DNS server on loopback, UDP and TCP, in a thread of its own.

    with Dns({("example.org", "MX"): ["10 mx1.example.org."], ("mx1.example.org", "A"): ["192.0.2.5"]}) as dns:
        resolver_at(dns.where)

A name with records (or with names below it) has no others (NOERROR, empty); any other does not exist. Both come with
the SOA of the top-level domain. `secure` names zones whose answers carry AD, `.` for all. `signed`: the same zones
have signatures (of no worth) beside their records. `trouble` maps a name, or a name and kind, to what happens instead:

    servfail, servfail:7, servfail:7:text    with an extended error of that code and text; `refused` alike
    bogus, bogus:7, bogus:7:text             servfail unless the question has CD
    formerr                                  to questions with EDNS
    silent, garbage                          no answer, or octets that are none
    truncated                                over UDP: ask again over TCP (as happens to long answers anyway)
    cut                                      over TCP as well: longer than any message
    alone                                    of an alias only the alias itself
    delay:0.2                                seconds
    spoofed                                  over UDP first an answer to another question, with the right number
    flood:100                                over UDP that many answers with wrong numbers, and no right one
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping, Sequence
from typing import cast

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.aside import Aside

Zone = Mapping[tuple[str, str], Sequence[str]]
SIGNATURE = "13 3 60 20380101000000 20200101000000 1 example. AAAA"


class Dns(Aside):
    def __init__(
        self, zone: Zone, trouble: Mapping[str, str] | None = None, *, secure: Sequence[str] = (), signed: bool = False
    ) -> None:
        super().__init__()
        self.zone = {(dns.name.from_text(name), kind): texts for (name, kind), texts in zone.items()}
        self.trouble = {dns.name.from_text(k): what for k, what in (trouble or {}).items() if " " not in k}
        self.kinds = {tuple(k.split()): what for k, what in (trouble or {}).items() if " " in k}
        self.secure = [dns.name.from_text(name) for name in secure]
        self.signed = signed
        self.asked: list[str] = []
        self.flags: list[tuple[int, int]] = []  # flags and EDNS flags of each question, -1 without EDNS
        self.streams = 0

    @property
    def where(self) -> str:
        return f"127.0.0.1#{self.port}"

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
        self.streams += 1
        try:
            (size,) = struct.unpack("!H", await reader.readexactly(2))
            if (answer := self.answer(await reader.readexactly(size), udp=False)) is not None:
                writer.write(struct.pack("!H", len(answer)) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort() if self._stop.is_set() else writer.close()

    def answer(self, data: bytes, *, udp: bool) -> bytes | None:
        query = dns.message.from_wire(data)
        name, kind = query.question[0].name, dns.rdatatype.to_text(query.question[0].rdtype)
        self.asked.append(f"{name.to_text(omit_final_dot=True)} {kind}")
        self.flags.append((int(query.flags), int(query.ednsflags) if query.edns >= 0 else -1))
        reply = dns.message.make_response(query, recursion_available=True)
        what, *details = self.happens(name, kind).split(":", 2)
        checking = not query.flags & dns.flags.CD
        match what:
            case "silent":
                return None
            case "garbage":
                return data[:2] + b"\xff" * 20
            case "flood" if udp:
                return None
            case "servfail" | "refused" | "bogus" if checking or what != "bogus":
                return _refused(reply, what.replace("bogus", "servfail"), details)
            case "formerr" if query.edns >= 0:
                return _refused(dns.message.make_response(dns.message.from_wire(data)), "formerr", [], plain=True)
            case "truncated" | "cut" if udp or what == "cut":
                reply.flags |= dns.flags.TC
                return reply.to_wire()
        self._fill(reply, name, kind, whole=what != "alone")
        self._vouch(reply, name, query)
        wire = reply.to_wire(max_size=65535)
        if udp and len(wire) > max(512, query.payload):
            reply = dns.message.make_response(query)
            reply.flags |= dns.flags.TC
            return reply.to_wire()
        return wire

    def happens(self, name: dns.name.Name, kind: str) -> str:
        return self.kinds.get((name.to_text(omit_final_dot=True), kind), self.trouble.get(name, ""))

    def _fill(self, reply: dns.message.Message, name: dns.name.Name, kind: str, *, whole: bool) -> None:
        """Records, or the other end of a CNAME, or that there is no such name."""
        if texts := self.zone.get((name, kind)):
            reply.answer.append(dns.rrset.from_text_list(name, 60, "IN", kind, texts))
            return
        if alias := self.zone.get((name, "CNAME")):
            if any(one.name == name for one in reply.answer):
                return  # round and round
            reply.answer.append(dns.rrset.from_text_list(name, 60, "IN", "CNAME", alias))
            if whole:
                self._fill(reply, dns.name.from_text(alias[0]), kind, whole=True)
            return
        if not any(one.is_subdomain(name) for one, _ in self.zone):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        top = dns.name.Name(name.labels[-2:])
        reply.authority.append(dns.rrset.from_text(top, 90, "IN", "SOA", ". . 1 2 3 4 30"))

    def _vouch(self, reply: dns.message.Message, name: dns.name.Name, query: dns.message.Message) -> None:
        names = [name, *(one.name for one in reply.answer)]
        if not all(any(one.is_subdomain(zone) for zone in self.secure) for one in names):
            return
        if query.flags & dns.flags.AD or query.ednsflags & dns.flags.DO:
            reply.flags |= dns.flags.AD
        for one in list(reply.answer) if self.signed else []:
            kind = dns.rdatatype.to_text(one.rdtype)
            reply.answer.append(dns.rrset.from_text(one.name, 60, "IN", "RRSIG", f"{kind} {SIGNATURE}"))


def _refused(reply: dns.message.Message, code: str, details: list[str], *, plain: bool = False) -> bytes:
    reply.set_rcode(dns.rcode.from_text(code.upper()))
    if plain:
        reply.use_edns(False)
    elif details:
        text = details[1] if len(details) > 1 else None
        reply.use_edns(0, options=[dns.edns.EDEOption(dns.edns.EDECode.make(int(details[0])), text)])
    return reply.to_wire()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: Dns) -> None:
        self.server = server
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        answer = self.server.answer(data, udp=True)
        query = dns.message.from_wire(data).question[0]
        what, _, detail = self.server.happens(query.name, dns.rdatatype.to_text(query.rdtype)).partition(":")
        assert self.transport is not None
        if what == "spoofed":
            self.transport.sendto(_spoof(data, query.rdtype), addr)
        elif what == "flood":
            for n in range(1, 1 + int(detail)):
                number = (int.from_bytes(data[:2], "big") + n) % 65536
                self.transport.sendto(_spoof(struct.pack("!H", number) + data[2:], query.rdtype), addr)
        if answer is not None:
            seconds = float(detail) if what == "delay" else 0
            self.server._loop.call_later(seconds, self.transport.sendto, answer, addr)


def _spoof(data: bytes, kind: dns.rdatatype.RdataType) -> bytes:
    """A fine answer to something else."""
    query = dns.message.make_query("evil.example.", kind, id=int.from_bytes(data[:2], "big"))
    reply = dns.message.make_response(query, recursion_available=True)
    reply.answer.append(dns.rrset.from_text("evil.example.", 60, "IN", "TXT", "evil"))
    return reply.to_wire()


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
