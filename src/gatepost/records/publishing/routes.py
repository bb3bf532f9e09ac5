"""Where things are: exchangers and their addresses, services for clients, and who may certify the names."""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.errors import PeerGarbled
from gatepost.model.architecture import Architecture, Domain, Host, Service
from gatepost.model.words import Mode
from gatepost.records import caa, srv
from gatepost.records.publishing.known import Known
from gatepost.records.publishing.record import Part, Record

FIRST, STEP = 10, 10  # preferences
NULL_MX = "0 ."  # RFC 7505
NOWHERE = "0 0 0 ."  # the service is not offered (RFC 2782)
ABROAD = frozenset({"clients", "internet"})  # exposures that clients outside are told of
Place = tuple[str, Service]  # and the host it runs on
OPTIONAL = frozenset({"managesieve"})  # nobody looks for it who was not told: no record says no


def exchangers(domain: Domain, known: Known) -> tuple[Record, ...]:
    """Preferences in use stay when they say the same order, equal ones included."""
    if not domain.mx:
        return _null(domain, known)
    published = [_preference(value) for value in known.values(domain.name, "MX")]
    numbers = {host: number for number, host in published}
    same = len(numbers) == len(published) and set(numbers) == set(domain.mx)
    ordered = [numbers.get(host, 0) for host in domain.mx]
    if not same or ordered != sorted(ordered):
        ordered = [FIRST + STEP * n for n in range(len(domain.mx))]
    return tuple(
        Record(domain.name, "MX", f"{number} {host}", part=Part.MX)
        for number, host in zip(ordered, domain.mx, strict=True)
    )


def _null(domain: Domain, known: Known) -> tuple[Record, ...]:
    """A parked domain with an address would get mail there. Where it has exchangers, they are left alone."""
    published = known.values(domain.name, "MX")
    others = any(_preference(value)[1] != "." for value in published)
    addressed = known.values(domain.name, "A") or known.values(domain.name, "AAAA")
    if domain.sends or others or not (addressed or published):
        return ()
    return (Record(domain.name, "MX", published[0] if published else NULL_MX, part=Part.MX),)


def _preference(value: str) -> tuple[int, str]:
    number, _, host = value.partition(" ")
    return (int(number) if number.isdecimal() else 0), host


def addresses(domain: Domain, architecture: Architecture, known: Known) -> Iterator[Record]:
    """Of exchangers that have none at all. Other addresses than the declared ones may be right (NAT, views)."""
    for host in declared_exchangers(domain, architecture):
        bare = known.lacks(host.name, "A") and known.lacks(host.name, "AAAA")
        for one in host.addresses:
            kind = "AAAA" if ":" in one else "A"
            if bare or one in known.values(host.name, kind):
                yield Record(host.name, kind, one, part=Part.ADDRESS)


def declared_exchangers(domain: Domain, architecture: Architecture) -> tuple[Host, ...]:
    return tuple(host for name in domain.mx if (host := architecture.host(name)))


def services(domain: Domain, architecture: Architecture, known: Known) -> Iterator[Record]:
    """What clients may use, and `.` for what there is not (RFC 6186 section 3.4, RFC 8314 section 5.1).

    A domain without any service for clients says nothing; nor does one about a service that is for some networks
    only, or that will end.
    """
    offered = offers(domain, architecture)
    if not any(offered.values()):
        return
    for label, places in offered.items():
        name = f"{label}.{domain.name}"
        if places:
            yield from _places(name, places, known)
        elif not _declared(label, domain, architecture) and srv.labels()[label] not in OPTIONAL:
            yield Record(name, "SRV", NOWHERE, part=Part.SRV)


def client_labels() -> tuple[str, ...]:
    return tuple(srv.labels())


def offers(domain: Domain, architecture: Architecture) -> dict[str, tuple[Place, ...]]:
    """Services that clients anywhere may use, by SRV label."""
    return {label: tuple(filter(_abroad, _declared(label, domain, architecture))) for label in client_labels()}


def _abroad(place: Place) -> bool:
    """What is on its way out needs no new clients."""
    _, service = place
    return service.exposure in ABROAD and not service.sources and service.until is None


def _declared(label: str, domain: Domain, architecture: Architecture) -> tuple[Place, ...]:
    """On the domain's exchangers, and on hosts named below it."""
    wanted = srv.labels()[label]
    mine = [h for h in architecture.hosts if h.name in domain.mx or h.name.endswith(f".{domain.name}")]
    return tuple((h.name, one) for h in mine for one in h.services if one.name == wanted)


def _places(name: str, places: tuple[Place, ...], known: Known) -> Iterator[Record]:
    """Priorities and weights in use stay when hosts and ports are the right ones."""
    published = known.values(name, "SRV")
    wanted = {(str(one.port), host) for host, one in places}
    told = {tuple(value.split()[2:]) for value in published}
    if told == wanted and len(published) == len(wanted):
        values = published
    else:
        values = tuple(f"{_priority(one)} 1 {one.port} {host}" for host, one in places)
    for value in values:
        yield Record(name, "SRV", value, part=Part.SRV)


def _priority(service: Service) -> int:
    """TLS from the start comes first (RFC 8314 section 3)."""
    return 0 if service.mode is Mode.IMPLICIT else 10


def certifiers(domain: Domain, known: Known) -> Iterator[Record]:
    """One issue record for each issuer. Published ones of the same issuer are kept, with their conditions."""
    published = known.values(domain.name, "CAA")
    for one in domain.caa:
        for value in [value for value in published if issuer_of(value) == one] or [f"0 issue {one}"]:
            yield Record(domain.name, "CAA", value, part=Part.CAA)


def issuer_of(value: str) -> str:
    """Whom an `issue` record names; empty for other records and for those that name nobody."""
    try:
        record = caa.parse(value)
    except PeerGarbled:
        return ""
    return caa.issuer(record.value).domain if record.tag == "issue" else ""


def is_issue(value: str) -> bool:
    words = value.split()
    return len(words) > 1 and words[1].lower() == "issue"
