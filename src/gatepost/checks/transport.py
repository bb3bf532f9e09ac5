"""What those who bring mail can rely on: reports, signed zones, REQUIRETLS (GP-DNST-003, 004, 009)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gatepost.checks.case import Case, Scope, check, failed, not_applicable, passed, unknown
from gatepost.checks.dialogue_seen import inside_tls, some
from gatepost.checks.domain_seen import (
    TAKES_NONE,
    declared,
    exchangers,
    first,
    fresh,
    not_seen,
    takes_mail,
    told,
)
from gatepost.checks.policy import freshest, silence
from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Answer, Security
from gatepost.model.domain import DmarcSeen, MxSeen, ReportsRead, SpfSeen, StsSeen, TlsFailureSeen, TlsRptSeen
from gatepost.model.finding import Verdict
from gatepost.model.observation import Unobserved, of
from gatepost.model.words import Reason, Severity

ABSENT = "no TLS-RPT record, see tls-reports-requested"
NO_REPORTS = "no TLS report was imported (gatepost reports import, --state)"
NOT_TRUSTED = "the resolver that was asked is not trusted to validate (--trust-resolver, or one on this machine)"
LOSES_MAIL = frozenset(
    {
        "certificate-expired",
        "certificate-host-mismatch",
        "certificate-not-trusted",
        "dnssec-invalid",
        "tlsa-invalid",
        "validation-failure",
    }
)
"""Failures after which a sender that keeps to the policy does not deliver (RFC 8460 section 4.3)."""

Signed = DmarcSeen | MxSeen | SpfSeen | StsSeen | TlsRptSeen


@check("GP-DNST-003", scope=Scope.DOMAIN)
def tls_reports_requested(case: Case) -> Verdict:
    """TLS reports are asked for, where they were declared to go."""
    rpt = told(TlsRptSeen, case)
    if rpt is None:
        return not_seen(case, "tls-rpt")
    meant = declared(case)
    wanted = [_uri(one) for one in meant.tls_reports] if meant else []
    if not rpt.records:
        if takes_mail(case) is False and not wanted:
            return not_applicable(TAKES_NONE, rpt)
        return failed("no TLS-RPT record: failed sessions are never heard of", rpt, remedy=_publish(case, wanted))
    lacking = [one for one in wanted if one.lower() not in {u.lower() for u in rpt.rua}]
    if lacking:
        return failed(f"declared and not in the record: {some(lacking)}", rpt, remedy=_publish(case, wanted))
    return passed(rpt)


def _uri(address: str) -> str:
    return address if address.lower().startswith(("https:", "mailto:")) else f"mailto:{address}"


def _publish(case: Case, wanted: Iterable[str]) -> str:
    where = ",".join(wanted) or f"mailto:tls-reports@{case.at.host}"
    return f'Publish at _smtp._tls.{case.at.host}: TXT "v=TLSRPTv1; rua={where}"'


@check("GP-DNST-003", scope=Scope.DOMAIN)
def tls_rpt_valid(case: Case) -> Verdict:
    """The TLS-RPT record can be read by senders."""
    rpt = told(TlsRptSeen, case)
    if rpt is None:
        return not_seen(case, "tls-rpt")
    if not rpt.records:
        return not_applicable(ABSENT, rpt)
    return failed(first(rpt.problems), rpt) if rpt.problems else passed(rpt)


@check("GP-DNST-003", scope=Scope.DOMAIN)
def tls_reports_read(case: Case) -> Verdict:
    """TLS reports arrive and are read."""
    read = _read(case)
    rpt = told(TlsRptSeen, case)
    if read:
        return freshest(read, case.now)
    if rpt is None:
        return not_seen(case, "tls-rpt")
    if not rpt.rua:
        return not_applicable("no report is asked for, see tls-reports-requested", rpt)
    return silence(case, NO_REPORTS)


def _read(case: Case) -> list[ReportsRead]:
    return [r for r in of(ReportsRead, case.seen, case.at) if r.kind == "tls"]


@check("GP-DNST-003", scope=Scope.DOMAIN)
def sessions_succeed(case: Case) -> Verdict:
    """Senders report no failed TLS session."""
    failures = of(TlsFailureSeen, case.seen, case.at)
    recent = sorted((f for f in failures if fresh(f.last, case.now)), key=lambda f: (-f.sessions, f.cause))
    if recent:
        worst = any(f.type in LOSES_MAIL and f.policy in {"sts", "tlsa"} for f in recent)
        because = first((f"{f.cause} ({_sessions(f.sessions)})" for f in recent), 1)
        return failed(because, *recent, severity=Severity.HIGH if worst else Severity.MEDIUM)
    read = _read(case)
    if any(fresh(r.last, case.now) for r in read):
        earlier = max((f.last for f in failures), default=None)
        return passed(*read, because=f"none since {earlier}" if earlier else "")
    if not read and told(TlsRptSeen, case) is None:
        return not_seen(case, "tls-rpt")
    return unknown("no recent TLS report to tell" if read else NO_REPORTS, *read)


def _sessions(count: int) -> str:
    return "1 session" if count == 1 else f"{count} sessions"


@check("GP-DNST-004", scope=Scope.DOMAIN)
def domain_signed(case: Case) -> Verdict:
    """MX and policy records of the domain are signed and valid."""
    if bogus := [*_bogus(case, case.at.host)]:
        return _spoilt(bogus)
    facts = _zone(case)
    if not facts:
        return not_seen(case, "mx", "spf", "dmarc", "mta-sts", "tls-rpt")
    if unsigned := [what for what, one in facts.items() if one.security is Security.INSECURE]:
        named = "the zone" if len(unsigned) == len(facts) else ", ".join(unsigned)
        because = f"not signed with DNSSEC, so answers can be forged and DANE does not apply: {named}"
        return failed(because, *(facts[what] for what in unsigned))
    if any(one.security is Security.UNKNOWN for one in facts.values()):
        return unknown(NOT_TRUSTED)
    return passed(*facts.values())


def _zone(case: Case) -> dict[str, Signed]:
    """What was seen of the domain's own names, by what it is."""
    kinds: dict[str, type[Signed]] = {
        "MX": MxSeen,
        "SPF": SpfSeen,
        "DMARC": DmarcSeen,
        "MTA-STS": StsSeen,
        "TLS-RPT": TlsRptSeen,
    }
    return {what: one for what, kind in kinds.items() if (one := told(kind, case)) is not None}


