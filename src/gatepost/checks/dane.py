"""DANE: TLSA records that are signed, usable, and true of what is served now and next (GP-DNST-005 to 007)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from gatepost.certs.dane import DANE_EE, DANE_TA, Match, Rollover, Standing, rollover
from gatepost.checks.case import Case, Scope, check, failed, not_applicable, passed, unknown
from gatepost.checks.certificates import served
from gatepost.checks.dane_seen import against
from gatepost.checks.dialogue_seen import listens, some
from gatepost.checks.domain_seen import (
    NOT_ASKED,
    detail,
    first,
    not_seen,
    pins,
    relay_port,
    remembered,
    since,
    usable,
    watched_since,
)
from gatepost.model.architecture import Endpoint
from gatepost.model.association import kind
from gatepost.model.dns import Security, Tlsa
from gatepost.model.domain import Dated, TlsaSeen
from gatepost.model.finding import Verdict
from gatepost.model.observation import CertificateSeen, Closed, of
from gatepost.model.words import Role, Severity

MX = (Role.MX,)
CLIENTS = (Role.ACCESS, Role.SIEVE, Role.SUBMISSION)
UNUSED = "no TLSA record: DANE is not used here"
READ_BY_ALL = 12  # records; at least one large sender reads no more


def _records(case: Case) -> TlsaSeen | Verdict:
    """What is published for port 25 of the host, or why there is nothing to judge."""
    seen = pins(case, case.at.host, relay_port(case))
    if seen is None:
        return not_seen(case, f"tlsa:{relay_port(case)}")
    return seen if seen.records else not_applicable(UNUSED, seen)


@check("GP-DNST-005", scope=Scope.HOST, roles=MX)
def tlsa_published(case: Case) -> Verdict:
    """TLSA records are there where DANE is declared."""
    seen = pins(case, case.at.host, relay_port(case))
    wanted = [d.name for d in case.architecture.domains if d.dane and d.name in case.serves]
    if seen is None:
        return not_seen(case, f"tlsa:{relay_port(case)}")
    if seen.records:
        return passed(seen)
    if wanted:
        return failed(f"{some(wanted)} declares DANE, and no TLSA record is published", seen, remedy=_publish(case))
    return not_applicable(UNUSED, seen)


def _publish(case: Case) -> str:
    """The record for the key served now, ready to paste."""
    keys = dict.fromkeys(c.chain[0].spki_sha256 for at in _ports(case, relay_port(case)) for c in served(case.seen, at))
    rows = [f"_{relay_port(case)}._tcp.{case.at.host}. TLSA 3 1 1 {one}" for one in keys]
    return "\n".join(["Publish, in the signed zone, for the key that is served:", *rows]) if rows else ""


def _ports(case: Case, port: int) -> list[Endpoint]:
    return [at for at in case.endpoints if at.port == port]


@check("GP-DNST-005", scope=Scope.HOST, roles=MX)
def tlsa_signed(case: Case) -> Verdict:
    """TLSA records are signed, so that senders use them."""
    seen = _records(case)
    if isinstance(seen, Verdict):
        return seen
    meant = any(d.dane for d in case.architecture.domains if d.name in case.serves)
    match seen.security:
        case Security.SECURE:
            return passed(seen)
        case Security.INSECURE:
            because = "published, but the zone is not signed with DNSSEC: no sender uses them"
            return failed(because, seen, severity=None if meant else Severity.LOW)
        case Security.BOGUS:
            return failed("DNSSEC validation of the TLSA records fails: senders put mail off", seen)
        case _:
            return unknown("whether the records are signed is not known: the resolver is not trusted to validate", seen)


@check("GP-DNST-005", scope=Scope.HOST, roles=MX)
def tlsa_usable(case: Case) -> Verdict:
    """Every TLSA record can be used by mail servers."""
    seen = _records(case)
    if isinstance(seen, Verdict):
        return seen
    useless = [one for one in seen.records if not usable(one)]
    if not useless and not seen.problems:
        return passed(seen)
    if len(useless) == len(seen.records):
        named = some(kind(one) for one in useless)
        because = f"no record that mail servers can use ({named}): they encrypt, and check nothing"
        return failed(because, seen, severity=_as_signed(seen, Severity.HIGH))
    if useless:
        named = some(kind(one) for one in useless)
        return failed(f"of no use between mail servers: {named}", seen, severity=Severity.LOW)
    broken = [one for one in seen.problems if "not signed" not in one]
    return failed(first(broken), seen, severity=Severity.LOW) if broken else passed(seen)


def _as_signed(seen: TlsaSeen, severity: Severity) -> Severity:
    """Nobody acts on records that are known to be unsigned."""
    return Severity.LOW if seen.security is Security.INSECURE else severity


@check("GP-DNST-005", scope=Scope.HOST, roles=MX)
def tlsa_matches(case: Case) -> Verdict:
    """TLSA records match the certificate that every address of port 25 serves."""
    seen = _records(case)
    if isinstance(seen, Verdict):
        return seen
    if not any(map(usable, seen.records)):
        return not_applicable("no usable record, see tlsa-usable", seen)
    if seen.security is Security.INSECURE:
        return not_applicable("not signed, so nobody holds the certificate against them, see tlsa-signed", seen)
    return _matching(case, seen)


@check("GP-DNST-005", scope=Scope.HOST, roles=CLIENTS)
def tlsa_of_clients_matches(case: Case) -> Verdict:
    """TLSA records of ports for users match what these ports serve."""
    ports = sorted({at.port for at, service in case.services.items() if service.role is case.role})
    found = [one for port in ports if (one := pins(case, case.at.host, port))]
    published = [one for one in found if one.records]
    if not found:
        return not_seen(case, *(f"tlsa:{port}" for port in ports)) if ports else unknown(NOT_ASKED)
    if not published:
        return not_applicable(UNUSED, *found)
    verdicts = [_matching(case, one, Severity.MEDIUM) for one in published]
    return next((v for word in ("fail", "unknown") for v in verdicts if v.outcome == word), verdicts[0])


def _matching(case: Case, seen: TlsaSeen, severity: Severity = Severity.HIGH) -> Verdict:
    """At every address, with every certificate: a sender may meet any of them."""
    faults: list[tuple[str, CertificateSeen]] = []
    fine: list[CertificateSeen] = []
    blind: list[Endpoint] = []
    for at in _addresses(case, seen.port):
        shown = served(case.seen, at)
        blind += [] if shown else [at]
        for one in shown:
            match = against(case, seen, one)
            faults += [(_mismatch(at, match), one)] if match.agrees is False else []
            fine += [one] if match.agrees else []
    if faults:
        unsigned = {Security.INSECURE: "; not signed, so nobody looks", Security.UNKNOWN: "; whether signed is unknown"}
        because = first(said for said, _ in faults) + unsigned.get(seen.security, "")
        weight = _as_signed(seen, severity)
        return failed(because, *(one for _, one in faults), seen, severity=weight, remedy=_republish(seen, faults))
    if blind or not fine:
        where = some(str(at) for at in blind) or f"port {seen.port}"
        return unknown(f"no certificate seen to match at {where}", seen)
    return passed(*fine, seen)


def _addresses(case: Case, port: int) -> list[Endpoint]:
    """Where a client may end up. A port that refuses connections receives nothing, and so mismatches nothing."""
    ats = [at for at in case.services if at.port == port]
    return [at for at in ats if listens(case.seen, at) or not of(Closed, case.seen, at)]


def _mismatch(at: Endpoint, match: Match) -> str:
    looked_at = [one for one in match.judged if one.standing in {Standing.MISMATCHED, Standing.REJECTED}]
    said = next((f"{kind(one.record)} {one.why}" for one in looked_at), "nothing matches")
    more = f" (and {len(looked_at) - 1} more)" if len(looked_at) > 1 else ""
    return f"{at}: {said}{more}"


def _republish(seen: TlsaSeen, faults: Iterable[tuple[str, CertificateSeen]]) -> str:
    keys = dict.fromkeys(one.chain[0].spki_sha256 for _, one in faults)
    rows = [f"_{seen.port}._tcp.{seen.at.host}. TLSA 3 1 1 {one}" for one in keys]
    return "\n".join(["Publish the record of the key that is served, or serve the key of the record:", *rows])


@check("GP-DNST-006", scope=Scope.HOST, roles=MX)
def tlsa_outlives_renewal(case: Case) -> Verdict:
    """A renewed certificate with the same key still matches."""
    seen = _records(case)
    if isinstance(seen, Verdict):
        return seen
    lasting = [one for one in seen.records if usable(one) and (one.usage == DANE_TA or one.selector == 1)]
    if lasting:
        return passed(seen)
    if not any(map(usable, seen.records)):
        return not_applicable("no usable record, see tlsa-usable", seen)
    named = some(kind(one) for one in seen.records if usable(one))
    because = f"pins the certificate itself ({named}): wrong after every renewal, where 3 1 1 lasts as long as the key"
    return failed(because, seen, severity=_as_signed(seen, Severity.MEDIUM))


@check("GP-DNST-006", scope=Scope.HOST, roles=MX)
def next_key_published_first(case: Case) -> Verdict:
    """A key is served only after its TLSA record has been published for two TTLs."""
    seen = _records(case)
    if isinstance(seen, Verdict):
        return seen
    shown = [one for at in _ports(case, seen.port) for one in served(case.seen, at)]
    matches = [(one, against(case, seen, one)) for one in shown]
    rolling = rollover(match for _, match in matches)
    if rolling.state is Rollover.NEXT:
        return not_applicable("what is served matches no record, see tlsa-matches", seen)
    tlsa = [d for d in remembered(case, "tlsa") if _of_port(d, seen.port)]
    served_ = [d for d in remembered(case, "certificate") if _of_port(d, seen.port)]
    if not tlsa or not served_:
        return unknown("when records and keys came is known only to a state directory (--state)", seen)
    verdicts = [
        _order(case, seen, record, one, tlsa, served_)
        for one, match in matches
        for record in match.matched
        if record.usage == DANE_EE
    ]
    if not verdicts:
        return not_applicable("no record of the served key itself", seen) if shown else _nothing_served(seen)
    worst = next((v for word in ("fail", "unknown") for v in verdicts if v.outcome == word), None)
    return worst or passed(seen, *shown, because=_state(rolling.waiting))


def _nothing_served(seen: TlsaSeen) -> Verdict:
    return unknown(f"no certificate seen on port {seen.port}", seen)


def _state(waiting: tuple[Tlsa, ...]) -> str:
    return "the record of another key is published too" if waiting else ""


def _of_port(one: Dated, port: int) -> bool:
    return detail(one).get("port", port) == port


def _order(
    case: Case, seen: TlsaSeen, record: Tlsa, one: CertificateSeen, tlsa: list[Dated], served_: list[Dated]
) -> Verdict:
    """Which came first. What was there when gatepost first looked may be older, in either order."""
    published = since(tlsa, str(record))
    used = _first_served(record, one, served_)
    if published is None or used is None:
        return unknown("not seen before", seen, one)
    if not any(d.first_seen <= used for d in tlsa):
        return passed(seen, one)  # DANE itself is younger than the key
    if published > used:
        because = f"a key was served on {used:%Y-%m-%d %H:%M}, its record came by {published:%Y-%m-%d %H:%M}"
        return failed(because, seen, one)
    start = watched_since(case)
    if published == used:
        return unknown(_TOGETHER if used != start else "both were there when gatepost first looked", seen, one)
    wait = timedelta(seconds=2 * seen.ttl)
    if used - published < wait:
        because = f"a key was served {_span(used - published)} after its record; two TTLs are {_span(wait)}"
        return failed(because, seen, one, severity=Severity.MEDIUM)
    return passed(seen, one)


_TOGETHER = "key and record came between the same two looks: which was first was not seen"


def _first_served(record: Tlsa, one: CertificateSeen, served_: list[Dated]) -> datetime | None:
    """Of the key, or of the certificate where the record pins that."""
    leaf = one.chain[0]
    same = [d for d in served_ if d.value == leaf.sha256 or (record.selector == 1 and _key(d) == leaf.spki_sha256)]
    return min((d.first_seen for d in same), default=None)


def _key(one: Dated) -> str:
    return str(detail(one).get("spki_sha256", ""))


def _span(time: timedelta) -> str:
    hours = time.total_seconds() / 3600
    return f"{hours * 60:.0f} min" if hours < 1 else f"{hours:.3g} h"


@check("GP-DNST-007", scope=Scope.HOST, roles=MX)
def pinned_authority_may_change(case: Case) -> Verdict:
    """A record of an authority does not stand alone."""
    seen = _records(case)
    if isinstance(seen, Verdict):
        return seen
    authorities = [one for one in seen.records if usable(one) and one.usage == DANE_TA]
    if not authorities:
        return not_applicable("no record of an authority", seen)
    if any(one.usage == DANE_EE and usable(one) for one in seen.records):
        return passed(seen, because="the server's own key is pinned too")
    if len({one.data for one in authorities}) > 1:
        return passed(seen, because=f"{len(authorities)} authorities are pinned")
    because = f"rests on one authority ({kind(authorities[0])}): when it issues from another, mail stops"
    return failed(because, seen, severity=_as_signed(seen, Severity.MEDIUM), remedy=_publish(case))


@check("GP-DNST-007", scope=Scope.HOST, roles=MX)
def pinned_authority_served(case: Case) -> Verdict:
    """Some record of an authority fits the chain that is served."""
    seen = _records(case)
    if isinstance(seen, Verdict):
        return seen
    authorities = [one for one in seen.records if usable(one) and one.usage == DANE_TA]
    if not authorities:
        return not_applicable("no record of an authority", seen)
    shown = [one for at in _ports(case, seen.port) for one in served(case.seen, at)]
    if not shown:
        return _nothing_served(seen)
    for one in shown:
        match = against(case, seen, one)
        fitting = [r for r in match.matched if r.usage == DANE_TA]
        if not fitting and match.agrees:
            because = "none of the pinned authorities issued what is served; only the record of its own key holds"
            return failed(because, one, seen, severity=Severity.LOW)
        if not fitting:
            return not_applicable("what is served matches no record, see tlsa-matches", seen, one)
    return passed(seen, *shown)


@check("GP-DNST-007", scope=Scope.HOST, roles=MX)
def tlsa_few_enough(case: Case) -> Verdict:
    """There are no more TLSA records than every sender reads."""
    seen = _records(case)
    if isinstance(seen, Verdict):
        return seen
    if len(seen.records) > READ_BY_ALL:
        because = f"{len(seen.records)} records; some senders read about {READ_BY_ALL}"
        return failed(because, seen, severity=_as_signed(seen, Severity.MEDIUM))
    return passed(seen, because=f"{len(seen.records)} records" if len(seen.records) > 1 else "")
