"""What goes into publishing beside declaration and DNS, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gatepost.records.lookup import Fetched
from gatepost.records.publishing.order import Step
from gatepost.records.publishing.policies import Document
from gatepost.records.publishing.record import DEFAULT_TTL, Record


@dataclass(frozen=True, slots=True)
class Given:
    """What neither the declaration nor DNS says.

    `keys` are DKIM key records by selector; `coming` are digests (SHA-256 of the SubjectPublicKeyInfo) of keys that
    TLS ports will serve next. `closed`: there is no next key, so TLSA records that match nothing can go. `policy` is
    what the web server gave for the MTA-STS policy. `looked` is false when nobody looked at the TLS ports.
    """

    now: datetime
    keys: Mapping[str, str] = field(default_factory=dict)
    coming: tuple[str, ...] = ()
    closed: bool = False
    policy: Fetched | None = None
    ttl: int = DEFAULT_TTL
    looked: bool = True


@dataclass(frozen=True, slots=True)
class Listed:
    """A record that is asked for. `present` is None where DNS could not be asked, or others run that part."""

    record: Record
    present: bool | None
    zone: str


@dataclass(frozen=True, slots=True)
class Unasked:
    """Something that could not be found out, and so is neither lacking nor there."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Publication:
    """All about one domain. `document` is the MTA-STS policy where it has to be put in place, or may have to."""

    domain: str
    now: datetime
    ttl: int
    records: tuple[Listed, ...]
    steps: tuple[Step, ...] = ()
    document: Document | None = None
    advice: tuple[str, ...] = ()
    unasked: tuple[Unasked, ...] = ()
    servers: Mapping[str, str] = field(default_factory=dict)  # primary name server by zone

    @property
    def lacking(self) -> int:
        """Changes of DNS, the policy counted as one."""
        changes = sum(1 for one in self.steps if one.change and not one.lowers)
        return changes + bool(self.document and self.document.needed)
