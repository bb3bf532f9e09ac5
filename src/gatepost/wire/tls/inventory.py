"""Everything a server accepts, listed: about as many hellos as the largest of its sets has members.

Per endpoint at most 78 (a stock Postfix: 56 suites in TLS 1.2, three suites and ten groups in TLS 1.3). Versions
below the highest are proved by samples: three suites each, found before the highest version is listed so that they
need not be asked there again, and one hello with the complement, which must be refused. What the samples stand for is
named in `Accepted.inferred`; a sample that disagrees has the version listed in full.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

from gatepost.catalogue import Profile, tls
from gatepost.catalogue.tls import Suite
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import Accepted, Feature, Observation
from gatepost.model.words import Role
from gatepost.wire.tls.ask import Answer
from gatepost.wire.tls.interview import Interview, Merge, Reach, in_turn
from gatepost.wire.tls.modern import Modern
from gatepost.wire.tls.offers import Offer, codes
from gatepost.wire.tls.rules import Rules, classic, legacy, needs_dh
from gatepost.wire.tls.strike import Strike, oddities, told_oddities

HELLOS = 78
SAMPLES = 3
BELOW = {"TLSv1.2": "TLSv1.1", "TLSv1.1": "TLSv1.0", "TLSv1.0": "SSLv3"}
NAMES = {"TLSv1.1": "tls1.1", "TLSv1.0": "tls1.0", "SSLv3": "ssl3"}


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
    async for seen in merge([_ssl2(interview), modern.run(), listing.run()]):
        yield seen
    async for seen in listing.finish(modern):
        yield seen


async def _ssl2(interview: Interview) -> AsyncIterator[Observation]:
    answer = await interview.put(Offer("ssl2", tuple(tls.ssl2_kinds()), "SSLv2"))
    for seen in interview.drain():
        yield seen
    if answer.accepted:
        yield Accepted(interview.at, "suites", "SSLv2", answer.flight.ssl2_kinds)


@dataclass(slots=True)
class Below:
    """One version below the highest: what was asked there and taken."""

    version: str
    samples: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Listing:
    """All versions below TLS 1.3."""

    interview: Interview
    rules: Rules
    sni: str | None
    main: Strike | None = None
    below: list[Below] = field(default_factory=list)
    first: Answer | None = None
    _agreed: bool = True

    async def run(self) -> AsyncIterator[Observation]:
        """Highest version, samples below it, then the whole list of the highest."""
        strike = self._strike("TLSv1.2", codes(classic()))
        async for seen in self._find(strike):
            yield seen
        async for seen in self._descend():
            yield seen
        if self.main is None:
            return
        sampled = self._sampled
        self.main.batches = [tuple(c for c in b if c not in sampled) for b in self.main.batches]
        self.main.batches = [b for b in self.main.batches if b]
        async for seen in self.main.run():
            yield seen
        async for seen in self.main.settle():
            yield seen

    async def finish(self, modern: Modern) -> AsyncIterator[Observation]:
        """What hangs together with all of it: the samples, whose order, downgrade protection."""
        main = self.main
        if main is None:
            return
        for check in (
            self._complements(),
            self._why_closed(),
            self._fallback(modern),
            self._confirm(),
            main.find_order(),
        ):
            async for seen in check:
                yield seen
        for version in self.below:
            async for seen in self._conclude(version):
                yield seen
        for accepted in main.accepted():
            yield self._with_inferred(accepted)
        for feature in (*told_oddities(self.interview), *self._resumption()):
            yield feature

    async def _find(self, strike: Strike) -> AsyncIterator[Observation]:
        """The first hello shows the highest version, or that there is none at TLS 1.2 at least."""
        answer = await self.interview.put(strike.opening(), strike.names)
        for seen in self.interview.drain():
            yield seen
        if answer.accepted and answer.flight.version in {"TLSv1.2", *NAMES}:
            strike.version = answer.flight.version
            self.first = answer
        strike.learn(answer)
        if answer.closed or answer.accepted:
            self.main = strike
            strike.oddities = oddities(self.sni)

    async def _descend(self) -> AsyncIterator[Observation]:
        version = BELOW.get(self.main.version) if self.main and self.main.suites else "TLSv1.1"
        while version is not None:
            found = Below("")
            while len(found.samples) < SAMPLES:
                offer = self._sample(version, found)
                answer = await self.interview.put(offer)
                if answer.closed and any(map(needs_dh, _rows(offer.suites))):
                    rest = codes(s for s in _rows(offer.suites) if not needs_dh(s))
                    answer = await self.interview.put(replace(offer, name=f"{offer.name}-without-dhe", suites=rest))
                for seen in self.interview.drain():
                    yield seen
                if not answer.accepted or answer.suite is None or answer.flight.version not in NAMES:
                    break
                if found.version and answer.flight.version != found.version:
                    break
                found.version = version = answer.flight.version
                found.samples.append(answer.suite.code)
            if not found.version:
                return
            self._add(found)
            version = BELOW.get(found.version)

    def _add(self, found: Below) -> None:
        """A first version found only here becomes the one that is listed in full."""
        if self.main is not None and self.main.suites:
            self.below.append(found)
            return
        self.main = self._strike(found.version, codes(legacy(found.version)))

    def _sample(self, version: str, found: Below) -> Offer:
        """First, last and middle: forwards, backwards, and from the middle on; suites not sampled yet lead."""
        rows = [c for c in codes(legacy(version)) if c not in found.samples]
        fresh = [c for c in rows if c not in self._sampled and c not in self._known]
        order = {0: fresh, 1: fresh[::-1]}.get(len(found.samples), fresh[len(fresh) // 2 :] + fresh[: len(fresh) // 2])
        name = "tls1.1-and-below" if version == "TLSv1.1" and not found.samples else NAMES[version]
        suites = (*order, *(c for c in rows if c not in fresh))
        return Offer(name, suites, version, None if version == "SSLv3" else self.sni)

    async def _complements(self) -> AsyncIterator[Observation]:
        """What the highest version does not take, the lower ones must not take either."""
        for found in self.below:
            left = tuple(c for c in codes(legacy(found.version)) if c not in self._known and c not in self._sampled)
            answer = await self.interview.put(Offer("sample", left, found.version, self.sni))
            for seen in self.interview.drain():
                yield seen
            self._agreed = self._agreed and not answer.accepted

    async def _confirm(self) -> AsyncIterator[Observation]:
        """The samples in the highest version: one by one while hellos are left, else one for all."""
        main = self.main
        left = tuple(c for c in self._sampled if main is not None and c not in main.suites)
        if main is None or not left:
            return
        main.oddities.clear()
        main.batches = [left]
        if self.interview.left > len(left) + 1:
            async for seen in main.run():
                yield seen
        else:
            answer = await self.interview.put(main.opening(), main.names)
            main.learn(answer)
            main.batches.clear()
            for seen in self.interview.drain():
                yield seen
        if not any(c in main.suites for c in left):
            self._agreed = False

    async def _conclude(self, found: Below) -> AsyncIterator[Observation]:
        """The list of a lower version: by inference where the samples agree, else hello by hello."""
        main = self.main
        if main is None:
            return
        highest = tls.VERSIONS[found.version]
        ranked = [*main.ranked(), *(c for c in self._sampled if c not in main.suites)]
        expected = [s.code for s in _rows(ranked) if tls.VERSIONS[s.since] <= highest]
        if self._agreed and set(found.samples) <= set(expected):
            inferred = tuple(tls.suite_name(c) for c in expected if c not in found.samples)
            names = tuple(map(tls.suite_name, expected))
            yield Accepted(self.interview.at, "suites", found.version, names, main.order, main.complete, inferred)
            return
        strike = self._strike(found.version, tuple(c for c in codes(legacy(found.version)) if c not in found.samples))
        strike.suites = list(found.samples)
        async for seen in strike.run():
            yield seen
        names = tuple(map(tls.suite_name, strike.ranked()))
        yield Accepted(self.interview.at, "suites", found.version, names, "", strike.complete)

    async def _fallback(self, modern: Modern) -> AsyncIterator[Observation]:
        """RFC 7507: a hello below the server's highest version that says it is a second try."""
        main = self.main
        lower = main.version if main and modern.suites else self.below[0].version if self.below else None
        if main is None or lower is None or not main.suites:
            return
        suites = tuple(main.suites) if modern.suites else tuple(self.below[0].samples)
        answer = await self.interview.put(Offer("fallback", suites, lower, self.sni, fallback=True))
        for seen in self.interview.drain():
            yield seen
        if answer.missed is None:
            protects = answer.refused == "alert:inappropriate_fallback"
            detail = f"answered {answer.refused or answer.flight.version} to a downgraded hello"
            yield Feature(self.interview.at, "fallback-scsv", protects, detail)

    async def _why_closed(self) -> AsyncIterator[Observation]:
        """Behind a silent close: finite-field suites before one that works, to tell refused from failed."""
        main = self.main
        good = [s.code for s in main.rows if not needs_dh(s)] if main is not None else []
        if main is None or not good or not any(a.closed for a in self.interview.answers.values()):
            return
        left = codes(s for s in classic() if needs_dh(s) and s.code not in main.suites)
        await self.interview.put(Offer("forbidden-dhe", (*left, good[0]), main.version, self.sni))
        for seen in self.interview.drain():
            yield seen

    def _resumption(self) -> tuple[Feature, ...]:
        if self.first is None:
            return ()
        flight, at = self.first.flight, self.interview.at
        ticket, ident = "session_ticket" in flight.extensions, bool(flight.session_id)
        return (
            Feature(at, "resumption-ticket", ticket, "a ticket is promised" if ticket else "no ticket is promised"),
            Feature(at, "resumption-id", ident, f"a session id of {len(flight.session_id)} octets"),
        )

    def _with_inferred(self, accepted: Accepted) -> Accepted:
        """The samples of lower versions that were not asked one by one in the highest."""
        main = self.main
        if main is None or accepted.kind != "suites" or not self._agreed:
            return accepted
        inferred = tuple(tls.suite_name(c) for c in self._sampled if c not in main.suites)
        return replace(accepted, names=(*accepted.names, *inferred), inferred=inferred)

    @property
    def _sampled(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(c for found in self.below for c in found.samples))

    @property
    def _known(self) -> tuple[int, ...]:
        return tuple(self.main.suites) if self.main is not None else ()

    def _strike(self, version: str, suites: tuple[int, ...]) -> Strike:
        return Strike(self.interview, self.rules, self.sni, version, [suites])


def _rows(suites: tuple[int, ...] | list[int]) -> list[Suite]:
    return [s for code in suites if (s := tls.suite_coded(code)) is not None]
