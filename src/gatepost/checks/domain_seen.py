"""What DNS and reports told about a mail domain or a host, in the words judges use."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import TypeVar

from gatepost import catalogue
from gatepost.checks.case import Case, unknown
from gatepost.checks.dialogue_seen import listens
from gatepost.model.architecture import Architecture, Domain, Endpoint
from gatepost.model.association import fault
from gatepost.model.dns import Presence, Security, Tlsa
from gatepost.model.domain import (
    Dated,
    DkimKeySeen,
    DmarcSeen,
    Exchanger,
    MxSeen,
    ReportsRead,
    SpfSeen,
    StsSeen,
    TlsaSeen,
    TlsFailureSeen,
    TlsRptSeen,
)
from gatepost.model.finding import Verdict
from gatepost.model.observation import Advertised, Closed, Observation, Seen, Unobserved, of
from gatepost.model.words import Reason, Role
from gatepost.records.spf import Kind, Qualifier, parse

NOT_ASKED = "DNS was not asked"
NOT_DECLARED = "nothing is declared for this domain (gatepost init writes a start)"
PARKED = "sends no mail, see GP-DNSID-002"
STRANGERS = "run by others, for whom its domains are not the only ones"
TAKES_NONE = "takes no mail"
FRESH = timedelta(days=14)  # a report younger than this shows that somebody reads them

OUR_LIMITS = frozenset(
    {Reason.BUDGET, Reason.FILTERED, Reason.LIMITED, Reason.NOT_ASKED, Reason.TARPIT, Reason.TIMEOUT, Reason.VANTAGE}
)
"""Reasons that may lie between us and the peer, and so say nothing about what others find."""

_OF_DOMAINS = (DkimKeySeen, DmarcSeen, MxSeen, ReportsRead, SpfSeen, StsSeen, TlsFailureSeen, TlsRptSeen)
_WANTED = ("dkim", "dmarc", "mta-sts", "spf", "tls-rpt")  # of domains only

Fact = TypeVar("Fact", bound=Observation)


def told(kind: type[Fact], case: Case, name: str = "") -> Fact | None:
    """The fact of this kind about the subject, or about another name."""
    return next(iter(of(kind, case.seen, Endpoint(name) if name else case.at)), None)


def not_seen(case: Case, *wanted: str, name: str = "") -> Verdict:
    """`unknown`, with the reason the question failed; or that nobody asked."""
    for one in of(Unobserved, case.seen, Endpoint(name) if name else case.at):
        if any(one.wanted == word or one.wanted.startswith(f"{word}:") for word in wanted):
            return unknown(f"{one.reason.value}: {one.detail}", one)
    return unknown(NOT_ASKED)


def first(problems: Iterable[str], limit: int = 2) -> str:
    """The first few sentences, and how many more there are."""
    listed = list(dict.fromkeys(problems))
    more = f"; and {len(listed) - limit} more" if len(listed) > limit else ""
    return "; ".join(listed[:limit]) + more


def declared(case: Case) -> Domain | None:
    return case.architecture.domain(case.at.host)


def sends(case: Case) -> bool | None:
    """Whether mail leaves in the name of the domain. None: that could not be told.

    The declaration knows. Without one, a domain that takes mail is thought to send some, and one that neither takes
    mail nor lets anybody send is parked.
    """
    if meant := declared(case):
        return meant.sends
    mx, spf = told(MxSeen, case), told(SpfSeen, case)
    if (mx and mx.exchangers and not mx.null) or case.listening.get(case.at.host):
        return True
    if mx is None:
        return True if spf and admits(spf) else None
    return admits(spf) if spf else None


def admits(spf: SpfSeen) -> bool:
    """Some term lets somebody send."""
    return spf.ending in {"+all", "?all"} or any(_lets_send(term.text) for term in spf.terms)


def _lets_send(text: str) -> bool:
    """Include and redirect only lead to terms, which stand in the list themselves."""
    found = parse(f"v=spf1 {text}").mechanisms
    return any(one.qualifier is Qualifier.PASS and one.kind not in {Kind.ALL, Kind.INCLUDE} for one in found)


def strangers(case: Case) -> bool:
    """A host outside the domains it serves that nobody declared: what DNS says of it is its owner's matter."""
    if case.host is not None or case.mine or not case.serves:
        return False
    return not any(f".{case.at.host}".endswith(f".{name}") for name in case.serves)


def takes_mail(case: Case) -> bool | None:
    """None: MX was not seen, or only its own address could take it and that could not be tried."""
    mx = told(MxSeen, case)
    if mx is None or not implied(mx):
        return None if mx is None else bool(exchangers(mx))
    return _answered(case.seen, case.at.host, relay_port(case))


