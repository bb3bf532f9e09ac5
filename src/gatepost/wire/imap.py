"""IMAP, from the greeting to LOGOUT (RFC 9051, 3501, 2595)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator

from gatepost.errors import PeerError, PeerLimited, PeerRefused
from gatepost.model.observation import Capabilities, Greeting, Injected, Observation, Tried, Upgrade
from gatepost.model.words import Mode
from gatepost.wire.ask import (
    PASSWORD,
    PLAINTEXT,
    USER,
    Ask,
    Stage,
    carried_over,
    is_limit,
    is_refusal_to_look,
    secure,
    unread,
    until_failure,
)
from gatepost.wire.imap_answers import Answer, answer, capability_words, command, greeting
from gatepost.wire.injection import Behind
from gatepost.wire.injection import inject as inject_behind
from gatepost.wire.lines import Talk, printable
from gatepost.wire.preamble import preamble as talk_early
from gatepost.wire.software import software


async def reach(talk: Talk, ask: Ask) -> None:
    """Two round trips: IMAP needs no CAPABILITY before STARTTLS."""
    if ask.mode is Mode.IMPLICIT:
        return
    await greeting(talk)
    _granted(await command(talk, "a1", "STARTTLS"))


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
    status, text = await greeting(talk)
    yield _greeting(talk, ask, text, preauth=status == "PREAUTH")
    stage.wanted = "capabilities-tls" if talk.encrypted else "capabilities"
    words = await _capability(talk, "a1")
    yield Capabilities(ask.at, words, talk.encrypted)
    if not talk.encrypted:
        if status != "PREAUTH" and not ask.gentle:
            async for tried in _in_clear(talk, ask, words, stage):
                yield tried
        async for one in _upgraded(talk, ask, words, stage):
            words = one.words if isinstance(one, Capabilities) else words
            yield one
    if "AUTH=ANONYMOUS" in words and not ask.gentle:
        stage.wanted = "auth-anonymous"
        yield await _anonymous(talk, ask)
    await _farewell(talk)


async def _in_clear(talk: Talk, ask: Ask, words: tuple[str, ...], stage: Stage) -> AsyncIterator[Tried]:
    """AUTHENTICATE is called off at the challenge; LOGIN carries its password at once and has to be meant.

    It is left out where the challenge proved as much: a failed login costs seconds and counts against us.
    """
    offered = Capabilities(ask.at, words, encrypted=False).mechanisms()
    if wanted := next((m for m in ("PLAIN", "LOGIN", *offered) if m in offered), None):
        stage.wanted = "auth-in-clear"
        sent = f"AUTHENTICATE {wanted}"
        first = await command(talk, "a2", sent, challenge=True)
        if first.status == "+":
            await command_off(talk, "a2")
        yield (tried := _tried(talk, ask, "auth-in-clear", sent, first, accepted=first.status in {"+", "OK"}))
        if tried.accepted and wanted in PLAINTEXT:
            return
    stage.wanted = "login-in-clear"
    shown = f"LOGIN {USER} ***"
    answered = await command(talk, "a3", f"LOGIN {USER} {PASSWORD}", shown=shown)
    yield _tried(talk, ask, "login-in-clear", shown, answered, accepted=_compared(answered))


async def _upgraded(talk: Talk, ask: Ask, words: tuple[str, ...], stage: Stage) -> AsyncIterator[Observation]:
    stage.wanted = "starttls"
    offered = "STARTTLS" in words
    if not offered and (ask.gentle or ask.mode is Mode.NONE):
        yield Upgrade(ask.at, offered, accepted=False, answer="not offered", mangled=_mangled(words))
        return
    if unread(talk):
        yield carried_over(talk, ask, "before STARTTLS")
    answered = await command(talk, "a4", "STARTTLS")
    if not answered.ok and is_limit(answered.text):
        raise PeerLimited(answered.words)
    yield Upgrade(ask.at, offered, answered.ok, answered.words, _mangled(words))
    if unasked := answered.unasked():
        yield Injected(ask.at, "response", happened=True, detail=printable(f"before TLS: * {unasked[0]}"))
    if not answered.ok:
        return
    yield carried_over(talk, ask, "behind the go-ahead")
    stage.wanted = "tls"
    async for seen in secure(talk, ask, ask.name):
        yield seen
    stage.wanted = "capabilities-tls"
    protected = await _capability(talk, "a5")
    yield Capabilities(ask.at, protected, encrypted=True)
    again = "STARTTLS" in protected
    text = "offered" if again else "not offered"
    yield Tried(ask.at, "starttls-again", again, encrypted=True, sent="CAPABILITY", answer=text)


async def _anonymous(talk: Talk, ask: Ask) -> Tried:
    """RFC 4505: the message is a trace of who asks."""
    sent = "AUTHENTICATE ANONYMOUS"
    answered = await command(talk, "a6", sent, challenge=True)
    if answered.status == "+":
        await talk.send(b64encode(ask.me.encode()).decode("ascii"))
        answered = await answer(talk, "a6")
    return _tried(talk, ask, "auth-anonymous", sent, answered, accepted=answered.ok)


async def inject(talk: Talk, ask: Ask) -> AsyncIterator[Observation]:
    async for seen in inject_behind(talk, ask, reach, _BEHIND):
        yield seen


async def _prepare(talk: Talk, _ask: Ask) -> None:
    _, text = await greeting(talk)
    words = capability_words(text) or await _capability(talk, "a1")
    if "STARTTLS" not in words:
        raise PeerRefused("STARTTLS is not offered")


async def _go_ahead(talk: Talk) -> None:
    _granted(await answer(talk, "a2"))


async def _executed(talk: Talk, _ask: Ask) -> str:
    """Tags tell whose answer it is."""
    await talk.send("a3 CAPABILITY")
    answered = await answer(talk, "a3", among=("zz",))
    return next((printable(line) for line in answered.untagged if line.startswith("zz ")), "")


_BEHIND = Behind(_prepare, ("a2 STARTTLS", "zz NOOP"), _go_ahead, _executed)


async def preamble(talk: Talk, ask: Ask) -> AsyncIterator[Observation]:
    async for seen in talk_early(talk, ask, "zz NOOP", _early):
        yield seen


async def _early(talk: Talk, _ask: Ask) -> tuple[bool, bool, str]:
    """A header that is not believed reads as a command with the tag PROXY."""
    await greeting(talk)
    await talk.send("a1 CAPABILITY")
    answered = await answer(talk, "a1", among=("zz", "PROXY"))
    await _farewell(talk)
    objected = [line for line in answered.untagged if line.upper().startswith(("PROXY ", "BAD ", "NO "))]
    executed = any(line.startswith("zz ") for line in answered.untagged)
    words = objected[0] if objected else "zz answered" if executed else "what came early was thrown away"
    return executed and not objected, executed, printable(words)


def _granted(answered: Answer) -> None:
    if answered.ok:
        return
    if is_limit(answered.text):
        raise PeerLimited(answered.words)
    raise PeerRefused(answered.words)


async def _capability(talk: Talk, tag: str) -> tuple[str, ...]:
    return (await command(talk, tag, "CAPABILITY")).capabilities() or ()


async def command_off(talk: Talk, tag: str) -> None:
    """Call an AUTHENTICATE off (RFC 9051 section 6.2.2)."""
    await talk.send("*")
    await answer(talk, tag)


async def _farewell(talk: Talk) -> None:
    try:
        await command(talk, "a9", "LOGOUT")
    except PeerError:
        return


def _compared(answered: Answer) -> bool:
    """Whether the server took the password to compare it: then it has travelled for nothing less."""
    return answered.ok or (
        answered.status == "NO" and not any(is_refusal_to_look(line) for line in (answered.text, *answered.untagged))
    )


def _greeting(talk: Talk, ask: Ask, text: str, *, preauth: bool) -> Greeting:
    shown = printable(text)
    name, version = software(shown)
    return Greeting(ask.at, shown, talk.encrypted, ask.elapsed(), name, version, preauth=preauth)


def _mangled(words: tuple[str, ...]) -> str:
    return next((w for w in words if len(w) >= 7 and set(w[:-1]) <= {"X"}), "")


def _tried(talk: Talk, ask: Ask, what: str, sent: str, answered: Answer, *, accepted: bool) -> Tried:
    return Tried(ask.at, what, accepted, talk.encrypted, sent, answered.words)