@check("GP-DNST-004", scope=Scope.DOMAIN)
def exchangers_signed(case: Case) -> Verdict:
    """The names of the exchangers are signed and valid."""
    mx = told(MxSeen, case)
    if mx is None:
        return not_seen(case, "mx")
    found = exchangers(mx)
    if not found:
        return not_applicable(TAKES_NONE, mx)
    if mx.security is Security.INSECURE:
        return not_applicable("the MX records themselves are not signed, see domain-signed", mx)
    others = dict.fromkeys(one.host for one in found if one.host != case.at.host)
    if bogus := [one for host in others for one in _bogus(case, host)]:
        return _spoilt(bogus)
    if spoilt := [one.host for one in found if one.security is Security.BOGUS]:
        return failed(f"bogus addresses: {some(spoilt)}", mx, severity=Severity.CRITICAL)
    if unsigned := [one.host for one in found if one.security is Security.INSECURE]:
        return failed(f"not signed with DNSSEC, so DANE does not apply: {some(unsigned)}", mx)
    if unsure := [one for one in found if one.security is Security.UNKNOWN]:
        trouble = next((f"{one.host}: {one.trouble[0]}" for one in unsure if one.trouble), NOT_TRUSTED)
        return unknown(trouble, mx)
    return passed(mx)


def _bogus(case: Case, host: str) -> Iterator[tuple[str, Unobserved | Answer]]:
    """Failed validations, each with the reason the resolver gave. To validating senders the name is down."""
    at = Endpoint(host)
    for one in of(Answer, case.seen, at):
        if one.security is Security.BOGUS or one.reason is Reason.BOGUS:
            yield one.why, one
    for lost in of(Unobserved, case.seen, at):
        if lost.reason is Reason.BOGUS:
            yield lost.detail, lost


def _spoilt(bogus: list[tuple[str, Unobserved | Answer]]) -> Verdict:
    """One cause, however many names show it. The first answer says most: later ones come from a cache."""
    why = max((said for said, _ in bogus), key=lambda said: "(EDE 6)" not in said)
    names = dict.fromkeys(one.at.host for _, one in bogus)
    because = f"DNSSEC validation fails for {some(names)}: {why}"
    evidence = (one for _, one in bogus)
    return failed(because, *evidence, severity=Severity.CRITICAL, remedy=_mending(why, next(iter(names))))


def _mending(why: str, name: str) -> str:
    """By the extended error (RFC 8914 section 4); the zone is signed already."""
    if "(EDE 7)" in why:
        return "Sign the zone again: its signer has stopped, or its clock is wrong."
    if "(EDE 9)" in why:
        return "Have the parent publish the DS record of the key that is in use, or none."
    return f"See where the chain breaks: delv {name} MX, or dig +cd {name} MX to read past it."


@check("GP-DNST-009")
def requiretls_offered(case: Case) -> Verdict:
    """A sender may insist on TLS to the end (REQUIRETLS)."""
    offers = inside_tls(case)
    if not offers:
        return case.missing("capabilities-tls", "tls", "starttls")
    if any(c.has("REQUIRETLS") for c in offers):
        return passed(*offers)
    return not_applicable("not offered, as on most servers: whether sensitive mail needs it, nobody can see", *offers)
