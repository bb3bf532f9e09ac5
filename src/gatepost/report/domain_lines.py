"""What the world is told about a mail domain, a line per standard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from gatepost.model.dns import Answer, Presence, Security
from gatepost.model.domain import (
    Dated,
    DkimKeySeen,
    DmarcSeen,
    Exchanger,
    MxSeen,
    ReportsRead,
    ReportTarget,
    SourceSeen,
    SpfResult,
    SpfSeen,
    SpfTerm,
    StsSeen,
    TlsFailureSeen,
    TlsRptSeen,
)
from gatepost.model.observation import of
from gatepost.records.spf.evaluate import MOST_LOOKUPS
from gatepost.report.answered import DEEPEST
from gatepost.report.domain_view import LONGEST, Line, View, sealed
from gatepost.report.escape import printable
from gatepost.report.tally import plural
from gatepost.report.truth import Standing


def _mx(view: View) -> Iterator[Line]:
    found = of(MxSeen, view.seen, view.at)
    for one in found[:1]:
        if one.null:
            yield view.line("accepts no mail (null MX)", *one.problems)
        elif one.presence is not Presence.PRESENT:
            own = ", ".join(one.own_addresses)
            yield view.line(f"no MX record; mail goes to its own address {own}" if own else "no MX record")
        else:
            broad = max((len(str(e.preference)) for e in one.exchangers), default=0)
            hosts = (_exchanger(e, broad) for e in one.exchangers)
            words = plural(len(one.exchangers), "exchanger") + sealed(one.security)
            yield view.line(words, *hosts, *one.problems)
    if not found:
        yield from view.lost("mx")


def _exchanger(one: Exchanger, broad: int) -> str:
    where = ", ".join(one.addresses) or (one.trouble[0] if one.trouble else "no address")
    alias = f"  alias of {one.aliases[-1]}" if one.aliases else ""
    return f"{one.preference:>{broad}} {one.host}  {where}{alias}{sealed(one.security)}"


def _spf(view: View) -> Iterator[Line]:
    found = of(SpfSeen, view.seen, view.at)
    for one in found[:1]:
        if not one.records:
            yield view.line("no record")
            continue
        tree = (_term(t) for t in one.terms)
        tried = (_tried(r) for r in of(SpfResult, view.seen, view.at))
        counts = f"{one.lookups} of {MOST_LOOKUPS} look-ups" + (f", {one.voids} void" if one.voids else "")
        ends = one.ending or "no ending"
        broken = "" if one.result == "valid" else f"{one.result}: "
        yield view.line(f"{broken}{ends}, {counts}", *tree, *tried, *one.advice, problems=one.problems)
    if not found:
        yield from view.lost("spf")


def _term(one: SpfTerm) -> str:
    count = f"  [{one.lookups}]" if one.lookups else ""
    note = f"  ← {one.note}" if one.note else ""
    return f"{'  ' * min(one.depth, DEEPEST)}{one.text}{count}{note}"


def _tried(one: SpfResult) -> str:
    by = f" by {one.mechanism}" if one.mechanism else ""
    return f"{one.address}: {one.result}{by}" + (f" ({one.why})" if one.why and one.result != "pass" else "")


def _dkim(view: View) -> Iterator[Line]:
    since = {d.value: d.first_seen for d in of(Dated, view.seen, view.at) if d.what == "dkim-key"}
    keys = of(DkimKeySeen, view.seen, view.at)
    details = [_key(one, since.get(one.fingerprint)) for one in keys]
    live = [one for one in keys if one.fingerprint]
    if keys:
        yield view.line(plural(len(live), "key") if live else "no live key", *details)
    elif lost := list(view.lost("dkim")):
        yield from lost
    elif of(SpfSeen, view.seen, view.at):
        yield view.line("no key under a common selector; declare the selectors in use", quiet=True)


def _key(one: DkimKeySeen, since: datetime | None) -> str:
    if one.presence is not Presence.PRESENT:
        return f"{one.selector}: no record"
    if one.revoked:
        return f"{one.selector}: revoked"
    kind = {"rsa": f"RSA {one.bits}", "ed25519": "Ed25519"}.get(one.key_type, one.key_type)
    marks = [
        "testing" if one.testing else "",
        f"since {since:%Y-%m-%d}" if since else "",
        "" if one.declared else "not declared",
        *one.problems,
    ]
    return ", ".join(filter(None, (f"{one.selector}: {kind}", *marks)))


def _dmarc(view: View) -> Iterator[Line]:
    found = of(DmarcSeen, view.seen, view.at)
    for one in found[:1]:
        walk = (f"{s.name}: {s.texts[0] if s.texts else s.note or 'nothing'}" for s in one.walk)
        split = one.organizational != one.by_suffix_list and one.by_suffix_list
        org = (
            f"organisational domain {one.organizational} by tree walk, {one.by_suffix_list} by suffix list"
            f" of {one.list_date}"
            if split
            else ""
        )
        targets = (
            f"{t.uri}: {'may' if t.authorised else 'does not say it will'} receive reports"
            for t in of(ReportTarget, view.seen, view.at)
            if t.kind == "dmarc" and t.authorised is not None
        )
        words = f"{one.policy}; subdomains {one.subdomains}, invented names {one.nonexistent}" if one.policy else ""
        yield view.line(words or "no policy", *walk, org, *targets, *one.problems, *one.advice)
    if not found:
        yield from view.lost("dmarc")


def _sts(view: View) -> Iterator[Line]:
    found = of(StsSeen, view.seen, view.at)
    for one in found[:1]:
        if not one.records:
            yield view.line("not published", quiet=True)
        elif not one.fetched:
            yield view.line(f"policy not fetched: {one.why}", *one.problems, unsure=True)
        elif not one.mode:
            yield view.line("no valid policy", problems=one.problems, unsure=True)
        else:
            age = _days(one.max_age)
            covers = f"covers {', '.join(one.mx)}" if one.mx else ""
            words = f"{one.mode}, id {one.id}, kept {age}"
            yield view.line(words, covers, problems=(*one.problems, *one.advice))
    if not found:
        yield from view.lost("mta-sts")


def _days(seconds: int) -> str:
    return "1 day" if seconds == 86400 else f"{seconds / 86400:.3g} days"


def _tls_rpt(view: View) -> Iterator[Line]:
    found = of(TlsRptSeen, view.seen, view.at)
    for one in found[:1]:
        words = ", ".join(one.rua) if one.rua else "not published" if not one.records else "no usable address"
        yield view.line(words, *one.problems, quiet=not one.records)
    if not found:
        yield from view.lost("tls-rpt")


def _reports(view: View) -> Iterator[Line]:
    read = of(ReportsRead, view.seen, view.at)
    sources = of(SourceSeen, view.seen, view.at)
    told = map(_counted, read)
    unaligned = sorted((s for s in sources if s.aligned < s.messages), key=lambda s: s.aligned - s.messages)[:5]
    worst = (f"{s.source}: {s.messages - s.aligned} of {s.messages} messages not aligned" for s in unaligned)
    causes = (f.cause for f in of(TlsFailureSeen, view.seen, view.at))
    if read:
        yield view.line(plural(sum(r.reports for r in read), "report"), *told, *worst, problems=causes)


def _counted(one: ReportsRead) -> str:
    kind = "DMARC" if one.kind == "dmarc" else "TLS"
    whence = f"{plural(one.reports, 'report')} from {plural(len(one.reporters), 'reporter')}"
    return f"{kind}: {whence}, {one.first} to {one.last}, {one.failures} of {one.sessions} failed"


def _dnssec(view: View) -> Iterator[Line]:
    """The worst of the domain's own answers."""
    answers = [a for a in of(Answer, view.seen) if a.name == view.at.host or a.name.endswith(f".{view.at.host}")]
    states = {a.security for a in answers}
    answers.sort(key=lambda a: len(a.name))  # the domain's own name says more than one that was only tried
    if bogus := next((a for a in answers if a.security is Security.BOGUS), None):
        yield Line(view.label, Standing.BAD, printable(f"bogus at {bogus.name}: {bogus.why}", LONGEST))
    elif states == {Security.SECURE}:
        yield view.line("signed and valid")
    elif Security.INSECURE in states:
        yield view.line("signed in part" if Security.SECURE in states else "not signed")
    elif answers:
        yield Line("DNSSEC", Standing.UNKNOWN, "not known: the resolver is not trusted to validate")


LINES: Mapping[str, Callable[[View], Iterator[Line]]] = {
    "MX": _mx,
    "SPF": _spf,
    "DKIM": _dkim,
    "DMARC": _dmarc,
    "MTA-STS": _sts,
    "TLS-RPT": _tls_rpt,
    "reports": _reports,
    "DNSSEC": _dnssec,
}
