"""How records are asked for: two questions that the edge answers, and that tests answer from a table."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Answer
from gatepost.model.observation import Unobserved
from gatepost.model.words import Reason

Told = TypeVar("Told")


class Lookup(Protocol):
    r"""One DNS question. Never raises for what DNS does: see `Answer.presence`.

    `name` is in presentation form, without the final dot; characters that need it escaped as `\DDD`. A name
    that can be no DNS name (a label over 63 octets, more than 255 in all, an empty label) is ABSENT at once.
    """

    async def __call__(self, name: str, kind: str) -> Answer: ...


def unanswered(at: Endpoint, wanted: str, answer: Answer) -> Unobserved:
    """What a failed answer leaves unseen."""
    return Unobserved(at, wanted, answer.reason or Reason.UNRESOLVED, answer.why)


@dataclass(frozen=True, slots=True)
class Fetched:
    """An HTTPS document, or why there is none. `ok` is a 200 answer from a host whose certificate is trusted."""

    ok: bool
    text: str = ""
    content_type: str = ""
    reason: Reason | None = None
    why: str = ""


class Fetch(Protocol):
    """One HTTPS GET of `https://host/path`, without redirects, bounded in time and size. Never raises."""

    async def __call__(self, host: str, path: str) -> Fetched: ...


class Together(Protocol):
    """Awaits questions that do not depend on each other, all at once where the edge can; answers in their order."""

    async def __call__(self, questions: Sequence[Awaitable[Told]]) -> Sequence[Told]: ...
