"""What TLSA records say of the certificates a port serves: the one place where both are put together."""

from __future__ import annotations

from gatepost.certs import dane
from gatepost.certs.dane import Match
from gatepost.checks.case import Case
from gatepost.checks.domain_seen import pins, relay_port
from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Security
from gatepost.model.domain import TlsaSeen
from gatepost.model.observation import CertificateSeen
from gatepost.model.words import Role


def against(case: Case, seen: TlsaSeen, shown: CertificateSeen) -> Match:
    """The records of a port against one chain served there.

    On port 25 the certificate may stand for the host or for a domain whose mail it takes (RFC 7672 section 3.2.2).
    """
    host = seen.at.host
    relays = seen.port == relay_port(case, host)
    names = (seen.base or host, host, *(case.serving.get(host, ()) if relays else ()))
    role = Role.MX if relays else Role.ACCESS
    return dane.match(seen.records, shown.chain, case.now, tuple(dict.fromkeys(names)), role=role, trust=shown.trust)


def vouched(case: Case, shown: CertificateSeen) -> bool:
    """A signed usage 3 record stands for this certificate: authority, name and dates do not count then (RFC 7671
    section 5.1).
    """
    at: Endpoint = shown.at
    seen = pins(case, at.host, at.port)
    if seen is None or seen.security is not Security.SECURE or at.port != relay_port(case, at.host):
        return False
    return any(record.usage == dane.DANE_EE for record in against(case, seen, shown).matched)
