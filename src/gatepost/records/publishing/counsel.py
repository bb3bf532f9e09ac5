"""What an operator should know while publishing, and what others have to publish: sentences, no changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network

from gatepost.model.architecture import Architecture, Domain
from gatepost.records import dkim, dmarc_record
from gatepost.records.addresses import is_inner
from gatepost.records.dmarc_consent import consent_name
from gatepost.records.dmarc_uris import host as report_host
from gatepost.records.publishing import routes, senders
from gatepost.records.publishing.difference import owned
from gatepost.records.publishing.keys import Pins
from gatepost.records.publishing.known import Known
from gatepost.records.publishing.policies import Document
from gatepost.records.publishing.publication import Given
from gatepost.records.publishing.record import Part, Record
from gatepost.records.suffixes import suffixes

LONG_SPF = 450  # octets; more may not fit into a small answer (RFC 7208 section 3.4)


def advice(
    domain: Domain,
    architecture: Architecture,
    known: Known,
    records: tuple[Record, ...],
    pins: tuple[Pins, ...],
    document: Document | None,
    given: Given,
) -> Iterator[str]:
    yield from _of_routes(domain, architecture, known)
    yield from _of_senders(domain, architecture, known, records, given)
    yield from _of_dmarc(domain, known)
    yield from _of_policy(domain, known, document)
    yield from _of_pins(domain, architecture, known, pins, given)
    yield from _of_aliases(known, records)
    yield from _reverse_names(domain, architecture, known)


def _of_routes(domain: Domain, architecture: Architecture, known: Known) -> Iterator[str]:
    for host in routes.declared_exchangers(domain, architecture):
        there = {*known.values(host.name, "A"), *known.values(host.name, "AAAA")}
        asked = known.answer(host.name, "A") and known.answer(host.name, "AAAA")
        if asked and there and (absent := [one for one in host.addresses if one not in there]):
            yield f"{host.name} is declared at {', '.join(absent)} too, which DNS does not say."
    hosts = [value.split()[-1] for value in known.values(domain.name, "MX")]
    if not domain.sends and not domain.mx and hosts not in ([], ["."]):
        yield f"DNS has exchangers for this parked domain ({', '.join(hosts)}): declare them, or remove them."


def _of_senders(
    domain: Domain, architecture: Architecture, known: Known, records: Iterable[Record], given: Given
) -> Iterator[str]:
    for one in records:
        if one.part is Part.SPF and len(one.value) > LONG_SPF:
            yield f"The SPF record has {len(one.value)} octets: with more than {LONG_SPF} some answers need TCP."
    if domain.sends and domain.mx and not domain.senders and not senders.addresses(domain, architecture):
        yield "No sender is declared, and no exchanger is declared as a host: SPF admits whatever MX names."
    for selector in domain.dkim:
        ended = selector.until is not None and selector.until < given.now.date()
        if not ended and selector.name not in given.keys and known.lacks(dkim.owner(domain.name, selector.name), "TXT"):
            yield f"Selector {selector.name} has no record; declare its key file (key = …) to have one written."


def _of_dmarc(domain: Domain, known: Known) -> Iterator[str]:
    published = [one for one in known.values(dmarc_record.owner(domain.name), "TXT") if dmarc_record.is_policy(one)]
    strength = dmarc_record.read(published[0], domain.name).p if published else ""
    asked = known.answer(dmarc_record.owner(domain.name), "TXT")
    if asked and domain.sends and domain.dmarc in senders.ENFORCED and strength in {"", "none"}:
        yield (
            f"DMARC goes from {strength or 'nothing'} to {domain.dmarc} at once: a time of p=none with reports, "
            "then quarantine, shows whose mail would be lost."
        )
    if domain.dmarc and not domain.dmarc_reports and not any("rua=" in one for one in published):
        yield "DMARC without dmarc_reports: nobody tells who sends in your name."
    for host in dict.fromkeys(report_host(f"mailto:{one}") for one in domain.dmarc_reports):
        name = consent_name(domain.name, host)
        away = suffixes().organizational(host) != suffixes().organizational(domain.name)
        if away and known.lacks(name, "TXT"):
            yield f'Reports to {host} need its consent: its owner publishes {name} TXT "v=DMARC1".'


def _of_policy(domain: Domain, known: Known, document: Document | None) -> Iterator[str]:
    if document is None:
        return
    if known.lacks(document.host, "A") and known.lacks(document.host, "AAAA"):
        yield f"{document.host} has no address: point it at the web server that has the policy."
    if document.mode == "enforce" and document.needed is not False and not _tested(document):
        yield (
            "MTA-STS begins with enforce: a week of mode testing with TLS reports first shows which senders would "
            'fail (mta_sts = "testing").'
        )
    if not domain.tls_reports:
        yield "MTA-STS without tls_reports: nobody tells when senders fail to reach you."


def _tested(document: Document) -> bool:
    return document.served is not None and document.served.mode in {"enforce", "testing"}


def _of_pins(
    domain: Domain, architecture: Architecture, known: Known, pins: tuple[Pins, ...], given: Given
) -> Iterator[str]:
    if domain.dane and not given.looked:
        yield "Nobody looked at the TLS ports, so TLSA records were left alone."
    for name in domain.mx if domain.dane else ():
        if architecture.host(name) is None:
            yield f"{name} is run by others: its TLSA records are theirs to publish."
    unsigned = {
        known.zone(one.name) for port in pins for one in port.records if known.secure(one.name, "TLSA") is False
    }
    for zone in sorted(unsigned):
        yield f"{zone} is not signed with DNSSEC: no client uses its TLSA records."
    wanted = {value.value for port in pins for value in port.records}
    for stranger in dict.fromkeys(one for port in pins for one in port.strangers if one in wanted):
        places = ", ".join(f"{one.port.host}:{one.port.port}" for one in pins if stranger in one.strangers)
        yield (
            f"TLSA {stranger[:22]}… at {places} matches no key that is served. It stays, as it may be that of the next "
            "key: name that with --next-key, or say --no-next-key."
        )


def _of_aliases(known: Known, records: tuple[Record, ...]) -> Iterator[str]:
    zones = {known.zone(one.name) for one in records}
    for one in records:
        there = one.value in known.values(one.name, one.kind)
        if known.answer(one.name, one.kind) and not there and not owned(known, one, zones):
            yield f"{one.name} is an alias of {known.owner(one.name, one.kind)}: whoever runs that has to change it."


def egress(domain: Domain, architecture: Architecture) -> dict[str, str]:
    """Single addresses that other sites see mail come from, and the declared host at each; empty for one without."""
    found = {}
    for one in senders.addresses(domain, architecture) if domain.sends else ():
        if "/" not in one and not is_inner(ip_network(one)):
            found[one] = next((host.name for host in architecture.hosts if one in host.addresses), "")
    return found


def _reverse_names(domain: Domain, architecture: Architecture, known: Known) -> Iterator[str]:
    """In the zone of whoever provides the address, so never among the changes."""
    for address, host in egress(domain, architecture).items():
        pointer = ip_address(address).reverse_pointer
        names = known.values(pointer, "PTR")
        if known.lacks(pointer, "PTR"):
            meant = host or "one that leads back to it"
            yield f"{address} has no reverse name: whoever provides the address sets it, to {meant}."
        elif names and host and host not in names:
            told = ", ".join(names[:3])
            yield f"{address} is called {told} in reverse, not {host}: whoever provides the address changes that."
