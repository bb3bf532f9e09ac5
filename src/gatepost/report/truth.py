"""The port truth table: what was declared, what answered, and one word for the difference.

A row per host, address and port. Columns that need a witness which was not asked show a dash; that is neither
yes nor no. `listening` is what the wire can tell: accepted yes, actively refused no, silence `?`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gatepost import catalogue
from gatepost.model.architecture import Endpoint, Host, Service
from gatepost.model.audit import Audit
from gatepost.model.finding import Finding
from gatepost.model.observation import Advertised, Closed, Identified, Listening, Seen, Unobserved, of
from gatepost.model.words import Reason, Role, Severity
from gatepost.report.encryption import Word, encryption
from gatepost.report.escape import printable

NOT_ASKED = "–"  # noqa: RUF001 - an en dash, as in a printed table
UNSEEN = "?"


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
    Word.MISSING, Word.PLAINTEXT_LOGIN, Word.STARTTLS_REFUSED, Word.STARTTLS_STRIPPED, Word.UNDECLARED, Word.WRONG_MODE,
})  # fmt: skip


def rows(audit: Audit) -> tuple[Row, ...]:
    """Every endpoint looked at or declared, by host (in the order asked for), port and address."""
    open_at = _open_at(audit.findings)
    advertised = _advertised(audit.run.seen)
    found = (_row(at, audit, open_at.get(str(at), []), advertised) for at in _endpoints(audit))
    order = {name: n for n, name in enumerate(dict.fromkeys((*audit.targets, *_names(audit))))}
    return tuple(sorted(found, key=lambda r: (order.get(r.host, len(order)), r.host, r.port, r.at.family, r.address)))


def merged(rows: Sequence[Row]) -> list[tuple[str, Row]]:
    """Rows of one host that say the same on several addresses become one, labelled with where it holds.

    The label is empty when it holds on all of them.
    """
    addresses = list(dict.fromkeys(row.address for row in rows))
    groups: dict[Row, list[Row]] = defaultdict(list)
    for row in rows:
        groups[replace(row, address="")].append(row)
    labelled = [(_where([r.address for r in same], addresses), same[0]) for same in groups.values()]
    return sorted(labelled, key=lambda pair: (pair[1].port, pair[1].at.family, pair[1].address))


def _where(held: Sequence[str], addresses: Sequence[str]) -> str:
    if len(held) == len(addresses):
        return ""
    families = {4: [a for a in addresses if ":" not in a], 6: [a for a in addresses if ":" in a]}
    for family, ours in families.items():
        if sorted(held) == sorted(ours):
            return f"v{family}"
    return ", ".join(held)


def absent(row: Row) -> bool:
    """Nothing listens, and nobody said it should: told in one line, not in a row each."""
    return row.verdict in {Word.CLOSED, Word.FILTERED} and row.declared != "yes"


def _names(audit: Audit) -> Iterable[str]:
    return (host.name for host in audit.architecture.hosts)


def _endpoints(audit: Audit) -> set[Endpoint]:
    """Declared hosts count only where this run looked at them at all."""
    seen = {at for at in audit.run.seen.endpoints() if at.address}
    looked_at = {(at.host, at.address) for at in seen}
    wanted = {
        Endpoint(host, address, service.port)
        for host, address in looked_at
        for service in _services(audit.architecture.host(host))
        if service.declared
    }
    return seen | wanted


def _services(host: Host | None) -> tuple[Service, ...]:
    return host.services if host else ()


def _open_at(findings: Iterable[Finding]) -> Mapping[str, list[Finding]]:
    """Open failures by place, worst first."""
    at: dict[str, list[Finding]] = defaultdict(list)
    for finding in sorted(findings, key=lambda f: -f.severity.rank):
        for place in finding.places if finding.open else ():
            at[place].append(finding)
    return at


def _advertised(seen: Seen) -> Mapping[tuple[str, int], str] | None:
    """Ways a host and port are told to the world; None when nobody asked."""
    ways: dict[tuple[str, int], set[str]] = defaultdict(set)
    for one in of(Advertised, seen):
        ways[one.target.rstrip("."), one.port].add(one.via)
    return {key: printable(", ".join(sorted(value)), 40) for key, value in ways.items()} if ways else None


def _row(at: Endpoint, audit: Audit, findings: list[Finding], advertised: Mapping[tuple[str, int], str] | None) -> Row:
    seen = audit.run.seen
    host = audit.architecture.host(at.host)
    service = host.service(at.port) if host else None
    declared = _declared(host, service)
    reachable = _reachable(at, seen)
    encrypted, word = encryption(at, seen)
    verdict = _verdict(service, declared, reachable, word)
    standing = _standing(verdict, _role(at, service), declared, findings)
    return Row(
        at.host, at.address, at.port,
        service=_name(at, service, seen),
        role=_role(at, service),
        declared=declared,
        listening={"yes": "yes", "refused": "no"}.get(reachable, UNSEEN),
        firewalled=NOT_ASKED,
        reachable=reachable,
        encrypted=encrypted if reachable == "yes" else "",
        advertised=NOT_ASKED if advertised is None else advertised.get((at.host, at.port), "no"),
        used=NOT_ASKED,
        verdict=verdict,
        standing=standing,
        cause="" if standing is Standing.GOOD else _cause(verdict, at, service, host, audit, findings),
        line=service.line if service else host.line if host else None,
        findings=len(findings),
    )  # fmt: skip


def _declared(host: Host | None, service: Service | None) -> str:
    if host is None or not any(s.declared for s in host.services):
        return NOT_ASKED
    return "yes" if service and service.declared else "no"


def _reachable(at: Endpoint, seen: Seen) -> str:
    if seen.at(Listening, at):
        return "yes"
    if seen.at(Closed, at):
        return "refused"
    if any(u.reason in {Reason.FILTERED, Reason.TIMEOUT} for u in seen.at(Unobserved, at)):
        return "filtered"
    return UNSEEN


def _name(at: Endpoint, service: Service | None, seen: Seen) -> str:
    """What is declared; what the number usually means; or what speaks there, when that is something else."""
    if service:
        return service.name
    row = catalogue.port_numbered(at.port)
    spoken = next((i.protocol for i in seen.at(Identified, at)), "")
    if spoken and spoken not in {"silent", "unknown", "tls"} and (row is None or row.protocol != spoken):
        return printable(spoken, 20)
    return row.id if row else ""


def _role(at: Endpoint, service: Service | None) -> Role:
    if service:
        return service.role
    row = catalogue.port_numbered(at.port)
    return Role(row.duty) if row else Role.HOST


_AS_DECLARED = {
    "implicit": frozenset({Word.IMPLICIT}),
    "starttls": frozenset({Word.STARTTLS_ENFORCED, Word.STARTTLS_OPTIONAL}),
    "tls-optional": frozenset({Word.STARTTLS_ENFORCED, Word.STARTTLS_OPTIONAL, Word.IMPLICIT, Word.NO_TLS}),
}


def _verdict(service: Service | None, declared: str, reachable: str, word: Word) -> Word:
    """A password in clear outranks a missing declaration: the `declared` column tells that anyway."""
    if reachable != "yes":
        absent = {"refused": Word.CLOSED, "filtered": Word.FILTERED}.get(reachable, Word.UNKNOWN)
        return Word.MISSING if declared == "yes" and absent is Word.CLOSED else absent
    if word in {Word.PLAINTEXT_LOGIN, Word.STARTTLS_STRIPPED, Word.STARTTLS_REFUSED}:
        return word
    if declared == "no":
        return Word.UNDECLARED
    fitting = _AS_DECLARED.get(service.mode.value) if service and declared == "yes" else None
    return Word.WRONG_MODE if fitting and word is not Word.UNKNOWN and word not in fitting else word


_STANDINGS = {
    Word.CLOSED: Standing.QUIET,
    Word.FILTERED: Standing.QUIET,
    Word.IMPLICIT: Standing.GOOD,
    Word.MISSING: Standing.BAD,
    Word.NO_TLS: Standing.ATTENTION,
    Word.PLAINTEXT_LOGIN: Standing.BAD,
    Word.STARTTLS_ENFORCED: Standing.GOOD,
    Word.STARTTLS_OPTIONAL: Standing.ATTENTION,
    Word.STARTTLS_REFUSED: Standing.BAD,
    Word.STARTTLS_STRIPPED: Standing.BAD,
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


_SENTENCES = {
    Word.MISSING: "declared, but nothing listens",
    Word.NO_TLS: "no encryption is offered",
    Word.PLAINTEXT_LOGIN: "passwords are accepted before encryption",
    Word.STARTTLS_REFUSED: "STARTTLS is offered and then refused",
    Word.STARTTLS_STRIPPED: "STARTTLS was rewritten on the way",
    Word.UNDECLARED: "listens, but is not declared",
}


def _cause(
    verdict: Word,
    at: Endpoint,
    service: Service | None,
    host: Host | None,
    audit: Audit,
    findings: list[Finding],
) -> str:
    """The worst open finding in its own words; else what the verdict means here."""
    about_intent = verdict in {Word.MISSING, Word.UNDECLARED, Word.WRONG_MODE}
    line = service.line if service and service.declared else host.line if host and about_intent else None
    where = f" ({audit.architecture.source}:{line})" if line and audit.architecture.source else ""
    if findings:
        return printable(findings[0].because) + (where if about_intent else "")
    if verdict is Word.WRONG_MODE and service:
        return f"declared {service.mode.value}, seen otherwise{where}"
    if verdict in {Word.UNKNOWN, Word.FILTERED} and (service is None or service.declared or verdict is Word.UNKNOWN):
        return next(
            (f"{u.reason.value}: {printable(u.detail)}" for u in audit.run.seen.at(Unobserved, at)),
            "nothing more was seen",
        )
    if verdict is Word.STARTTLS_OPTIONAL and service and service.role is not Role.MX:
        return "encryption is offered but not required"
    return _SENTENCES.get(verdict, "") + (where if verdict in _SENTENCES else "")
