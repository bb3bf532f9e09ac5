"""The whole of the DNS side over domains as they are really published, and exactly what is wrong with each."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zone
import pytest

from gatepost import catalogue
from gatepost.audit import conclude, plans
from gatepost.certs.names import a_labels
from gatepost.declare import presume
from gatepost.edge.discover import discover
from gatepost.edge.questions import ask
from gatepost.edge.resolve import resolver_at
from gatepost.model.architecture import Architecture, Endpoint
from gatepost.model.finding import Finding
from gatepost.model.observation import Closed, Observation, Run, Seen
from gatepost.model.words import Outcome
from tests.dns import Dns
from tests.oracle import zones
from tests.zone import Web

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class World(Dns):
    """With wildcards (RFC 4592), and a root that validates."""

    def _fill(self, reply: dns.message.Message, name: dns.name.Name, kind: str, *, whole: bool) -> None:
        super()._fill(reply, name, kind, whole=whole)
        if reply.answer:
            return
        wild = self._wildcard(name)
        if wild is None:
            return
        texts = self.zone.get((wild, kind), ())
        reply.set_rcode(dns.rcode.NOERROR)
        if texts:
            reply.answer.append(dns.rrset.from_text_list(name, 60, "IN", kind, texts))

    def _wildcard(self, name: dns.name.Name) -> dns.name.Name | None:
        names = {one for one, _ in self.zone}
        if any(one.is_subdomain(name) for one in names):
            return None
        while name != dns.name.root:
            name = name.parent()
            wild = dns.name.from_text("*", name)
            if wild in names:
                return wild
            if any(one.is_subdomain(name) for one in names):
                return None
        return None

    def _vouch(self, reply: dns.message.Message, name: dns.name.Name, query: dns.message.Message) -> None:
        super()._vouch(reply, name, query)
        if name == dns.name.root:
            reply.flags |= dns.flags.AD


def records(*texts: str) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for text in texts:
        short = re.sub('"([^"\n]{256,})"', lambda long: zones.strings(long[1]), text)
        zone = dns.zone.from_text(f"$TTL 3600\n{short}", origin=".", relativize=False, check_origin=False)
        for name, node in zone.nodes.items():
            for rows in node:
                key = name.to_text(omit_final_dot=True), dns.rdatatype.to_text(rows.rdtype)
                found.setdefault(key, []).extend(row.to_text() for row in rows)
    return found


EVERY = [text for name, text in vars(zones).items() if name.isupper() and isinstance(text, str) and "$ORIGIN" in text]
STS = "version: STSv1\nmode: enforce\nmx: mx.box.example\nmax_age: 604800\n"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(records(*EVERY), secure=zones.SIGNED) as up:
        yield up


def judged(world: World, name: str) -> tuple[Finding, ...]:
    return asyncio.run(_judged(world, name))


async def _judged(world: World, name: str) -> tuple[Finding, ...]:
    resolver = resolver_at(world.where)
    found = await discover(name, resolver)
    hosts = [presume(host, addresses) for host, addresses in found.hosts]
    domains, machines = plans([found.domain] if found.domain else [], hosts, Architecture(), mine=False)
    told = await ask(domains, machines, resolver.asker, Web({"mta-sts.box.example/.well-known/mta-sts.txt": STS}))
    await resolver.close()
    shut = [
        Closed(Endpoint(h.name, a, s.port), "connection refused")
        for h in hosts
        for a in h.addresses
        for s in h.services
    ]
    seen: tuple[Observation, ...] = (*found.advertised, *found.unobserved, *told, *shut)
    services = {Endpoint(h.name, a, s.port): s for h in hosts for a in h.addresses for s in h.services}
    run = Run(Seen(seen), NOW)
    profile = catalogue.profile("rfc9325")
    return conclude(run, Architecture(), profile, services, (name,), now=NOW, mine=False).findings


OF_STRANGERS = {"GP-DNST-001 sts-published", "GP-DNST-003 tls-reports-requested", "GP-DNST-004 domain-signed"}
"""What most domains of the world lack."""

OPEN = "GP-DNSID-007 dmarc-enforced"
SOFT = "GP-DNSID-001 spf-ends-in-refusal"
ONE_FAMILY = "GP-DNSID-010 exchangers-have-both-families"
AREAS = ("GP-DNSID", "GP-DNST")


def failing(world: World, name: str) -> set[str]:
    """Of the domain itself: what its exchangers lack may be another's business."""
    found = [f for f in judged(world, name) if f.outcome is Outcome.FAIL and f.control.startswith(AREAS)]
    return {f"{f.control} {f.check}" for f in found if f.subject == name}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("workspace.example", OF_STRANGERS | {OPEN, SOFT}),
        ("tenant.example", OF_STRANGERS | {"GP-DNSID-006 dmarc-without-obsolete-tags", ONE_FAMILY}),
        ("secret.example", OF_STRANGERS | {"GP-DNSID-006 dmarc-reports-requested", ONE_FAMILY}),
        ("quick.example", OF_STRANGERS | {OPEN, SOFT, "GP-DNSID-006 dmarc-reports-requested", ONE_FAMILY}),
        ("box.example", set()),
        ("cow.example", OF_STRANGERS - {"GP-DNST-004 domain-signed"}),
        ("uni.example", OF_STRANGERS | {OPEN}),
        ("cs.uni.example", OF_STRANGERS | {OPEN}),
        ("physics.uni.example", OF_STRANGERS | {OPEN, "GP-DNSID-001 one-spf-record", ONE_FAMILY}),
        ("firma.example", OF_STRANGERS | {SOFT, "GP-DNSID-006 dmarc-published", ONE_FAMILY}),
        (
            "moved.example",
            OF_STRANGERS | {OPEN, SOFT, "GP-DNSID-004 dkim-keys-strong", "GP-DNSID-006 report-targets-agree"},
        ),
        ("shop.co.uk", OF_STRANGERS | {ONE_FAMILY}),
        ("news.shop.co.uk", OF_STRANGERS | {ONE_FAMILY}),
        ("xn--mller-kva.example", OF_STRANGERS | {ONE_FAMILY}),
        ("m\u00fcller.example", OF_STRANGERS | {ONE_FAMILY}),
        ("crowded.example", OF_STRANGERS),
        ("odd.example", {"GP-DNST-001 sts-published", "GP-DNST-004 domain-signed", ONE_FAMILY}),
        ("wild.example", OF_STRANGERS | {SOFT, "GP-DNSID-006 dmarc-published", ONE_FAMILY}),
        ("many.example", OF_STRANGERS),
        ("six.example", OF_STRANGERS | {ONE_FAMILY}),
        ("parked.example", {"GP-DNST-004 domain-signed"}),
        (
            "forgotten.example",
            {
                "GP-DNSID-002 parked-dmarc-rejects",
                "GP-DNSID-002 parked-spf-refuses-everybody",
                "GP-DNSID-002 parked-takes-no-mail",
                "GP-DNST-004 domain-signed",
            },
        ),
        ("project.github.io", {"GP-DNSID-002 parked-takes-no-mail", "GP-DNST-004 domain-signed"}),
    ],
)
def test_exactly_what_is_wrong(world: World, name: str, expected: set[str]) -> None:
    assert failing(world, a_labels(name) or name) == expected
