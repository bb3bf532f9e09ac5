"""Which TLSA record to publish for a key, and which of the published ones serves best (RFC 7672 section 3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gatepost.certs.anchors import associated
from gatepost.model.association import fault, kind
from gatepost.model.certificate import Certificate
from gatepost.model.dns import Tlsa

BEST = ((3, 1, 1), (2, 0, 1), (2, 1, 1), (3, 0, 1))  # the first two are what the RFC recommends, in this order
_DIGEST = re.compile(r"[0-9a-f]{64}")


def for_key(spki_sha256: str) -> Tlsa:
    """`3 1 1`: it outlives every renewal that keeps the key. Raises ValueError for what is no SHA-256 digest."""
    plain = spki_sha256.lower()
    if not _DIGEST.fullmatch(plain):
        raise ValueError(f"no SHA-256 digest in hexadecimal: {spki_sha256[:80]!r}")
    return Tlsa(3, 1, 1, plain)


def of(cert: Certificate, usage: int, selector: int, matching: int) -> Tlsa:
    """The record that stands for a certificate. Raises ValueError for numbers that mean nothing."""
    like = Tlsa(usage, selector, matching, "")
    record = Tlsa(usage, selector, matching, associated(cert, like))
    if objection := fault(record):
        raise ValueError(objection)
    return record


def preferred(records: Iterable[Tlsa]) -> Tlsa | None:
    """The one to keep when all but one had to go; None when no client can use any."""
    return min((one for one in records if not fault(one)), key=_rank, default=None)


def advice(record: Tlsa) -> str:
    """What is worth knowing about a usable record; empty for `3 1 1`."""
    if fault(record):
        return ""
    if record.matching == 0:
        return f"{kind(record)}: the data is in DNS as a whole; a digest is enough and travels in one packet"
    if record.matching == 2:
        return f"{kind(record)}: clients need not know SHA-512; a SHA-256 record should stand beside it"
    if record.usage in {0, 1}:
        return f"{kind(record)}: of no use to SMTP between servers, and asks for public trust elsewhere"
    if record.usage == 2:
        return f"{kind(record)}: holds only while the authority is sent in the chain and keeps its key"
    return "" if record.selector else f"{kind(record)}: changes with every renewal; 3 1 1 stays while the key does"


def _rank(record: Tlsa) -> tuple[int, int, int, int]:
    form = (record.usage, record.selector, record.matching)
    place = BEST.index(form) if form in BEST else len(BEST)
    return place, -record.usage, -record.selector, abs(record.matching - 1)
