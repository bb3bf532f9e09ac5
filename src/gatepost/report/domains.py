"""The domain truth: what the world is told about a mail domain, a line per standard, and what stands behind it.

    example.org        MX · SPF · DKIM · DMARC · MTA-STS · TLS-RPT · reports · DNSSEC
    mx1.example.org    DANE per port · CAA · reverse names

The same cards are shown on a terminal, on a page and in JSON.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from gatepost.model.architecture import Endpoint
from gatepost.model.audit import Audit
from gatepost.model.domain import CaaSeen, DmarcSeen, MxSeen, SpfSeen, StsSeen, TlsaSeen, TlsRptSeen
from gatepost.model.finding import Finding
from gatepost.model.observation import Seen, Unobserved, of
from gatepost.report import domain_lines, host_lines
from gatepost.report.domain_view import Line, View
from gatepost.report.escape import printable
from gatepost.report.truth import Standing


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
    failures = _failures(audit)
    made = [_card(name, "domain", _lines(domain_lines.LINES, name, audit, failures)) for name in domains]
    made += [_card(name, "host", _lines(host_lines.LINES, name, audit, failures)) for name in hosts]
    return tuple(card for card in made if card.lines)


_DOMAIN_FACTS = (MxSeen, SpfSeen, DmarcSeen, StsSeen, TlsRptSeen)
_DOMAIN_WORDS = ("spf", "dmarc", "mta-sts", "tls-rpt")


def _names(seen: Seen, facts: tuple[type, ...], wanted: tuple[str, ...]) -> set[str]:
    told = {o.at.host for o in seen if isinstance(o, facts)}
    return told | {u.at.host for u in of(Unobserved, seen) if u.wanted.startswith(wanted)}


def _failures(audit: Audit) -> Mapping[str, list[Finding]]:
    """Open failures by the name they are about: `mx1.example.org:25` is about the host, which may be an address."""
    found: dict[str, list[Finding]] = defaultdict(list)
    for one in audit.findings:
        if one.open:
            for name in (one.subject, *(one.subject[:n] for n, sign in enumerate(one.subject) if sign == ":")):
                found[name].append(one)
    return found


def _card(name: str, kind: str, lines: Iterable[Line]) -> Card:
    kept = tuple(lines)
    worst = max((_ORDER.index(line.standing) for line in kept), default=0)
    return Card(printable(name), kind, _ORDER[worst], kept)


_ORDER = (Standing.QUIET, Standing.GOOD, Standing.UNKNOWN, Standing.ATTENTION, Standing.BAD)


def _lines(
    writers: Mapping[str, Callable[[View], Iterator[Line]]],
    name: str,
    audit: Audit,
    failures: Mapping[str, list[Finding]],
) -> Iterator[Line]:
    own = tuple(failures.get(name, ()))
    for label, write in writers.items():
        yield from write(View(label, Endpoint(name), audit, own))
