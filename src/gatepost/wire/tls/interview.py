"""Asks an endpoint one hello after the other, within a number, and stops when the server wants no more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from gatepost.errors import BudgetSpent, GatepostError, PeerLimited
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import Feature, Observation, Unobserved
from gatepost.wire.ask import lost
from gatepost.wire.lines import Wire
from gatepost.wire.tls.ask import Answer, ask
from gatepost.wire.tls.flight import Flight
from gatepost.wire.tls.offers import Offer

Reach = Callable[[], Awaitable[Wire]]  # a fresh connection right before the ClientHello; raises a GatepostError
Merge = Callable[[Sequence[AsyncIterator[Observation]]], AsyncIterator[Observation]]

UNREACHED = 2  # connections in a row that came to nothing: the endpoint is out of reach
UNANSWERED = 4  # hellos in a row without an answer: some devices drop odd ones, but not all


async def in_turn(streams: Sequence[AsyncIterator[Observation]]) -> AsyncIterator[Observation]:
    """The `Merge` of a caller without concurrency: one stream after the other."""
    for stream in streams:
        async for seen in stream:
            yield seen


@dataclass(slots=True)
class Interview:
    """`answers` holds the latest answer per offer name; `hellos` is how many may be sent in all."""

    at: Endpoint
    reach: Reach
    hellos: int
    mine: bool = False
    answers: dict[str, Answer] = field(default_factory=dict)
    used: int = 0
    worked: dict[str, Answer] = field(default_factory=dict)  # the newest accepted hello of each version
    silences: list[Answer] = field(default_factory=list)
    _stopped: GatepostError | None = None
    _unreached: int = 0
    _unanswered: int = 0
    _proved: bool = False
    _told: list[Observation] = field(default_factory=list)
    _chains: set[tuple[str | None, tuple[str, ...]]] = field(default_factory=set)

    @property
    def left(self) -> int:
        return 0 if self._stopped is not None else self.hellos - self.used

    async def put(self, offer: Offer, told: Callable[[Answer], Iterable[str]] | None = None) -> Answer:
        """Ask; `told` gives the names under which the answer is reported, by default the offer's own."""
        try:
            answer = await self._answer(offer)
        except GatepostError as error:
            answer = Answer(offer, Flight(), missed=lost(self.at, f"tls:{offer.name}", error))
        self.answers[offer.name] = answer
        if answer.accepted and answer.suite is not None:
            self.worked[answer.flight.version] = answer
        elif answer.missed is None and answer.silent:
            self.silences.append(answer)
        self._report(answer, tuple(told(answer)) if told else (offer.name,))
        return answer

    def drain(self) -> tuple[Observation, ...]:
        """Everything observed since the last call."""
        told = tuple(self._told)
        self._told.clear()
        return told

    async def round(self, offers: Iterable[Offer], merge: Merge) -> AsyncIterator[Observation]:
        """Offers that do not depend on each other, side by side."""
        async for seen in merge([self._single(offer) for offer in offers]):
            yield seen

    async def _single(self, offer: Offer) -> AsyncIterator[Observation]:
        await self.put(offer)
        for seen in self.drain():
            yield seen

    async def connect(self) -> Wire:
        """A connection of the budget, right before the ClientHello."""
        if self._stopped is not None:
            raise self._stopped
        if self.used >= self.hellos:
            raise BudgetSpent(f"{self.hellos} hellos are used up")
        self.used += 1
        try:
            wire = await self.reach()
        except GatepostError as error:
            self._unreached += 1
            self._stop_after(error, enough=self._unreached >= UNREACHED)
            raise
        self._unreached = 0
        return wire

    async def _answer(self, offer: Offer) -> Answer:
        wire = await self.connect()
        try:
            answer = await ask(wire, offer, mine=self.mine and not self._proved)
        except GatepostError as error:
            self._unanswered += 1
            self._stop_after(error, enough=self._unanswered >= UNANSWERED)
            raise
        finally:
            await wire.close()
        self._unanswered = 0
        return answer

    def _stop_after(self, error: GatepostError, *, enough: bool) -> None:
        if enough or isinstance(error, PeerLimited | BudgetSpent):
            self._stopped = error

    def _report(self, answer: Answer, names: tuple[str, ...]) -> None:
        if answer.missed is not None:
            self._told += [self._missed(answer.missed, name) for name in names]
            return
        self._told += [answer.seen(self.at, name) for name in names]
        chain = answer.chain(self.at)
        if chain is not None and (chain.sni, chain.chain) not in self._chains:
            self._chains.add((chain.sni, chain.chain))
            self._told.append(chain)
        if answer.proofs and not self._proved:  # hellos side by side may carry the provocations more than once
            self._proved = True
            self._told += [Feature(self.at, p.name, p.present, p.detail) for p in answer.proofs]

    @staticmethod
    def _missed(missed: Unobserved, name: str) -> Unobserved:
        return replace(missed, wanted=f"tls:{name}")
