"""From a run to findings: every check against every subject it is about, one finding per cause.

A judge that breaks costs its own verdict and nothing else. What has no judge yet is listed as unknown, with the
witness it would take; so is, in one line a control, what nobody asked DNS or the host itself about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from gatepost.catalogue import Profile
from gatepost.catalogue.controls import control, controls
from gatepost.catalogue.remedies import remedy
from gatepost.checks import CHECKS, FROM_DNS, FROM_INSIDE, MANUAL, missing
from gatepost.checks.case import Case, Check, Scope, unknown
from gatepost.checks.dialogue_seen import MAIL, listens, software
from gatepost.checks.domain_seen import NOT_ASKED, domains, exchanging
from gatepost.checks.grouping import Judged, findings
from gatepost.checks.inside_seen import NOT_LOOKED
from gatepost.checks.rules_seen import NO_VANTAGE
from gatepost.checks.traffic import NO_LOGS
from gatepost.checks.waivers import covering, waiver_findings
from gatepost.model.architecture import Architecture, Endpoint, Service
from gatepost.model.finding import Finding, Verdict
from gatepost.model.observation import Observation, Run, Seen
from gatepost.model.rules import DeviationSeen
from gatepost.model.words import Outcome, Role, Severity


def judge(
    run: Run,
    architecture: Architecture,
    profile: Profile,
    *,
    services: Mapping[Endpoint, Service],
    now: datetime,
    mine: bool,
) -> tuple[Finding, ...]:
    """Every verdict on a run: the severest first, then by control and subject."""
    court = _Court(run.seen, architecture, profile, services, now, mine=mine)
    judged = _asked([one for case, scope in court.cases() for one in court.verdicts(case, scope)])
    told = {one.control for one in judged}
    found = (*findings(judged), *_manual(run, architecture, told), *waiver_findings(architecture, now))
    return tuple(sorted(found, key=lambda f: (-f.severity.rank, f.control, f.subject, f.check, f.role)))


class _Court:
    """One run with everything needed to judge it."""

    def __init__(
        self,
        seen: Seen,
        architecture: Architecture,
        profile: Profile,
        services: Mapping[Endpoint, Service],
        now: datetime,
        *,
        mine: bool,
    ) -> None:
        self.seen, self.architecture, self.profile, self.now, self.mine = seen, architecture, profile, now, mine
        self.services = dict(services)
        self.listening: dict[str, list[Endpoint]] = defaultdict(list)
        for at in sorted({*services, *seen.endpoints()}):
            if listens(seen, at):
                self.listening[at.host].append(at)
        self.by_host: dict[str, dict[Endpoint, Service]] = defaultdict(dict)
        for at, service in sorted(self.services.items()):
            self.by_host[at.host][at] = service
        self.serving = exchanging(seen, architecture)

    def cases(self) -> Iterator[tuple[Case, Scope]]:
        for host in sorted({*self.by_host, *self.listening}):
            for at in self.listening[host]:
                service = self.services.get(at)
                yield self._case(at, service.role if service else Role.HOST), Scope.ENDPOINT
            declared = {s.role for s in self.by_host[host].values() if s.declared}
            answering = {self.services[at].role for at in self.listening[host] if at in self.services}
            by_dns = {Role.MX} if host in self.serving else set()  # also where its port 25 gives no answer to us
            for role in sorted({*declared, *answering, *by_dns, Role.HOST}):
                yield self._case(Endpoint(host), role), Scope.HOST
        for domain in sorted(domains(self.seen) or {d.name for d in self.architecture.domains}):
            yield self._case(Endpoint(domain), Role.DOMAIN), Scope.DOMAIN

    def _case(self, at: Endpoint, role: Role) -> Case:
        return Case(
            at=at,
            role=role,
            service=self.services.get(at),
            host=self.architecture.host(at.host),
            endpoints=tuple(self.listening.get(at.host, ())),
            seen=self.seen,
            profile=self.profile,
            architecture=self.architecture,
            now=self.now,
            mine=self.mine,
            services=self.by_host.get(at.host, {}),
            serving=self.serving,
            listening=self.listening,
        )

    def verdicts(self, case: Case, scope: Scope) -> Iterator[Judged]:
        for one in CHECKS:
            if one.scope is scope and applies(one, case):
                yield from self._judged(one, case, ruled(one, case))

    def _judged(self, one: Check, case: Case, verdict: Verdict) -> Iterator[Judged]:
        """One verdict of a host names several places; a waiver may cover some of them."""
        severity = verdict.severity or control(one.control).severity
        for at in _places(one, case, verdict):
            yield Judged(
                one.control,
                one.name,
                at,
                case.role,
                verdict,
                severity,
                self._remedy(one, case, at, verdict),
                covering(self.architecture, one.control, at, self.now) if _fails(verdict) else None,
            )

    def _remedy(self, one: Check, case: Case, at: Endpoint, verdict: Verdict) -> str:
        if not _fails(verdict):
            return ""
        return verdict.remedy or remedy(one.control, one.name, self._software(at, case.role), case.role)

    def _software(self, at: Endpoint, role: Role) -> str:
        """The port's own word, else that of another port with the same job on that host."""
        near = [other for other in self.listening[at.host] if _job(self.services.get(other), role)]
        return next((s for other in (at, *near) if (s := software(self.seen, other))), "")


