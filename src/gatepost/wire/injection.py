"""The second connection: a command sent behind STARTTLS, then the port without SNI and capped at TLS 1.2.

A server that keeps what it had read before the handshake executes it inside TLS (CVE-2011-0411 and its kin).
The command is chosen so that its answer cannot be taken for another, and so that no read is left waiting.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from gatepost.errors import PeerClosed, PeerError, PeerGarbled, PeerRefused, PeerReset
from gatepost.model.observation import Feature, Handshake, Injected, Observation
from gatepost.model.words import Mode
from gatepost.wire.ask import Ask, Stage, secure, until_failure
from gatepost.wire.lines import Talk, printable


@dataclass(frozen=True, slots=True)
class Behind:
    """What one protocol brings along.

    `prepare` reads up to where STARTTLS may be sent and raises PeerRefused when it is not on offer; `burst`
    goes out in one write; `go_ahead` reads the answer to STARTTLS; `executed` asks inside TLS and returns the
    answer to the command that should have been dropped, empty when there is none.
    """

    prepare: Callable[[Talk, Ask], Awaitable[None]]
    burst: tuple[str, ...]
    go_ahead: Callable[[Talk], Awaitable[None]]
    executed: Callable[[Talk, Ask], Awaitable[str]]


Reach = Callable[[Talk, Ask], Awaitable[None]]

# The peer cannot do what we offered. Anything else in a failed handshake is about the injected bytes: Dovecot, for
# one, hands them to TLS and closes without an alert.
_OUR_OFFER = re.compile(
    r"version|protocol|cipher|handshake failure|legacy|insufficient security|unrecognized name", re.IGNORECASE
)


async def inject(talk: Talk, ask: Ask, reach: Reach, behind: Behind) -> AsyncIterator[Observation]:
    """`gentle` and implicit TLS leave out the burst; when it costs the connection, ask again gently."""
    burst = not (ask.gentle or ask.mode is Mode.IMPLICIT)
    stage = Stage("injection" if burst else "renegotiation")
    steps = _with_burst(talk, ask, behind, stage) if burst else _without(talk, ask, reach)
    async for seen in until_failure(ask.at, stage, steps):
        yield seen


async def _without(talk: Talk, ask: Ask, reach: Reach) -> AsyncIterator[Observation]:
    await reach(talk, ask)
    talk.lines.rest()
    async for seen in secure(talk, ask, None, highest=ask.highest):
        if not (isinstance(seen, Handshake) and seen.error):
            yield seen
    yield await renegotiation(talk, ask)


async def _with_burst(talk: Talk, ask: Ask, behind: Behind, stage: Stage) -> AsyncIterator[Observation]:
    await behind.prepare(talk, ask)
    talk.transcript.append(f"> {' + '.join(behind.burst)}")
    await talk.wire.write("".join(f"{line}\r\n" for line in behind.burst).encode("ascii"))
    try:
        await behind.go_ahead(talk)
        in_clear = printable(talk.lines.rest().decode("latin-1"))
        async for seen in secure(talk, ask, None, highest=ask.highest):
            if not (isinstance(seen, Handshake) and seen.error):
                yield seen
        answer = await behind.executed(talk, ask)
    except (PeerClosed, PeerGarbled, PeerRefused, PeerReset) as error:
        if isinstance(error, PeerGarbled) and (talk.encrypted or _OUR_OFFER.search(str(error))):
            raise
        stage.wanted = "renegotiation"
        yield Injected(ask.at, "command", happened=False, detail=f"the server broke off: {error}")
        raise
    stage.wanted = "renegotiation"
    yield Injected(ask.at, "command", bool(answer), _detail(behind.burst[-1], answer, in_clear))
    yield await renegotiation(talk, ask)


def _detail(sent: str, answer: str, in_clear: str) -> str:
    if answer:
        return f"{sent} sent in clear was answered inside TLS: {answer}"
    return f"answered before TLS: {in_clear}" if in_clear else "dropped"


async def renegotiation(talk: Talk, ask: Ask) -> Feature:
    """The last word of a connection: peers hang up on it."""
    try:
        went_along = await talk.wire.renegotiate()
    except PeerError as error:
        return Feature(ask.at, "client-renegotiation", present=False, detail=str(error))
    detail = "the server went along" if went_along else "the server declined"
    return Feature(ask.at, "client-renegotiation", went_along, detail)
