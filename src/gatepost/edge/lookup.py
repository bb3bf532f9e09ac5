"""Every DNS question of one run: asked once, kept, and told with how far the answer can be believed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import dns.edns
import dns.rcode

from gatepost.edge.belief import ROOT, Belief, Validator
from gatepost.edge.nameserver import Nameserver
from gatepost.edge.query import Query, query
from gatepost.edge.reply import (
    BADVERS,
    DNSSEC_ERRORS,
    FORMERR,
    MAX_ALIASES,
    NOTIMP,
    SERVFAIL,
    Reply,
    Trouble,
)
from gatepost.errors import PeerBogus, PeerError, PeerGarbled, PeerRefused, PeerSilent
from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Answer, Presence, Security, weakest
from gatepost.model.reasons import reason

SECONDS = 8.0  # for one question, repetitions included
PROOF = 4  # a question that only proves something gets this part of it
IN_FLIGHT = 64
MAX_KEPT = 50_000  # answers of one run
FILTERED = frozenset({4, 15, 16, 17, 18})  # RFC 8914: forged, blocked, censored, filtered, prohibited
VAGUE = frozenset({5, 6})  # RFC 8914: indeterminate, bogus
OLD = frozenset({FORMERR, NOTIMP, BADVERS})  # what servers say that never heard of EDNS


@dataclass(slots=True)
class Run:
    """What belongs to one event loop. `begun` is when the first question went out, `dead` why no more should."""

    loop: asyncio.AbstractEventLoop
    belief: Belief
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(IN_FLIGHT))
    kept: dict[Query, Answer] = field(default_factory=dict)
    pending: dict[Query, asyncio.Task[Answer]] = field(default_factory=dict)
    probing: asyncio.Task[None] | None = None
    begun: float | None = None
    dead: str = ""


class Asker:
    """`records.lookup.Lookup` in earnest. `asked` counts questions to the network, `spared` those that needed none.

    Answers are kept for one event loop, which is one run: a next one asks anew.
    """

    def __init__(
        self,
        servers: tuple[Nameserver, ...],
        where: str,
        *,
        seconds: float = SECONDS,
        validator: Validator | None = None,
    ) -> None:
        self.servers = servers
        self.where = where
        self.seconds = seconds
        self.validator = validator
        self.asked = 0
        self.spared = 0
        self._run: Run | None = None

    async def __call__(self, name: str, kind: str) -> Answer:
        asked = None if name == ROOT else query(name, kind)
        if asked is None:
            plain = name.lower().removesuffix(".")
            return Answer(Endpoint(plain), kind, Presence.ABSENT, why=f"{plain[:60]!r} can be no DNS name")
        run = self._here()
        answer = run.kept.get(asked)
        if answer is None:
            task = run.pending.get(asked)
            if task is None:
                task = run.pending[asked] = run.loop.create_task(self._find(run, asked))
            else:
                self.spared += 1
            answer = await asyncio.shield(task)  # whoever gives up waiting does not spoil it for the others
        else:
            self.spared += 1
        return answer if answer.name == name else _named(answer, name)

    @property
    def doubt(self) -> str:
        """Why answers of the run stayed `unknown`, in one sentence; empty when none did."""
        return self._run.belief.doubt if self._run else ""

    def close(self) -> None:
        if self.validator is not None:
            self.validator.close()

    def _here(self) -> Run:
        loop = asyncio.get_running_loop()
        if self._run is None or self._run.loop is not loop:
            run = self._run = Run(loop, Belief(self._prove, self.seconds, self.validator))
            return run
        return self._run

    async def _find(self, run: Run, asked: Query) -> Answer:
        try:
            answer = await self._followed(run, asked)
        except PeerError as error:
            answer = _failed(asked, error)
        finally:
            del run.pending[asked]
        if len(run.kept) >= MAX_KEPT:
            del run.kept[next(iter(run.kept))]
        run.kept[asked] = answer
        return answer

    async def _followed(self, run: Run, asked: Query) -> Answer:
        """To the end of the aliases, also through a resolver that hands out one at a time."""
        answer, dangling = await self._once(run, asked)
        while dangling:
            onward = query(answer.aliases[-1], asked.kind)
            if onward is None:
                raise PeerGarbled(f"{self.where} leads from {asked.name} to what can be no name")
            more, dangling = await self._once(run, onward)
            aliases = (*answer.aliases, *more.aliases)
            if len({asked.name, *aliases}) <= len(aliases):
                raise PeerGarbled(f"the aliases of {asked.name} lead in a circle, says {self.where}")
            if len(aliases) >= MAX_ALIASES:
                raise PeerGarbled(f"{asked.name} has more than {MAX_ALIASES} aliases, says {self.where}")
            security = weakest((answer.security, more.security))
            answer = replace(more, at=answer.at, aliases=aliases, ttl=min(answer.ttl, more.ttl), security=security)
        return answer

    async def _once(self, run: Run, asked: Query) -> tuple[Answer, bool]:
        """What one reply says, and whether its aliases lead to a name it does not speak of."""
        server, reply = await self._reply(run, asked)
        try:
            security, reply = await run.belief.of(server, asked, reply)
            found = reply.find(asked)
        except PeerGarbled as error:
            raise PeerGarbled(f"{server.where} answers nonsense for {asked.name}: {error}") from None
        answer = Answer(
            Endpoint(asked.name),
            asked.kind,
            found.presence,
            found.values,
            security,
            found.ttl,
            found.aliases,
            found.pieces,
        )
        return answer, found.dangling

    async def _reply(self, run: Run, asked: Query) -> tuple[Nameserver, Reply]:
        """Of the first resolver that has one, those that were silent last. A bogus name is so for all of them."""
        trouble: PeerError = PeerRefused(f"{self.where} has no address")
        for server in sorted(self.servers, key=lambda one: one.silences):
            try:
                return server, await self._willing(run, server, asked)
            except PeerBogus:
                raise
            except PeerError as error:
                trouble = error
        if isinstance(trouble, PeerSilent) and not self._heard:
            await self._look_for_life(run)
        raise trouble

    async def _willing(self, run: Run, server: Nameserver, asked: Query) -> Reply:
        """A reply that says what there is; PeerRefused and PeerBogus for all others."""
        reply = await self._gated(run, server, asked)
        if reply.code == SERVFAIL and reply.dnssec_trouble is None:
            reply = await self._unchecked(run, server, asked, reply)
        filtered = any(trouble.code in FILTERED for trouble in reply.troubles)
        if reply.answers and not filtered:
            return reply
        if reply.code == SERVFAIL and (trouble := reply.dnssec_trouble):
            raise PeerBogus(await self._bogus(run, server, asked, trouble))
        raise PeerRefused(f"{server.where} cannot resolve {asked.name}: {_words(reply)}")

    async def _unchecked(self, run: Run, server: Nameserver, asked: Query, refused: Reply) -> Reply:
        """Only validation stands in the way when the answer comes with checking disabled, and again not without."""
        try:
            if not (await self._gated(run, server, asked, unchecked=True)).answers:
                return refused
            again = await self._gated(run, server, asked)
        except PeerError:
            return refused
        if again.code == SERVFAIL and again.dnssec_trouble is None:
            plain = f"{server.where} tells {asked.name} only with DNSSEC checking disabled"
            raise PeerBogus(await run.belief.cause(server, asked) or plain)
        return again

    async def _bogus(self, run: Run, server: Nameserver, asked: Query, trouble: Trouble) -> str:
        """From its cache a resolver often says no more than that validation failed."""
        if trouble.code in VAGUE and (cause := await run.belief.cause(server, asked)):
            return cause
        words = f"{DNSSEC_ERRORS[trouble.code]} (EDE {trouble.code}), says {server.where} of {asked.name}"
        return f"{words}: {trouble.text}" if trouble.text else words

    async def _gated(self, run: Run, server: Nameserver, asked: Query, *, unchecked: bool = False) -> Reply:
        async with run.gate:
            if run.probing is not None:
                await asyncio.shield(run.probing)
            if run.dead:
                raise PeerSilent(run.dead)
            return await self._put(server, asked, self._patience(run), unchecked=unchecked)

    async def _prove(self, server: Nameserver, asked: Query) -> Reply:
        return await self._put(server, asked, self.seconds / PROOF)

    async def _put(self, server: Nameserver, asked: Query, seconds: float, *, unchecked: bool = False) -> Reply:
        self.asked += 1
        reply = await server.ask(asked, seconds, unchecked=unchecked)
        if reply.code in OLD and not server.plain:
            server.plain = True
            reply = await server.ask(asked, seconds, unchecked=unchecked)
        return reply

    def _patience(self, run: Run) -> float:
        """While nothing was ever heard all questions share the time of the first: a dead resolver costs it once."""
        share = self.seconds / len(self.servers)
        if self._heard:
            return share
        now = run.loop.time()
        run.begun = run.begun or now
        return min(share, max(run.begun + self.seconds - now, self.seconds / PROOF))

    @property
    def _heard(self) -> bool:
        return any(server.heard for server in self.servers)

    async def _look_for_life(self, run: Run) -> None:
        """One lame domain must not condemn a resolver: it is asked for what every resolver knows."""
        if run.probing is None:
            run.probing = run.loop.create_task(self._probe(run))
        await asyncio.shield(run.probing)

    async def _probe(self, run: Run) -> None:
        await asyncio.gather(*(run.belief.prove(server, ROOT) for server in self.servers))
        if not self._heard:
            run.dead = f"{self.where} answers nothing at all"


def _failed(asked: Query, error: PeerError) -> Answer:
    security = Security.BOGUS if isinstance(error, PeerBogus) else Security.UNKNOWN
    return Answer(
        Endpoint(asked.name), asked.kind, Presence.FAILED, security=security, reason=reason(error), why=str(error)
    )


def _named(answer: Answer, name: str) -> Answer:
    """As it was asked for: in lower case, without the final dot, in the caller's own escapes."""
    plain = name.lower()
    if plain.endswith(".") and not plain.endswith("\\."):
        plain = plain[:-1]
    return replace(answer, at=Endpoint(plain))


def _words(reply: Reply) -> str:
    code = dns.rcode.to_text(dns.rcode.from_flags(reply.code & 15, (reply.code >> 4) << 24))
    return f"{code} ({'; '.join(map(_trouble, reply.troubles[:2]))})" if reply.troubles else code


def _trouble(trouble: Trouble) -> str:
    known = dns.edns.EDECode.__members__.items()
    name = next((n.replace("_", " ").lower() for n, code in known if code == trouble.code), f"EDE {trouble.code}")
    return f"{name}: {trouble.text}" if trouble.text else name
