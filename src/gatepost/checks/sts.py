"""MTA-STS: published, enforced, and true of every exchanger (GP-DNST-001, GP-DNST-002)."""

from __future__ import annotations

from collections import defaultdict

from gatepost.certs.dane import Match
from gatepost.certs.names import covers
from gatepost.checks.case import Case, Scope, check, failed, not_applicable, passed, unknown
from gatepost.checks.certificates import served
from gatepost.checks.dane_seen import against
from gatepost.checks.dialogue_seen import some
from gatepost.checks.domain_seen import (
    OUR_LIMITS,
    TAKES_NONE,
    by_dane,
    declared,
    detail,
    exchangers,
    first,
    not_seen,
    pins,
    relay_port,
    remembered,
    takes_mail,
    told,
)
from gatepost.model.dns import Security
from gatepost.model.domain import Dated, MxSeen, StsSeen
from gatepost.model.finding import Verdict
from gatepost.model.observation import CertificateSeen
from gatepost.model.words import Severity
from gatepost.records.sts_policy import DAY, WEEK, pattern_covers

ABSENT = "no MTA-STS, see sts-published"
NOT_FETCHED = "no policy to look at, see sts-policy-fetched"
BINDING = frozenset({"enforce", "testing"})


@check("GP-DNST-001", scope=Scope.DOMAIN)
def sts_published(case: Case) -> Verdict:
    """The domain has MTA-STS."""
    sts = told(StsSeen, case)
    if sts is None:
        return not_seen(case, "mta-sts")
    if sts.records:
        return passed(sts)
    meant = declared(case)
    wanted = meant.mta_sts if meant else None
    if wanted in BINDING:
        return failed(f"declared as {wanted}, and not published", sts, remedy=_start(case))
    if takes_mail(case) is False or wanted == "none":
        return not_applicable("declared without MTA-STS" if wanted == "none" else TAKES_NONE, sts)
    return _without(case, sts)


def _without(case: Case, sts: StsSeen) -> Verdict:
    """DANE stops the same attack, for senders that validate it. Some large ones know MTA-STS only, so it still
    counts, but little.
    """
    mx = told(MxSeen, case)
    protected = by_dane(case, [one.host for one in exchangers(mx)]) if mx else None
    if protected:
        because = "no MTA-STS: senders that do not validate DANE can be led astray"
        return failed(because, sts, severity=Severity.LOW, remedy=_start(case))
    if protected is None:
        because = "no MTA-STS, and whether DANE protects the domain was not seen"
        return failed(because, sts, severity=Severity.MEDIUM, remedy=_start(case))
    because = "neither MTA-STS nor DANE: whoever is on the path can turn encryption off"
    return failed(because, sts, severity=Severity.MEDIUM, remedy=_start(case))


def _start(case: Case) -> str:
    name = case.at.host
    mx = told(MxSeen, case)
    lines = "\n".join(f"mx: {one.host}" for one in exchangers(mx)) if mx else "mx: (each exchanger)"
    return (
        f"Serve at https://mta-sts.{name}/.well-known/mta-sts.txt:\n"
        f"version: STSv1\nmode: testing\n{lines}\nmax_age: 604800\n"
        f'Then publish at _mta-sts.{name}: TXT "v=STSv1; id={case.now:%Y%m%d}01"; '
        "after weeks of clean TLS reports set mode: enforce and a new id."
    )


@check("GP-DNST-001", scope=Scope.DOMAIN)
def sts_valid(case: Case) -> Verdict:
    """Record and policy of MTA-STS can be read by senders."""
    sts = told(StsSeen, case)
    if sts is None:
        return not_seen(case, "mta-sts")
    if not sts.records:
        return not_applicable(ABSENT, sts)
    if sts.problems:
        return failed(first(sts.problems), sts)
    return passed(sts)


@check("GP-DNST-001", scope=Scope.DOMAIN)
def sts_policy_fetched(case: Case) -> Verdict:
    """The MTA-STS policy can be fetched, with a certificate that senders trust."""
    sts = told(StsSeen, case)
    if sts is None:
        return not_seen(case, "mta-sts")
    if sts.fetched:
        return passed(sts)
    if not sts.records or sts.fetched is None:
        return not_applicable(ABSENT, sts)
    why = sts.why or "no policy came"
    if _ours(sts):
        return unknown(why, sts)
    return failed(f"senders get no policy: {why}", sts)


def _no_policy(sts: StsSeen) -> Verdict:
    if not sts.records:
        return not_applicable(ABSENT, sts)
    return unknown(sts.why, sts) if _ours(sts) else not_applicable(NOT_FETCHED, sts)


