"""Asks what `records.survey` wants to know, all of it at once, and keeps every answer as evidence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence

from gatepost.errors import GatepostError
from gatepost.model.dns import Answer
from gatepost.model.observation import Observation, Unobserved
from gatepost.model.words import Reason
from gatepost.records.lookup import Fetch, Lookup, Told
from gatepost.records.plans import DomainPlan, HostPlan
from gatepost.records.suffixes import suffixes
from gatepost.records.survey import Question, domain, host

DOMAINS_AT_ONCE = 50


class Kept:
    """A look-up that remembers what it was answered."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.answers: dict[tuple[str, str], Answer] = {}

    async def __call__(self, name: str, kind: str) -> Answer:
        answer = await self.lookup(name, kind)
        self.answers[answer.name, answer.kind] = answer
        return answer


async def ask(
    domains: Sequence[DomainPlan], hosts: Sequence[HostPlan], lookup: Lookup, fetch: Fetch
) -> tuple[Observation, ...]:
    """What was found out, then the raw answers. A question that breaks costs its own answer and nothing else."""
    kept = Kept(lookup)
    crowd = asyncio.Semaphore(DOMAINS_AT_ONCE)
    known = suffixes() if domains else None

    async def of_domain(plan: DomainPlan) -> tuple[Observation, ...]:
        assert known is not None  # noqa: S101 - loaded as soon as there is one domain
        async with crowd:
            return await _all(domain(plan, kept, fetch, known, at_once))

    async def of_host(plan: HostPlan) -> tuple[Observation, ...]:
        async with crowd:
            return await _all(host(plan, kept))

    found = await asyncio.gather(*map(of_domain, domains), *map(of_host, hosts))
    return (*(one for some in found for one in some), *kept.answers.values())


async def at_once(questions: Sequence[Awaitable[Told]]) -> Sequence[Told]:
    """`records.lookup.Together`."""
    return await asyncio.gather(*questions)


async def _all(questions: Iterable[Question]) -> tuple[Observation, ...]:
    found = await asyncio.gather(*map(_one, questions))
    return tuple(one for some in found for one in some)


async def _one(question: Question) -> tuple[Observation, ...]:
    try:
        answer = await question.answer
    except GatepostError as error:
        return (Unobserved(question.at, question.wanted, Reason.GARBLED, str(error)),)
    except Exception as error:  # noqa: BLE001 - a defect of one reader must not cost the others' answers
        return (Unobserved(question.at, question.wanted, Reason.GARBLED, f"defect: {type(error).__name__}: {error}"),)
    return answer if isinstance(answer, tuple) else (answer,)
