"""Ports held against each other, and against what the world is told: one odd port is where things go wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from gatepost import catalogue
from gatepost.checks.case import Case, Scope, check, failed, not_applicable, passed, unknown
from gatepost.checks.certificates import served
from gatepost.checks.dialogue_seen import listens, starts, words
from gatepost.checks.tls_seen import VERSIONS, versions
from gatepost.model.architecture import Endpoint
from gatepost.model.certificate import Certificate
from gatepost.model.domain import MxSeen
from gatepost.model.finding import Verdict
from gatepost.model.observation import Advertised, Capabilities, CertificateSeen, Closed, Seen, of
from gatepost.model.words import Mode, Role, Severity

USERS = (Role.ACCESS, Role.SIEVE, Role.SUBMISSION)
TLS = (*USERS, Role.MX)
ALONE = "only one place to look at"

Value = TypeVar("Value")


@check("GP-TLS-015", scope=Scope.HOST, roles=TLS)
def same_protocol_floor(case: Case) -> Verdict:
    """All ports and addresses of a role accept the same TLS versions."""
    told = {at: tuple(v) for at in case.places() if (v := versions(case.seen, at))}
    if len(told) < 2:
        return _alone(case, told, "tls")
    evidence = [next(iter(versions(case.seen, at).values())) for at in told]
    lowest = {at: v[0] for at, v in told.items()}
    if len(set(lowest.values())) == 1:
        return passed(*evidence)
    groups = _by_value(lowest)
    parts = [f"{_ports(groups[name])} from {name}" for name in sorted(groups, key=VERSIONS.index)]
    return failed(f"TLS versions differ: {'; '.join(parts)}", *evidence)


@check("GP-AUTH-002", scope=Scope.HOST, roles=(Role.ACCESS, Role.SUBMISSION))
def same_mechanisms(case: Case) -> Verdict:
    """All ports of a role offer the same logins inside TLS."""
    offers = {at: c for at in case.places() for c in of(Capabilities, case.seen, at) if c.encrypted}
    by_protocol: dict[str, dict[Endpoint, tuple[str, ...]]] = defaultdict(dict)
    for at, offer in offers.items():
        by_protocol[case.services[at].protocol][at] = offer.mechanisms()
    compared = {p: told for p, told in by_protocol.items() if len(told) > 1}
    if not compared:
        return _alone(case, offers, "capabilities-tls")
    for _, told in sorted(compared.items()):
        groups = _by_value(told)
        if len(groups) > 1:
            parts = [f"{_ports(ats)}: {words(names) or 'none'}" for names, ats in sorted(groups.items())]
            because = f"logins differ: {'; '.join(parts)}"
            return failed(because, *(offers[at] for at in told), severity=Severity.LOW)
    return passed(*offers.values())


@check("GP-CERT-004", scope=Scope.HOST, roles=TLS)
def renewal_seen_everywhere(case: Case) -> Verdict:
    """No port still serves the predecessor of a certificate seen elsewhere on the host."""
    leaves = [(at, c) for at in case.endpoints for c in served(case.seen, at)]
    ours = [(at, c) for at, c in leaves if at in case.places()]
    if len({at for at, _ in leaves}) < 2 or not ours:
        return _alone(case, dict(ours), "certificate")
    stale = [(at, c, newer) for at, c in ours if (newer := _successor(c.chain[0], leaves))]
    if not stale:
        return passed(*(c for _, c in ours))
    _, old, newer = stale[0]
    because = (
        f"serves the certificate of {old.chain[0].not_before:%Y-%m-%d}; "
        f"{newer[0].port} has that of {newer[1].not_before:%Y-%m-%d}"
    )
    return failed(because, *(c for _, c, _ in stale))


def _successor(
    leaf: Certificate, leaves: Iterable[tuple[Endpoint, CertificateSeen]]
) -> tuple[Endpoint, Certificate] | None:
    """A younger certificate for the same names and kind of key, from the same authority."""
    mark = _kin(leaf)
    younger = [(at, c.chain[0]) for at, c in leaves if _kin(c.chain[0]) == mark]
    newest = max(younger, key=lambda found: found[1].not_before, default=None)
    return newest if newest and newest[1].not_before > leaf.not_before else None


def _kin(leaf: Certificate) -> tuple[frozenset[str], str, str]:
    return frozenset(leaf.dns_names), leaf.key_type, leaf.issuer.rpartition("O=")[2]


@check("GP-CERT-010", scope=Scope.HOST)
def one_certificate(case: Case) -> Verdict:
    """All ports and addresses of the host serve the same certificate."""
    told = {at: frozenset(c.chain[0].sha256 for c in served(case.seen, at)) for at in case.endpoints}
    told = {at: prints for at, prints in told.items() if prints}
    if len(told) < 2:
        return _alone(case, told, "certificate")
    evidence = [c for at in told for c in served(case.seen, at)]
    groups = _by_value(told)
    if _overlap(groups):
        return passed(*evidence)
    parts = [f"{_ports(ats)}: {_shown(case.seen, ats[0])}" for ats in sorted(groups.values())]
    keys = {c.chain[0].spki_sha256 for c in evidence}
    shared = ", all with one key" if len(keys) == 1 else ""
    return failed(f"serves {len(groups)} certificates{shared} ({'; '.join(parts)})", *evidence, severity=Severity.INFO)


def _overlap(groups: Iterable[frozenset[str]]) -> bool:
    """RSA and ECDSA twins may not both have been seen on every port."""
    sets = list(groups)
    return all(a & b for a in sets for b in sets)


def _shown(seen: Seen, at: Endpoint) -> str:
    leaf = served(seen, at)[0].chain[0]
    return f"{leaf.common_name or ', '.join(leaf.dns_names[:1]) or leaf.subject} until {leaf.not_after:%Y-%m-%d}"


@check("GP-CERT-004", scope=Scope.HOST, roles=TLS)
def same_certificate_in_both_families(case: Case) -> Verdict:
    """A port serves the same certificate over IPv4 and IPv6."""
    if len({at.family for at in case.places()}) == 1:
        return not_applicable("only one address family answers")
    by_port: dict[int, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for at in case.places():
        for chain in served(case.seen, at):
            by_port[at.port][at.family].add(chain.chain[0].sha256)
    both = {port: told for port, told in by_port.items() if len(told) > 1}
    if not both:
        return _alone(case, by_port, "certificate")
    apart = [port for port, told in both.items() if not told[4] & told[6]]
    shown = [c for at in case.places() if at.port in (apart or both) for c in served(case.seen, at)]
    if apart:
        return failed("another certificate over IPv6 than over IPv4", *shown, severity=Severity.MEDIUM)
    return passed(*shown)


@check("GP-PORT-009", scope=Scope.DOMAIN, roles=(Role.DOMAIN,))
def advertised_encrypted(case: Case) -> Verdict:
    """Client settings point only to encrypted ports."""
    told = _told(case)
    if not told:
        return nothing_told(case)
    if clear := [a for a in told if a.mode in {Mode.NONE, Mode.OPTIONAL}]:
        return failed(f"points clients to clear text: {words(map(_pointer, clear))}", *clear, severity=Severity.HIGH)
    return passed(*told)


@check("GP-PORT-009", scope=Scope.DOMAIN, roles=(Role.DOMAIN,))
def implicit_tls_preferred(case: Case) -> Verdict:
    """Client settings prefer implicit TLS (RFC 8314 section 5.1)."""
    told = _told(case)
    if not told:
        return nothing_told(case)
    late = [a for a in told if a.mode is Mode.STARTTLS and _has_twin(a) and not _implicit_first(a, told)]
    if late:
        because = f"points clients to STARTTLS first: {words(map(_pointer, late))}"
        return failed(because, *late, severity=Severity.LOW)
    return passed(*told)


def _has_twin(one: Advertised) -> bool:
    """ManageSieve has no port with implicit TLS (RFC 5804 section 1.8)."""
    row = catalogue.port(f"{one.service}s")
    return row is not None and row.mode == Mode.IMPLICIT


def _implicit_first(one: Advertised, told: Iterable[Advertised]) -> bool:
    """Weights within equal priority are the client's choice: equal is good enough."""
    family = one.service.rstrip("s").replace("submission", "smtp")
    return any(
        a.via == one.via and a.mode is Mode.IMPLICIT and a.priority <= one.priority
        and a.service.rstrip("s").replace("submission", "smtp") == family
        for a in told
    )  # fmt: skip


