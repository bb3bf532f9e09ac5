"""CAA: who may issue certificates for the names of mail hosts (GP-CERT-007)."""

from __future__ import annotations

import re

from gatepost.catalogue.caa import identifiers
from gatepost.checks.case import Case, Scope, check, failed, not_applicable, passed, unknown
from gatepost.checks.certificates import served
from gatepost.checks.dialogue_seen import some
from gatepost.checks.domain_seen import STRANGERS, first, not_seen, strangers, told
from gatepost.model.architecture import Domain
from gatepost.model.certificate import Certificate
from gatepost.model.domain import CaaSeen
from gatepost.model.finding import Verdict
from gatepost.model.observation import CertificateSeen
from gatepost.model.words import Role, Severity
from gatepost.records.caa import KNOWN, issuers, permits

HOST = (Role.HOST,)
ABSENT = "no CAA record, see caa-published"
_ORGANISATION = re.compile(r"(?:^|,)O=((?:\\.|[^,\\])+)")


@check("GP-CERT-007", scope=Scope.HOST, roles=HOST)
def caa_published(case: Case) -> Verdict:
    """CAA says who may issue certificates for the host."""
    caa = told(CaaSeen, case)
    if caa is None:
        return not_seen(case, "caa")
    if strangers(case):
        return not_applicable(STRANGERS, caa)
    if caa.records:
        return passed(caa, because=f"at {caa.found_at}" if caa.found_at != case.at.host else "")
    wanted = _declared(case)
    if wanted:
        because = f"declared ({some(wanted)}), and no CAA record is published: any authority may issue"
        return failed(because, caa, remedy=_publish(case, wanted))
    return failed("no CAA record: any authority may issue", caa, severity=Severity.LOW,
                  remedy=_publish(case, _in_use(case)))  # fmt: skip


def _publish(case: Case, names: tuple[str, ...]) -> str:
    domain = _domain(case)
    where = domain.name if domain else case.at.host
    rows = [f'{where}. CAA 0 issue "{name}"' for name in names or ("the authority in use",)]
    return "\n".join(["Publish:", *rows, f'{where}. CAA 0 iodef "mailto:postmaster@{where}"'])


def _declared(case: Case) -> tuple[str, ...]:
    domain = _domain(case)
    return domain.caa if domain else ()


def _domain(case: Case) -> Domain | None:
    """The declared domain the host lies in, else one whose mail it takes."""
    above = [d for d in case.architecture.domains if f".{case.at.host}".endswith(f".{d.name}")]
    if above:
        return max(above, key=lambda d: len(d.name))
    return next((d for d in case.architecture.domains if d.name in case.serves and d.caa), None)


def _in_use(case: Case) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for one in _leaves(case) for name in _names(one.chain[0])[:1]))


def _leaves(case: Case) -> list[CertificateSeen]:
    """Of public authorities: only they are bound by CAA."""
    return [one for at in case.endpoints for one in served(case.seen, at) if one.trust.valid]


def _names(leaf: Certificate) -> tuple[str, ...]:
    """CAA names of the authority that issued it; empty for one the catalogue does not know."""
    found = _ORGANISATION.search(leaf.issuer)
    return identifiers(re.sub(r"\\(.)", r"\1", found[1])) if found else ()


@check("GP-CERT-007", scope=Scope.HOST, roles=HOST)
def caa_permits_authority_in_use(case: Case) -> Verdict:
    """CAA permits the authority that issued what is served."""
    caa = told(CaaSeen, case)
    if caa is None:
        return not_seen(case, "caa")
    if not caa.records:
        return not_applicable(ABSENT, caa)
    leaves = _leaves(case)
    if not leaves:
        return unknown("no certificate of a public authority was seen", caa)
    fine: list[CertificateSeen] = []
    for one in leaves:
        names = _names(one.chain[0])
        if names and not any(permits(caa, name, wildcard=_wild(one)) for name in names):
            allowed = some(i.domain for i in issuers(caa, wildcard=_wild(one))) or "nobody"
            because = f"{one.at.place} has its certificate of {names[0]}, CAA permits {allowed}: its renewal will fail"
            return failed(because, caa, one, severity=Severity.HIGH, remedy=_permit(caa, names[0]))
        fine += [one] if names else []
    if fine:
        return passed(caa, *fine[:3])
    return unknown(f"the CAA name of {leaves[0].chain[0].issuer} is not known", caa, leaves[0])


def _wild(one: CertificateSeen) -> bool:
    return all(name.startswith("*.") for name in one.chain[0].dns_names) and bool(one.chain[0].dns_names)


def _permit(caa: CaaSeen, name: str) -> str:
    return f'Add: {caa.found_at}. CAA 0 issue "{name}"'


@check("GP-CERT-007", scope=Scope.HOST, roles=HOST)
def caa_as_declared(case: Case) -> Verdict:
    """CAA permits the declared authorities, and no other."""
    caa = told(CaaSeen, case)
    if caa is None:
        return not_seen(case, "caa")
    wanted = {name.lower() for name in _declared(case)}
    if not wanted:
        return not_applicable("no authority is declared (domains: caa)", caa)
    if not caa.records:
        return not_applicable(ABSENT, caa)
    published = {one.domain for wild in (False, True) for one in issuers(caa, wildcard=wild)}
    strange, lacking = published - wanted, wanted - published
    if strange:
        return failed(f"permits authorities that are not declared: {some(strange)}", caa)
    if lacking:
        return failed(f"declared and not permitted: {some(lacking)}", caa, remedy=_permit(caa, min(lacking)))
    return passed(caa)


@check("GP-CERT-007", scope=Scope.HOST, roles=HOST)
def caa_understood(case: Case) -> Verdict:
    """Authorities can read every CAA record."""
    caa = told(CaaSeen, case)
    if caa is None:
        return not_seen(case, "caa")
    if not caa.records and not caa.problems:
        return not_applicable(ABSENT, caa)
    if blocking := [one for one in caa.records if one.critical and one.tag not in KNOWN]:
        because = f"critical and not known to authorities, so none may issue: {some(str(one) for one in blocking)}"
        return failed(because, caa, severity=Severity.HIGH)
    return failed(first(caa.problems), caa, severity=Severity.LOW) if caa.problems else passed(caa)
