"""The publishing story: the records a declaration asks for, less what DNS has, in an order that breaks nothing.

    questions  what has to be asked of DNS first
    wanted     declaration and facts -> the records as they should be
    missing    the records less what DNS has -> changes
    publish    all of it -> a Publication: steps with waiting times, advice, and what could not be asked

All are pure. Where DNS says the same in other words, `wanted` takes those: nothing is changed for the look of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from gatepost.model.architecture import Architecture, Domain
from gatepost.model.observation import Seen
from gatepost.records import dkim, dmarc_record, mta_sts, tls_rpt, tlsa
from gatepost.records.dmarc_consent import consent_name
from gatepost.records.dmarc_uris import host as report_host
from gatepost.records.publishing import counsel, keys, policies, routes, senders
from gatepost.records.publishing.difference import Change, difference, owned
from gatepost.records.publishing.known import Known, ancestors
from gatepost.records.publishing.order import Circumstances, ordered
from gatepost.records.publishing.publication import Given, Listed, Publication, Unasked
from gatepost.records.publishing.record import Record
from gatepost.records.suffixes import suffixes

BESIDE = frozenset({"PTR", "SOA"})  # told in words of its own; only a help to find the zone
__all__ = ["Given", "Publication", "missing", "publish", "questions", "wanted"]

Question = tuple[str, str]  # name and kind


def questions(domain: Domain, architecture: Architecture) -> tuple[Question, ...]:
    """Everything `wanted` and `missing` may want to know, each once."""
    return tuple(dict.fromkeys(_questions(domain, architecture)))


def _questions(domain: Domain, architecture: Architecture) -> Iterator[Question]:
    name, hosts = domain.name, routes.declared_exchangers(domain, architecture)
    for one in (name, *(host.name for host in hosts)):
        yield from ((above, "SOA") for above in ancestors(one))
        yield from ((one, kind) for kind in ("A", "AAAA"))
    yield from ((name, kind) for kind in ("MX", "TXT"))
    yield from ((dkim.owner(name, one.name), "TXT") for one in domain.dkim)
    if domain.dmarc or not domain.sends:
        yield dmarc_record.owner(name), "TXT"
    if domain.mta_sts:
        yield mta_sts.owner(name), "TXT"
        yield from ((mta_sts.host(name), kind) for kind in ("A", "AAAA"))
    if domain.tls_reports:
        yield tls_rpt.owner(name), "TXT"
    if domain.caa:
        yield name, "CAA"
    if domain.dane:
        yield from ((tlsa.owner(host.name, one.port), "TLSA") for host in hosts for one in keys.pinned(host))
    if any(routes.offers(domain, architecture).values()):
        yield from ((f"{label}.{name}", "SRV") for label in routes.client_labels())
    for other in architecture.domains:
        yield from ((consent_name(other.name, report_host(f"mailto:{one}")), "TXT") for one in other.dmarc_reports)
    yield from ((ip_address(one).reverse_pointer, "PTR") for one in counsel.egress(domain, architecture))


def wanted(domain: Domain, architecture: Architecture, facts: Seen, given: Given) -> tuple[Record, ...]:
    """Every record the declaration asks for, in the order of the parts they are of."""
    known = Known(facts, domain.name)
    document = policies.sts_document(domain, known, given.policy)
    single = (
        policies.dmarc(domain, known),
        policies.tls_reports(domain, known),
        policies.sts(domain, known, document, given.now),
    )
    return tuple(
        dict.fromkeys(
            (
                *routes.addresses(domain, architecture, known),
                *routes.exchangers(domain, known),
                senders.spf(domain, architecture, known),
                *keys.signing(domain, known, given.keys, given.now.date()),
                *(one for one in single if one),
                *policies.consents(domain, architecture, known, suffixes().organizational),
                *routes.certifiers(domain, known),
                *(one for pins in _pins(domain, architecture, facts, known, given) for one in pins.records),
                *routes.services(domain, architecture, known),
            )
        )
    )


def _pins(domain: Domain, architecture: Architecture, facts: Seen, known: Known, given: Given) -> tuple[keys.Pins, ...]:
    ports = keys.served(domain, architecture, facts)
    sweep = given.closed or bool(given.coming)
    return tuple(keys.pins(port, known, given.coming, sweep=sweep) for port in ports)


def missing(records: Iterable[Record], facts: Seen, domain: str) -> tuple[Change, ...]:
    """What could not be asked is not lacking: it is told by `publish` and left out here."""
    return difference(records, Known(facts, domain))


def publish(domain: Domain, architecture: Architecture, facts: Seen, given: Given) -> Publication:
    known = Known(facts, domain.name)
    records = wanted(domain, architecture, facts, given)
    changes = difference(records, known)
    document = policies.sts_document(domain, known, given.policy)
    enforced = (domain.dmarc or "reject") in senders.ENFORCED
    about = Circumstances(known, given.ttl, document, given.coming, enforced=enforced)
    pins = _pins(domain, architecture, facts, known, given)
    zones = tuple(dict.fromkeys(known.zone(one.name) for one in records))
    return Publication(
        domain.name,
        given.now,
        given.ttl,
        tuple(Listed(one, _present(one, known, zones), known.zone(one.name)) for one in records),
        ordered(changes, about),
        document if document and document.needed is not False else None,
        tuple(counsel.advice(domain, architecture, known, records, pins, document, given)),
        tuple(_unasked(domain, architecture, known, pins, document, given)),
        {zone: known.server(zone) for zone in zones},
    )


def _present(record: Record, known: Known, zones: Iterable[str]) -> bool | None:
    answer = known.answer(record.name, record.kind)
    if answer is None or record.value in answer.values:
        return None if answer is None else True
    return False if owned(known, record, frozenset(zones)) else None


def _unasked(
    domain: Domain,
    architecture: Architecture,
    known: Known,
    pins: Iterable[keys.Pins],
    document: policies.Document | None,
    given: Given,
) -> Iterator[Unasked]:
    for name, kind in questions(domain, architecture):
        if kind not in BESIDE and (why := known.trouble(name, kind)):
            yield Unasked(f"{name} {kind}", why)
    for address in counsel.egress(domain, architecture):
        if why := known.trouble(ip_address(address).reverse_pointer, "PTR"):
            yield Unasked(f"the reverse name of {address}", why)
    if document and document.needed is None and given.policy is not None:
        yield Unasked(document.uri, document.why)
    for one in pins:
        if given.looked and not one.port.whole:
            yield Unasked(f"the key served at {one.port.host}:{one.port.port}", one.port.why)
