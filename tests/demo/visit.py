"""Visits a small server of the demo over real sockets with the product's own dialogues."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from functools import cache
from typing import TypeVar

from gatepost.demo.authority import Authority, KeyKind, Papers, make_key
from gatepost.demo.habits import Habits
from gatepost.demo.servers import Handler, listening, mail
from gatepost.edge.net import Patience, SocketWire, connect
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import Observation
from gatepost.model.words import Mode, Role
from gatepost.wire.ask import Ask
from gatepost.wire.dialogue import Dialogue, dialogue_for
from gatepost.wire.lines import Talk

HERE = "127.0.0.1"
NAME = "mail.demo.test"
QUICK = Patience(connect=2.0, answer=2.0, whole=10.0)
Steps = Callable[[Dialogue, Talk, Ask], AsyncIterator[Observation]]
T = TypeVar("T")


@cache
def papers() -> Papers:
    return Authority(datetime.now(UTC)).issue((NAME,), key=make_key(KeyKind.RSA))


def converse(dialogue: Dialogue, talk: Talk, ask: Ask) -> AsyncIterator[Observation]:
    return dialogue.converse(talk, ask)


def inject(dialogue: Dialogue, talk: Talk, ask: Ask) -> AsyncIterator[Observation]:
    return dialogue.inject(talk, ask)


def preamble(dialogue: Dialogue, talk: Talk, ask: Ask) -> AsyncIterator[Observation]:
    return dialogue.preamble(talk, ask)


def seen(habits: Habits, steps: Steps = converse, *, source: str = "") -> list[Observation]:
    """Everything one dialogue sees of one server with these habits."""

    async def visit(wire: SocketWire, port: int) -> list[Observation]:
        mode = Mode.IMPLICIT if habits.implicit else Mode.STARTTLS
        role = Role.SUBMISSION if habits.submission else Role.MX if habits.protocol == "smtp" else Role.ACCESS
        at = Endpoint(NAME, HERE, port)
        ask = Ask(at, habits.protocol, mode, role, name=NAME, mine=True, domain=habits.domain, source=source)
        dialogue = dialogue_for(habits.protocol)
        assert dialogue is not None
        return [one async for one in steps(dialogue, Talk(wire), ask)]

    return meet(mail(habits, papers()), visit)


def meet(handler: Handler, visit: Callable[[SocketWire, int], Awaitable[T]]) -> T:
    """One connection to one listener."""

    async def play() -> T:
        async with listening(handler, HERE, 0) as port:
            wire = await connect(HERE, port, QUICK)
            try:
                return await visit(wire, port)
            finally:
                await wire.close()

    return asyncio.run(play())
