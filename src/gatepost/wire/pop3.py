"""POP3, from the greeting to QUIT (RFC 1939, 2449, 2595, 5034)."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass

from gatepost.errors import PeerGarbled, PeerRefused
from gatepost.model.observation import Capabilities, Greeting, Observation, Tried
from gatepost.model.words import Mode
from gatepost.wire.ask import PASSWORD, PLAINTEXT, USER, Ask, Stage, is_refusal_to_look
from gatepost.wire.injection import Behind
from gatepost.wire.lines import MAX_LINES, Talk, printable
from gatepost.wire.preamble import Early
from gatepost.wire.software import own_name, software
from gatepost.wire.turns import Started, Upgrading, capability, farewell, granted, mechanism, outcome, started, upgraded

_ANSWER = re.compile(r"(\+OK|-ERR)(?:[ \t]+(.*)|)|\+(?: (.*))?", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is `+OK`, `-ERR`, or `+` when the server waits for us."""

    status: str
    text: str

    @property
    def ok(self) -> bool:
        return self.status == "+OK"

    @property
    def words(self) -> str:
        return printable(f"{self.status} {self.text}".rstrip())


def parse(line: str) -> Answer:
    found = _ANSWER.fullmatch(line)
    if found is None:
        raise PeerGarbled(f"not a POP3 answer: {printable(line, 80)!r}")
    return Answer(found[1].upper(), found[2] or "") if found[1] else Answer("+", found[3] or "")


async def command(talk: Talk, line: str, *, shown: str | None = None) -> Answer:
    await talk.send(line, shown=shown)
    return parse(await talk.line())


async def greeted(talk: Talk) -> Answer:
    answered = parse(await talk.line())
    if answered.status == "+":
        raise PeerGarbled(f"not a POP3 greeting: {answered.words}")
    granted(answered)
    return answered


async def listing(talk: Talk) -> tuple[str, ...]:
    """The lines behind a `+OK`, up to the lone dot."""
    lines: list[str] = []
    while (line := await talk.line()) != ".":
        lines.append(line.removeprefix("."))
        if len(lines) > MAX_LINES:
            raise PeerGarbled(f"more than {MAX_LINES} lines in one answer")
    return tuple(lines)


async def capabilities(talk: Talk) -> tuple[str, ...]:
    """Nothing for a server that has no CAPA."""
    if not (await command(talk, "CAPA")).ok:
        return ()
    return tuple(capability(line) for line in await listing(talk) if line.strip())


async def reach(talk: Talk, ask: Ask) -> None:
    """Two round trips: STLS needs no CAPA before it."""
    if ask.mode is Mode.IMPLICIT:
        return
    await greeted(talk)
    granted(await command(talk, "STLS"))


async def steps(talk: Talk, ask: Ask, stage: Stage) -> AsyncIterator[Observation]:
    yield _greeting(talk, ask, await greeted(talk))
    stage.wanted = "capabilities-tls" if talk.encrypted else "capabilities"
    words = await capabilities(talk)
    yield Capabilities(ask.at, words, talk.encrypted)
    if not talk.encrypted:
        async for tried in _in_clear(talk, ask, words, stage):
            yield tried
        async for one in upgraded(talk, ask, words, stage, _UPGRADING):
            words = one.words if isinstance(one, Capabilities) else words
            yield one
    if "ANONYMOUS" in Capabilities(ask.at, words, talk.encrypted).mechanisms() and not ask.gentle:
        stage.wanted = "auth-anonymous"
        yield await _anonymous(talk, ask)
    await farewell(command(talk, "QUIT"))


async def _in_clear(talk: Talk, ask: Ask, words: tuple[str, ...], stage: Stage) -> AsyncIterator[Tried]:
    """AUTH is called off at the challenge (RFC 5034 section 4); USER and PASS have to be meant.

    They are left out where the challenge proved as much: a failed login costs seconds and counts against us.
    """
    if ask.gentle:
        return
    offered = Capabilities(ask.at, words, encrypted=False).mechanisms()
    if wanted := mechanism(offered):
        stage.wanted = "auth-in-clear"
        answered = await command(talk, sent := f"AUTH {wanted}")
        if answered.status == "+":
            await command(talk, "*")
        yield (
            tried := outcome(talk, ask, "auth-in-clear", sent, answered.words, accepted=answered.status in {"+", "+OK"})
        )
        if tried.accepted and wanted in PLAINTEXT:
            return
    stage.wanted = "user-pass-in-clear"
    yield await _user_and_pass(talk, ask)


async def _user_and_pass(talk: Talk, ask: Ask) -> Tried:
    answered = await command(talk, sent := f"USER {USER}")
    if not answered.ok:
        return outcome(talk, ask, "user-pass-in-clear", sent, answered.words, accepted=False)
    answered = await command(talk, f"PASS {PASSWORD}", shown="PASS ***")
    compared = answered.ok or not is_refusal_to_look(answered.text)
    return outcome(talk, ask, "user-pass-in-clear", f"{sent}, PASS ***", answered.words, accepted=compared)


async def _start(talk: Talk) -> Started:
    return started(await command(talk, "STLS"))


_UPGRADING = Upgrading("STLS", re.compile(r"[X*]{4}[X*A-Z]?"), _start, "CAPA", capabilities)


async def _anonymous(talk: Talk, ask: Ask) -> Tried:
    answered = await command(talk, sent := "AUTH ANONYMOUS")
    if answered.status == "+":
        answered = await command(talk, b64encode(ask.me.encode()).decode("ascii"))
    return outcome(talk, ask, "auth-anonymous", sent, answered.words, accepted=answered.ok)


async def _prepare(talk: Talk, _ask: Ask) -> None:
    await greeted(talk)
    if "STLS" not in await capabilities(talk):
        raise PeerRefused("STLS is not offered")


async def _go_ahead(talk: Talk) -> None:
    granted(parse(await talk.line()))


async def _executed(talk: Talk, _ask: Ask) -> str:
    """CAPA is answered with `+OK`, what we sent in clear with `-ERR`: an error first gets a second look."""
    first = await command(talk, "CAPA")
    if first.ok:
        await listing(talk)
        return ""
    second = await command(talk, "XGATEPOST")
    if not second.ok:
        return ""
    await listing(talk)
    await talk.line()
    return first.words


BEHIND = Behind(_prepare, ("STLS", "XGATEPOST"), _go_ahead, _executed)


async def _early(talk: Talk, _ask: Ask) -> tuple[bool, bool, str]:
    await greeted(talk)
    first = parse(await talk.line())
    second = first if first.ok else parse(await talk.line())
    if second.ok:
        await listing(talk)
    await farewell(command(talk, "QUIT"))
    return first.ok, True, first.words


EARLY = Early("CAPA", _early)

_APOP = re.compile(r"<[^<>@\s]+@([^<>@\s]+)>")


def _greeting(talk: Talk, ask: Ask, answered: Answer) -> Greeting:
    text = printable(answered.text)
    name, version = software(text)
    stamp = _APOP.search(text)
    host = own_name(stamp[1]) if stamp else own_name(text)
    return Greeting(ask.at, text, talk.encrypted, ask.elapsed(), name, version, host)
