"""Every suite and group a server accepts in TLS 1.3, struck out two at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from gatepost.catalogue import tls
from gatepost.model.observation import Accepted, Observation
from gatepost.wire.tls.ask import Answer
from gatepost.wire.tls.interview import Interview
from gatepost.wire.tls.offers import Offer, all_groups, codes
from gatepost.wire.tls.rules import Rules

VERSION = "TLSv1.3"


@dataclass(slots=True)
class Modern:
    """Suites and groups are independent here. After a refusal of what is left of both, all suites are offered
    again: accepted, the suites had come to an end; refused, the groups had.
    """

    interview: Interview
    rules: Rules
    sni: str | None
    suites: list[int] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    suites_ended: bool = False
    groups_ended: bool = False
    complete: bool = True
    order: str = ""
    _doubt: bool = False

    async def run(self) -> AsyncIterator[Observation]:
        while self.complete and not (self.suites_ended and self.groups_ended):
            answer = await self.interview.put(self._next(), self.names)
            for seen in self.interview.drain():
                yield seen
            self.learn(answer)
        if self.suites:
            for accepted in self.accepted():
                yield accepted

    def learn(self, answer: Answer) -> None:
        if answer.missed is not None:
            self.complete = False
        elif answer.accepted:
            self._strike(answer)
        elif not self.suites:
            self.suites_ended = self.groups_ended = True
        elif self.groups_ended:
            self.suites_ended = True
        elif self.suites_ended or self._doubt:
            self.groups_ended, self._doubt = True, False
        else:
            self._doubt = True

    def accepted(self) -> Iterable[Accepted]:
        at = self.interview.at
        suites, groups = tuple(map(tls.suite_name, self.suites)), tuple(map(tls.group_name, self.groups))
        yield Accepted(at, "suites", VERSION, suites, self.order, self.complete or self.suites_ended)
        yield Accepted(at, "groups", VERSION, groups, complete=self.complete or self.groups_ended)

    def names(self, answer: Answer) -> tuple[str, ...]:
        """What the default depth calls an answer that proves the same."""
        if not self.suites:
            return ("tls1.3",)
        if answer.accepted:
            return (self._accepted_name(answer),)
        wanted: dict[str, bool] = {}
        if self.suites_ended or self._doubt:
            wanted["tls1.3-hybrid"] = not self._seen(self.rules.hybrids)
            wanted["tls1.3-forbidden-groups"] = not self._seen(self.rules.forbidden_groups13)
        elif self.groups_ended:
            wanted["tls1.3-forbidden-suites"] = not set(self.suites) & set(self.rules.forbidden13)
        return tuple(name for name, absent in wanted.items() if absent) or ("tls1.3-suites",)

    def _accepted_name(self, answer: Answer) -> str:
        suite, group = answer.suite, tls.group(answer.flight.group)
        if group is not None and group.code in self.rules.hybrids:
            return "tls1.3-hybrid"
        if group is not None and group.code in self.rules.forbidden_groups13:
            return "tls1.3-forbidden-groups"
        if suite is not None and suite.code in self.rules.forbidden13:
            return "tls1.3-forbidden-suites"
        return "tls1.3-suites"

    def _seen(self, groups: Iterable[int]) -> bool:
        return bool(set(self.groups) & set(groups))

    def _next(self) -> Offer:
        """While in doubt, and once they have ended, suites known to work come last to first: that shows the order."""
        every = codes(s for s in tls.suites() if s.tls13)
        left = tuple(c for c in every if c not in self.suites)
        known = tuple(reversed(self.suites))
        suites = known if self.suites_ended else (*known, *left) if self._doubt else left
        groups = self._groups_left() if not self.groups_ended else tuple(self.groups)
        return Offer("tls1.3-suites", suites or known, VERSION, self.sni, groups)

    def _groups_left(self) -> tuple[int, ...]:
        return tuple(c for c in all_groups(tls13=True) if c not in self.groups)

    def _strike(self, answer: Answer) -> None:
        suite, group = answer.suite, tls.group(answer.flight.group)
        again = suite is not None and suite.code in self.suites
        if self._doubt:
            self._doubt, self.suites_ended = False, again
        if again and suite is not None and not self.order and len(self.suites) > 1:
            self.order = "client" if suite.code == answer.offer.suites[0] else "server"
        if suite is not None and not again:
            self.suites.append(suite.code)
        if group is not None and group.code not in self.groups and group.code in answer.offer.groups:
            self.groups.append(group.code)
        elif not self.groups_ended:
            self.groups_ended = True  # it takes groups that were not on offer: no more to be learned
        self.suites_ended = self.suites_ended or len(self.suites) == len([s for s in tls.suites() if s.tls13])
        self.groups_ended = self.groups_ended or not self._groups_left()