def implied(mx: MxSeen) -> bool:
    """No MX record, and an address in its place (RFC 5321 section 5.1)."""
    return not mx.null and not mx.exchangers and mx.presence is not Presence.PRESENT and bool(mx.own_addresses)


def _answered(seen: Seen, host: str, port: int) -> bool | None:
    ats = [at for at in seen.endpoints() if (at.host, at.port) == (host, port)]
    if any(listens(seen, at) for at in ats):
        return True
    return False if any(of(Closed, seen, at) for at in ats) else None


def exchangers(mx: MxSeen) -> tuple[Exchanger, ...]:
    """Without an MX record the domain itself is its exchanger (RFC 5321 section 5.1)."""
    if implied(mx):
        return (Exchanger(0, mx.at.host, mx.own_addresses, security=mx.security),)
    return () if mx.null else mx.exchangers


def relay_port(case: Case, name: str = "") -> int:
    """Where a host takes mail from others: as declared, which on the internet can only be 25."""
    host = case.architecture.host(name or case.at.host)
    meant = next((one.port for one in host.services if one.role is Role.MX), 0) if host else 0
    return meant or catalogue.number("smtp")


def pins(case: Case, host: str, port: int) -> TlsaSeen | None:
    return next((one for one in of(TlsaSeen, case.seen, Endpoint(host)) if one.port == port), None)


def usable(record: Tlsa) -> bool:
    """By a mail server (RFC 7672 section 3.1)."""
    return record.usage in {2, 3} and not fault(record)


def by_dane(case: Case, hosts: Iterable[str]) -> bool | None:
    """Signed, usable TLSA records protect the MX port of every host. None: of some that could not be told."""
    states = [_protected(pins(case, host, relay_port(case, host))) for host in hosts]
    if not states or False in states:
        return False
    return None if None in states else True


def _protected(seen: TlsaSeen | None) -> bool | None:
    if seen is None:
        return None
    if not any(map(usable, seen.records)):
        return False
    return {Security.SECURE: True, Security.UNKNOWN: None}.get(seen.security, False)


def binding_policy(case: Case) -> str:
    """The domain whose enforced MTA-STS policy makes senders check the certificate of this host; empty without one."""
    for name in case.serves:
        sts = told(StsSeen, case, name)
        if sts and sts.fetched and sts.mode == "enforce":
            return name
    return next((d.name for d in case.architecture.domains if d.mta_sts == "enforce" and case.at.host in d.mx), "")


def remembered(case: Case, what: str, name: str = "") -> list[Dated]:
    return [one for one in of(Dated, case.seen, Endpoint(name) if name else case.at) if one.what == what]


def since(dated: Iterable[Dated], value: str) -> datetime | None:
    return min((one.first_seen for one in dated if one.value == value), default=None)


def watched_since(case: Case, name: str = "") -> datetime | None:
    """When the state directory first saw anything of the subject: what it saw then may be older."""
    return min((one.first_seen for one in of(Dated, case.seen, Endpoint(name) if name else case.at)), default=None)


def detail(one: Dated) -> dict[str, object]:
    """What was noted beside a date; empty for what is no JSON object."""
    try:
        found = json.loads(one.detail or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def fresh(day: date, now: datetime) -> bool:
    return now.date() - day <= FRESH


def exchanging(seen: Seen, architecture: Architecture) -> dict[str, tuple[str, ...]]:
    """The domains whose mail a host takes, by host: as published, and as declared."""
    found: dict[str, set[str]] = defaultdict(set)
    for host, name in _served(seen, architecture):
        found[host].add(name)
    return {host: tuple(sorted(names)) for host, names in found.items()}


def _served(seen: Seen, architecture: Architecture) -> Iterator[tuple[str, str]]:
    for one in seen:
        if isinstance(one, MxSeen):
            if not implied(one) or _answered(seen, one.at.host, catalogue.number("smtp")) is not False:
                yield from ((exchanger.host, one.at.host) for exchanger in exchangers(one))
        elif isinstance(one, Advertised) and one.via == "mx":
            yield one.target.rstrip("."), one.at.host
    for domain in architecture.domains:
        yield from ((host, domain.name) for host in domain.mx)


def domains(seen: Seen) -> set[str]:
    """Every name something was told of as a mail domain, or could not be."""
    return {one.at.host for one in seen if _of_domain(one)}


def _of_domain(one: Observation) -> bool:
    if isinstance(one, Unobserved):
        return one.wanted.partition(":")[0] in _WANTED
    return isinstance(one, (Advertised, *_OF_DOMAINS))
