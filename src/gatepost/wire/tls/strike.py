"""Everything a server accepts in one version: offer all, strike out what it chose, offer the rest.

Suite, group and signature scheme come back in the same flight, so each hello strikes all three: groups and schemes
not seen yet stand before those seen. They are never taken away while suites are being asked for, because a server
without a common group skips suites it would accept; that a list is exhausted is settled with suites known to work.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cache

from gatepost.catalogue import tls
from gatepost.catalogue.tls import Authentication, Exchange, Suite
from gatepost.model.observation import Accepted, Feature, Observation
from gatepost.wire.tls import extensions as ext
from gatepost.wire.tls.ask import Answer
from gatepost.wire.tls.interview import Interview
from gatepost.wire.tls.offers import Offer, all_groups, all_schemes, codes
from gatepost.wire.tls.rules import KEYS, Rules, by_certificate, classic, needs_dh, rows

ENOUGH = 3  # choices in each direction after which the order cannot be chance
UNKNOWN_PROTOCOL = "gatepost"


@dataclass(frozen=True, slots=True)
class Pick:
    """One choice of the server: what it was offered, in our order, and what it took."""

    offered: tuple[int, ...]
    chosen: int


@dataclass(slots=True)
class Strike:
    """One version below TLS 1.3. `suites` are codes as found, `batches` what is still to be asked."""

    interview: Interview
    rules: Rules
    sni: str | None
    version: str
    batches: list[tuple[int, ...]]
    suites: list[int] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    schemes: list[int] = field(default_factory=list)
    picks: list[Pick] = field(default_factory=list)
    complete: bool = True
    complete_groups: bool = True
    complete_schemes: bool = True
    order: str = ""
    oddities: list[Offer] = field(default_factory=list)
    left_out: set[int] = field(default_factory=set)
    ticketless: Answer | None = None  # the latest that was accepted without asking for a ticket

    async def run(self) -> AsyncIterator[Observation]:
        """Suites first, then what is left of groups and schemes."""
        while self.batches:
            offer = self._next()
            answer = await self.interview.put(offer, self.names)
            self.learn(answer)
            for seen in self.interview.drain():
                yield seen

    async def settle(self) -> AsyncIterator[Observation]:
        """Groups and schemes without those seen: until refused, the lists have an end."""
        curves = self._on_curves()
        while self.complete and curves and self.groups_left:
            offer = replace(self._plain("groups", curves), groups=self.groups_left)
            answer = await self.interview.put(offer, self._group_names)
            for seen in self.interview.drain():
                yield seen
            self.complete_groups = answer.missed is None
            if not answer.accepted or not self._new(answer):
                break
        signed = codes(s for s in self.rows if s.exchange in {Exchange.ECDHE, Exchange.DHE} and not _anonymous(s))
        while self.complete and signed and self.schemes_left and self.version == "TLSv1.2":
            offer = replace(self._plain("signatures", signed), schemes=self.schemes_left)
            answer = await self.interview.put(offer, self._scheme_names)
            for seen in self.interview.drain():
                yield seen
            self.complete_schemes = answer.missed is None
            if not answer.accepted or not self._new(answer):
                break

    def _on_curves(self) -> tuple[int, ...]:
        """Suites known to work that show a curve: signed ones, as anonymous ones only where there are no others."""
        usable = [s for s in rows((*self.suites, *self.left_out)) if s.exchange is Exchange.ECDHE]
        return codes(s for s in usable if not _anonymous(s)) or codes(usable)

    async def find_order(self) -> AsyncIterator[Observation]:
        """Whose order counts: read off the choices, or asked for in both directions where they are too few."""
        if len(self.suites) < 2:
            return
        self.order = self._inferred_order()
        if not self.order:
            chosen = []
            for suites in (tuple(reversed(self.suites)), tuple(self.suites)):
                answer = await self.interview.put(self._plain("order", suites))
                for seen in self.interview.drain():
                    yield seen
                chosen.append(answer.suite if answer.accepted else None)
            if None not in chosen:
                self.order = "server" if chosen[0] == chosen[1] else "client"
        if self.order:
            whose = "the server" if self.order == "server" else "the client"
            detail = f"{whose} decides which suite is used in {self.version}"
            yield Feature(self.interview.at, "server-order", self.order == "server", detail)

    def opening(self) -> Offer:
        """The first batch as it is."""
        return self._plain("suites", self.batches[0])

    def learn(self, answer: Answer) -> None:
        offer = answer.offer
        if answer.missed is not None:
            if offer.name == "suites":  # silence to an oddity is about the oddity
                self.complete = False
                self.batches.clear()
        elif answer.accepted and answer.suite is not None and answer.flight.version == self.version:
            self._strike(answer.suite)
            self._new(answer)
            if not offer.ticket or self.version == "SSLv3":
                self.ticketless = answer
            if offer.name == "suites":
                self.picks.append(Pick(offer.suites, answer.suite.code))
        elif offer.name == "suites":
            batch = self.batches.pop(0)
            self.batches = (_apart(batch) if answer.unclear else []) + self.batches

    def without(self, suites: Iterable[int]) -> None:
        """Leave these out of what is asked for one by one."""
        self.left_out |= set(suites)
        self._drop(self.left_out)

    def accepted(self) -> Iterable[Accepted]:
        at = self.interview.at
        names = tuple(map(tls.suite_name, self.ranked()))
        yield Accepted(at, "suites", self.version, names, self.order, self.complete)
        complete = self.complete and self.complete_groups
        yield Accepted(at, "groups", self.version, tuple(map(tls.group_name, self.groups)), complete=complete)
        if self.version == "TLSv1.2":
            complete = self.complete and self.complete_schemes
            schemes = tuple(map(tls.scheme_name, self.schemes))
            yield Accepted(at, "signatures", self.version, schemes, complete=complete)

    def ranked(self) -> list[int]:
        """In the server's order; where it has none, in the order of our offer."""
        if self.order == "server":
            return self.suites
        return [s.code for s in classic() if s.code in self.suites]

    @property
    def rows(self) -> list[Suite]:
        return rows(self.suites)

    @property
    def groups_left(self) -> tuple[int, ...]:
        return tuple(c for c in all_groups(tls13=False) if c not in self.groups)

    @property
    def schemes_left(self) -> tuple[int, ...]:
        return tuple(c for c in all_schemes() if c not in self.schemes)

    def names(self, answer: Answer) -> tuple[str, ...]:
        """What the default depth calls an answer that proves the same."""
        if answer.offer.name != "suites":
            return (answer.offer.name,)
        if answer.accepted and answer.suite is not None:
            return (self._class(answer.suite),)
        last = len(self.batches) == 1 and not (answer.unclear and _apart(self.batches[0]))
        if answer.missed is not None or not last or self.version != "TLSv1.2":
            return ("suites",)
        return tuple(self._absent())

    def _class(self, suite: Suite) -> str:
        if suite in self.rules.forbidden:
            return "forbidden"
        if suite not in self.rules.allowed:
            return "suites"
        if needs_dh(suite):
            return "allowed-dhe"
        return f"allowed-{suite.authentication.value}" if suite.authentication in KEYS.values() else "suites"

    def _absent(self) -> Iterable[str]:
        """What a refusal of everything left shows to be absent, for all that was accepted before."""
        seen = {*self.suites, *self.left_out}
        for word, key in KEYS.items():
            wanted = codes(by_certificate(self.rules.allowed, key))
            if wanted and not seen & set(wanted):
                yield f"allowed-{word}"
        yield "forbidden-2" if seen & set(codes(self.rules.forbidden)) else "forbidden"

    def _next(self) -> Offer:
        """The batch, forwards and backwards in turn; once two suites are known, with one oddity at a time
        and a suite behind it that works, so that a refusal is about the oddity. The first hello asks for
        a session ticket, the plain ones after it do not.
        """
        if self.oddities and len(self.suites) > 1 and self.version == "TLSv1.2":
            oddity = self.oddities.pop()
            return replace(oddity, suites=self.batches[0] + (self.suites[-1],))
        batch = self.batches[0] if len(self.picks) % 2 == 0 else tuple(reversed(self.batches[0]))
        return replace(self._plain("suites", batch), ticket=not self.suites)

    async def ask_session(self) -> AsyncIterator[Observation]:
        """Whether a session id is given where no ticket is asked for; no hello when one did both."""
        if self.ticketless is None and self.suites:
            offer = replace(self._plain("session-id", tuple(self.suites)), ticket=False)
            self.learn(await self.interview.put(offer))
            for seen in self.interview.drain():
                yield seen

    def _plain(self, name: str, suites: tuple[int, ...]) -> Offer:
        groups, schemes = (*self.groups_left, *self.groups), (*self.schemes_left, *self.schemes)
        return Offer(name, suites, self.version, self.sni, groups, schemes)

    def _strike(self, suite: Suite) -> None:
        if suite.code not in self.suites:
            self.suites.append(suite.code)
        self._drop({suite.code})

    def _drop(self, suites: set[int]) -> None:
        left = (tuple(c for c in batch if c not in suites) for batch in self.batches)
        self.batches = [batch for batch in left if batch]

    def _new(self, answer: Answer) -> bool:
        """Note group and scheme of an answer; whether either was new."""
        group, scheme = tls.group(answer.flight.group), tls.scheme(answer.flight.signature)
        new = False
        if group is not None and group.kind == "ecdhe" and group.code not in self.groups:
            self.groups.append(group.code)
            new = True
        if scheme is not None and scheme.code not in self.schemes:
            self.schemes.append(scheme.code)
            new = True
        return new

    def _group_names(self, answer: Answer) -> tuple[str, ...]:
        group = tls.group(answer.flight.group)
        weak = group is not None and group.code in self.rules.weak_curves
        return ("weak-groups" if weak or answer.refused else "groups",)

    def _scheme_names(self, answer: Answer) -> tuple[str, ...]:
        scheme = tls.scheme(answer.flight.signature)
        weak = scheme is not None and scheme.code in self.rules.weak_schemes
        return ("weak-signatures" if weak or answer.refused else "signatures",)

    def _inferred_order(self) -> str:
        """Client order means that every choice was the first acceptable one, in both directions."""
        forwards = backwards = 0
        for pick in self.picks:
            possible = [c for c in pick.offered if c in self.suites]
            if len(possible) < 2:
                continue
            if pick.chosen != possible[0]:
                return "server"
            if possible == sorted(possible, key=_rank):
                forwards += 1
            else:
                backwards += 1
        return "client" if min(forwards, backwards) >= ENOUGH else ""


