"""What a dialogue is told before it starts, and how its failures are told afterwards."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from hashlib import sha256

from gatepost.errors import (
    BudgetSpent,
    GatepostError,
    PeerClosed,
    PeerGarbled,
    PeerLimited,
    PeerRefused,
    PeerReset,
    PeerSilent,
    PeerTarpit,
    PeerUnreachable,
)
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import ChainSeen, Handshake, Observation, Unobserved
from gatepost.model.words import Mode, Reason, Role
from gatepost.wire.lines import Talk, TlsFacts

USER = "gatepost-audit"  # no account of this name exists; the password is as harmless
PASSWORD = "not-a-password"  # noqa: S105 - sent to be refused


def no_clock() -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class Ask:
    """One endpoint to talk to, and how far the talk may go.

    `name` is the SNI (None to send none), `me` the name we greet with, `domain` a domain the target takes
    mail for, `recipient` an address there that the operator gave for probes with content. `mine` allows the
    intrusive ones. `gentle` leaves out every command a server could hang up on: for a second run after it did.
    `elapsed` gives the seconds since the connection was opened.
    """

    at: Endpoint
    protocol: str
    mode: Mode
    role: Role
    name: str | None = None
    me: str = "gatepost-audit.invalid"
    mine: bool = False
    gentle: bool = False
    domain: str = ""
    recipient: str | None = None
    source: str = ""
    elapsed: Callable[[], float] = no_clock


@dataclass(slots=True)
class Stage:
    """What a dialogue wants to see next; names the loss when it fails."""

    wanted: str


async def until_failure(
    at: Endpoint, stage: Stage, steps: AsyncIterator[Observation]
) -> AsyncIterator[Observation]:
    """Everything the steps yield; when they fail, what was wanted at that moment and why it was not seen."""
    try:
        async for seen in steps:
            yield seen
    except GatepostError as error:
        yield lost(at, stage.wanted, error)


def lost(at: Endpoint, wanted: str, error: GatepostError) -> Unobserved:
    return Unobserved(at, wanted, why(error), str(error))


def why(error: GatepostError) -> Reason:
    """The one place where errors become reasons."""
    if isinstance(error, PeerUnreachable):
        return Reason.REFUSED if error.refused else Reason.FILTERED
    return next((reason for kind, reason in _REASONS if isinstance(error, kind)), Reason.GARBLED)


_REASONS: tuple[tuple[type[GatepostError], Reason], ...] = (  # the narrower kind first
    (PeerTarpit, Reason.TARPIT),
    (PeerSilent, Reason.TIMEOUT),
    (PeerClosed, Reason.CLOSED),
    (PeerReset, Reason.RESET),
    (PeerLimited, Reason.LIMITED),
    (PeerRefused, Reason.REFUSED),
    (PeerGarbled, Reason.GARBLED),
    (BudgetSpent, Reason.BUDGET),
)

_LIMIT = re.compile(
    r"too (?:many|fast|much)|limit|\brate\b|throttl|\bbusy\b|overload|concurren|slow down|max(?:imum)? (?:number|conn)"
    r"|\[(?:IN-USE|LIMIT|LOGIN-DELAY|SYS/TEMP|TRYLATER|UNAVAILABLE)|try (?:again )?later|load average",
    re.IGNORECASE,
)


def is_limit(text: str) -> bool:
    """Whether a refusal is about load or quantity rather than about what was asked."""
    return _LIMIT.search(text) is not None


def handshake_seen(
    at: Endpoint, sni: str | None, facts: TlsFacts
) -> tuple[Handshake, ChainSeen] | tuple[Handshake]:
    handshake = Handshake(
        at,
        sni,
        facts.version,
        facts.suite,
        facts.group,
        facts.alpn,
        tuple(sha256(der).hexdigest() for der in facts.chain),
        bool(facts.staple),
        facts.client_certificate_requested,
    )
    if not facts.chain:
        return (handshake,)
    chain = tuple(b64encode(der).decode("ascii") for der in facts.chain)
    return handshake, ChainSeen(at, sni, chain, bool(facts.staple))


async def unread(talk: Talk) -> bytes:
    """What the peer sent and we did not ask for, left where it is."""
    left = talk.lines.rest()
    talk.lines.feed(left)
    return left
