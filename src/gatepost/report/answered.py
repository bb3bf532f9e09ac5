"""What DNS and reports told, in the words of a transcript: `Q:` is what we asked, `A:` what came back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gatepost.model.dns import Answer, Presence, Security
from gatepost.model.domain import (
    CaaSeen,
    Dated,
    DkimKeySeen,
    DmarcSeen,
    MxSeen,
    ReportsRead,
    ReportTarget,
    ReverseSeen,
    SourceSeen,
    SpfResult,
    SpfSeen,
    StsSeen,
    TlsaSeen,
    TlsFailureSeen,
    TlsRptSeen,
)
from gatepost.records import dkim, mta_sts, tls_rpt, tlsa

Lines = tuple[str, ...]
DEEPEST = 20  # steps of indentation; a receiver stops at ten includes


def _answer(one: Answer) -> Lines:
    asked = f"Q: {one.name} {one.kind}"
    if one.presence is Presence.PRESENT:
        alias = f" (alias of {one.aliases[-1]})" if one.aliases else ""
        return (f"{asked}{alias}", *(f"A: {value}{_sealed(one.security)}" for value in one.values))
    none = {Presence.ABSENT: "no such name", Presence.EMPTY: "no such record"}.get(one.presence, "no answer")
    return (asked, f"A: {one.why or none}{_sealed(one.security)}")


def _spf(one: SpfSeen) -> Lines:
    asked = f"Q: {one.at.host} TXT"
    if not one.records:
        return (asked, "A: no SPF record")
    steps = (
        f"{'  ' * min(t.depth, DEEPEST)}{t.text}  [{t.lookups} look-ups{f', {t.voids} void' if t.voids else ''}]"
        + (f" {t.note}" if t.note else "")
        for t in one.terms
    )
    return (asked, *(f"A: {text}" for text in one.records), *steps, *one.problems)


def _spf_result(one: SpfResult) -> Lines:
    by = f" by {one.mechanism}" if one.mechanism else ""
    return (f"mail of {one.at.host} from {one.address}: {one.result}{by}" + (f" ({one.why})" if one.why else ""),)


def _dkim(one: DkimKeySeen) -> Lines:
    asked = f"Q: {dkim.owner(one.at.host, one.selector)} TXT"
    return (asked, f"A: {one.text or 'no key record'}{_sealed(one.security)}", *one.problems)


def _dmarc(one: DmarcSeen) -> Lines:
    walk = (line for s in one.walk for line in (f"Q: {s.name} TXT", *_found(s.texts, s.note or "no DMARC record")))
    return (*walk, *one.problems)


def _found(texts: Lines, instead: str) -> Lines:
    return tuple(f"A: {text}" for text in texts) or (f"A: {instead}",)


def _target(one: ReportTarget) -> Lines:
    word = {True: "agrees to receive them", False: "does not agree to receive them", None: "could not be asked"}
    return (f"reports to {one.uri}: {word[one.authorised]}" + (f" ({one.why})" if one.why else ""),)


def _sts(one: StsSeen) -> Lines:
    record = (f"Q: {mta_sts.owner(one.at.host)} TXT", *_found(one.records, "no MTA-STS record"))
    if one.fetched is None:
        return (*record, *one.problems)
    policy = one.text.splitlines() if one.fetched else [one.why]
    return (*record, f"Q: https://{mta_sts.host(one.at.host)}{mta_sts.PATH}", *(f"A: {p}" for p in policy),
            *one.problems)  # fmt: skip


def _tls_rpt(one: TlsRptSeen) -> Lines:
    return (f"Q: {tls_rpt.owner(one.at.host)} TXT", *_found(one.records, "no TLS-RPT record"), *one.problems)


def _tlsa(one: TlsaSeen) -> Lines:
    alias = f" (at {one.owner})" if not one.owner.endswith(one.at.host) else ""
    texts = tuple(f"{record}{_sealed(one.security)}" for record in one.records)
    return (f"Q: {tlsa.owner(one.at.host, one.port)} TLSA{alias}", *_found(texts, "no TLSA record"), *one.problems)


def _caa(one: CaaSeen) -> Lines:
    texts = tuple(map(str, one.records))
    return (f"Q: {one.found_at or one.at.host} CAA", *_found(texts, "no CAA record up to the top"), *one.problems)


def _mx(one: MxSeen) -> Lines:
    texts = tuple(
        f"{e.preference} {e.host} ({', '.join(e.addresses) or 'no address seen'})"
        + (f", alias of {e.aliases[-1]}" if e.aliases else "")
        for e in one.exchangers
    )
    none = "0 . (null MX)" if one.null else f"no MX record{_sealed(one.security)}"
    return (f"Q: {one.at.host} MX", *_found(texts, none), *one.problems)


def _reverse(one: ReverseSeen) -> Lines:
    names = ", ".join(one.names) or "no name"
    back = f"; {', '.join(one.confirmed)} leads back" if one.confirmed else "; none leads back" if one.names else ""
    return (f"Q: reverse name of {one.address}", f"A: {names}{back}" + (f" ({one.why})" if one.why else ""))


def _dated(one: Dated) -> Lines:
    return (f"{one.what} {one.value[:24]} known since {one.first_seen:%Y-%m-%d}",)


def _source(one: SourceSeen) -> Lines:
    counted = f"{one.messages} messages as {one.at.host}, {one.aligned} aligned (SPF {one.spf}, DKIM {one.dkim})"
    return (f"{one.source}: {counted}, {one.first} to {one.last}, by {', '.join(one.reporters[:4])}",)


def _failure(one: TlsFailureSeen) -> Lines:
    days = f"{one.first}" if one.first == one.last else f"{one.first} to {one.last}"
    return (f"{one.type}: {one.sessions} sessions, {days}, reported by {', '.join(one.reporters)}", one.cause)


def _read(one: ReportsRead) -> Lines:
    return (f"{one.reports} {one.kind} reports from {', '.join(one.reporters[:6])}, {one.first} to {one.last}",)


def _sealed(security: Security) -> str:
    return {Security.BOGUS: "  (bogus)", Security.INSECURE: "  (not signed)", Security.SECURE: "  (secure)"}.get(
        security, ""
    )


WORDS: Mapping[type, Callable[[Any], Lines]] = {
    Answer: _answer,
    CaaSeen: _caa,
    Dated: _dated,
    DkimKeySeen: _dkim,
    DmarcSeen: _dmarc,
    MxSeen: _mx,
    ReportTarget: _target,
    ReportsRead: _read,
    ReverseSeen: _reverse,
    SourceSeen: _source,
    SpfResult: _spf_result,
    SpfSeen: _spf,
    StsSeen: _sts,
    TlsFailureSeen: _failure,
    TlsRptSeen: _tls_rpt,
    TlsaSeen: _tlsa,
}
