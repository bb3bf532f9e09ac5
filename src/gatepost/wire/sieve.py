"""ManageSieve, from its greeting of capabilities to LOGOUT (RFC 5804)."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncIterator

from gatepost.errors import PeerGarbled, PeerRefused
from gatepost.model.observation import Capabilities, Greeting, Observation, Tried
from gatepost.model.words import Mode
from gatepost.wire.ask import Ask, Stage
from gatepost.wire.injection import Behind
from gatepost.wire.lines import Talk, printable
from gatepost.wire.preamble import Early
from gatepost.wire.sieve_answers import Response, command, response
from gatepost.wire.software import software
from gatepost.wire.turns import Started, Upgrading, farewell, granted, mechanism, outcome, started, upgraded


async def reach(talk: Talk, ask: Ask) -> None:
    """Two round trips: the greeting is the list of capabilities."""
    if ask.mode is Mode.IMPLICIT:
        return
    await greeted(talk)
    granted(await command(talk, "STARTTLS"))


async def greeted(talk: Talk) -> Response:
    first = await response(talk)
    granted(first)
    if not any(word.startswith(("IMPLEMENTATION", "SIEVE", "SASL")) for word in first.capabilities()):
        raise PeerGarbled(f"not a ManageSieve greeting: {first.words}")
    return first


async def steps(talk: Talk, ask: Ask, stage: Stage) -> AsyncIterator[Observation]:
    first = await greeted(talk)
    words = first.capabilities()
    yield _greeting(talk, ask, first)
    yield Capabilities(ask.at, words, talk.encrypted)
    if not talk.encrypted:
        if not ask.gentle:
            stage.wanted = "auth-in-clear"
            yield await _auth(talk, ask, words)
        async for one in upgraded(talk, ask, words, stage, _UPGRADING):
            words = one.words if isinstance(one, Capabilities) else words
            yield one
    if "ANONYMOUS" in Capabilities(ask.at, words, talk.encrypted).mechanisms() and not ask.gentle:
        stage.wanted = "auth-anonymous"
        yield await _anonymous(talk, ask)
    await farewell(command(talk, "LOGOUT"))


async def _auth(talk: Talk, ask: Ask, words: tuple[str, ...]) -> Tried:
    """Begun and called off (RFC 5804 section 2.1): the challenge proves that a password would be read."""
    offered = Capabilities(ask.at, words, encrypted=False).mechanisms()
    wanted = mechanism(offered, "PLAIN")
    sent = f'AUTHENTICATE "{wanted}"'
    answered = await command(talk, sent, challenge=True)
    if answered.status == "+":
        await command(talk, '"*"')
    accepted = answered.status in {"+", "OK"}
    return outcome(talk, ask, "auth-in-clear", sent, answered.words, accepted=accepted)


async def _start(talk: Talk) -> Started:
    return started(await command(talk, "STARTTLS"))


async def _protected(talk: Talk) -> tuple[str, ...]:
    """The capabilities a server must send unasked after TLS (RFC 5804 section 2.2); old ones have to be asked.

    NOOP marks the end, so that nobody waits for what does not come.
    """
    first = await command(talk, 'NOOP "gatepost"')
    if first.lines:
        await response(talk)
        return first.capabilities()
    return (await command(talk, "CAPABILITY")).capabilities()


_UPGRADING = Upgrading("STARTTLS", re.compile(r"X{6,}."), _start, "CAPABILITY", _protected)


async def _anonymous(talk: Talk, ask: Ask) -> Tried:
    answered = await command(talk, sent := 'AUTHENTICATE "ANONYMOUS"', challenge=True)
    if answered.status == "+":
        answered = await command(talk, f'"{b64encode(ask.me.encode()).decode("ascii")}"')
    return outcome(talk, ask, "auth-anonymous", sent, answered.words, accepted=answered.ok)


async def _prepare(talk: Talk, _ask: Ask) -> None:
    if "STARTTLS" not in (await greeted(talk)).capabilities():
        raise PeerRefused("STARTTLS is not offered")


async def _go_ahead(talk: Talk) -> None:
    granted(await response(talk))


async def _executed(talk: Talk, _ask: Ask) -> str:
    """What came in clear is answered with NO, NOOP with OK; a NO first gets a second look.

    The unasked capabilities come before either; a server that knows no NOOP answers CAPABILITY next.
    """
    first = await command(talk, 'NOOP "gatepost"')
    if first.lines:
        first = await response(talk)
    if first.ok:
        return ""
    second = await command(talk, "CAPABILITY")
    if second.lines:
        return ""
    await response(talk)
    return first.words


BEHIND = Behind(_prepare, ("STARTTLS", "XGATEPOST"), _go_ahead, _executed)


async def _early(talk: Talk, _ask: Ask) -> tuple[bool, bool, str]:
    await greeted(talk)
    first = await response(talk)
    await farewell(command(talk, "LOGOUT"))
    return first.ok, True, first.words


EARLY = Early('NOOP "gatepost"', _early)


def _greeting(talk: Talk, ask: Ask, first: Response) -> Greeting:
    text = printable("\n".join((*first.capabilities(), first.words)).replace("\n", " / "))
    name, version = software(text)
    return Greeting(ask.at, text, talk.encrypted, ask.elapsed(), name, version)
