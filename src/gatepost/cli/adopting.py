"""What DNS says about a domain, as intent: the part of `gatepost init` that fills [domains]."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from ipaddress import ip_network
from urllib.parse import unquote

from gatepost.declaration import identity
from gatepost.errors import UsageError
from gatepost.model.architecture import Domain, Endpoint, Selector
from gatepost.model.dns import Answer, Presence, Security
from gatepost.model.domain import CaaSeen, DkimKeySeen, DmarcSeen, SpfSeen, StsSeen, TlsaSeen, TlsRptSeen
from gatepost.model.observation import Seen, of
from gatepost.records import caa
from gatepost.records.spf.grammar import Kind, Mechanism, Qualifier, parse

MOST = 20  # of a kind: a file to be read by a person


def as_published(domain: Domain, hosts: frozenset[str], seen: Seen) -> Domain:
    """The domain with everything that is published for it. What was not seen, or cannot be declared, is left out."""
    at = Endpoint(domain.name)
    return _with_senders(
        replace(
            domain,
            dmarc=next((one.record.p for one in _own_policies(seen, at) if one.record), None),
            dmarc_reports=_usable(_reports(seen, at), identity.report_mailbox),
            mta_sts=next((one.mode for one in of(StsSeen, seen, at) if one.fetched and one.mode), None),
            tls_reports=_usable(map(_address, _tls_uris(seen, at)), identity.report_uri),
            dkim=tuple(dict.fromkeys(Selector(one.selector) for one in of(DkimKeySeen, seen, at) if _in_use(one))),
            dane=_pinned(domain, hosts, seen),
            caa=_usable(_issuers(domain, seen), identity.caa_issuer),
        ),
        hosts,
        seen,
    )


def _own_policies(seen: Seen, at: Endpoint) -> list[DmarcSeen]:
    """An inherited one belongs to the domain that publishes it."""
    return [one for one in of(DmarcSeen, seen, at) if one.record and one.record.domain == at.host and one.record.p]


def _reports(seen: Seen, at: Endpoint) -> Iterator[str]:
    return (_address(uri) for one in _own_policies(seen, at) if one.record for uri in one.record.rua)


def _tls_uris(seen: Seen, at: Endpoint) -> Iterator[str]:
    return (uri for one in of(TlsRptSeen, seen, at) for uri in one.rua)


def _address(uri: str) -> str:
    scheme, colon, rest = uri.partition(":")
    return unquote(rest.partition("?")[0]) if colon and scheme.lower() == "mailto" else uri


def _in_use(key: DkimKeySeen) -> bool:
    return key.presence is Presence.PRESENT and not key.revoked and bool(key.bits)


def _pinned(domain: Domain, hosts: frozenset[str], seen: Seen) -> bool:
    """Each exchanger that is ours has records that senders use."""
    mine = [name for name in domain.mx if name in hosts]
    return bool(mine) and all(any(_counts(one) for one in of(TlsaSeen, seen, Endpoint(name))) for name in mine)


def _counts(pin: TlsaSeen) -> bool:
    return bool(pin.records) and pin.security not in {Security.BOGUS, Security.INSECURE}


def _issuers(domain: Domain, seen: Seen) -> Iterator[str]:
    """A set that was found at the domain itself, while asking for its hosts."""
    return (i.domain for one in of(CaaSeen, seen) if one.found_at == domain.name for i in caa.issuers(one))


def _with_senders(domain: Domain, hosts: frozenset[str], seen: Seen) -> Domain:
    """Only what the first record says in plain words: networks, hosts and includes."""
    found = [one for one in of(SpfSeen, seen, Endpoint(domain.name)) if len(one.records) == 1]
    record = parse(found[0].records[0]) if found else None
    if record is None or record.faults or not record.mechanisms:
        return domain
    passing = [one for one in record.mechanisms if one.qualifier is Qualifier.PASS and one.kind is not Kind.ALL]
    if not passing:
        refuses = record.mechanisms[-1].qualifier is Qualifier.FAIL and record.redirect is None
        return replace(domain, sends=not refuses or bool(domain.dkim))
    includes = _usable(
        (str(o.target) for o in passing if o.kind is Kind.INCLUDE), lambda t: identity.included(t, domain.name)
    )
    senders = _usable(_senders(passing, domain, hosts, seen), lambda text: identity.sender(text, hosts))
    exchangers = {name for name in domain.mx if name in hosts}
    return replace(domain, includes=includes, senders=() if set(senders) == exchangers else senders)


def _senders(terms: Iterable[Mechanism], domain: Domain, hosts: frozenset[str], seen: Seen) -> Iterator[str]:
    for term in terms:
        target = domain.name if term.target is None else str(term.target).lower()
        if term.block is not None:
            yield str(ip_network(term.block, strict=False))
        elif term.kind is Kind.MX and target == domain.name:
            yield from (name for name in domain.mx if name in hosts)
        elif term.kind is Kind.A and target in hosts:
            yield target
        elif term.kind is Kind.A:
            answers = of(Answer, seen, Endpoint(target))
            yield from (value for one in answers if one.kind in {"A", "AAAA"} for value in one.values)


def _usable(texts: Iterable[str], plain: Callable[[str], str]) -> tuple[str, ...]:
    """What a declaration takes; it must read back."""
    found: dict[str, None] = {}
    for text in texts:
        try:
            found[plain(text)] = None
        except UsageError:
            continue
    return tuple(found)[:MOST]
