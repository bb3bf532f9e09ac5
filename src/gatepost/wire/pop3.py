"""POP3, from the greeting to QUIT (RFC 1939, 2449, 2595, 5034)."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass

from gatepost.errors import PeerError, PeerGarbled, PeerLimited, PeerRefused
from gatepost.model.observation import Capabilities, Greeting, Observation, Tried, Upgrade
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
from gatepost.wire.injection import Behind
from gatepost.wire.injection import inject as inject_behind
from gatepost.wire.lines import MAX_LINES, Talk, printable
from gatepost.wire.preamble import preamble as talk_early
from gatepost.wire.software import own_name, software

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
    if answered.ok:
        return answered
    if answered.status == "-ERR":
        raise (PeerLimited if is_limit(answered.text) else PeerRefused)(answered.words)
    raise PeerGarbled(f"not a POP3 greeting: {answered.words}")


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
    return tuple(_word(line) for line in await listing(talk) if line.strip())


async def reach(talk: Talk, ask: Ask) -> None:
    """Two round trips: STLS needs no CAPA before it."""
    if ask.mode is Mode.IMPLICIT:
        return
    await greeted(talk)
    _granted(await command(talk, "STLS"))


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
    yield _greeting(talk, ask, await greeted(talk))
    stage.wanted = "capabilities-tls" if talk.encrypted else "capabilities"
    words = await capabilities(talk)
    yield Capabilities(ask.at, words, talk.encrypted)
    if not talk.encrypted:
        async for tried in _in_clear(talk, ask, words, stage):
            yield tried
        async for one in _upgraded(talk, ask, words, stage):
            words = one.words if isinstance(one, Capabilities) else words
            yield one
    if "ANONYMOUS" in Capabilities(ask.at, words, talk.encrypted).mechanisms() and not ask.gentle:
        stage.wanted = "auth-anonymous"
        yield await _anonymous(talk, ask)
    await _farewell(talk)


async def _in_clear(talk: Talk, ask: Ask, words: tuple[str, ...], stage: Stage) -> AsyncIterator[Tried]:
    """AUTH is called off at the challenge (RFC 5034 section 4); USER and PASS have to be meant.

    They are left out where the challenge proved as much: a failed login costs seconds and counts against us.
    """
    if ask.gentle:
        return
    offered = Capabilities(ask.at, words, encrypted=False).mechanisms()
    if wanted := next((m for m in ("PLAIN", "LOGIN", *offered) if m in offered), None):
        stage.wanted = "auth-in-clear"
        answered = await command(talk, sent := f"AUTH {wanted}")
        if answered.status == "+":
            await command(talk, "*")
        yield (tried := _tried(talk, ask, "auth-in-clear", sent, answered, accepted=answered.status in {"+", "+OK"}))
        if tried.accepted and wanted in PLAINTEXT:
            return
    stage.wanted = "user-pass-in-clear"
    yield await _user_and_pass(talk, ask)


async def _user_and_pass(talk: Talk, ask: Ask) -> Tried:
    answered = await command(talk, sent := f"USER {USER}")
    if not answered.ok:
        return _tried(talk, ask, "user-pass-in-clear", sent, answered, accepted=False)
    answered = await command(talk, f"PASS {PASSWORD}", shown="PASS ***")
    compared = answered.ok or not is_refusal_to_look(answered.text)
    return _tried(talk, ask, "user-pass-in-clear", f"{sent}, PASS ***", answered, accepted=compared)


async def _upgraded(talk: Talk, ask: Ask, words: tuple[str, ...], stage: Stage) -> AsyncIterator[Observation]:
    stage.wanted = "starttls"
    offered = "STLS" in words
    if not offered and (ask.gentle or ask.mode is Mode.NONE):
        yield Upgrade(ask.at, offered, accepted=False, answer="not offered", mangled=_mangled(words))
        return
    if unread(talk):
        yield carried_over(talk, ask, "before STLS")
    answered = await command(talk, "STLS")
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
    protected = await capabilities(talk)
    yield Capabilities(ask.at, protected, encrypted=True)
    again = "STLS" in protected
    text = "offered" if again else "not offered"
    yield Tried(ask.at, "starttls-again", again, encrypted=True, sent="CAPA", answer=text)


async def _anonymous(talk: Talk, ask: Ask) -> Tried:
    answered = await command(talk, sent := "AUTH ANONYMOUS")
    if answered.status == "+":
        answered = await command(talk, b64encode(ask.me.encode()).decode("ascii"))
    return _tried(talk, ask, "auth-anonymous", sent, answered, accepted=answered.ok)


async def inject(talk: Talk, ask: Ask) -> AsyncIterator[Observation]:
    async for seen in inject_behind(talk, ask, reach, _BEHIND):
        yield seen


async def _prepare(talk: Talk, _ask: Ask) -> None:
    await greeted(talk)
    if "STLS" not in await capabilities(talk):
        raise PeerRefused("STLS is not offered")


async def _go_ahead(talk: Talk) -> None:
    _granted(parse(await talk.line()))


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


_BEHIND = Behind(_prepare, ("STLS", "XGATEPOST"), _go_ahead, _executed)


async def preamble(talk: Talk, ask: Ask) -> AsyncIterator[Observation]:
    async for seen in talk_early(talk, ask, "CAPA", _early):
        yield seen


async def _early(talk: Talk, _ask: Ask) -> tuple[bool, bool, str]:
    await greeted(talk)
    first = parse(await talk.line())
    second = first if first.ok else parse(await talk.line())
    if second.ok:
        await listing(talk)
    await _farewell(talk)
    return first.ok, True, first.words


def _granted(answered: Answer) -> None:
    if answered.ok:
        return
    raise (PeerLimited if is_limit(answered.text) else PeerRefused)(answered.words)


async def _farewell(talk: Talk) -> None:
    try:
        await command(talk, "QUIT")
    except PeerError:
        return


def _word(line: str) -> str:
    keyword, _, rest = printable(line, 1000).strip().partition(" ")
    return f"{keyword.upper()} {rest.strip()}".rstrip()


_MANGLED = re.compile(r"[X*]{4,}[A-Z]?")


def _mangled(words: tuple[str, ...]) -> str:
    return next((w for w in words if len(w) in {4, 5} and _MANGLED.fullmatch(w)), "")


_APOP = re.compile(r"<[^<>@\s]+@([^<>@\s]+)>")


def _greeting(talk: Talk, ask: Ask, answered: Answer) -> Greeting:
    text = printable(answered.text)
    name, version = software(text)
    stamp = _APOP.search(text)
    host = own_name(stamp[1]) if stamp else own_name(text)
    return Greeting(ask.at, text, talk.encrypted, ask.elapsed(), name, version, host)


def _tried(talk: Talk, ask: Ask, what: str, sent: str, answered: Answer, *, accepted: bool) -> Tried:
    return Tried(ask.at, what, accepted, talk.encrypted, sent, answered.words)
