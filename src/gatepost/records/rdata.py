"""The data of a record, between the spelling of `model.dns.Answer` and that of zone files and messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from dns.rdtypes.ANY.CAA import CAA
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TLSA import TLSA
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA
from dns.rdtypes.IN.SRV import SRV
from dns.rdtypes.nsbase import NSBase

from gatepost.errors import PeerGarbled
from gatepost.records.names import spell
from gatepost.records.zone_text import strings


def rdata(kind: str, value: str) -> dns.rdata.Rdata:
    """Raises PeerGarbled for a value that no record of this kind can have."""
    number = dns.rdatatype.from_text(kind)
    try:
        match kind:
            case "TXT":
                return TXT(dns.rdataclass.IN, number, strings(value))
            case "CAA":
                return _caa(value)
            case "TLSA":
                return _tlsa(value)
            case _:
                return dns.rdata.from_text(dns.rdataclass.IN, number, _absolute(kind, value))
    except (dns.exception.DNSException, ValueError) as error:
        raise PeerGarbled(f"{value[:60]!r} is no {kind} record: {str(error) or type(error).__name__}"[:200]) from None


def spelled(row: dns.rdata.Rdata) -> str:
    """The spelling of `Answer`. Raises PeerGarbled for octets of a record that end too early."""
    match row:
        case A() | AAAA():
            return str(row.address)
        case TXT():
            return b"".join(row.strings).decode("latin-1")
        case MX():
            return f"{row.preference} {spell(row.exchange.labels)}"
        case NSBase():
            return spell(row.target.labels)
        case SRV():
            return f"{row.priority} {row.weight} {row.port} {spell(row.target.labels)}"
        case TLSA():
            return f"{row.usage} {row.selector} {row.mtype} {row.cert.hex()}"
        case CAA():
            return f"{row.flags} {row.tag.decode('latin-1')} {row.value.decode('latin-1')}"
        case dns.rdata.GenericRdata() if read := RAW.get(row.rdtype):
            return read(row.data)
        case _:
            return row.to_text()


def _tlsa_of(data: bytes) -> str:
    """RFC 6698 section 2.1."""
    if len(data) < 3:
        raise PeerGarbled("a TLSA record without its three numbers")
    return f"{data[0]} {data[1]} {data[2]} {data[3:].hex()}"


def _caa_of(data: bytes) -> str:
    """RFC 8659 section 4.1: the tag may be longer than the record."""
    if len(data) < 2 or len(data) < 2 + data[1]:
        raise PeerGarbled("a CAA record that is cut off")
    end = 2 + data[1]
    return f"{data[0]} {data[2:end].decode('latin-1')} {data[end:].decode('latin-1')}"


RAW: Mapping[int, Callable[[bytes], str]] = {dns.rdatatype.CAA: _caa_of, dns.rdatatype.TLSA: _tlsa_of}
"""Kinds whose odd records the library refuses: one of them must not cost the answer to the others."""


def _caa(value: str) -> dns.rdata.Rdata:
    """A tag of other than letters and digits has no usual form, and somebody may have published it."""
    flags, tag, text = value.split(" ", 2)
    octets = tag.encode("latin-1"), text.encode("latin-1")
    try:
        return CAA(dns.rdataclass.IN, dns.rdatatype.CAA, int(flags), *octets)  # type: ignore[no-untyped-call] # as it is
    except ValueError:
        return _generic(dns.rdatatype.CAA, bytes((int(flags), len(octets[0]))) + b"".join(octets))


def _tlsa(value: str) -> dns.rdata.Rdata:
    """Data of the wrong length has no usual form either."""
    usage, selector, matching, data = value.split(" ", 3)
    numbers, octets = (int(usage), int(selector), int(matching)), bytes.fromhex(data)
    try:
        return TLSA(dns.rdataclass.IN, dns.rdatatype.TLSA, *numbers, octets)  # type: ignore[no-untyped-call] # as it is
    except ValueError:
        return _generic(dns.rdatatype.TLSA, bytes(numbers) + octets)


def _generic(kind: dns.rdatatype.RdataType, octets: bytes) -> dns.rdata.Rdata:
    r"""`\# 5 0301…` (RFC 3597 section 5)."""
    return dns.rdata.GenericRdata(dns.rdataclass.IN, kind, octets)


def _absolute(kind: str, value: str) -> str:
    """Names of an answer have no final dot; the root is one."""
    named = kind in {"MX", "SRV"} and not value.endswith(".")
    return f"{value}." if named else value
