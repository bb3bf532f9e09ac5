"""Ends of data that are none (signatures first, bodies to follow)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from gatepost.model.observation import Tried, Unobserved
from gatepost.wire.ask import Ask
from gatepost.wire.lines import Talk

FORMS: tuple[str, ...] = ()


async def smuggle(talk: Talk, ask: Ask, forms: Sequence[str]) -> AsyncIterator[Tried | Unobserved]:
    """Each form as `smuggle:<form>`; ends early with an Unobserved when the server has had enough."""
    raise NotImplementedError
    yield
