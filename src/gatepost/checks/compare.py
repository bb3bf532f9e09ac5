"""One run held against a run from elsewhere: what is seen from one place only was stripped, swapped or filtered.

Whoever sits on a path can change what travels on it, and cannot change what another path shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from gatepost import catalogue
from gatepost.catalogue.controls import control
from gatepost.catalogue.remedies import remedy
from gatepost.checks.certificates import served
from gatepost.checks.dialogue_seen import listens, words
from gatepost.checks.grouping import Judged, findings
from gatepost.checks.tls_seen import versions, versions_refused
from gatepost.model.architecture import Endpoint
from gatepost.model.finding import Finding, Verdict
from gatepost.model.observation import (
    Capabilities,
    Closed,
    Listening,
    Observation,
    Run,
    Seen,
    Unobserved,
    Upgrade,
    Vantage,
    of,
)
from gatepost.model.words import Outcome, Reason, Role, Severity

CHANGING = frozenset({"ENHANCEDSTATUSCODES", "ID", "SIZE", "XCLIENT", "XFORWARD"})  # may differ by client, rightly
USERS = frozenset({Role.ACCESS, Role.SIEVE, Role.SUBMISSION})


@dataclass(frozen=True, slots=True)
class Both:
    """One endpoint seen from two places."""

    at: Endpoint
    here: Seen
    there: Seen
    label: str  # of the other place
    role: Role

    @property
    def near(self) -> bool:
        """One of the two looked from the server itself, which changes what it offers."""
        return any(v.same_host for seen in (self.here, self.there) for v in of(Vantage, seen, self.at))


@dataclass(frozen=True, slots=True)
class Difference:
    """`because` is empty when both places saw the same."""

    because: str
    evidence: tuple[Observation, ...] = ()
    severity: Severity | None = None
    blind: str = ""  # why nothing can be said


def compare(here: Run, there: Run, *, now: datetime) -> tuple[Finding, ...]:
    """Findings about the path, not about the server. `now` ages the other run.

    A port that answers from both places proves no firewall right, so that is not reported.
    """
    label = there.vantage or "the other place"
    ats = sorted({*here.seen.endpoints()} & {*there.seen.endpoints()})
    both = [Both(at, here.seen, there.seen, label, _role(at)) for at in ats]
    judged = [_judged(one, *row) for one in both for row in _ROWS if _seen(one, row[1])]
    judged = [j for j in judged if j.control != "GP-FW-001" or j.verdict.outcome is not Outcome.PASS]
    return (*findings(judged), *_about_the_runs(here, there, both, now))


def _role(at: Endpoint) -> Role:
    row = catalogue.port_numbered(at.port)
    return Role(row.duty) if row else Role.HOST


def _seen(both: Both, check: str) -> bool:
    """Ports closed from both places are nothing to report; the rest needs a listener on both."""
    ends = [listens(seen, both.at) for seen in (both.here, both.there)]
    return any(ends) if check == "same-port-open" else all(ends)


def _judged(both: Both, name: str, check: str, judge: Callable[[Both], Difference]) -> Judged:
    found = judge(both)
    outcome = Outcome.UNKNOWN if found.blind else Outcome.FAIL if found.because else Outcome.PASS
    verdict = Verdict(outcome, found.blind or found.because, found.evidence)
    severity = found.severity or control(name).severity
    mend = remedy(name, check, "", both.role) if outcome is Outcome.FAIL else ""
    return Judged(name, check, both.at, both.role, verdict, severity, mend, None)


def same_port_open(both: Both) -> Difference:
    ours, theirs = listens(both.here, both.at), listens(both.there, both.at)
    if ours and theirs:
        return Difference("", (*of(Listening, both.here, both.at),))
    closed = both.there if ours else both.here
    why = _why_not(closed, both.at)
    if why is None:
        return Difference("", blind=f"not looked at from {both.label if ours else 'here'}")
    where = f"answers here, and from {both.label} {why}" if ours else f"answers from {both.label}, and here {why}"
    return Difference(where, _lost(closed, both.at), Severity.LOW)


def _why_not(seen: Seen, at: Endpoint) -> str | None:
    """Our own limits, and theirs, are no filter."""
    if of(Closed, seen, at):
        return "refuses the connection"
    silent = {Reason.FILTERED: "gives no answer", Reason.RESET: "is cut off", Reason.TIMEOUT: "gives no answer"}
    return next((silent[u.reason] for u in of(Unobserved, seen, at) if u.reason in silent), None)


def _lost(seen: Seen, at: Endpoint) -> tuple[Observation, ...]:
    return (*of(Closed, seen, at), *of(Unobserved, seen, at))


def same_starttls(both: Both) -> Difference:
    """A keyword that is gone on one path only: the mark of stripping (RFC 3207 section 6)."""
    ours, theirs = (of(Upgrade, seen, both.at) for seen in (both.here, both.there))
    if not ours or not theirs:
        return Difference("", blind="whether STARTTLS is offered was not seen from both places")
    offered = [any(u.offered for u in side) for side in (ours, theirs)]
    if offered[0] == offered[1]:
        return Difference("", (*ours[:1], *theirs[:1]))
    where = f"here, and not from {both.label}" if offered[0] else f"from {both.label}, and not here"
    severity = Severity.CRITICAL if both.role in USERS else Severity.HIGH
    return Difference(f"STARTTLS is offered {where}: something on the path strips it", (*ours, *theirs), severity)


def same_capabilities(both: Both) -> Difference:
    for encrypted in (False, True):
        ours, theirs = (_keywords(seen, both.at, encrypted=encrypted) for seen in (both.here, both.there))
        if ours is None or theirs is None or ours == theirs:
            continue
        if both.near:
            return Difference("", blind="vantage: one of the two looked from the server itself")
        where = "inside TLS" if encrypted else "before TLS"
        parts = [f"only here: {words(ours - theirs)}"] if ours - theirs else []
        parts += [f"only from {both.label}: {words(theirs - ours)}"] if theirs - ours else []
        severity = Severity.HIGH if encrypted else Severity.MEDIUM
        return Difference(f"capabilities {where} differ: {'; '.join(parts)}", _offers(both), severity)
    if not _offers(both):
        return Difference("", blind="capabilities were not seen from both places")
    return Difference("", _offers(both))


def _keywords(seen: Seen, at: Endpoint, *, encrypted: bool) -> frozenset[str] | None:
    """STARTTLS has a judge of its own; with AUTH the mechanisms count."""
    offers = [c for c in of(Capabilities, seen, at) if c.encrypted is encrypted]
    if not offers:
        return None
    heads = {line.split(" ", 1)[0].partition("=")[0] for c in offers for line in c.words}
    logins = {f"AUTH {m}" for c in offers for m in c.mechanisms()}
    return frozenset((heads - CHANGING - {"AUTH", "SASL", "STARTTLS", "STLS"}) | logins)


def _offers(both: Both) -> tuple[Observation, ...]:
    sides = [of(Capabilities, seen, both.at) for seen in (both.here, both.there)]
    return (*sides[0], *sides[1]) if all(sides) else ()


def same_certificate(both: Both) -> Difference:
    """Another key at the other end of the path: a renewal between the runs, or a man in the middle."""
    ours, theirs = (served(seen, both.at) for seen in (both.here, both.there))
    if not ours or not theirs:
        return Difference("", blind="no certificate was seen from both places")
    prints = [{c.chain[0].sha256 for c in side} for side in (ours, theirs)]
    if prints[0] & prints[1]:
        return Difference("", (*ours, *theirs))
    issuers = [{c.chain[0].issuer for c in side} for side in (ours, theirs)]
    kinds = [{c.chain[0].key_type for c in side} for side in (ours, theirs)]
    if not kinds[0] & kinds[1] and issuers[0] & issuers[1]:
        return Difference("", blind="an RSA certificate from one place and an ECDSA one from the other")
    trust = [any(c.trust.valid for c in side) for side in (ours, theirs)]
    swapped = not issuers[0] & issuers[1] or trust[0] != trust[1]
    hint = "of another issuer: intercepted?" if swapped else "of the same issuer: renewed in between?"
    severity = Severity.CRITICAL if swapped else Severity.MEDIUM
    return Difference(f"serves another certificate to {both.label}, {hint}", (*ours, *theirs), severity)


def same_versions(both: Both) -> Difference:
    """Only versions that were asked for from both places count."""
    asked = []
    for seen in (both.here, both.there):
        accepted, refused = set(versions(seen, both.at)), set(versions_refused(seen, both.at))
        asked.append((accepted, accepted | refused))
    common = asked[0][1] & asked[1][1]
    ours, theirs = asked[0][0] & common, asked[1][0] & common
    evidence = tuple(versions(seen, both.at)[v] for seen in (both.here, both.there) for v in versions(seen, both.at))
    if not common:
        return Difference("", blind="TLS was not seen from both places")
    if ours == theirs:
        return Difference("", evidence)
    parts = [f"only here: {words(ours - theirs)}"] if ours - theirs else []
    parts += [f"only from {both.label}: {words(theirs - ours)}"] if theirs - ours else []
    return Difference(f"TLS versions differ: {'; '.join(parts)}", evidence, Severity.HIGH)


_ROWS: tuple[tuple[str, str, Callable[[Both], Difference]], ...] = (
    ("GP-FW-001", "same-port-open", same_port_open),
    ("GP-STLS-007", "same-starttls", same_starttls),
    ("GP-STLS-007", "same-capabilities", same_capabilities),
    ("GP-CERT-004", "same-certificate-from-elsewhere", same_certificate),
    ("GP-TLS-015", "same-versions-from-elsewhere", same_versions),
)


def _about_the_runs(here: Run, there: Run, both: Iterable[Both], now: datetime) -> Iterator[Finding]:
    """What a reader must know of the comparison itself."""
    label = there.vantage or "the other place"
    if not list(both):
        because = f"the run from {label} has no endpoint in common with this one"
    elif abs((here.started - there.started).days) >= 1:
        because = f"the run from {label} is {abs((now - there.started).days)} days old: the server may have changed"
    else:
        return
    yield Finding(
        "GP-STLS-007", "runs-comparable", label, Role.HOST, Outcome.UNKNOWN,
        control("GP-STLS-007").severity, because, (), "", (label,),
    )  # fmt: skip
