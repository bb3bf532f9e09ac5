"""What clients are told by SRV records and settings files, held against the declaration (GP-PORT-009)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gatepost.checks.case import Case, Scope, check, failed, not_applicable, passed, unknown
from gatepost.checks.comparisons import nothing_told
from gatepost.checks.dialogue_seen import some, words
from gatepost.checks.domain_seen import NOT_DECLARED
from gatepost.model.architecture import Host, Service
from gatepost.model.finding import Verdict
from gatepost.model.observation import Advertised, of
from gatepost.model.words import Mode, Role, Severity

FOR_USERS = frozenset({Role.ACCESS, Role.SUBMISSION})


@check("GP-PORT-009", scope=Scope.DOMAIN, roles=(Role.DOMAIN,))
def settings_as_declared(case: Case) -> Verdict:
    """Clients are told of declared services only, and as declared."""
    told = _pointers(case)
    if not told:
        return nothing_told(case)
    if not case.architecture.hosts:
        return unknown(NOT_DECLARED)
    wrong = [(why, one) for one in told if (why := _difference(case, one))]
    if wrong:
        return failed("; ".join(sorted({why for why, _ in wrong})), *(one for _, one in wrong))
    return passed(*told)


def _pointers(case: Case) -> list[Advertised]:
    """A target of `.` says that there is no such service."""
    return [a for a in of(Advertised, case.seen, case.at) if a.via != "mx" and a.target.rstrip(".") and a.port]


def _difference(case: Case, one: Advertised) -> str:
    where = f"{one.target.rstrip('.')}:{one.port} ({one.via})"
    host = case.architecture.host(one.target.rstrip(".").lower())
    if host is None:
        return f"{where}: the host is not declared"
    service = host.service(one.port)
    if service is None:
        return f"{where}: the port is not declared"
    if Mode.OPTIONAL in {one.mode, service.mode} or one.mode is service.mode:
        return ""
    return f"{where}: told as {one.mode.value}, declared as {service.mode.value}"


@check("GP-PORT-009", scope=Scope.DOMAIN, roles=(Role.DOMAIN,))
def declared_services_told(case: Case) -> Verdict:
    """Clients are told of every declared service for users."""
    told = _pointers(case)
    if not told:
        return nothing_told(case)
    ports = {(a.target.rstrip(".").lower(), a.port) for a in told}
    hosts = [*_of_domain(case, {name for name, _ in ports})]
    if not hosts:
        return unknown(NOT_DECLARED)
    wanted = [(host, one) for host in hosts for one in host.services if _for_users(one)]
    if not wanted:
        return not_applicable("no service for users is declared on its hosts", *told)
    lacking = [one.name for host, one in wanted if (host.name, one.port) not in ports]
    if lacking:
        because = f"declared, and clients are not told of {words(lacking) if len(lacking) < 4 else some(lacking)}"
        return failed(because, *told, severity=Severity.INFO)
    return passed(*told)


def _of_domain(case: Case, pointed_to: Iterable[str]) -> Iterator[Host]:
    named = set(pointed_to)
    return (host for host in case.architecture.hosts if host.name in named)


def _for_users(one: Service) -> bool:
    """What is on its way out needs no new clients."""
    return one.role in FOR_USERS and one.exposure == "clients" and one.mode is Mode.IMPLICIT and one.until is None
