"""Talking before the greeting: early talkers, and PROXY headers from someone who is no proxy.

One write answers both questions: a header that is believed leaves no trace in the answers, one that is not
comes back as an unknown command, and a server that minds early talkers hangs up or throws it away.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from gatepost.errors import PeerClosed, PeerGarbled, PeerLimited, PeerRefused, PeerReset
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import Observation, Tried, Unobserved
from gatepost.model.words import Mode, Reason
from gatepost.wire.ask import Ask, Stage, is_limit, secure, until_failure
from gatepost.wire.lines import Talk


@runtime_checkable
class Attentive(Protocol):
    """A wire that knows whether the peer has said something that was not read yet."""

    def waiting(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Early:
    """What one protocol brings along.

    `behind` is a harmless command in the same write; `verdict` reads on from the greeting: was the header
    believed, was the early talk let pass, in which words.
    """

    behind: str
    verdict: Callable[[Talk, Ask], Awaitable[tuple[bool, bool, str]]]


def proxy_header(at: Endpoint) -> str:
    """HAProxy protocol version 1; the claimed client is a documentation address (RFC 5737, RFC 3849)."""
    family, client = ("TCP6", "2001:db8::1") if at.family == 6 else ("TCP4", "192.0.2.1")
    return f"PROXY {family} {client} {at.address} 49152 {at.port}"


async def preamble(talk: Talk, ask: Ask, early: Early) -> AsyncIterator[Observation]:
    """`early-talker` is yielded for SMTP only, and not where the greeting was there before we had a word out."""
    if not ask.mine:
        yield Unobserved(ask.at, "proxy-header", Reason.NOT_ASKED, "only for targets named as yours")
        return
    implicit = ask.mode is Mode.IMPLICIT
    steps = _before_tls(talk, ask) if implicit else _before_greeting(talk, ask, early)
    async for seen in until_failure(ask.at, Stage("proxy-header"), steps):
        yield seen


async def _before_tls(talk: Talk, ask: Ask) -> AsyncIterator[Observation]:
    header = proxy_header(ask.at)
    await talk.send(header)
    believed, words = True, ""
    try:
        async for _ in secure(talk, ask, ask.name):
            words = "the handshake went through"
    except (PeerClosed, PeerGarbled, PeerReset) as error:
        believed, words = False, str(error)
    yield Tried(ask.at, "proxy-header", believed, encrypted=False, sent=header, answer=words)


async def _before_greeting(talk: Talk, ask: Ask, early: Early) -> AsyncIterator[Observation]:
    header = proxy_header(ask.at)
    late = isinstance(talk.wire, Attentive) and talk.wire.waiting()
    talk.transcript.append(f"> {header} + {early.behind}")
    await talk.wire.write(f"{header}\r\n{early.behind}\r\n".encode("ascii"))
    try:
        believed, tolerated, words = await early.verdict(talk, ask)
    except (PeerClosed, PeerLimited, PeerRefused, PeerReset) as error:
        if is_limit(str(error)):
            raise
        believed, tolerated, words = False, False, str(error)
    yield Tried(ask.at, "proxy-header", believed, encrypted=False, sent=header, answer=words)
    if ask.protocol != "smtp" or believed:
        return
    if tolerated and late:
        yield Unobserved(ask.at, "early-talker", Reason.TIMEOUT, "the greeting was there before we could talk")
    else:
        yield Tried(ask.at, "early-talker", tolerated, encrypted=False, sent=header, answer=words)