def _ours(sts: StsSeen) -> bool:
    return sts.reason in OUR_LIMITS


@check("GP-DNST-001", scope=Scope.DOMAIN)
def sts_enforced(case: Case) -> Verdict:
    """The MTA-STS policy is enforced, or as declared."""
    sts = told(StsSeen, case)
    if sts is None:
        return not_seen(case, "mta-sts")
    if not sts.fetched or not sts.mode:
        return _no_policy(sts)
    meant = declared(case)
    wanted = meant.mta_sts if meant else None
    if sts.mode == "enforce":
        if wanted in {None, "enforce"}:
            return passed(sts)
        return failed(f"declared as {wanted}, published as enforce", sts, severity=Severity.LOW)
    if sts.mode == "none":
        return passed(sts, because="withdrawn, as declared") if wanted == "none" else failed(
            "mode none: senders go on as if there were no policy", sts
        )  # fmt: skip
    if wanted == "testing":
        return failed("mode testing, as declared: senders only report", sts, severity=Severity.LOW)
    because = "mode testing: senders only report, and deliver to anybody"
    return failed(because if wanted is None else f"declared as {wanted}; {because}", sts, severity=Severity.MEDIUM)


@check("GP-DNST-001", scope=Scope.DOMAIN)
def sts_kept_long_enough(case: Case) -> Verdict:
    """Senders keep the enforced policy for a week or longer.

    Short is right while testing or leaving (RFC 8461 section 8.3).
    """
    sts = told(StsSeen, case)
    if sts is None:
        return not_seen(case, "mta-sts")
    if not sts.fetched:
        return _no_policy(sts)
    if sts.mode != "enforce":
        return not_applicable("no enforced policy", sts)
    if sts.max_age < WEEK:
        because = f"max_age {sts.max_age}: forgotten once the policy cannot be fetched for {_days(sts.max_age)}"
        return failed(because, sts, severity=Severity.LOW)
    return passed(sts)


def _days(seconds: int) -> str:
    days = seconds / DAY
    return "a day" if days == 1 else f"{days:.2g} days"


@check("GP-DNST-001", scope=Scope.DOMAIN)
def sts_change_bumps_id(case: Case) -> Verdict:
    """A changed policy has a new id: without one nobody fetches it."""
    sts = told(StsSeen, case)
    if sts is None:
        return not_seen(case, "mta-sts")
    if not sts.fetched or not sts.id:
        return _no_policy(sts)
    dates = remembered(case, "mta-sts-policy")
    if not dates:
        return unknown("earlier policies are known only to a state directory (--state)", sts)
    told_under: dict[str, set[str]] = defaultdict(set)
    for one in dates:
        told_under[str(detail(one).get("id", ""))].add(_said(one))
    if len(told_under[sts.id]) > 1:
        changed = max((one for one in dates if detail(one).get("id") == sts.id), key=lambda one: one.first_seen)
        because = f"the policy changed by {changed.first_seen:%Y-%m-%d}, the id stayed {sts.id}"
        return failed(because, sts, changed, severity=Severity.MEDIUM)
    if len({_said(one) for one in dates}) > 1:
        return passed(sts, *dates)
    return not_applicable(f"no change was seen since {min(one.first_seen for one in dates):%Y-%m-%d}", sts)


def _said(one: Dated) -> str:
    """What the policy asks of senders; white space in it is no change."""
    found = detail(one)
    return repr([found.get(key) for key in ("mode", "mx", "max_age")])


@check("GP-DNST-002", scope=Scope.DOMAIN)
def sts_covers_every_mx(case: Case) -> Verdict:
    """Every exchanger is in the MTA-STS policy."""
    seen = _policy_and_mx(case)
    if isinstance(seen, Verdict):
        return seen
    sts, mx = seen
    left_out = [one.host for one in exchangers(mx) if not any(pattern_covers(p, one.host) for p in sts.mx)]
    if left_out:
        enforced = sts.mode == "enforce"
        because = f"not in the policy{', so senders refuse it' if enforced else ''}: {some(left_out)}"
        return failed(because, sts, mx, severity=None if enforced else Severity.MEDIUM, remedy=_add(left_out))
    return passed(sts, mx)


def _add(hosts: list[str]) -> str:
    lines = "\n".join(f"mx: {host}" for host in dict.fromkeys(hosts))
    return f"Add to the policy, then publish a new id:\n{lines}"