@check("GP-PORT-009", scope=Scope.DOMAIN, roles=(Role.DOMAIN,))
def advertised_ports_answer(case: Case) -> Verdict:
    """Every port the world is told of answers, and begins as told."""
    told = _told(case)
    if not told:
        return nothing_told(case)
    wrong: list[tuple[str, Advertised]] = []
    looked = 0
    for one in told:
        complaint = _reality(one, case.seen)
        looked += complaint is not None
        if complaint:
            wrong.append((complaint, one))
    if wrong:
        return failed("; ".join(sorted({c for c, _ in wrong})), *(a for _, a in wrong), severity=Severity.MEDIUM)
    return passed(*told) if looked else unknown("the ports it points to were not looked at", *told)


def _reality(one: Advertised, seen: Seen) -> str | None:
    """What is wrong with it; empty when it is as told, None when it was not seen."""
    ats = [at for at in seen.endpoints() if at.port == one.port and at.host == one.target.rstrip(".")]
    if any(of(Closed, seen, at) for at in ats) and not any(listens(seen, at) for at in ats):
        return f"{_pointer(one)}: nothing answers there"
    begun = [found[0] for at in ats if (found := starts(seen, at))]
    if not begun:
        return None
    if (one.mode is Mode.IMPLICIT) != (begun[0] is Mode.IMPLICIT) and one.mode is not Mode.OPTIONAL:
        return f"{_pointer(one)}: told as {one.mode.value}, begins with {begun[0].value}"
    return ""


def nothing_told(case: Case) -> Verdict:
    """No client settings: DNS was asked and has none, or could not be asked."""
    lost = case.missing("srv", "autoconfig", "autodiscover")
    if not lost.evidence and of(MxSeen, case.seen, case.at):
        return not_applicable("no client settings are published (SRV, autoconfig, autodiscover)")
    return lost


def _told(case: Case) -> list[Advertised]:
    """MX records say nothing about client settings; an SRV target of `.` says there is no service."""
    return [a for a in of(Advertised, case.seen, case.at) if a.via != "mx" and a.target.rstrip(".") and a.port]


def _pointer(one: Advertised) -> str:
    return f"{one.target.rstrip('.')}:{one.port} ({one.via})"


def _alone(case: Case, told: Mapping[Value, object], wanted: str) -> Verdict:
    """Nothing to compare with: one place, or nothing seen at the others."""
    if len(case.places()) == 1 and told:
        return not_applicable(ALONE)
    for at in case.places():
        lost = replace(case, at=at).missing(wanted)
        if lost.evidence:
            return lost
    return unknown("seen at too few places to compare")


def _by_value(told: Mapping[Endpoint, Value]) -> dict[Value, list[Endpoint]]:
    groups: dict[Value, list[Endpoint]] = defaultdict(list)
    for at, value in told.items():
        groups[value].append(at)
    return dict(groups)


def _ports(ats: Iterable[Endpoint]) -> str:
    return ", ".join(str(port) for port in sorted({at.port for at in ats}))
