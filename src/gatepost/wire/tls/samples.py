"""Versions below the highest: three suites each, and the complement refused, stand for the whole list.

The samples are taken before the highest version is listed, and are not asked for again there one by one while
connections are short: a suite that two versions take is then proved in the lower and inferred in the higher.
A server may have a key that only newer versions can use, so nothing is inferred for a kind of authentication
without a sample of its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, replace

from gatepost.catalogue import tls
from gatepost.catalogue.tls import Authentication, Suite
from gatepost.model.observation import Accepted, Observation
from gatepost.wire.tls.ask import Answer
from gatepost.wire.tls.interview import Interview
from gatepost.wire.tls.offers import Offer, codes
from gatepost.wire.tls.rules import legacy, needs_dh, rows
from gatepost.wire.tls.strike import Strike

SAMPLES = 3
RESERVED = 5  # hellos for what comes after: the end of three lists, downgrade protection, whose order
BELOW = {"TLSv1.2": "TLSv1.1", "TLSv1.1": "TLSv1.0", "TLSv1.0": "SSLv3"}
NAMES = {"TLSv1.1": "tls1.1", "TLSv1.0": "tls1.0", "SSLv3": "ssl3"}


@dataclass(slots=True)
class Version:
    """What one version below the highest took when it was asked."""

    name: str
    taken: list[int] = field(default_factory=list)

    @property
    def kinds(self) -> set[Authentication]:
        return _kinds(self.taken)


@dataclass(slots=True)
class Samples:
    """`main` is the strike of the highest version, as far as it has come."""

    interview: Interview
    main: Strike
    versions: list[Version] = field(default_factory=list)
    agreed: bool = True

    @property
    def taken(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(c for version in self.versions for c in version.taken))

    async def descend(self) -> AsyncIterator[Observation]:
        """From below the highest version down to the first that is refused."""
        wanted = BELOW.get(self.main.version) if self.main.suites else "TLSv1.1"
        while wanted is not None:
            found = Version("")
            async for seen in self._take(wanted, found):
                yield seen
            if not found.taken:
                return
            self.versions.append(found)
            wanted = BELOW.get(found.name)

    async def _take(self, wanted: str, found: Version) -> AsyncIterator[Observation]:
        """Up to three suites of one version; its name is the one the server answers with."""
        while len(found.taken) < SAMPLES:
            answer = await self._ask(self._offer(found.name or wanted, found.taken))
            for seen in self.interview.drain():
                yield seen
            version = answer.flight.version
            if not answer.accepted or answer.suite is None or version not in NAMES:
                return
            if found.name and version != found.name:
                return
            found.name = version
            found.taken.append(answer.suite.code)

    async def _ask(self, offer: Offer) -> Answer:
        """The offer, and after a silent close once more without finite-field suites."""
        answer = await self.interview.put(offer)
        rest = codes(s for s in rows(offer.suites) if not needs_dh(s))
        if answer.unclear and rest and rest != offer.suites:
            answer = await self.interview.put(replace(offer, name=f"{offer.name}-without-dhe", suites=rest))
        return answer

    def _offer(self, version: str, taken: list[int]) -> Offer:
        """First, last and middle: forwards, backwards, and from the middle on; suites not sampled yet lead, in
        the third hello those of another authentication than the samples before.
        """
        possible = [c for c in codes(legacy(version)) if c not in taken]
        fresh = [c for c in possible if c not in self.taken and c not in self.main.suites]
        half = len(fresh) // 2
        order = (fresh, fresh[::-1], _others(taken, fresh[half:] + fresh[:half]))[len(taken)]
        name = "tls1.1-and-below" if version == "TLSv1.1" and not taken else NAMES[version]
        sni = None if version == "SSLv3" else self.main.sni
        return Offer(name, (*order, *(c for c in possible if c not in fresh)), version, sni)

    async def complements(self) -> AsyncIterator[Observation]:
        """What the highest version does not take, the lower ones must not take either."""
        for version in self.versions:
            left = tuple(c for c in codes(legacy(version.name)) if c not in self.main.suites and c not in self.taken)
            answer = await self.interview.put(Offer("sample", left, version.name, self.main.sni))
            for seen in self.interview.drain():
                yield seen
            self.agreed = self.agreed and answer.missed is None and not answer.accepted
            if self.agreed and self.main.complete:
                async for seen in self._witnesses(version):
                    yield seen

    async def _witnesses(self, version: Version) -> AsyncIterator[Observation]:
        """One more sample of each kind of authentication that has none; a refusal is about all that are left."""
        while left := codes(s for s in self._expected(version) if s.authentication not in version.kinds):
            answer = await self._ask(Offer("sample", left, version.name, self.main.sni))
            for seen in self.interview.drain():
                yield seen
            if answer.refused:
                return
            if answer.suite is None or answer.flight.version != version.name:
                self.agreed = False
                return
            version.taken.append(answer.suite.code)

    async def confirm(self) -> AsyncIterator[Observation]:
        """The samples in the highest version: one by one while hellos are left, else one for all."""
        main = self.main
        left = tuple(c for c in self.taken if c not in main.suites)
        if not left:
            return
        main.oddities.clear()
        main.batches = [left]
        if self.interview.left > len(left) + RESERVED:
            async for seen in main.run():
                yield seen
        else:
            main.learn(await self.interview.put(main.opening(), main.names))
            main.batches.clear()
            for seen in self.interview.drain():
                yield seen
        self.agreed = self.agreed and any(c in main.suites for c in left) and _kinds(left) <= _kinds(main.suites)

    async def conclude(self) -> AsyncIterator[Observation]:
        """The lists: by inference where the samples agree, else hello by hello."""
        for version in self.versions:
            if self.agreed and self.main.complete:
                yield self._inferred(version)
                continue
            left = tuple(c for c in codes(legacy(version.name)) if c not in version.taken)
            strike = Strike(self.interview, self.main.rules, self.main.sni, version.name, [left])
            strike.suites = list(version.taken)
            async for seen in strike.run():
                yield seen
            names = tuple(map(tls.suite_name, strike.ranked()))
            yield Accepted(self.interview.at, "suites", version.name, names, complete=strike.complete)

    def _inferred(self, version: Version) -> Accepted:
        expected = codes(s for s in self._expected(version) if s.authentication in version.kinds)
        inferred = tuple(tls.suite_name(c) for c in expected if c not in version.taken)
        names = tuple(map(tls.suite_name, expected))
        return Accepted(self.interview.at, "suites", version.name, names, self.main.order, inferred=inferred)

    def _expected(self, version: Version) -> list[Suite]:
        """What was taken elsewhere and exists in this version."""
        main, highest = self.main, tls.VERSIONS[version.name]
        ranked = (*main.ranked(), *(c for c in self.taken if c not in main.suites))
        return [s for s in rows(ranked) if tls.VERSIONS[s.since] <= highest]

    def completed(self, accepted: Accepted) -> Accepted:
        """The highest version's list with the samples that were not asked there one by one."""
        if accepted.kind != "suites" or not self.agreed:
            return accepted
        inferred = tuple(tls.suite_name(c) for c in self.taken if c not in self.main.suites)
        return replace(accepted, names=(*accepted.names, *inferred), inferred=inferred)


def _kinds(suites: Iterable[int]) -> set[Authentication]:
    return {s.authentication for s in rows(suites)}


def _others(taken: Iterable[int], order: list[int]) -> list[int]:
    """Those of a kind of authentication that was not sampled first."""
    sampled = _kinds(taken)
    return [s.code for s in sorted(rows(order), key=lambda s: s.authentication in sampled)]
