"""One record to be published, and what for."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

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
