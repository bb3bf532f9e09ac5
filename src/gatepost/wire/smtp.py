"""SMTP, submission and LMTP, from the greeting to QUIT (RFC 5321, 6409, 2033, 3207, 4954)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from functools import partial

from gatepost.errors import PeerError, PeerGarbled, PeerLimited, PeerRefused
from gatepost.model.observation import Capabilities, Greeting, Observation
from gatepost.model.words import Mode
from gatepost.wire import smtp_trials as trials
from gatepost.wire.ask import Ask, Stage, is_limit
from gatepost.wire.injection import Behind
from gatepost.wire.lines import Talk, printable
from gatepost.wire.preamble import Early
from gatepost.wire.replies import Reply, command, reply
from gatepost.wire.software import own_name, software
from gatepost.wire.turns import Started, Upgrading, capability, inside, secured
from gatepost.wire.turns import farewell as leave


async def reach(talk: Talk, ask: Ask) -> None:
    """Three round trips. STARTTLS is tried even where it is not offered: offers get lost on the path."""
    if ask.mode is Mode.IMPLICIT:
        return
    await greeted(talk)
    words = await hello(talk, ask)
    answer = await command(talk, "STARTTLS")
    if answer.code != 220:
        raise refusal(answer, offered=_offers(words, "STARTTLS"))


async def steps(talk: Talk, ask: Ask, stage: Stage) -> AsyncIterator[Observation]:
    yield _greeting(talk, ask, await greeted(talk))
    stage.wanted = "capabilities-tls" if talk.encrypted else "capabilities"
    words = await hello(talk, ask)
    yield Capabilities(ask.at, words, talk.encrypted)
    if not talk.encrypted:
        pending = False
        async for tried in trials.in_clear(talk, ask, words, stage):
            pending = tried.what == "mail-before-tls" and tried.accepted
            yield tried
        async for one in _upgraded(talk, ask, words, stage, pending=pending):
            words = one.words if isinstance(one, Capabilities) else words
            yield one
    async for tried_last in trials.at_last(talk, ask, words, stage):
        yield tried_last
    await farewell(talk)


async def _upgraded(
    talk: Talk, ask: Ask, words: tuple[str, ...], stage: Stage, *, pending: bool
) -> AsyncIterator[Observation]:
    """`pending`: a transaction was begun in clear, which TLS must wipe out (RFC 3207 section 4.2)."""
    start = partial(_start, pending=pending and _offers(words, "STARTTLS"))
    how = Upgrading("STARTTLS", _MASK, start, _hello(ask), partial(hello, ask=ask), _offers)
    async for seen in secured(talk, ask, words, stage, how):
        yield seen
    if not talk.encrypted:
        if pending:
            await command(talk, "RSET")
        return
    if pending:
        stage.wanted = "mail-after-tls"
        yield await trials.transaction_kept(talk, ask)
    async for seen in inside(talk, ask, stage, how):
        yield seen


async def _start(talk: Talk, *, pending: bool) -> Started:
    answer = await command(talk, "STARTTLS")
    if answer.code == 503 and pending:  # some want no transaction open
        await command(talk, "RSET")
        answer = await command(talk, "STARTTLS")
    if answer.later and is_limit(answer.text):
        raise PeerLimited(answer.text)
    return Started(answer.code == 220, answer.text)


async def _prepare(talk: Talk, ask: Ask) -> None:
    await greeted(talk)
    if not _offers(await hello(talk, ask), "STARTTLS"):
        raise PeerRefused("STARTTLS is not offered")


async def _go_ahead(talk: Talk) -> None:
    answer = await reply(talk)
    if answer.code != 220:
        raise refusal(answer, offered=True)


async def _executed(talk: Talk, ask: Ask) -> str:
    """EHLO has an answer of several lines, NOOP of one. Only a doubtful first answer costs a second look."""
    first = await command(talk, _hello(ask))
    if len(first.lines) > 1:
        return ""
    second = await command(talk, "XGATEPOST")
    if not second.ok:
        return ""
    await reply(talk)
    return first.text


BEHIND = Behind(_prepare, ("STARTTLS", "NOOP"), _go_ahead, _executed)


async def _early(talk: Talk, ask: Ask) -> tuple[bool, bool, str]:
    """Answers between greeting and EHLO: NOOP's alone (believed), an error and NOOP's, or none at all."""
    await greeted(talk)
    first = await command(talk, _hello(ask))
    if first.ok and len(first.lines) > 1:
        await farewell(talk)
        return False, False, "what came before the greeting was thrown away"
    await reply(talk)  # of NOOP after an error, of EHLO after NOOP
    if first.code >= 400:
        await reply(talk)
    await farewell(talk)
    return first.ok, True, first.text


EARLY = Early("NOOP", _early)


async def greeted(talk: Talk) -> Reply:
    """The greeting to its last line. Raises when it is a refusal to talk (554, 521) or a limit (4xx)."""
    first = await reply(talk)
    if first.code == 220:
        return first
    if first.later or is_limit(first.text):
        raise PeerLimited(first.text)
    if first.ok:
        raise PeerGarbled(f"not an SMTP greeting: {first.text}")
    raise PeerRefused(first.text)


async def hello(talk: Talk, ask: Ask) -> tuple[str, ...]:
    """EHLO or LHLO, and what it offers; nothing when the peer knows only HELO."""
    answer = await command(talk, _hello(ask))
    if answer.ok:
        return tuple(capability(line) for line in answer.lines[1:] if line.strip())
    if answer.later or ask.protocol == "lmtp":
        raise PeerLimited(answer.text) if answer.later else PeerRefused(answer.text)
    plain = await command(talk, f"HELO {ask.me}")
    if not plain.ok:
        raise PeerRefused(answer.text)
    return ()


async def farewell(talk: Talk) -> None:
    await leave(command(talk, "QUIT"))


async def session(talk: Talk, ask: Ask) -> None:
    """To where MAIL may be sent, inside TLS where that can be had: for the probes with recipients."""
    if ask.mode is Mode.IMPLICIT:
        await talk.start_tls(ask.name)
    await greeted(talk)
    words = await hello(talk, ask)
    if talk.encrypted or ask.mode is Mode.NONE or not _offers(words, "STARTTLS"):
        return
    await _go_ahead(await _sent(talk, "STARTTLS"))
    talk.lines.rest()
    await talk.start_tls(ask.name)
    await hello(talk, ask)


async def _sent(talk: Talk, line: str) -> Talk:
    await talk.send(line)
    return talk


def refusal(answer: Reply, *, offered: bool) -> PeerError:
    """454 is a limit (too many TLS sessions) or a broken server (no certificate): its text tells."""
    if answer.later and is_limit(answer.text):
        return PeerLimited(answer.text)
    return PeerRefused(answer.text if offered else f"STARTTLS is not offered; when tried: {answer.text}")


def _hello(ask: Ask) -> str:
    return f"{'LHLO' if ask.protocol == 'lmtp' else 'EHLO'} {ask.me}"


def _offers(words: tuple[str, ...], keyword: str) -> bool:
    return any(word.split(" ", 1)[0] == keyword for word in words)


_MASK = re.compile(r"(?=.{7,10}$)(?:[X*]{5,}[A-Z]?|START[X*]+|[X*]+TLS)")


def _greeting(talk: Talk, ask: Ask, answer: Reply) -> Greeting:
    text = "\n".join(printable(line) for line in answer.lines)
    name, version = software(text)
    host = next(filter(None, map(own_name, answer.lines)), "")
    return Greeting(ask.at, text, talk.encrypted, ask.elapsed(), name, version, host)
