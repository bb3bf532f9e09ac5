"""Everything a server accepts, listed: about as many hellos as the largest of its sets has members.

Per endpoint at most 78: a stock Postfix takes 56 suites in TLS 1.2, three suites and ten groups in TLS 1.3. A server
that always answers with the same group would cost more; its lists say that they are cut short.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

from gatepost.catalogue import Profile, tls
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import Accepted, Feature, Observation
from gatepost.model.words import Role
from gatepost.wire.tls.ask import Answer
from gatepost.wire.tls.conform import silence_tested
from gatepost.wire.tls.interview import Interview, Merge, Reach, in_turn
from gatepost.wire.tls.modern import Modern
from gatepost.wire.tls.offers import Offer, codes
from gatepost.wire.tls.rules import Rules, classic, legacy, needs_dh
from gatepost.wire.tls.samples import NAMES, Samples
from gatepost.wire.tls.signatures import Signatures
from gatepost.wire.tls.strike import Strike, oddities, told_oddities

HELLOS = 78


async def inventory(
    at: Endpoint,
    reach: Reach,
    profile: Profile,
    *,
    role: Role,
    name: str | None,
    mine: bool = False,
    merge: Merge = in_turn,
) -> AsyncIterator[Observation]:
    """`Accepted` lists, `Feature`s, and every `Hello` that the default depth gives or that proves the same.

    Never raises a GatepostError: a list that a limit cut short says so.
    """
    interview = Interview(at, reach, HELLOS, mine=mine)
    rules = Rules(profile, role)
    modern = Modern(interview, rules, name)
    listing = Listing(interview, rules, name)
    signatures = Signatures(interview, name)
    lists: list[Accepted] = []

    async def told(steps: AsyncIterator[Observation]) -> AsyncIterator[Observation]:
        async for seen in steps:
            signatures.note(seen)
            if isinstance(seen, Accepted):
                lists.append(seen)
            else:
                yield seen

    async for seen in told(merge([_ssl2(interview), modern.run(), listing.run()])):
        yield seen
    async for seen in told(listing.finish(modern)):
        yield seen
    async for seen in told(signatures.run(modern, listing.main.suites)):
        yield seen
    last = silence_tested(interview, name)
    async for seen in interview.round(last, merge):
        yield seen
    for one in lists:
        yield one if _silence_proved(interview, last) else replace(one, complete=False)


def _silence_proved(interview: Interview, last: list[Offer]) -> bool:
    """No refusal was silent, or the server still answered when all was asked."""
    if last:
        return interview.answers[last[0].name].accepted
    return not interview.silences


async def _ssl2(interview: Interview) -> AsyncIterator[Observation]:
    answer = await interview.put(Offer("ssl2", tuple(tls.ssl2_kinds()), "SSLv2"))
    for seen in interview.drain():
        yield seen
    if answer.accepted:
        yield Accepted(interview.at, "suites", "SSLv2", answer.flight.ssl2_kinds)


@dataclass(slots=True)
class Listing:
    """All versions below TLS 1.3."""

    interview: Interview
    rules: Rules
    sni: str | None
    main: Strike = field(init=False)
    samples: Samples = field(init=False)
    first: Answer | None = None

    def __post_init__(self) -> None:
        self._list("TLSv1.2", codes(classic()))

    async def run(self) -> AsyncIterator[Observation]:
        """The highest version, samples below it, then the whole list of the highest."""
        await self._find()
        for seen in self.interview.drain():
            yield seen
        async for seen in self.samples.descend():
            yield seen
        if not self.main.suites and self.samples.versions:  # a server that cannot be asked for TLS 1.2 and less
            highest, *lower = self.samples.versions
            self._list(highest.name, codes(legacy(highest.name)))
            self.samples.versions = lower
        self.main.without(self.samples.taken)
        async for seen in self.main.run():
            yield seen

    async def finish(self, modern: Modern) -> AsyncIterator[Observation]:
        """What hangs together with all of it: the samples, whose order, downgrade protection."""
        if not self.main.suites:
            return
        steps = (self.samples.complements(), self.samples.confirm(), self.main.settle(), self._fallback(modern))
        last = (self.main.find_order(), self.main.ask_session(), self.samples.conclude())
        for step in (*steps, self._why_closed(), *last):
            async for seen in step:
                yield seen
        for accepted in self.main.accepted():
            yield self.samples.completed(accepted)
        for feature in (*told_oddities(self.interview), *self._resumption()):
            yield feature

    def _list(self, version: str, suites: tuple[int, ...]) -> None:
        self.main = Strike(self.interview, self.rules, self.sni, version, [suites])
        self.main.oddities = oddities(self.sni)
        self.samples = Samples(self.interview, self.main)

    async def _find(self) -> None:
        """The first suite that is taken shows the highest version below TLS 1.3."""
        main = self.main
        while main.batches and not main.suites:
            answer = await self.interview.put(main.opening(), main.names)
            if answer.accepted and answer.flight.version in {"TLSv1.2", *NAMES}:
                main.version = answer.flight.version
                self.first = answer
            main.learn(answer)

    async def _fallback(self, modern: Modern) -> AsyncIterator[Observation]:
        """RFC 7507: a hello below the server's highest version that says it is a second try."""
        below = self.samples.versions
        if modern.suites:
            offer = Offer("fallback", tuple(self.main.suites), self.main.version, self.sni, fallback=True)
        elif below:
            offer = Offer("fallback", tuple(below[0].taken), below[0].name, self.sni, fallback=True)
        else:
            return
        answer = await self.interview.put(offer)
        for seen in self.interview.drain():
            yield seen
        if answer.missed is None:
            detail = f"answered {answer.refused or answer.flight.version} to a downgraded hello"
            yield Feature(self.interview.at, "fallback-scsv", bool(answer.refused), detail)

    async def _why_closed(self) -> AsyncIterator[Observation]:
        """Behind a silent close: finite-field suites before one that works, to tell refused from failed."""
        main = self.main
        works = [s.code for s in main.rows if not needs_dh(s)]
        closed = any(a.unclear for a in self.interview.answers.values())
        if not closed or not works or len(works) < len(main.suites):
            return
        left = codes(s for s in classic() if needs_dh(s))
        await self.interview.put(Offer("forbidden-dhe", (*left, works[0]), main.version, self.sni))
        for seen in self.interview.drain():
            yield seen

    def _resumption(self) -> tuple[Feature, ...]:
        if self.first is None:
            return ()
        at, ticket = self.interview.at, "session_ticket" in self.first.flight.extensions
        promised = Feature(
            at, "resumption-ticket", ticket, "a ticket is promised" if ticket else "no ticket is promised"
        )
        if self.main.ticketless is None:
            return (promised,)
        given = self.main.ticketless.flight.session_id
        return promised, Feature(at, "resumption-id", bool(given), f"a session id of {len(given)} octets")
