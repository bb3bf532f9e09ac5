"""One record, between the spelling of `model.dns.Answer` and that of zone files."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import dns.exception
import dns.name
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

from gatepost.errors import PeerGarbled

KINDS = ("A", "AAAA", "CAA", "MX", "SRV", "TLSA", "TXT")
LONGEST = 255  # octets of one string of a TXT record (RFC 1035 section 3.3)
DEFAULT_TTL = 3600  # seconds


class Part(StrEnum):
    """What a record is for."""

    ADDRESS = "address"
    CAA = "caa"
    CONSENT = "dmarc-consent"  # this domain takes DMARC reports about another one
    DKIM = "dkim"
    DMARC = "dmarc"
    MTA_STS = "mta-sts"
    MX = "mx"
    SPF = "spf"
    SRV = "srv"
    TLSA = "tlsa"
    TLS_RPT = "tls-rpt"


@dataclass(frozen=True, slots=True, order=True)
class Record:
    """`name` in lower case without the final dot, `value` as in `Answer`. `part` tells no two records apart."""

    name: str
    kind: str
    value: str
    ttl: int = DEFAULT_TTL
    part: Part | None = field(default=None, compare=False)


def rdata(kind: str, value: str) -> dns.rdata.Rdata:
    """Raises PeerGarbled for a value that no record of this kind can have."""
    number = dns.rdatatype.from_text(kind)
    try:
        match kind:
            case "TXT":
                return TXT(dns.rdataclass.IN, number, _strings(value.encode("latin-1")))
            case "CAA":
                return _caa(value)
            case "TLSA":
                return _tlsa(value)
            case _:
                return dns.rdata.from_text(dns.rdataclass.IN, number, _absolute(kind, value))
    except (dns.exception.DNSException, ValueError) as error:
        raise PeerGarbled(f"{value[:60]!r} is no {kind} record: {str(error) or type(error).__name__}"[:200]) from None


def spelled(row: dns.rdata.Rdata) -> str:
    """Back to the spelling of `Answer`."""
    match row:
        case A() | AAAA():
            return str(row.address)
        case TXT():
            return b"".join(row.strings).decode("latin-1")
        case MX():
            return f"{row.preference} {plain(row.exchange)}"
        case SRV():
            return f"{row.priority} {row.weight} {row.port} {plain(row.target)}"
        case TLSA():
            return f"{row.usage} {row.selector} {row.mtype} {row.cert.hex()}"
        case dns.rdata.GenericRdata() if row.rdtype == dns.rdatatype.TLSA and len(row.data) >= 3:
            return f"{row.data[0]} {row.data[1]} {row.data[2]} {row.data[3:].hex()}"
        case dns.rdata.GenericRdata() if row.rdtype == dns.rdatatype.CAA and len(row.data) >= 2:
            end = 2 + row.data[1]
            return f"{row.data[0]} {row.data[2:end].decode('latin-1')} {row.data[end:].decode('latin-1')}"
        case CAA():
            return f"{row.flags} {row.tag.decode('latin-1')} {row.value.decode('latin-1')}"
        case _:
            return row.to_text()


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


def plain(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=name != dns.name.root).lower()


def strings_of(value: str) -> int:
    """How many strings a TXT value of ours takes."""
    return len(_strings(value.encode("latin-1")))


def _strings(octets: bytes) -> list[bytes]:
    return [octets[n : n + LONGEST] for n in range(0, max(len(octets), 1), LONGEST)]


def _absolute(kind: str, value: str) -> str:
    """Names of an answer have no final dot; the root is one."""
    named = kind in {"MX", "SRV"} and not value.endswith(".")
    return f"{value}." if named else value
