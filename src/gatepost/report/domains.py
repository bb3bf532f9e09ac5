"""The domain truth: what the world is told about a mail domain, a line per standard, and what stands behind it.

    example.org        MX · SPF · DKIM · DMARC · MTA-STS · TLS-RPT · reports
    mx1.example.org    DANE per port · CAA · reverse names

The same cards are shown on a terminal, on a page and in JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from gatepost.model.architecture import Endpoint
from gatepost.model.audit import Audit
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
from gatepost.model.finding import Finding
from gatepost.model.observation import CertificateSeen, Seen, Unobserved, of
from gatepost.model.words import Severity
from gatepost.report import protection
from gatepost.report.escape import printable
from gatepost.report.tally import plural
from gatepost.report.truth import Standing

_LONGEST = 400
_CONTROLS: Mapping[str, tuple[str, ...]] = {
    "MX": ("GP-DNSID-002",),
    "SPF": ("GP-DNSID-001", "GP-DNSID-002"),
    "DKIM": ("GP-DNSID-003", "GP-DNSID-004", "GP-DNSID-005"),
    "DMARC": ("GP-DNSID-006", "GP-DNSID-007", "GP-DNSID-008"),
    "MTA-STS": ("GP-DNST-001", "GP-DNST-002"),
    "TLS-RPT": ("GP-DNST-003",),
    "DANE": ("GP-DNST-005", "GP-DNST-006", "GP-DNST-007"),
    "CAA": ("GP-CERT-007",),
    "PTR": ("GP-DNSID-010",),
    "DNSSEC": ("GP-DNST-004",),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One standard. `words` is the short truth, `details` what stands behind it, each perhaps with a mark."""

    label: str
    standing: Standing
    words: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """`kind` is domain or host."""

    name: str
    kind: str
    standing: Standing
    lines: tuple[Line, ...]


def cards(audit: Audit) -> tuple[Card, ...]:
    """Domains in the order asked for, then the hosts behind them. Empty where DNS was not asked."""
    seen = audit.run.seen
    asked = (*audit.targets, *(d.name for d in audit.architecture.domains), *(h.name for h in audit.architecture.hosts))
    order = {name: n for n, name in enumerate(dict.fromkeys(asked))}
    domains = sorted(_names(seen, _DOMAIN_FACTS, _DOMAIN_WORDS), key=lambda n: (order.get(n, len(order)), n))
    hosts = sorted(_names(seen, (TlsaSeen, CaaSeen), ("tlsa", "caa")), key=lambda n: (order.get(n, len(order)), n))
    made = [_card(name, "domain", _domain_lines(name, audit)) for name in domains]
    made += [_card(name, "host", _host_lines(name, audit)) for name in hosts]
    return tuple(card for card in made if card.lines)


_DOMAIN_FACTS = (MxSeen, SpfSeen, DmarcSeen, StsSeen, TlsRptSeen)
_DOMAIN_WORDS = ("spf", "dmarc", "mta-sts", "tls-rpt")


def _names(seen: Seen, facts: tuple[type, ...], wanted: tuple[str, ...]) -> set[str]:
    told = {o.at.host for o in seen if isinstance(o, facts)}
    return told | {u.at.host for u in of(Unobserved, seen) if u.wanted.startswith(wanted)}


def _card(name: str, kind: str, lines: Iterable[Line]) -> Card:
    kept = tuple(lines)
    worst = max((_ORDER.index(line.standing) for line in kept), default=0)
    return Card(printable(name), kind, _ORDER[worst], kept)


_ORDER = (Standing.QUIET, Standing.GOOD, Standing.UNKNOWN, Standing.ATTENTION, Standing.BAD)


def _domain_lines(name: str, audit: Audit) -> Iterator[Line]:
    for label, write in _DOMAIN.items():
        yield from write(_View(label, Endpoint(name), audit))


def _host_lines(name: str, audit: Audit) -> Iterator[Line]:
    for label, write in _HOST.items():
        yield from write(_View(label, Endpoint(name), audit))


