"""The port truth table: what was declared, what listens, who is let in, what answered, and one word for the difference.

A row per host, address and port. Columns that need a witness which was not asked show a dash; that is neither
yes nor no. Without a look into the host `listening` is what the wire can tell: accepted yes, actively refused no,
silence `?`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import ip_address

from gatepost import catalogue
from gatepost.firewall.matrix import management_ports
from gatepost.model.architecture import Endpoint, Host, Service
from gatepost.model.audit import Audit
from gatepost.model.finding import Finding
from gatepost.model.observation import Advertised, Identified, Seen, of
from gatepost.model.words import Role, Severity
from gatepost.report import columns
from gatepost.report.causes import cause
from gatepost.report.columns import NOT_ASKED, UNSEEN, Known
from gatepost.report.encryption import Word, encryption
from gatepost.report.escape import printable
from gatepost.report.meanings import Place, verdict

__all__ = ["NOT_ASKED", "UNSEEN", "Row", "Standing", "absent", "merged", "rows"]


class Standing(StrEnum):
    """How a row is to be read at a glance."""

    ATTENTION = "attention"
    BAD = "bad"
    GOOD = "good"
    QUIET = "quiet"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Row:
    """One listener, or the place where one should be. `cause` is one sentence; empty when all is well."""

    host: str
    address: str
    port: int
    service: str
    role: Role
    declared: str
    listening: str
    firewalled: str
    reachable: str
    encrypted: str
    advertised: str
    used: str
    verdict: Word
    standing: Standing
    cause: str = ""
    line: int | None = None  # of the declaration
    findings: int = 0  # open failures at this place

    @property
    def wrong(self) -> bool:
        """Not as declared, or not fit for any declaration. Findings of other controls do not count."""
        return self.verdict in _WRONG

    @property
    def at(self) -> Endpoint:
        return Endpoint(self.host, self.address, self.port)


_WRONG = frozenset({
    Word.BLOCKED, Word.BYPASS, Word.MISSING, Word.PLAINTEXT_LOGIN, Word.STARTTLS_REFUSED, Word.STARTTLS_STRIPPED,
    Word.TOO_OPEN, Word.UNDECLARED, Word.WRONG_MODE,
})  # fmt: skip


def rows(audit: Audit) -> tuple[Row, ...]:
    """Every endpoint looked at or declared, by host (in the order asked for), port and address."""
    open_at = _open_at(audit.findings)
    advertised = _advertised(audit.run.seen)
    known = Known(audit.run.seen, audit.architecture, audit.run.vantage)
    found = (_row(at, known, _open_here(at, open_at), advertised) for at in columns.places(known))
    order = {name: n for n, name in enumerate(dict.fromkeys((*audit.targets, *_names(audit))))}
    return tuple(sorted(found, key=lambda r: (order.get(r.host, len(order)), r.host, r.port, r.at.family, r.address)))


def merged(rows: Sequence[Row]) -> list[tuple[str, Row]]:
    """Rows of one host that say the same on several addresses become one, labelled with where it holds.

    The label is empty when it holds on all of them.
    """
    addresses = list(dict.fromkeys(row.address for row in rows))
    groups: dict[Row, list[Row]] = defaultdict(list)
    for row in rows:
        groups[replace(row, address="", findings=0)].append(row)
    labelled = [(_where([r.address for r in same], addresses), _fullest(same)) for same in groups.values()]
    return sorted(labelled, key=lambda pair: (pair[1].port, pair[1].at.family, pair[1].address))


def _fullest(rows: Sequence[Row]) -> Row:
    return max(rows, key=lambda row: row.findings)


def _where(held: Sequence[str], addresses: Sequence[str]) -> str:
    if len(held) == len(addresses):
        return ""
    families = {4: [a for a in addresses if ":" not in a], 6: [a for a in addresses if ":" in a]}
    for family, ours in families.items():
        if sorted(held) == sorted(ours):
            return f"v{family}"
    return ", ".join(held)


def absent(row: Row) -> bool:
    """Nothing waits there for others, and nobody said it should: told in one line, not in a row each."""
    quiet = row.verdict in {Word.CLOSED, Word.FILTERED} and row.declared != "yes"
    return quiet or row.verdict is Word.LOOPBACK


def _names(audit: Audit) -> Iterable[str]:
    return (host.name for host in audit.architecture.hosts)


def _open_at(findings: Iterable[Finding]) -> Mapping[str, list[Finding]]:
    """Open failures by place, worst first."""
    at: dict[str, list[Finding]] = defaultdict(list)
    for finding in sorted(findings, key=lambda f: -f.severity.rank):
        for place in finding.places if finding.open else ():
            at[place].append(finding)
    return at


def _open_here(at: Endpoint, open_at: Mapping[str, list[Finding]]) -> list[Finding]:
    """Those of the port on every address too, but not where only the host itself gets to."""
    exact, whole = open_at.get(str(at), []), open_at.get(at.place, [])
    if str(at) == at.place or not whole or ip_address(at.address).is_loopback:
        return exact
    return sorted([*exact, *whole], key=lambda f: -f.severity.rank)


def _advertised(seen: Seen) -> Mapping[tuple[str, int], str] | None:
    """Ways a host and port are told to the world; None when nobody asked."""
    ways: dict[tuple[str, int], set[str]] = defaultdict(set)
    for one in of(Advertised, seen):
        ways[one.target.rstrip("."), one.port].add(one.via)
    return {key: printable(", ".join(sorted(value)), 40) for key, value in ways.items()} if ways else None


def _row(at: Endpoint, known: Known, findings: list[Finding], advertised: Mapping[tuple[str, int], str] | None) -> Row:
    host = known.architecture.host(at.host)
    service = host.service(at.port) if host else None
    declared, answered = _declared(host, service, at), columns.wire(at, known)
    encrypted, word = encryption(at, known.seen)
    place = Place(at, host, service, declared, answered, word)
    found = verdict(place, known)
    role = service.role if service else _usual_role(at)
    standing = _standing(found, role, declared, findings)
    return Row(
        at.host, at.address, at.port,
        service=_name(at, service, known.seen),
        role=role,
        declared=declared,
        listening=columns.listening(at, known, answered),
        firewalled=columns.firewalled(at, known),
        reachable=columns.reachable(at, known, answered),
        encrypted=encrypted if answered == "yes" else "",
        advertised=NOT_ASKED if advertised is None else advertised.get((at.host, at.port), "no"),
        used=columns.used(at, known),
        verdict=found,
        standing=standing,
        cause="" if standing is Standing.GOOD else cause(place, found, known, findings),
        line=service.line if service else host.line if host else None,
        findings=len(findings),
    )  # fmt: skip


def _declared(host: Host | None, service: Service | None, at: Endpoint) -> str:
    """Where operators log in is declared once somebody wrote down who they are."""
    if host is None or not any(s.declared for s in host.services):
        return NOT_ASKED
    operated = bool(host.management or host.management_ports) and at.port in management_ports(host)
    return "yes" if operated or (service and service.declared) else "no"


def _name(at: Endpoint, service: Service | None, seen: Seen) -> str:
    """What is declared; what the number usually means; or what speaks there, when that is something else."""
    if service:
        return service.name
    row = catalogue.port_numbered(at.port)
    spoken = next((i.protocol for i in seen.at(Identified, at)), "")
    if spoken and spoken not in {"silent", "unknown", "tls"} and (row is None or row.protocol != spoken):
        return printable(spoken, 20)
    return row.id if row else ""


def _usual_role(at: Endpoint) -> Role:
    row = catalogue.port_numbered(at.port)
    return Role(row.duty) if row else Role.HOST


_STANDINGS = {
    Word.AS_DECLARED: Standing.GOOD,
    Word.BLOCKED: Standing.BAD,
    Word.BYPASS: Standing.BAD,
    Word.CLOSED: Standing.QUIET,
    Word.FILTERED: Standing.QUIET,
    Word.IMPLICIT: Standing.GOOD,
    Word.LOOPBACK: Standing.QUIET,
    Word.MISSING: Standing.BAD,
    Word.NO_TLS: Standing.ATTENTION,
    Word.PLAINTEXT_LOGIN: Standing.BAD,
    Word.STARTTLS_ENFORCED: Standing.GOOD,
    Word.STARTTLS_OPTIONAL: Standing.ATTENTION,
    Word.STARTTLS_REFUSED: Standing.BAD,
    Word.STARTTLS_STRIPPED: Standing.BAD,
    Word.TOO_OPEN: Standing.BAD,
    Word.UNDECLARED: Standing.ATTENTION,
    Word.UNKNOWN: Standing.UNKNOWN,
    Word.WRONG_MODE: Standing.BAD,
}


def _standing(verdict: Word, role: Role, declared: str, findings: list[Finding]) -> Standing:
    """The worst of the verdict's own colour and the open findings of this place."""
    worst = max((f.severity.rank for f in findings), default=0)
    if worst >= Severity.HIGH.rank:
        return Standing.BAD
    if verdict is Word.FILTERED and declared == "yes":
        return Standing.UNKNOWN
    own = _STANDINGS[verdict]
    if verdict is Word.STARTTLS_OPTIONAL and role is Role.MX:
        own = Standing.GOOD  # RFC 3207: a public MX must not require it
    return Standing.ATTENTION if own is Standing.GOOD and worst == Severity.MEDIUM.rank else own
