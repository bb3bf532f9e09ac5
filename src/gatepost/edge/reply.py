"""What a reply from a resolver says: records, the end of the alias chain, and the errors told beside them.

Only the records that answer are decoded: signatures and glue are most of the work and nobody here reads them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.wire
from dns.rdtypes.ANY.SOA import SOA
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.nsbase import NSBase

from gatepost.edge.query import IN, Query
from gatepost.errors import PeerGarbled
from gatepost.model.dns import Presence
from gatepost.records.names import spell
from gatepost.records.rdata import RAW, spelled
from gatepost.records.sentences import one_line

MAX_RECORDS = 4000  # of one message
MAX_ALIASES = 12  # resolvers stop at 8 to 17
MAX_EXPLANATION = 160  # characters of an extended error's text
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADVERS = 0, 1, 2, 3, 4, 5, 16
NAMELESS = frozenset({FORMERR, SERVFAIL, NOTIMP, REFUSED})  # these may come without the question
EXTENDED_ERROR = 15  # EDNS option code (RFC 8914)
DNSSEC_ERRORS = {
    7: "signature expired",
    8: "signature not yet valid",
    9: "the DS record fits no DNSKEY",
    10: "signatures missing",
    11: "no zone key",
    12: "proof of non-existence missing",
    1: "DNSKEY algorithm not supported",
    2: "DS digest not supported",
    5: "the chain of trust cannot be decided",
    6: "DNSSEC validation failed",
}  # RFC 8914 section 4, the more telling first


@dataclass(frozen=True, slots=True)
class Trouble:
    """An extended error (RFC 8914 section 2)."""

    code: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Where the chain of aliases ends. `dangling`: at a name that this reply says nothing about."""

    presence: Presence
    values: tuple[str, ...] = ()
    pieces: tuple[int, ...] = ()
    aliases: tuple[str, ...] = ()
    ttl: int = 0
    dangling: bool = False


@dataclass(slots=True)
class Reply:
    """`signed`: it carries signatures, so the resolver passes DNSSEC records on. `edns`: it has an OPT record."""

    code: int
    truncated: bool = False
    authentic: bool = False
    signed: bool = False
    edns: bool = False
    troubles: tuple[Trouble, ...] = ()
    records: dict[tuple[str, int], list[dns.rdata.Rdata]] = field(default_factory=dict)
    ttls: dict[tuple[str, int], int] = field(default_factory=dict)
    start_of_authority: str = ""  # the zone that says there is nothing
    negative_ttl: int = 0

    @property
    def answers(self) -> bool:
        """A reply that tells what there is, or that there is nothing."""
        return self.code in {NOERROR, NXDOMAIN}

    @property
    def dnssec_trouble(self) -> Trouble | None:
        by_code = {one.code: one for one in self.troubles}
        return next((by_code[code] for code in DNSSEC_ERRORS if code in by_code), None)

    def find(self, asked: Query) -> Found:
        """Raises PeerGarbled for aliases that lead in a circle or on and on."""
        number = int(dns.rdatatype.from_text(asked.kind))
        name, path, ttls = asked.name, [asked.name], []
        while (name, number) not in self.records and (name, dns.rdatatype.CNAME) in self.records:
            ttls.append(self.ttls[name, dns.rdatatype.CNAME])
            name = _target(self.records[name, dns.rdatatype.CNAME][0])
            if name in path:
                raise PeerGarbled(f"its aliases lead in a circle: {' -> '.join((*path, name))[:200]}")
            path.append(name)
            if len(path) > MAX_ALIASES:
                raise PeerGarbled(f"more than {MAX_ALIASES} aliases, one after another")
        aliases = tuple(path[1:])
        if rows := self.records.get((name, number)):
            kept = sorted({(spelled(row), _strings(row)) for row in rows})  # a set has no order: two runs compare
            values, pieces = tuple(v for v, _ in kept), tuple(n for _, n in kept if n)
            return Found(Presence.PRESENT, values, pieces, aliases, min((*ttls, self.ttls[name, number])))
        settled = self.code == NXDOMAIN or not aliases or _within(name, self.start_of_authority)
        presence = Presence.ABSENT if self.code == NXDOMAIN else Presence.EMPTY
        if self.start_of_authority:
            ttls.append(self.negative_ttl)
        ttl = min(ttls, default=0)
        return Found(presence, aliases=aliases, ttl=ttl, dangling=not settled)


def mine(data: bytes, asked: Query, number: int) -> bool:
    """Whether octets claim to answer this very question: its number, and itself (RFC 5452 section 9.1)."""
    if len(data) < 12 or data[:2] != number.to_bytes(2, "big") or not data[2] & 0x80:
        return False
    if data[4:6] == b"\0\1":
        end = 12 + len(asked.section)
        return data[12 : end - 4].lower() == asked.section[:-4] and data[end - 4 : end] == asked.section[-4:]
    return data[4:6] != b"\0\0" or data[3] & 0x0F in NAMELESS


