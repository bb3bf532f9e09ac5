"""A domain, its DNS in a table, and what publishing makes of both: for tests of `gatepost.publish`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from gatepost.model.architecture import Architecture, Domain, Endpoint, Host, Service
from gatepost.model.certificate import Certificate, Trust
from gatepost.model.dns import Answer, Security
from gatepost.model.observation import CertificateSeen, Observation, Seen
from gatepost.model.words import Mode, Reason, Role
from gatepost.publish import Given, Publication, publish, questions
from gatepost.records.publishing.difference import Change
from tests.zone import Zone

NOW = datetime(2026, 11, 24, 10, 53, tzinfo=UTC)
SOA = "ns1.example.org. hostmaster.example.org. 1 3600 600 86400 900"
MX1 = Host(
    "mx1.example.org",
    ("198.51.100.5", "2001:db8::5"),
    (
        Service("smtp", 25, "smtp", Role.MX, Mode.STARTTLS, "internet"),
        Service("imaps", 993, "imap", Role.ACCESS, Mode.IMPLICIT),
    ),
)
DOMAIN = Domain("example.org", ("mx1.example.org",))
BARE = {
    "example.org SOA": [SOA],
    "mx1.example.org A": ["198.51.100.5"],
    "mx1.example.org AAAA": ["2001:db8::5"],
    "5.100.51.198.in-addr.arpa PTR": ["mx1.example.org"],
    "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR": ["mx1.example.org"],
}
"""DNS before anything was published; the SRV records below go with it where a host has services for clients."""

IN_ORDER = {
    "example.org MX": ["10 mx1.example.org"],
    "example.org TXT": ["v=spf1 mx -all"],
    "_imaps._tcp.example.org SRV": ["0 1 993 mx1.example.org"],
} | {f"_{name}._tcp.example.org SRV": ["0 0 0 ."] for name in ("submissions", "submission", "imap", "pop3s", "pop3")}

Records = Mapping[str, Sequence[str]]


def facts(
    domain: Domain,
    records: Records,
    *more: Observation,
    hosts: Iterable[Host] = (MX1,),
    others: Iterable[Domain] = (),
    trouble: Mapping[str, tuple[Reason, str]] | None = None,
    security: Security = Security.SECURE,
    ttl: int = 300,
) -> Seen:
    """Everything `questions` wants to know, asked of a table."""
    architecture = Architecture(hosts=tuple(hosts), domains=(domain, *others))
    zone = Zone(records, trouble, security=security, ttl=ttl)

    async def ask() -> list[Answer]:
        return [await zone(name, kind) for name, kind in questions(domain, architecture)]

    return Seen((*more, *asyncio.run(ask())))


def published(
    domain: Domain,
    records: Records,
    *more: Observation,
    hosts: Iterable[Host] = (MX1,),
    others: Iterable[Domain] = (),
    given: Given | None = None,
    trouble: Mapping[str, tuple[Reason, str]] | None = None,
    security: Security = Security.SECURE,
    ttl: int = 300,
) -> Publication:
    kept, beside = tuple(hosts), tuple(others)
    seen = facts(domain, records, *more, hosts=kept, others=beside, trouble=trouble, security=security, ttl=ttl)
    return publish(domain, Architecture(hosts=kept, domains=(domain, *beside)), seen, given or Given(NOW))


def changes(told: Publication) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """`name KIND` to what is removed and what is added; steps that only lower a TTL aside."""
    found: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    for step in told.steps:
        if step.change and not step.lowers:
            key = f"{step.change.name} {step.change.kind}"
            removed, added = found.get(key, ((), ()))
            found[key] = ((*removed, *step.change.remove), (*added, *step.change.add))
    return found


def applied(records: Records, made: Iterable[Change]) -> dict[str, list[str]]:
    """The table after the changes."""
    after = {key: list(values) for key, values in records.items()}
    for one in made:
        key = f"{one.name} {one.kind}"
        after[key] = [*(v for v in after.get(key, []) if v not in one.remove), *one.add]
    return {key: values for key, values in after.items() if values}


def serving(host: Host, leaf: Certificate, *ports: int, addresses: Iterable[str] = ()) -> tuple[CertificateSeen, ...]:
    """What the ports of a host serve, at each of its addresses."""
    return tuple(
        CertificateSeen(Endpoint(host.name, address, port), host.name, (leaf,), Trust(valid=True))
        for address in addresses or host.addresses
        for port in ports
    )


def dane(domain: Domain = DOMAIN) -> Domain:
    return replace(domain, dane=True)
