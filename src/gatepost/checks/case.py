"""What a judge is given, and how it says what it thinks.

A check is a judge plus its control id. It sees what was observed at one subject and says one of four things.
`unknown` is not `passed`: a judge that saw nothing says so, with the reason the prober recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gatepost.catalogue import Profile
from gatepost.model.architecture import Architecture, Endpoint, Host, Service
from gatepost.model.finding import Verdict
from gatepost.model.observation import Hello, Observation, Seen, Unobserved, Upgrade, Vantage, of
from gatepost.model.words import Outcome, Reason, Role, Severity

INSIDE_TLS = frozenset({"capabilities-tls", "certificate", "tls"})  # words of Unobserved.wanted

ENDING = frozenset({"capabilities", "connection", "greeting", "identity", "starttls", "survey", "tls"})
"""Losing one of these means losing all that would have come after it."""


class Scope(StrEnum):
    """What a judge looks at in one go."""

    DOMAIN = "domain"
    ENDPOINT = "endpoint"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class Case:
    """One subject to judge.

    Endpoint scope: `at` is the endpoint and `service` what is declared or presumed there. Host and domain
    scope: `at` is `Endpoint(name)` and `service` is None; use `endpoints`, `services` and `seen`. A host is
    judged once per role it has, or once with Role.HOST where the control is about hosts.
    """

    at: Endpoint
    role: Role
    service: Service | None
    host: Host | None
    endpoints: tuple[Endpoint, ...]  # every endpoint of the same host that listens
    seen: Seen
    profile: Profile
    architecture: Architecture
    now: datetime
    mine: bool = False
    services: Mapping[Endpoint, Service] = field(default_factory=dict)  # of this host, whether they answer or not
    serving: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # the domains whose mail a host takes
    listening: Mapping[str, Sequence[Endpoint]] = field(default_factory=dict)  # what listens, of every host

    @property
    def declared(self) -> bool:
        """A declaration exists for this host."""
        return self.host is not None

    @property
    def same_host(self) -> bool:
        """We looked from the address we looked at: clear-text and relay answers mislead."""
        return any(v.same_host for v in of(Vantage, self.seen, self.at))

    @property
    def serves(self) -> tuple[str, ...]:
        """The domains whose mail this host takes."""
        return self.serving.get(self.at.host, ())

    def places(self) -> tuple[Endpoint, ...]:
        """Host scope: what listens in this role."""
        return tuple(at for at in self.endpoints if at in self.services and self.services[at].role is self.role)

    def missing(self, *wanted: str) -> Verdict:
        """`unknown`, with the reason the prober gave for the first of `wanted` (a prefix matches).

        What lies inside TLS is no question on a port that was seen to have none.
        """
        lost = of(Unobserved, self.seen, self.at)
        for word in wanted:
            for one in lost:
                if one.wanted.startswith(word):
                    return unknown(f"{one.reason.value}: {one.detail}", one)
        for one in lost:
            if one.wanted not in ENDING or one.reason is Reason.NOT_ASKED:
                continue
            return unknown(f"{one.reason.value}: {one.detail}", one)
        without = [u for u in of(Upgrade, self.seen, self.at) if not u.accepted]
        if without and not of(Hello, self.seen, self.at) and INSIDE_TLS & set(wanted):
            return not_applicable("TLS is not to be had here, see GP-STLS-001", *without)
        return unknown(f"not seen: {wanted[0]}" if wanted else "nothing was seen")


Judge = Callable[[Case], Verdict]


@dataclass(frozen=True, slots=True)
class Check:
    control: str
    name: str  # the judge's function name with dashes: stable, part of a finding's id
    title: str  # first line of the judge's docstring: the promise that holds
    scope: Scope
    judge: Judge
    roles: frozenset[Role]  # in place of the control's roles, where one judge covers other ones; empty: those


def check(control: str, *, scope: Scope = Scope.ENDPOINT, roles: tuple[Role, ...] = ()) -> Callable[[Judge], Check]:
    """Bind a judge to its control."""

    def bind(judge: Judge) -> Check:
        title = (judge.__doc__ or "").strip().splitlines()[0].rstrip(".")
        name = judge.__name__.replace("_", "-")
        return Check(control, name, title, scope, judge, frozenset(roles))

    return bind


def passed(*evidence: Observation, because: str = "") -> Verdict:
    return Verdict(Outcome.PASS, because, evidence)


def failed(because: str, *evidence: Observation, remedy: str = "", severity: Severity | None = None) -> Verdict:
    return Verdict(Outcome.FAIL, because, evidence, remedy, severity)


def unknown(because: str, *evidence: Observation) -> Verdict:
    return Verdict(Outcome.UNKNOWN, because, evidence)


def not_applicable(because: str, *evidence: Observation) -> Verdict:
    return Verdict(Outcome.NOT_APPLICABLE, because, evidence)