@check("GP-DNST-002", scope=Scope.DOMAIN)
def sts_patterns_in_use(case: Case) -> Verdict:
    """Every pattern of the MTA-STS policy stands for an exchanger."""
    seen = _policy_and_mx(case)
    if isinstance(seen, Verdict):
        return seen
    sts, mx = seen
    idle = [p for p in sts.mx if not any(pattern_covers(p, one.host) for one in exchangers(mx))]
    if idle:
        return failed(f"stands for no exchanger (left behind?): {some(idle)}", sts, mx, severity=Severity.LOW)
    return passed(sts, mx)


@check("GP-DNST-002", scope=Scope.DOMAIN)
def sts_certificates_accepted(case: Case) -> Verdict:
    """Every exchanger shows a certificate that MTA-STS senders accept."""
    seen = _policy_and_mx(case)
    if isinstance(seen, Verdict):
        return seen
    sts, mx = seen
    faults: list[tuple[str, CertificateSeen]] = []
    fine: list[CertificateSeen] = []
    blind: list[str] = []
    for host in dict.fromkeys(one.host for one in exchangers(mx)):
        shown = _shown(case, host)
        blind += [] if shown else [host]
        for one in shown:
            objection = _objection(case, one)
            faults += [(f"{one.at}: {objection}", one)] if objection else []
            fine += [] if objection else [one]
    if faults:
        severity = None if sts.mode == "enforce" else Severity.MEDIUM
        return failed(first(said for said, _ in faults), *(one for _, one in faults), severity=severity)
    if blind:
        return unknown(f"no certificate seen at {some(f'{host}:{relay_port(case, host)}' for host in blind)}", sts)
    return passed(*fine, sts)


def _shown(case: Case, host: str) -> list[CertificateSeen]:
    ats = [at for at in case.listening.get(host, ()) if at.port == relay_port(case, host)]
    return [one for at in ats for one in served(case.seen, at)]


def _objection(case: Case, shown: CertificateSeen) -> str:
    """RFC 8461 section 4.2: a chain to a public root, for the name in the MX record, not expired."""
    leaf = shown.chain[0]
    if case.now >= leaf.not_after:
        return f"expired on {leaf.not_after:%Y-%m-%d}"
    if not shown.trust.valid:
        return f"not trusted: {shown.trust.why}"
    if not covers(leaf, shown.at.host):
        return f"does not cover {shown.at.host}"
    return ""


@check("GP-DNST-002", scope=Scope.DOMAIN)
def sts_agrees_with_dane(case: Case) -> Verdict:
    """What satisfies MTA-STS satisfies DANE, and the other way round."""
    seen = _policy_and_mx(case)
    if isinstance(seen, Verdict):
        return seen
    sts, mx = seen
    compared: list[CertificateSeen] = []
    for host in dict.fromkeys(one.host for one in exchangers(mx)):
        records = pins(case, host, relay_port(case, host))
        if records is None or not records.records or records.security is not Security.SECURE:
            continue
        for shown in _shown(case, host):
            compared.append(shown)
            if disagreement := _disagreement(_objection(case, shown), against(case, records, shown)):
                return failed(f"{shown.at}: {disagreement}", shown, records, sts)
    if compared:
        return passed(*compared, sts)
    return _dane_unseen(case, mx, sts)


def _disagreement(objection: str, match: Match) -> str:
    """Where both refuse it, each has a judge of its own."""
    if match.agrees is False and not objection:
        return "MTA-STS accepts its certificate, DANE refuses it"
    return f"DANE accepts its certificate, MTA-STS does not: {objection}" if match.agrees and objection else ""


def _dane_unseen(case: Case, mx: MxSeen, sts: StsSeen) -> Verdict:
    state = by_dane(case, [one.host for one in exchangers(mx)])
    if state is False:
        return not_applicable("no signed TLSA records", sts)
    return unknown("TLSA records or the certificates they are about were not seen", sts)


def _policy_and_mx(case: Case) -> tuple[StsSeen, MxSeen] | Verdict:
    """Both, or why there is nothing to hold against each other."""
    sts, mx = told(StsSeen, case), told(MxSeen, case)
    if sts is None:
        return not_seen(case, "mta-sts")
    if not sts.records:
        return not_applicable(ABSENT, sts)
    if not sts.fetched:
        return _no_policy(sts)
    if sts.mode not in BINDING:
        return not_applicable(f"mode {sts.mode or 'missing'}: the policy binds nobody", sts)
    if mx is None:
        return not_seen(case, "mx")
    if not exchangers(mx):
        return not_applicable(TAKES_NONE, mx)
    return sts, mx
