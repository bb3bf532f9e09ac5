"""The turns all dialogues take alike: what a go-ahead is, the upgrade to TLS, which login to begin, the goodbye."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from operator import contains
from typing import Protocol

from gatepost.errors import PeerError, PeerLimited, PeerRefused
from gatepost.model.observation import Capabilities, Injected, Observation, Tried, Upgrade
from gatepost.model.words import Mode
from gatepost.wire.ask import Ask, Stage, carried_over, is_limit, secure, unread
from gatepost.wire.lines import Talk, printable

Words = tuple[str, ...]


class Answered(Protocol):
    """An answer of any protocol. `text` is what the peer said behind the status, `words` all of it for people."""

    @property
    def ok(self) -> bool: ...
    @property
    def text(self) -> str: ...
    @property
    def words(self) -> str: ...


def granted(answered: Answered) -> None:
    """Raises PeerLimited or PeerRefused when it was not."""
    if not answered.ok:
        raise (PeerLimited if is_limit(answered.text) else PeerRefused)(answered.words)


@dataclass(frozen=True, slots=True)
class Started:
    """The answer to STARTTLS. `unasked` is a line in front of it that nobody can have asked for."""

    ok: bool
    words: str
    unasked: str = ""


def started(answered: Answered, unasked: str = "") -> Started:
    """A refusal is something to report, a limit says nothing about the server: it is raised."""
    if not answered.ok and is_limit(answered.text):
        raise PeerLimited(answered.words)
    return Started(answered.ok, answered.words, unasked)


@dataclass(frozen=True, slots=True)
class Upgrading:
    """What one protocol brings along.

    `verb` is the command and its keyword, `mask` what a device on the path leaves of the keyword when it blots
    it out; `start` sends the command; `capabilities` asks inside TLS what is on offer, in the words `asking`.
    """

    verb: str
    mask: re.Pattern[str]
    start: Callable[[Talk], Awaitable[Started]]
    asking: str
    capabilities: Callable[[Talk], Awaitable[Words]]
    offers: Callable[[Words, str], bool] = contains


async def upgraded(talk: Talk, ask: Ask, words: Words, stage: Stage, how: Upgrading) -> AsyncIterator[Observation]:
    """The whole upgrade; the last Capabilities are those inside TLS."""
    async for seen in secured(talk, ask, words, stage, how):
        yield seen
    if talk.encrypted:
        async for seen in inside(talk, ask, stage, how):
            yield seen


async def secured(talk: Talk, ask: Ask, words: Words, stage: Stage, how: Upgrading) -> AsyncIterator[Observation]:
    """Up to the end of the handshake; `talk.encrypted` tells whether there was one.

    Where it is expected, STARTTLS is tried even if it is not offered: the offer may be lost on the path.
    """
    stage.wanted = "starttls"
    offered, mangled = how.offers(words, how.verb), next(filter(how.mask.fullmatch, words), "")
    if not offered and (ask.gentle or ask.mode is Mode.NONE):
        yield Upgrade(ask.at, offered, accepted=False, answer="not offered", mangled=mangled)
        return
    if unread(talk):
        yield carried_over(talk, ask, f"before {how.verb}")
    answered = await how.start(talk)
    yield Upgrade(ask.at, offered, answered.ok, answered.words, mangled)
    if answered.unasked:
        yield Injected(ask.at, "response", happened=True, detail=printable(f"before TLS: {answered.unasked}"))
    if not answered.ok:
        return
    yield carried_over(talk, ask, "behind the go-ahead")
    stage.wanted = "tls"
    async for seen in secure(talk, ask, ask.name):
        yield seen


async def inside(talk: Talk, ask: Ask, stage: Stage, how: Upgrading) -> AsyncIterator[Capabilities | Tried]:
    """What is on offer inside TLS, where STARTTLS must not be (RFC 3207 section 4.2)."""
    stage.wanted = "capabilities-tls"
    words = await how.capabilities(talk)
    yield Capabilities(ask.at, words, encrypted=True)
    again = how.offers(words, how.verb)
    answer = "offered" if again else "not offered"
    yield Tried(ask.at, "starttls-again", again, encrypted=True, sent=how.asking, answer=answer)


def mechanism(offered: Words, otherwise: str = "") -> str:
    """The SASL mechanism to begin a login with: one that sends the password itself, if there is one."""
    return next((m for m in ("PLAIN", "LOGIN", *offered) if m in offered), otherwise)


def outcome(talk: Talk, ask: Ask, what: str, sent: str, answer: str, *, accepted: bool) -> Tried:
    return Tried(ask.at, what, accepted, talk.encrypted, sent, answer)


async def farewell(last: Awaitable[object]) -> None:
    """The last command. Everything has been seen by now, so what becomes of it does not matter."""
    with suppress(PeerError):
        await last


def capability(line: str) -> str:
    """One line of EHLO or CAPA: the keyword in capitals, its parameters as they came."""
    keyword, _, rest = printable(line, 1000).strip().partition(" ")
    return f"{keyword.upper()} {rest.strip()}".rstrip()