@dataclass(frozen=True, slots=True)
class _View:
    """What one line is written from."""

    label: str
    at: Endpoint
    audit: Audit

    @property
    def seen(self) -> Seen:
        return self.audit.run.seen

    @property
    def now(self) -> datetime:
        return self.audit.generated_at

    def line(self, words: str, *details: str, quiet: bool = False) -> Line:
        standing = self._standing()
        if quiet and standing is Standing.GOOD:
            standing = Standing.QUIET
        kept = tuple(printable(one, _LONGEST) for one in (*details, *self._causes(details)) if one)
        return Line(self.label, standing, printable(words, _LONGEST), kept)

    def lost(self, *wanted: str) -> Iterator[Line]:
        for one in of(Unobserved, self.seen, self.at):
            if one.wanted.startswith(wanted):
                yield Line(self.label, Standing.UNKNOWN, f"could not be asked: {printable(one.detail, _LONGEST)}")
                return

    def _open(self) -> list[Finding]:
        wanted = _CONTROLS[self.label]
        host = self.at.host
        return [
            f
            for f in self.audit.findings
            if f.open and f.control in wanted and (f.subject == host or f.subject.startswith(f"{host}:"))
        ]

    def _standing(self) -> Standing:
        worst = max((f.severity.rank for f in self._open()), default=0)
        if worst >= Severity.HIGH.rank:
            return Standing.BAD
        return Standing.ATTENTION if worst >= Severity.LOW.rank else Standing.GOOD

    def _causes(self, told: Iterable[str]) -> Iterator[str]:
        said = " ".join(told)
        found = sorted(self._open(), key=lambda f: -f.severity.rank)
        for finding in found:
            if finding.because not in said and finding.severity is not Severity.INFO:
                yield f"→ {finding.because}"


def _mx(view: _View) -> Iterator[Line]:
    found = of(MxSeen, view.seen, view.at)
    for one in found[:1]:
        if one.null:
            yield view.line("accepts no mail (null MX)", *one.problems)
        elif one.presence is not Presence.PRESENT:
            own = ", ".join(one.own_addresses)
            yield view.line(f"no MX record; mail goes to its own address {own}" if own else "no MX record")
        else:
            hosts = (
                f"{e.preference:>3} {e.host}  {', '.join(e.addresses) or 'no address'}"
                + (f"  alias of {e.aliases[-1]}" if e.aliases else "")
                + _sealed(e.security)
                for e in one.exchangers
            )
            words = plural(len(one.exchangers), "exchanger") + _sealed(one.security)
            yield view.line(words, *hosts, *one.problems)
    if not found:
        yield from view.lost("mx")


def _spf(view: _View) -> Iterator[Line]:
    found = of(SpfSeen, view.seen, view.at)
    for one in found[:1]:
        if not one.records:
            yield view.line("no record")
            continue
        tree = (
            f"{'  ' * t.depth}{t.text}{f'  [{t.lookups}]' if t.lookups else ''}{f'  ← {t.note}' if t.note else ''}"
            for t in one.terms
        )
        tried = (_tried(r) for r in of(SpfResult, view.seen, view.at))
        counts = f"{one.lookups} of 10 look-ups" + (f", {one.voids} void" if one.voids else "")
        ends = one.ending or "no ending"
        broken = "" if one.result == "valid" else f"{one.result}: "
        yield view.line(f"{broken}{ends}, {counts}", *tree, *tried, *one.problems, *one.advice)
    if not found:
        yield from view.lost("spf")


def _tried(one: SpfResult) -> str:
    by = f" by {one.mechanism}" if one.mechanism else ""
    return f"{one.address}: {one.result}{by}" + (f" ({one.why})" if one.why and one.result != "pass" else "")


def _dkim(view: _View) -> Iterator[Line]:
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


def _dmarc(view: _View) -> Iterator[Line]:
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


def _sts(view: _View) -> Iterator[Line]:
    found = of(StsSeen, view.seen, view.at)
    for one in found[:1]:
        if not one.records:
            yield view.line("not published", quiet=True)
        elif not one.fetched:
            yield view.line(f"policy not fetched: {one.why}", *one.problems)
        else:
            age = f"{one.max_age / 86400:g} days"
            covers = f"covers {', '.join(one.mx)}" if one.mx else ""
            yield view.line(f"{one.mode}, id {one.id}, kept {age}", covers, *one.problems, *one.advice)
    if not found:
        yield from view.lost("mta-sts")


def _tls_rpt(view: _View) -> Iterator[Line]:
    found = of(TlsRptSeen, view.seen, view.at)
    for one in found[:1]:
        words = ", ".join(one.rua) if one.rua else "not published" if not one.records else "no usable address"
        causes = (f.cause for f in of(TlsFailureSeen, view.seen, view.at))
        yield view.line(words, *one.problems, *causes, quiet=not one.records)
    if not found:
        yield from view.lost("tls-rpt")


