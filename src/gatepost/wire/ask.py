"""What a dialogue is told before it starts, and how its failures are told afterwards."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from hashlib import sha256

from gatepost.errors import GatepostError, PeerError
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import ChainSeen, Handshake, Injected, Observation, Unobserved
from gatepost.model.reasons import reason
from gatepost.model.words import Mode, Role
from gatepost.wire.lines import Talk, printable

USER = "gatepost-audit"  # no account of this name exists; the password is as harmless
PASSWORD = "not-a-password"  # noqa: S105 - sent to be refused
PLAINTEXT = frozenset({"LOGIN", "PLAIN"})  # SASL mechanisms that send the password itself


def no_clock() -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class Ask:
    """One endpoint to talk to, and how far the talk may go.

    `name` is the SNI (None to send none), `me` the name we greet with, `domain` a domain the target takes
    mail for, `recipient` an address there that the operator gave for probes with content. `mine` allows the
    intrusive ones. `gentle` leaves out every command a server could hang up on: for a second run after it
    did. `highest` caps the version on the second connection (`inject`); empty for a peer that has TLS 1.3
    only. `elapsed` gives the seconds since the connection was opened.
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
    highest: str = "TLSv1.2"
    elapsed: Callable[[], float] = no_clock


@dataclass(slots=True)
class Stage:
    """What a dialogue wants to see next; names the loss when it fails."""

    wanted: str


async def until_failure(at: Endpoint, stage: Stage, steps: AsyncIterator[Observation]) -> AsyncIterator[Observation]:
    """Everything the steps yield; when they fail, what was wanted at that moment and why it was not seen."""
    try:
        async for seen in steps:
            yield seen
    except GatepostError as error:
        yield lost(at, stage.wanted, error)


def lost(at: Endpoint, wanted: str, error: GatepostError) -> Unobserved:
    return Unobserved(at, wanted, reason(error), str(error))


_LIMIT = re.compile(
    r"too (?:many|fast|much)|limit|\brate\b|throttl|\bbusy\b|overload|concurren|slow down"
    r"|max(?:imum)? (?:number|conn)|try (?:again )?later|load average"
    r"|\[(?:IN-USE|LIMIT|LOGIN-DELAY|SYS/TEMP|TRYLATER|UNAVAILABLE)",
    re.IGNORECASE,
)


def is_limit(text: str) -> bool:
    """Whether a refusal is about load or quantity rather than about what was asked."""
    return _LIMIT.search(text) is not None


_PRIVACY = re.compile(
    r"PRIVACYREQUIRED|\b(?:TLS|SSL|STARTTLS|STLS|encrypt\w*|(?:in)?secure\w*|plain-?text|clear-?text)\b"
    r"|(?:login|authentication|AUTH|command|mechanism)s? (?:is |are |was )?(?:disabled|disallowed|not (?:allowed"
    r"|enabled|available|supported|permitted|valid))|LOGINDISABLED|unknown command|not implemented|unrecogni[sz]ed",
    re.IGNORECASE,
)


def is_refusal_to_look(text: str) -> bool:
    """Whether a login was turned away unread, not compared and found wrong."""
    return _PRIVACY.search(text) is not None and "AUTHENTICATIONFAILED" not in text


async def secure(talk: Talk, ask: Ask, name: str | None, *, highest: str = "") -> AsyncIterator[Handshake | ChainSeen]:
    """The handshake and what it gave. A failed one is yielded as such and raised again."""
    try:
        facts = await talk.start_tls(name, highest=highest)
    except PeerError as error:
        yield Handshake(ask.at, name, "", "", error=str(error))
        raise
    yield Handshake(
        ask.at,
        name,
        facts.version,
        facts.suite,
        facts.group,
        facts.alpn,
        tuple(sha256(der).hexdigest() for der in facts.chain),
        bool(facts.staple),
        facts.client_certificate_requested,
    )
    if facts.chain:
        chain = tuple(b64encode(der).decode("ascii") for der in facts.chain)
        yield ChainSeen(ask.at, name, chain, bool(facts.staple))


def unread(talk: Talk) -> bool:
    """Whether the peer sent more than was asked for. The bytes stay where they are."""
    left = talk.lines.rest()
    talk.lines.feed(left)
    return bool(left)


def carried_over(talk: Talk, ask: Ask, where: str) -> Injected:
    """What the peer sent in clear that a client would read as protected. The bytes are discarded."""
    left = talk.lines.rest()
    detail = f"{where}: {printable(left.decode('latin-1'))}" if left else ""
    return Injected(ask.at, "response", bool(left), detail)
