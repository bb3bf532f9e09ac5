"""The default depth: only what the profile and the controls need to be judged, at most 15 hellos.

The strategy is a function from what is known to what is asked next, called until it has nothing more to ask. One
hello offers everything the profile forbids: an alert answers a dozen controls at once. Where it is accepted, the
whole class of the accepted suite is left out and the rest is asked again, so that every class is named by a witness.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from gatepost.catalogue import Profile, tls
from gatepost.catalogue.tls import Exchange, Suite
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import Observation
from gatepost.model.words import Role
from gatepost.wire.tls.ask import Answer
from gatepost.wire.tls.interview import Interview, Merge, Reach, in_turn
from gatepost.wire.tls.offers import Offer, codes
from gatepost.wire.tls.rules import KEYS, Rules, by_certificate, classic, kind, legacy, needs_dh, rows, without_kind

HELLOS = 15
WITHOUT_DHE = "-without-dhe"

Known = Mapping[str, Answer]


async def conform(
    at: Endpoint,
    reach: Reach,
    profile: Profile,
    *,
    role: Role,
    name: str | None,
    mine: bool = False,
    merge: Merge = in_turn,
) -> AsyncIterator[Observation]:
    """Whether the endpoint keeps to the profile. `name` is the SNI; `mine` allows the intrusive questions.

    Never raises a GatepostError: what could not be asked is yielded as `Unobserved`.
    """
    interview = Interview(at, reach, HELLOS, mine=mine)
    strategy = Strategy(interview.answers, Rules(profile, role), name)
    while offers := strategy.next():
        async for seen in interview.round(offers, merge):
            yield seen
        if interview.silences:
            interview.hellos = HELLOS - 1  # the last one tells whether silence was an answer
    offers = strategy.niceties()[: interview.left]
    async for seen in interview.round(offers, merge):
        yield seen
    interview.hellos = HELLOS
    async for seen in interview.round(silence_tested(interview, name), merge):
        yield seen


async def certificates(
    at: Endpoint,
    reach: Reach,
    profile: Profile,
    *,
    role: Role,
    name: str | None,
    mine: bool = False,
    merge: Merge = in_turn,
) -> AsyncIterator[Observation]:
    """Only the certificates, both of a pair, with and without a server name: three hellos."""
    interview = Interview(at, reach, HELLOS, mine=mine)
    strategy = Strategy(interview.answers, Rules(profile, role), name)
    offers = [
        Offer(f"certificate-{word}", codes(s for s in by_certificate(classic(), key) if not needs_dh(s)), sni=name)
        for word, key in KEYS.items()
    ]  # fmt: skip
    async for seen in interview.round(offers, merge):
        yield seen
    async for seen in interview.round(strategy.nameless(), merge):
        yield seen


def silence_tested(interview: Interview, name: str | None) -> list[Offer]:
    """What met silence, before a suite that works, when all else was asked.

    An answer proves that the server still talks to us, and minds neither the length of such a hello nor what is in
    it; without one a silent close is no refusal.
    """
    works = [
        interview.worked[v] for v in ("TLSv1.2", "TLSv1.3", "TLSv1.1", "TLSv1.0", "SSLv3") if v in interview.worked
    ]
    good = works[0].suite if works else None
    if not interview.silences or good is None:
        return []
    met = (s for a in interview.silences for s in rows(a.offer.suites) if not s.tls13 and not needs_dh(s))
    behind = (*(c for c in dict.fromkeys(codes(met)) if c != good.code), good.code)
    return [Offer("behind-good", behind, works[0].flight.version, name, works[0].offer.groups)]


@dataclass(frozen=True, slots=True)
class Strategy:
    """What to ask next, given the answers so far."""

    known: Known
    rules: Rules
    name: str | None

    def next(self) -> list[Offer]:
        """Every offer that can be made now and was not made yet."""
        wanted = (
            *self._versions(),
            *self._allowed(),
            *self._modern(),
            *self._forbidden(),
            *self.nameless(),
            *self._weak(),
        )
        return [offer for offer in wanted if offer.name not in self.known]

    def niceties(self) -> list[Offer]:
        """What no control waits for: asked only while hellos are left."""
        wanted = (*self._lowest(), *self._discouraged(), *(self._behind() if self._hangs_up else ()))
        return [offer for offer in wanted if offer.name not in self.known]

    def nameless(self) -> Iterator[Offer]:
        """Without SNI, with suites that were accepted with it: a refusal then is about the name."""
        if self.name is None:
            return
        shown = [a for a in self.known.values() if a.accepted and a.flight.chain and a.offer.sni is not None]
        if shown:
            best = max(tls.VERSIONS[a.flight.version] for a in shown)
            version = tls.version_name(best)
            yield Offer("no-sni", _suites(a for a in shown if a.flight.version == version), version)
        elif self._accepted("tls1.3") is not None:
            yield Offer("no-sni", self.rules.suites13, "TLSv1.3")

    def _versions(self) -> Iterator[Offer]:
        yield Offer("ssl2", tuple(tls.ssl2_kinds()), "SSLv2")
        below = Offer("tls1.1-and-below", codes(legacy()), "TLSv1.1", self.name)
        yield from self._twice(below)
        found = self._settled(below)
        if found is not None and found.accepted and found.flight.version != "SSLv3":
            yield from self._twice(Offer("ssl3", codes(legacy("SSLv3")), "SSLv3"))

    def _allowed(self) -> Iterator[Offer]:
        for word, key in KEYS.items():
            suites = [s for s in by_certificate(self.rules.allowed, key) if not needs_dh(s)]
            yield from self._offer(f"allowed-{word}", suites)
        if self._classic_spoken():
            yield from self._offer("allowed-dhe", filter(needs_dh, self.rules.allowed))

    def _modern(self) -> Iterator[Offer]:
        rules = self.rules
        yield self._offer13("tls1.3", rules.suites13, rules.groups13)
        first = self.known.get("tls1.3")
        if first is None or first.missed is not None or first.refused == "alert:protocol_version" or first.unclear:
            return
        group = tls.group(first.flight.group)
        if first.accepted and (group is None or group.kind != "hybrid-pq"):
            yield self._offer13("tls1.3-hybrid", rules.suites13, rules.hybrids)
        if rules.forbidden_groups13:
            yield self._offer13("tls1.3-forbidden-groups", rules.suites13, rules.forbidden_groups13)
        if rules.banned13:
            yield self._offer13("tls1.3-forbidden-suites", rules.forbidden13, rules.groups13)

    def _forbidden(self) -> Iterator[Offer]:
        """The next offer of a chain, until a refusal: each answer takes its class out of the next.

        Where refusals are silent, finite-field suites are left to `forbidden-dhe`.
        """
        left, step, bare = self.rules.forbidden, 1, False
        while any(kind(s) != "unusual" for s in left):
            name = "forbidden" if step == 1 else f"forbidden-{step}"
            bare = bare or (step > 1 and self._hangs_up and bool(self._behind_which()) and name not in self.known)
            if bare:
                name, left = name + WITHOUT_DHE, tuple(s for s in left if not needs_dh(s))
            answer = self.known.get(name)
            if answer is None:
                yield from self._offer(name, left)
                break
            if answer.accepted and answer.suite is not None:
                left = without_kind(left, answer.suite)
            elif answer.unclear and any(map(needs_dh, left)):
                bare = True
            else:
                break
            step += 1
        if self._hangs_up:
            yield from islice(self._behind(), 1)

    def _behind(self) -> Iterator[Offer]:
        """Finite-field suites, broken ones first, before one that works: to tell refused from picked and failed."""
        good = self._behind_which()
        left, step = tuple(s for s in self.rules.forbidden if needs_dh(s)), 1
        while good and any(kind(s) != "unusual" for s in left):
            name = "forbidden-dhe" if step == 1 else f"forbidden-dhe-{step}"
            yield Offer(name, (*codes(left), good[-1].code), sni=self.name)
            answer = self.known.get(name)
            if answer is None or not answer.accepted or answer.suite is None or not needs_dh(answer.suite):
                return
            left = without_kind(left, answer.suite)
            step += 1

    def _behind_which(self) -> list[Suite]:
        """Suites that work without finite-field parameters; the last is the one a server likes least."""
        plain = (a for a in self.known.values() if "-dhe" not in a.offer.name.removesuffix(WITHOUT_DHE))
        return [s for s in _rows(a for a in plain if a.accepted and a.flight.version == "TLSv1.2") if not needs_dh(s)]

    @property
    def _hangs_up(self) -> bool:
        """It refuses without a word, which looks like picking a suite and failing on it."""
        return any(a.silent for a in self.known.values())

    def _weak(self) -> Iterator[Offer]:
        """Curves and signatures outside the profile, with suites that need them, so that nothing else is refused."""
        if not self._classic_spoken():
            return
        keyed = [s for key in KEYS.values() for s in by_certificate(classic(), key)]
        curved = [s for s in keyed if s.exchange is Exchange.ECDHE]
        if self.rules.weak_curves:
            yield Offer("weak-groups", codes(curved), sni=self.name, groups=self.rules.weak_curves)
        curves = any(
            a.suite is not None and a.suite.exchange is Exchange.ECDHE for a in self.known.values() if a.accepted
        )
        signed = curved if curves else [s for s in keyed if s.exchange in {Exchange.DHE, Exchange.ECDHE}]
        yield Offer("weak-signatures", codes(signed), sni=self.name, schemes=self.rules.weak_schemes)

    def _lowest(self) -> Iterator[Offer]:
        found = self._accepted("tls1.1-and-below") or self._accepted("tls1.1-and-below" + WITHOUT_DHE)
        if found is not None and found.flight.version == "TLSv1.1":
            yield Offer("tls1.0", found.offer.suites, "TLSv1.0", self.name)

    def _discouraged(self) -> Iterator[Offer]:
        if self._accepted("tls1.3") is not None and self.rules.forbidden13:
            yield self._offer13("tls1.3-forbidden-suites", self.rules.forbidden13, self.rules.groups13)

    def _twice(self, offer: Offer) -> Iterator[Offer]:
        """The offer, and after a silent close once more without finite-field suites."""
        yield offer
        answer = self.known.get(offer.name)
        if answer is not None and answer.unclear:
            rest = tuple(c for c in offer.suites if (s := tls.suite_coded(c)) is None or not needs_dh(s))
            if rest and rest != offer.suites:
                yield replace(offer, name=offer.name + WITHOUT_DHE, suites=rest)

    def _settled(self, offer: Offer) -> Answer | None:
        """The answer that counts: of the repeated offer where there was one."""
        first = self.known.get(offer.name)
        if first is not None and first.unclear and len(list(self._twice(offer))) > 1:
            return self.known.get(offer.name + WITHOUT_DHE)
        return first

    def _accepted(self, name: str) -> Answer | None:
        answer = self.known.get(name)
        return answer if answer is not None and answer.accepted else None

    def _classic_spoken(self) -> bool:
        return any(a.accepted and a.flight.version == "TLSv1.2" for a in self.known.values())

    def _offer(self, name: str, suites: Iterable[Suite]) -> Iterator[Offer]:
        """Nothing, when there is nothing to offer."""
        if offered := codes(suites):
            yield Offer(name, offered, sni=self.name)

    def _offer13(self, name: str, suites: tuple[int, ...], groups: tuple[int, ...]) -> Offer:
        return Offer(name, suites, "TLSv1.3", self.name, groups)


def _rows(answers: Iterable[Answer]) -> list[Suite]:
    return [a.suite for a in answers if a.suite is not None]


def _suites(answers: Iterable[Answer]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(codes(_rows(answers))))
