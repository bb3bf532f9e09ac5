"""IMAP, from the greeting to LOGOUT (RFC 9051, 3501, 2595)."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncIterator

from gatepost.errors import PeerRefused
from gatepost.model.observation import Capabilities, Greeting, Observation, Tried
from gatepost.model.words import Mode
from gatepost.wire.ask import PASSWORD, PLAINTEXT, USER, Ask, Stage, is_refusal_to_look
from gatepost.wire.imap_answers import Answer, answer, capability_words, command, greeting
from gatepost.wire.injection import Behind
from gatepost.wire.lines import Talk, printable
from gatepost.wire.preamble import Early
from gatepost.wire.software import software
from gatepost.wire.turns import Started, Upgrading, farewell, granted, mechanism, outcome, started, upgraded


async def reach(talk: Talk, ask: Ask) -> None:
    """Two round trips: IMAP needs no CAPABILITY before STARTTLS."""
    if ask.mode is Mode.IMPLICIT:
        return
    await greeting(talk)
    granted(await command(talk, "a1", "STARTTLS"))


async def steps(talk: Talk, ask: Ask, stage: Stage) -> AsyncIterator[Observation]:
    status, text = await greeting(talk)
    yield _greeting(talk, ask, text, preauth=status == "PREAUTH")
    stage.wanted = "capabilities-tls" if talk.encrypted else "capabilities"
    words = await _capability(talk, "a1")
    yield Capabilities(ask.at, words, talk.encrypted)
    if not talk.encrypted:
        if status != "PREAUTH" and not ask.gentle:
            async for tried in _in_clear(talk, ask, words, stage):
                yield tried
        async for one in upgraded(talk, ask, words, stage, _UPGRADING):
            words = one.words if isinstance(one, Capabilities) else words
            yield one
    if "AUTH=ANONYMOUS" in words and not ask.gentle:
        stage.wanted = "auth-anonymous"
        yield await _anonymous(talk, ask)
    await farewell(command(talk, "a9", "LOGOUT"))


async def _in_clear(talk: Talk, ask: Ask, words: tuple[str, ...], stage: Stage) -> AsyncIterator[Tried]:
    """AUTHENTICATE is called off at the challenge; LOGIN carries its password at once and has to be meant.

    It is left out where the challenge proved as much: a failed login costs seconds and counts against us.
    """
    offered = Capabilities(ask.at, words, encrypted=False).mechanisms()
    if wanted := mechanism(offered):
        stage.wanted = "auth-in-clear"
        sent = f"AUTHENTICATE {wanted}"
        first = await command(talk, "a2", sent, challenge=True)
        if first.status == "+":
            await command_off(talk, "a2")
        yield (tried := outcome(talk, ask, "auth-in-clear", sent, first.words, accepted=first.status in {"+", "OK"}))
        if tried.accepted and wanted in PLAINTEXT:
            return
    stage.wanted = "login-in-clear"
    shown = f"LOGIN {USER} ***"
    answered = await command(talk, "a3", f"LOGIN {USER} {PASSWORD}", shown=shown)
    yield outcome(talk, ask, "login-in-clear", shown, answered.words, accepted=_compared(answered))


async def _start(talk: Talk) -> Started:
    answered = await command(talk, "a4", "STARTTLS")
    return started(answered, next((f"* {line}" for line in answered.unasked()), ""))


async def _protected(talk: Talk) -> tuple[str, ...]:
    return await _capability(talk, "a5")


_UPGRADING = Upgrading("STARTTLS", re.compile(r"X{6,}."), _start, "CAPABILITY", _protected)


async def _anonymous(talk: Talk, ask: Ask) -> Tried:
    """RFC 4505: the message is a trace of who asks."""
    sent = "AUTHENTICATE ANONYMOUS"
    answered = await command(talk, "a6", sent, challenge=True)
    if answered.status == "+":
        await talk.send(b64encode(ask.me.encode()).decode("ascii"))
        answered = await answer(talk, "a6")
    return outcome(talk, ask, "auth-anonymous", sent, answered.words, accepted=answered.ok)


async def _prepare(talk: Talk, _ask: Ask) -> None:
    _, text = await greeting(talk)
    words = capability_words(text) or await _capability(talk, "a1")
    if "STARTTLS" not in words:
        raise PeerRefused("STARTTLS is not offered")


async def _go_ahead(talk: Talk) -> None:
    granted(await answer(talk, "a2"))


async def _executed(talk: Talk, _ask: Ask) -> str:
    """Tags tell whose answer it is."""
    await talk.send("a3 CAPABILITY")
    answered = await answer(talk, "a3", among=("zz",))
    return next((printable(line) for line in answered.untagged if line.startswith("zz ")), "")


BEHIND = Behind(_prepare, ("a2 STARTTLS", "zz NOOP"), _go_ahead, _executed)


async def _early(talk: Talk, _ask: Ask) -> tuple[bool, bool, str]:
    """A header that is not believed reads as a command with the tag PROXY."""
    await greeting(talk)
    await talk.send("a1 CAPABILITY")
    answered = await answer(talk, "a1", among=("zz", "PROXY"))
    await farewell(command(talk, "a9", "LOGOUT"))
    objected = [line for line in answered.untagged if line.upper().startswith(("PROXY ", "BAD ", "NO "))]
    executed = any(line.startswith("zz ") for line in answered.untagged)
    words = objected[0] if objected else "zz answered" if executed else "what came early was thrown away"
    return executed and not objected, executed, printable(words)


EARLY = Early("zz NOOP", _early)


async def _capability(talk: Talk, tag: str) -> tuple[str, ...]:
    return (await command(talk, tag, "CAPABILITY")).capabilities() or ()


async def command_off(talk: Talk, tag: str) -> None:
    """Call an AUTHENTICATE off (RFC 9051 section 6.2.2)."""
    await talk.send("*")
    await answer(talk, tag)


def _compared(answered: Answer) -> bool:
    """Whether the server took the password to compare it: then it has travelled for nothing less."""
    return answered.ok or (
        answered.status == "NO" and not any(is_refusal_to_look(line) for line in (answered.text, *answered.untagged))
    )


def _greeting(talk: Talk, ask: Ask, text: str, *, preauth: bool) -> Greeting:
    shown = printable(text)
    name, version = software(shown)
    return Greeting(ask.at, shown, talk.encrypted, ask.elapsed(), name, version, preauth=preauth)