def read(data: bytes, asked: Query) -> Reply:
    """Raises PeerGarbled for octets that are no reply."""
    try:
        return _read(data, asked)
    except (dns.exception.DNSException, struct.error, ValueError) as error:
        raise PeerGarbled(f"no DNS message: {str(error) or type(error).__name__}"[:200]) from None


def _read(data: bytes, asked: Query) -> Reply:
    _, flags, questions, answers, authorities, additionals = struct.unpack_from("!HHHHHH", data)
    if questions > 1 or answers + authorities + additionals > MAX_RECORDS:
        raise PeerGarbled("no DNS message: more records than any answer has")
    reply = Reply(flags & 0x0F, truncated=bool(flags & 0x0200), authentic=bool(flags & 0x0020))
    parser = dns.wire.Parser(data, 12)
    for _ in range(questions):
        dns.name.from_wire_parser(parser)
        parser.get_bytes(4)
    if reply.truncated:
        return reply
    wanted = frozenset({int(dns.rdatatype.from_text(asked.kind)), int(dns.rdatatype.CNAME)})
    for record in _records(parser, answers):
        if record.kind == dns.rdatatype.RRSIG:
            reply.signed = True
        elif record.kind in wanted and record.group == IN:
            _keep(reply, record, parser)
        parser.seek(record.end)
    for record in _records(parser, authorities):
        if record.kind == dns.rdatatype.SOA and record.group == IN:
            _negative(reply, record, parser)
        parser.seek(record.end)
    for record in _records(parser, additionals):
        if record.kind == dns.rdatatype.OPT:
            reply.edns = True
            reply.code |= record.ttl >> 24 << 4
            reply.troubles = tuple(_troubles(data[parser.current : record.end]))
        parser.seek(record.end)
    return reply


@dataclass(frozen=True, slots=True)
class _Record:
    """The head of a record, and where it ends. In an OPT the last octets of the TTL and the class mean other things."""

    owner: dns.name.Name
    kind: int
    group: int  # the class
    ttl: int
    end: int


def _records(parser: dns.wire.Parser, count: int) -> Iterator[_Record]:
    for _ in range(count):
        owner = dns.name.from_wire_parser(parser)
        kind, group, ttl, size = parser.get_struct("!HHIH")
        if size > parser.remaining():
            raise PeerGarbled("no DNS message: a record is cut off")
        yield _Record(owner, kind, group, ttl, parser.current + size)


def _data(record: _Record, parser: dns.wire.Parser) -> dns.rdata.Rdata:
    kind = dns.rdatatype.RdataType.make(record.kind)
    with parser.restrict_to(record.end - parser.current):
        if record.kind in RAW:
            return dns.rdata.GenericRdata(dns.rdataclass.IN, kind, parser.get_remaining())
        return dns.rdata.from_wire_parser(dns.rdataclass.IN, kind, parser)


def _keep(reply: Reply, record: _Record, parser: dns.wire.Parser) -> None:
    key = spell(record.owner.labels), record.kind
    reply.records.setdefault(key, []).append(_data(record, parser))
    seconds = record.ttl if record.ttl < 1 << 31 else 0  # RFC 2181 section 8
    reply.ttls[key] = min(seconds, reply.ttls.get(key, seconds))


def _negative(reply: Reply, record: _Record, parser: dns.wire.Parser) -> None:
    """How long a negative answer holds (RFC 2308 section 5)."""
    row = _data(record, parser)
    if isinstance(row, SOA):
        reply.start_of_authority = spell(record.owner.labels)
        reply.negative_ttl = min(record.ttl, row.minimum)


def _troubles(options: bytes) -> Iterator[Trouble]:
    at = 0
    while at + 4 <= len(options):
        code, size = struct.unpack_from("!HH", options, at)
        body = options[at + 4 : at + 4 + size]
        if code == EXTENDED_ERROR and len(body) >= 2:
            yield Trouble(int.from_bytes(body[:2], "big"), _printable(body[2:]))
        at += 4 + size


def _printable(text: bytes) -> str:
    return " ".join(one_line(text.decode("utf-8", "replace")).split())[:MAX_EXPLANATION]


def _target(row: dns.rdata.Rdata) -> str:
    return spell(row.target.labels) if isinstance(row, NSBase) else "."


def _strings(row: dns.rdata.Rdata) -> int:
    return len(row.strings) if isinstance(row, TXT) else 0


def _within(name: str, zone: str) -> bool:
    return bool(zone) and (zone in {".", name} or name.endswith(f".{zone}"))
