"""The pop3 dialogue (signatures first, bodies to follow)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gatepost.model.observation import Observation
from gatepost.wire.ask import Ask
from gatepost.wire.lines import Talk


async def reach(talk: Talk, ask: Ask) -> None:
    raise NotImplementedError


async def converse(talk: Talk, ask: Ask) -> AsyncIterator[Observation]:
    raise NotImplementedError
    yield


async def inject(talk: Talk, ask: Ask) -> AsyncIterator[Observation]:
    raise NotImplementedError
    yield


async def preamble(talk: Talk, ask: Ask) -> AsyncIterator[Observation]:
    raise NotImplementedError
    yield
