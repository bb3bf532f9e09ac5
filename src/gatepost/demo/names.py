"""A small name server on loopback: a table of records, some of them vouched for as a validating resolver would."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

TTL = 300
LONGEST_CHAIN = 8


@dataclass(frozen=True, slots=True)
class Table:
    """`records` by owner and kind, in zone-file words. `signed` are zones whose answers carry the AD flag."""

    records: Mapping[tuple[str, str], Sequence[str]]
    signed: tuple[str, ...] = ()

    def answer(self, data: bytes) -> bytes | None:
        try:
            query = dns.message.from_wire(data)
            reply = dns.message.make_response(query, recursion_available=True)
            name, kind = query.question[0].name, dns.rdatatype.to_text(query.question[0].rdtype)
        except (dns.exception.DNSException, ValueError, IndexError):
            return None
        self._fill(reply, name, kind, LONGEST_CHAIN)
        if any(name.is_subdomain(dns.name.from_text(zone)) for zone in self.signed):
            reply.flags |= dns.flags.AD
        return reply.to_wire()

    def _fill(self, reply: dns.message.Message, name: dns.name.Name, kind: str, left: int) -> None:
        owner = name.to_text(omit_final_dot=True).lower()
        if texts := self.records.get((owner, kind)):
            reply.answer.append(dns.rrset.from_text_list(name, TTL, "IN", kind, texts))
        elif left and (alias := self.records.get((owner, "CNAME"))):
            reply.answer.append(dns.rrset.from_text_list(name, TTL, "IN", "CNAME", alias))
            self._fill(reply, dns.name.from_text(alias[0]), kind, left - 1)
        elif not any(one == owner or one.endswith(f".{owner}") for one, _ in self.records):
            reply.set_rcode(dns.rcode.NXDOMAIN)


@asynccontextmanager
async def name_server(table: Table, address: str) -> AsyncIterator[int]:
    """Answers over UDP while the block runs; yields its port. The demo's answers are all short enough."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(table), (address, 0), family=family)
    try:
        port: int = transport.get_extra_info("sockname")[1]
        yield port
    finally:
        transport.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, table: Table) -> None:
        self.table = table
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        answer = self.table.answer(data)
        if answer is not None and self.transport is not None:
            self.transport.sendto(answer, addr)
