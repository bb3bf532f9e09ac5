"""What protects the certificate a port serves from being anybody else's: TLSA records and MTA-STS policies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from gatepost import catalogue
from gatepost.certs.dane import Standing, match
from gatepost.certs.tlsa_choice import preferred
from gatepost.model.architecture import Endpoint
from gatepost.model.audit import Audit
from gatepost.model.dns import Security
from gatepost.model.domain import MxSeen, StsSeen, TlsaSeen
from gatepost.model.observation import CertificateSeen, Seen, of
from gatepost.model.words import Role
from gatepost.records.sts_policy import pattern_covers
from gatepost.report.truth import NOT_ASKED


def tlsa(one: CertificateSeen, audit: Audit) -> str:
    """`matches 3 1 1`, `mismatch`, `not signed`, `none`; a dash where DNS was not asked."""
    seen = audit.run.seen
    found = next((t for t in of(TlsaSeen, seen, Endpoint(one.at.host)) if t.port == one.at.port), None)
    if found is None:
        return NOT_ASKED
    if not found.records:
        return "none"
    if found.security is Security.INSECURE:
        return "not signed"
    relays = _relays(one, audit)
    names = (found.base or one.at.host, one.at.host, *(_served(seen).get(one.at.host, ()) if relays else ()))
    role = Role.MX if relays else Role.ACCESS
    result = match(found.records, one.chain, audit.generated_at, names, role=role, trust=one.trust)
    if result.matched:
        first = preferred(result.matched) or result.matched[0]
        return f"matches {first.usage} {first.selector} {first.matching}"
    return "unknown" if result.those(Standing.UNKNOWN) else "mismatch" if result.usable else "unusable"


def mta_sts(one: CertificateSeen, audit: Audit) -> str:
    """`enforce`, `testing`, `not covered`, `none`; a dash on other ports and where nobody asked."""
    seen = audit.run.seen
    if not _relays(one, audit):
        return NOT_ASKED
    words = [
        _policy(found, one.at.host)
        for name in _served(seen).get(one.at.host, ())
        for found in of(StsSeen, seen, Endpoint(name))
    ]
    return ", ".join(dict.fromkeys(words)) or NOT_ASKED


def _policy(found: StsSeen, host: str) -> str:
    if not found.records:
        return "none"
    if not found.fetched:
        return "not fetched"
    if found.mode in {"enforce", "testing"} and not any(pattern_covers(p, host) for p in found.mx):
        return "not covered"
    return found.mode or "broken"


def _served(seen: Seen) -> Mapping[str, tuple[str, ...]]:
    """Domains whose mail a host takes, by host."""
    found: dict[str, list[str]] = defaultdict(list)
    for one in of(MxSeen, seen):
        for exchanger in one.exchangers:
            found[exchanger.host].append(one.at.host)
    return {host: tuple(names) for host, names in found.items()}


def _relays(one: CertificateSeen, audit: Audit) -> bool:
    """Mail servers meet there: as declared, else by the usual number."""
    host = audit.architecture.host(one.at.host)
    service = host.service(one.at.port) if host else None
    row = catalogue.port_numbered(one.at.port)
    return service.role is Role.MX if service else row is not None and row.duty == Role.MX
