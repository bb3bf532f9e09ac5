"""ManageSieve, from its greeting of capabilities to LOGOUT (RFC 5804)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator

from gatepost.errors import PeerError, PeerGarbled, PeerLimited, PeerRefused
from gatepost.model.observation import Capabilities, Greeting, Observation, Tried, Upgrade
from gatepost.model.words import Mode
from gatepost.wire.ask import Ask, Stage, carried_over, is_limit, secure, unread, until_failure
from gatepost.wire.injection import Behind
from gatepost.wire.injection import inject as inject_behind
from gatepost.wire.lines import Talk, printable
from gatepost.wire.preamble import preamble as talk_early
from gatepost.wire.sieve_answers import Response, command, response
from gatepost.wire.software import software


async def reach(talk: Talk, ask: Ask) -> None:
    """Two round trips: the greeting is the list of capabilities."""
    if ask.mode is Mode.IMPLICIT:
        return
    await greeted(talk)
    _granted(await command(talk, "STARTTLS"))


async def greeted(talk: Talk) -> Response:
    first = await response(talk)
    if not first.ok:
        raise (PeerLimited if is_limit(first.text) else PeerRefused)(first.words)
    if not any(word.startswith(("IMPLEMENTATION", "SIEVE", "SASL")) for word in first.capabilities()):
        raise PeerGarbled(f"not a ManageSieve greeting: {first.words}")
    return first


async def converse(talk: Talk, ask: Ask) -> AsyncIterator[Observation]:
    stage = Stage("greeting")
    async for seen in until_failure(ask.at, stage, _conversation(talk, ask, stage)):
        yield seen


async def _conversation(talk: Talk, ask: Ask, stage: Stage) -> AsyncIterator[Observation]:
    if ask.mode is Mode.IMPLICIT:
        stage.wanted = "tls"
        async for seen in secure(talk, ask, ask.name):
            yield seen
        stage.wanted = "greeting"
    first = await greeted(talk)
    words = first.capabilities()
    yield _greeting(talk, ask, first)
    yield Capabilities(ask.at, words, talk.encrypted)
    if not talk.encrypted:
        if not ask.gentle:
            stage.wanted = "auth-in-clear"
            yield await _auth(talk, ask, words)
        async for one in _upgraded(talk, ask, words, stage):
            words = one.words if isinstance(one, Capabilities) else words
            yield one
    if "ANONYMOUS" in Capabilities(ask.at, words, talk.encrypted).mechanisms() and not ask.gentle:
        stage.wanted = "auth-anonymous"
        yield await _anonymous(talk, ask)
    await _farewell(talk)


async def _auth(talk: Talk, ask: Ask, words: tuple[str, ...]) -> Tried:
    """Begun and called off (RFC 5804 section 2.1): the challenge proves that a password would be read."""
    offered = Capabilities(ask.at, words, encrypted=False).mechanisms()
    wanted = next((m for m in ("PLAIN", "LOGIN", *offered) if m in offered), "PLAIN")
    sent = f'AUTHENTICATE "{wanted}"'
    answered = await command(talk, sent, challenge=True)
    if answered.status == "+":
        await command(talk, '"*"')
    accepted = answered.status in {"+", "OK"}
    return _tried(talk, ask, "auth-in-clear", sent, answered, accepted=accepted)


async def _upgraded(talk: Talk, ask: Ask, words: tuple[str, ...], stage: Stage) -> AsyncIterator[Observation]:
    stage.wanted = "starttls"
    offered = "STARTTLS" in words
    if not offered and (ask.gentle or ask.mode is Mode.NONE):
        yield Upgrade(ask.at, offered, accepted=False, answer="not offered", mangled=_mangled(words))
        return
    if unread(talk):
        yield carried_over(talk, ask, "before STARTTLS")
    answered = await command(talk, "STARTTLS")
    if not answered.ok and is_limit(answered.text):
        raise PeerLimited(answered.words)
    yield Upgrade(ask.at, offered, answered.ok, answered.words, _mangled(words))
    if not answered.ok:
        return
    yield carried_over(talk, ask, "behind the go-ahead")
    stage.wanted = "tls"
    async for seen in secure(talk, ask, ask.name):
        yield seen
    stage.wanted = "capabilities-tls"
    protected = await _protected(talk)
    yield Capabilities(ask.at, protected, encrypted=True)
    again = "STARTTLS" in protected
    text = "offered" if again else "not offered"
    yield Tried(ask.at, "starttls-again", again, encrypted=True, sent="CAPABILITY", answer=text)


async def _protected(talk: Talk) -> tuple[str, ...]:
    """The capabilities a server must send unasked after TLS (RFC 5804 section 2.2); old ones have to be asked.

    NOOP marks the end, so that nobody waits for what does not come.
    """
    first = await command(talk, 'NOOP "gatepost"')
    if first.lines:
        await response(talk)
        return first.capabilities()
    return (await command(talk, "CAPABILITY")).capabilities()


async def _anonymous(talk: Talk, ask: Ask) -> Tried:
    answered = await command(talk, sent := 'AUTHENTICATE "ANONYMOUS"', challenge=True)
    if answered.status == "+":
        answered = await command(talk, f'"{b64encode(ask.me.encode()).decode("ascii")}"')
    return _tried(talk, ask, "auth-anonymous", sent, answered, accepted=answered.ok)


async def inject(talk: Talk, ask: Ask) -> AsyncIterator[Observation]:
    async for seen in inject_behind(talk, ask, reach, _BEHIND):
        yield seen


async def _prepare(talk: Talk, _ask: Ask) -> None:
    if "STARTTLS" not in (await greeted(talk)).capabilities():
        raise PeerRefused("STARTTLS is not offered")


async def _go_ahead(talk: Talk) -> None:
    _granted(await response(talk))


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


_BEHIND = Behind(_prepare, ("STARTTLS", "XGATEPOST"), _go_ahead, _executed)


async def preamble(talk: Talk, ask: Ask) -> AsyncIterator[Observation]:
    async for seen in talk_early(talk, ask, 'NOOP "gatepost"', _early):
        yield seen


async def _early(talk: Talk, _ask: Ask) -> tuple[bool, bool, str]:
    await greeted(talk)
    first = await response(talk)
    await _farewell(talk)
    return first.ok, True, first.words


def _granted(answered: Response) -> None:
    if answered.ok:
        return
    raise (PeerLimited if is_limit(answered.text) else PeerRefused)(answered.words)


async def _farewell(talk: Talk) -> None:
    try:
        await command(talk, "LOGOUT")
    except PeerError:
        return


def _mangled(words: tuple[str, ...]) -> str:
    return next((w for w in words if len(w) >= 7 and set(w[:-1]) <= {"X"}), "")


def _greeting(talk: Talk, ask: Ask, first: Response) -> Greeting:
    text = printable("\n".join((*first.capabilities(), first.words)).replace("\n", " / "))
    name, version = software(text)
    return Greeting(ask.at, text, talk.encrypted, ask.elapsed(), name, version)


def _tried(talk: Talk, ask: Ask, what: str, sent: str, answered: Response, *, accepted: bool) -> Tried:
    return Tried(ask.at, what, accepted, talk.encrypted, sent, answered.words)
