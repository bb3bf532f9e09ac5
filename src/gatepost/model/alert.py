"""What the detections found, and what was done about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gatepost.model.words import Severity


class Response(StrEnum):
    """What a rule asks for, mildest first in `ORDER`."""

    BLOCK = "block"  # drop the addresses
    DELAY = "delay"  # answer their logins late
    LOCK = "lock"  # refuse the accounts from new addresses
    TELL = "tell"


ORDER = (Response.TELL, Response.DELAY, Response.LOCK, Response.BLOCK)


@dataclass(frozen=True, slots=True)
class Proof:
    """One signal that counts for an alert, with where its line stands."""

    at: int  # microseconds, UTC
    host: str
    service: str
    act: str
    client: str
    user: str
    cause: str
    source: int
    offset: int


@dataclass(frozen=True, slots=True)
class Hit:
    """One rule fired for one group of signals."""

    rule: str  # id of the rule
    group: tuple[tuple[str, str], ...]  # (("client", "192.0.2.7"),)
    first: int
    last: int
    count: int  # what the rule counted: signals, or distinct values
    clients: tuple[str, ...]
    users: tuple[str, ...]
    services: tuple[str, ...]
    hosts: tuple[str, ...]
    proofs: tuple[Proof, ...] = ()  # the first and the last few
    signals: int = 0  # how many signals stand behind it; attempts that one line counts are counted


@dataclass(frozen=True, slots=True)
class Alert:
    """Hits that belong together: one actor, or one campaign against the same accounts."""

    id: str
    title: str
    severity: Severity
    rules: tuple[str, ...]
    first: int
    last: int
    clients: tuple[str, ...]
    networks: tuple[str, ...]
    users: tuple[str, ...]
    services: tuple[str, ...]
    hosts: tuple[str, ...]
    count: int  # signals
    succeeded: tuple[str, ...]  # accounts that logged in from these addresses
    response: Response
    because: str  # one sentence
    proofs: tuple[Proof, ...]
    blockable: tuple[str, ...] = ()
    """Clients that a rule proves to do only harm, from where nobody logged in before. Who blocks takes these alone.

    All of `clients` where `response` is block. A campaign that is answered by delay or lock holds bystanders, and may
    hold some that can be blocked.
    """


class BlockEnd(StrEnum):
    """Why a block is no longer there."""

    EXPIRED = "expired"
    LOST = "lost"  # the set did not hold it when we looked again
    OPEN = ""
    REFUSED = "refused"  # never set: see `why`
    REMOVED = "removed"  # by an operator


@dataclass(frozen=True, slots=True)
class Block:
    """One address that was shut out, or would have been."""

    address: str
    since: int  # microseconds, UTC
    until: int
    alert: str
    rule: str
    by: str  # watch, or the operator
    why: str  # the sentence of the alert, or why it was refused
    dry: bool  # only said, not done
    cut: int  # connections that were ended
    proved: str  # how we know that it drops; "" where not proved
    end: BlockEnd = BlockEnd.OPEN
