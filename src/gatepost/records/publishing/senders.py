"""The SPF record a declaration asks for (RFC 7208), in the words of the published one where these say the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network

from gatepost.model.architecture import Architecture, Domain
from gatepost.records.addresses import Network, collapsed
from gatepost.records.publishing.known import Known
from gatepost.records.publishing.record import Part, Record
from gatepost.records.spf.grammar import Kind, Mechanism, Qualifier, parse, selected

NOBODY = "v=spf1 -all"
ENFORCED = frozenset({"quarantine", "reject"})


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who passes: networks without overlap, and the domains whose SPF is included."""

    networks: tuple[Network, ...]
    includes: frozenset[str]


def spf(domain: Domain, architecture: Architecture, known: Known) -> Record:
    published = selected(known.values(domain.name, "TXT"))
    if len(published) == 1 and _says_the_same(published[0], domain, architecture, known):
        value = published[0]
    else:
        value = _written(domain, architecture, published)
    return Record(domain.name, "TXT", value, part=Part.SPF)


def addresses(domain: Domain, architecture: Architecture) -> tuple[str, ...]:
    """Addresses and networks that may send, as declared; without senders, those of the domain's own exchangers."""
    found: list[str] = []
    for one in domain.senders or domain.mx:
        host = architecture.host(one)
        if host is not None:
            found += host.addresses
        elif domain.senders:
            found.append(one)
    return tuple(dict.fromkeys(found))


def _written(domain: Domain, architecture: Architecture, published: tuple[str, ...]) -> str:
    """Addresses instead of names cost no look-ups. `mx` stands in only where nothing is known of the exchangers."""
    if not domain.sends:
        return NOBODY
    senders = addresses(domain, architecture)
    terms = [f"ip{ip_network(one).version}:{one}" for one in senders]
    if not senders and not domain.senders:
        terms = ["mx"]
    terms += [f"include:{one}" for one in domain.includes]
    return " ".join(["v=spf1", *terms, "-all", *_explanation(published)])


def _explanation(published: tuple[str, ...]) -> list[str]:
    """The owner's own words to those who are refused are no business of the declaration."""
    found = parse(published[0]).explanation if len(published) == 1 else None
    return [str(found)] if found else []


def _says_the_same(text: str, domain: Domain, architecture: Architecture, known: Known) -> bool:
    record = parse(text)
    if record.faults or record.redirect or not record.mechanisms:
        return False
    *terms, last = record.mechanisms
    if last.kind is not Kind.ALL or not _refuses(last.qualifier, domain):
        return False
    if not domain.sends:
        return not terms
    wanted = _admitted_by(domain, architecture)
    return wanted is not None and _admitted(terms, domain, known) == wanted


def _refuses(qualifier: Qualifier, domain: Domain) -> bool:
    """`~all` is enough where DMARC is enforced, and spares forwarded mail (RFC 9989 section 5.1 leaves it open)."""
    soft = qualifier is Qualifier.SOFTFAIL and domain.sends and domain.dmarc in ENFORCED
    return soft or qualifier is Qualifier.FAIL


def _admitted_by(domain: Domain, architecture: Architecture) -> Admitted | None:
    """None where nothing tells which addresses are meant."""
    senders = addresses(domain, architecture)
    if not senders and not domain.senders:
        return None
    return Admitted(collapsed(ip_network(one) for one in senders), frozenset(domain.includes))


def _admitted(terms: Iterable[Mechanism], domain: Domain, known: Known) -> Admitted | None:
    """Who passes by these terms; None where that hangs on more than addresses."""
    networks: list[Network] = []
    includes: set[str] = set()
    for term in terms:
        if term.qualifier is not Qualifier.PASS:
            return None
        if term.kind is Kind.INCLUDE:
            includes.add(str(term.target))
        elif (found := _networks(term, domain, known)) is None:
            return None
        else:
            networks += found
    return Admitted(collapsed(networks), frozenset(one if "%" in one else one.lower() for one in includes))


def _networks(term: Mechanism, domain: Domain, known: Known) -> list[Network] | None:
    if term.block is not None:
        return [term.block.network]
    target = domain.name if term.target is None else str(term.target).lower().removesuffix(".")
    match term.kind:
        case Kind.A:
            return _of_host(target, term, known)
        case Kind.MX if target == domain.name and known.answer(target, "MX"):
            hosts = [value.split()[1] for value in known.values(target, "MX") if len(value.split()) == 2]
            each = [_of_host(host, term, known) for host in hosts]
            return None if None in each else [network for one in each if one for network in one]
        case _:
            return None


def _of_host(host: str, term: Mechanism, known: Known) -> list[Network] | None:
    answers = (known.answer(host, "A"), known.answer(host, "AAAA"))
    if None in answers:
        return None
    prefixes = (
        (value, term.prefix6 if ":" in value else term.prefix4) for one in answers if one for value in one.values
    )
    return [ip_network(f"{value}/{prefix}", strict=False) for value, prefix in prefixes]