def _reports(view: _View) -> Iterator[Line]:
    read = of(ReportsRead, view.seen, view.at)
    sources = of(SourceSeen, view.seen, view.at)
    told = (
        f"{'DMARC' if r.kind == 'dmarc' else 'TLS'}: {plural(r.reports, 'report')} from {len(r.reporters)} reporters,"
        f" {r.first} to {r.last}, {r.failures} of {r.sessions} failed"
        for r in read
    )
    unaligned = sorted((s for s in sources if s.aligned < s.messages), key=lambda s: s.aligned - s.messages)[:5]
    worst = (f"{s.source}: {s.messages - s.aligned} of {s.messages} messages not aligned" for s in unaligned)
    if read:
        yield Line("reports", Standing.GOOD, plural(sum(r.reports for r in read), "report"), (*told, *worst))


def _dnssec(view: _View) -> Iterator[Line]:
    """The worst of the domain's own answers."""
    answers = [a for a in of(Answer, view.seen) if a.name == view.at.host or a.name.endswith(f".{view.at.host}")]
    states = {a.security for a in answers}
    if bogus := next((a for a in answers if a.security is Security.BOGUS), None):
        yield Line(view.label, Standing.BAD, printable(f"bogus at {bogus.name}: {bogus.why}", _LONGEST))
    elif states == {Security.SECURE}:
        yield view.line("signed and valid")
    elif Security.INSECURE in states:
        yield view.line("signed in part" if Security.SECURE in states else "not signed")
    elif answers:
        yield Line("DNSSEC", Standing.UNKNOWN, "not known: the resolver is not trusted to validate")


def _dane(view: _View) -> Iterator[Line]:
    found = sorted(of(TlsaSeen, view.seen, view.at), key=lambda o: o.port)
    held = [o for o in found if o.records]
    if held:
        details = (f"{o.port}: {_pins(o)}{_sealed(o.security)}{_served(o, view)}" for o in held)
        yield view.line(f"TLSA for {', '.join(str(o.port) for o in held)}", *details)
    elif found:
        yield view.line("no TLSA record", quiet=True)
    else:
        yield from view.lost("tlsa")


def _pins(one: TlsaSeen) -> str:
    shown = ", ".join(f"{r.usage} {r.selector} {r.matching} {r.data[:12]}…" for r in one.records)
    return shown + (f" (at {one.owner})" if not one.owner.endswith(one.at.host) else "")


def _served(one: TlsaSeen, view: _View) -> str:
    """What the records say of every certificate that the port was seen to serve."""
    words = {
        protection.tlsa(shown, view.seen, view.now)
        for shown in of(CertificateSeen, view.seen)
        if (shown.at.host, shown.at.port) == (one.at.host, one.port)
    }
    return f"  {', '.join(sorted(words))}" if words else "  no certificate seen"


def _caa(view: _View) -> Iterator[Line]:
    found = of(CaaSeen, view.seen, view.at)
    for one in found[:1]:
        issue = ", ".join(r.value for r in one.records if r.tag == "issue")
        yield view.line(f"{issue or 'nobody'} (at {one.found_at})" if one.records else "any authority may issue")
    if not found:
        yield from view.lost("caa")


def _ptr(view: _View) -> Iterator[Line]:
    found = of(ReverseSeen, view.seen, view.at)
    details = (
        f"{o.address}: {', '.join(o.confirmed or o.names) or 'no name'}"
        + ("" if o.confirmed else f", not confirmed{f' ({o.why})' if o.why else ''}")
        for o in found
    )
    if found:
        good = sum(bool(o.confirmed) for o in found)
        yield view.line(
            f"{good} of {plural(len(found), 'address')} confirmed".replace("addresss", "addresses"), *details
        )
    else:
        yield from view.lost("ptr")


def _sealed(security: Security) -> str:
    return {Security.SECURE: "  secure", Security.BOGUS: "  BOGUS", Security.INSECURE: "  not signed"}.get(security, "")


_Writer = Callable[[_View], Iterator[Line]]
_DOMAIN: Mapping[str, _Writer] = {
    "MX": _mx,
    "SPF": _spf,
    "DKIM": _dkim,
    "DMARC": _dmarc,
    "MTA-STS": _sts,
    "TLS-RPT": _tls_rpt,
    "reports": _reports,
    "DNSSEC": _dnssec,
}
_HOST: Mapping[str, _Writer] = {"DANE": _dane, "CAA": _caa, "PTR": _ptr}