def applies(one: Check, case: Case) -> bool:
    """By role; what is no mail dialogue is only asked what concerns every listener."""
    roles = one.roles or frozenset(control(one.control).roles)
    every = Role.HOST in roles
    if one.scope is Scope.ENDPOINT:
        talks = case.service is not None and case.service.protocol in MAIL
        return every or (talks and case.role in roles)
    return (case.role is Role.HOST) if every else (case.role in roles)


def ruled(one: Check, case: Case) -> Verdict:
    try:
        return one.judge(case)
    except Exception as error:  # noqa: BLE001 - a defect of one judge must not cost the others' verdicts
        return unknown(f"gatepost defect: {type(error).__name__}: {error}")


def _places(one: Check, case: Case, verdict: Verdict) -> tuple[Endpoint, ...]:
    """Where it was seen: the endpoints of the evidence for a host, the subject itself otherwise."""
    if one.scope is not Scope.HOST:
        return (case.at,)
    if verdict.places:
        return verdict.places
    if verdict.ports:
        return tuple(at for port in verdict.ports for at in _at_port(case, port))
    seen = {o.at for o in verdict.evidence if o.at.port and not _of_many(o)}
    return tuple(sorted(seen)) or (case.at,)


def _at_port(case: Case, port: int) -> tuple[Endpoint, ...]:
    known = {at for at in (*case.endpoints, *case.services) if at.port == port}
    return tuple(sorted(known)) or (Endpoint(case.at.host, "", port),)


def _of_many(one: Observation) -> bool:
    """A range of ports, and what a host does as a client or router, is about the host."""
    return isinstance(one, DeviationSeen) and (one.direction != "input" or one.ports[0] != one.ports[1])


def _fails(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.FAIL


def _job(service: Service | None, role: Role) -> bool:
    return service is not None and service.role is role


def _asked(judged: Sequence[Judged]) -> list[Judged]:
    """Without what all judges of a control only say because nobody asked DNS, and what a judge only says because
    nobody looked into any host, or from any vantage.
    """
    told = {one.control for one in judged if one.verdict.because not in _UNASKED}
    asked = {one.check for one in judged if one.verdict.because not in {NOT_LOOKED, NO_VANTAGE, NO_LOGS}}
    return [one for one in judged if one.control in told and one.check in asked]


_UNASKED = frozenset({NOT_ASKED, NOT_LOOKED, NO_VANTAGE, NO_LOGS})


def _manual(run: Run, architecture: Architecture, told: set[str]) -> Iterable[Finding]:
    hosts = sorted({at.host for at in run.seen.endpoints()})
    subject = architecture.organization or (hosts[0] if hosts else "this organisation")
    for one in controls():
        if because := _why(one.id, told):
            role = Role.ORG if Role.ORG in one.roles else one.roles[0]
            yield Finding(
                one.id, "manual", subject, role, Outcome.UNKNOWN, Severity(one.severity), because, (), "", (subject,),
            )  # fmt: skip


def _why(name: str, told: set[str]) -> str:
    if witness := MANUAL.get(name):
        return f"needs {witness}"
    if name in FROM_DNS and name not in told:
        return f"{NOT_ASKED}: name the mail domain"
    return f"needs {missing(name)}" if name in FROM_INSIDE and name not in told else ""