def oddities(sni: str | None) -> list[Offer]:
    """Hellos with one peculiarity each that a healthy server bears; last first."""
    plain = Offer("grease", (), sni=sni, grease=True)
    new = replace(plain, name="high-version", grease=False, legacy=0x0305)
    alpn = replace(plain, name="alpn", grease=False, extras=(ext.alpn(UNKNOWN_PROTOCOL),))
    nameless = [] if sni is None else [Offer("no-sni", ())]
    return [alpn, new, plain, *nameless]


def told_oddities(interview: Interview) -> Iterable[Feature]:
    at, tell = interview.at, _verdict(interview)
    yield from tell("grease", lambda a: Feature(at, "grease-tolerant", a.accepted, _said(a)))
    yield from tell("high-version", lambda a: Feature(at, "version-tolerant", a.accepted, _said(a)))
    yield from tell("alpn", lambda a: Feature(at, "alpn-strict", not a.accepted, _said(a)))


def _verdict(interview: Interview) -> Callable[[str, Callable[[Answer], Feature]], Iterable[Feature]]:
    def tell(name: str, feature: Callable[[Answer], Feature]) -> Iterable[Feature]:
        answer = interview.answers.get(name)
        return () if answer is None or answer.missed is not None else (feature(answer),)

    return tell


def _said(answer: Answer) -> str:
    return f"answered {answer.refused or answer.flight.suite}"


def _anonymous(suite: Suite) -> bool:
    return suite.authentication in {Authentication.ANON, Authentication.PSK}


def _apart(batch: tuple[int, ...]) -> list[tuple[int, ...]]:
    """One batch per key exchange, nothing when it is one already: one that fails silently cannot hide the others."""
    parts: dict[Exchange, list[int]] = {}
    for code in batch:
        suite = tls.suite_coded(code)
        if suite is not None:
            parts.setdefault(suite.exchange if suite.exchange in _COMMON else Exchange.ANY, []).append(code)
    return [tuple(part) for part in parts.values()] if len(parts) > 1 else []


_COMMON = frozenset({Exchange.DHE, Exchange.ECDHE, Exchange.RSA})


def _rank(code: int) -> int:
    return _ranks()[code]


@cache
def _ranks() -> dict[int, int]:
    return {s.code: at for at, s in enumerate(classic())}
