"""DMARC: a policy that is valid, enforced and watched (GP-DNSID-006 to 008)."""

from __future__ import annotations

from datetime import datetime

from gatepost.checks.case import Case, Scope, check, failed, not_applicable, passed, unknown
from gatepost.checks.dialogue_seen import some
from gatepost.checks.domain_seen import (
    FRESH,
    PARKED,
    declared,
    first,
    fresh,
    not_seen,
    sends,
    told,
    watched_since,
)
from gatepost.model.domain import DmarcRecord, DmarcSeen, ReportsRead, ReportTarget, SourceSeen, SpfResult
from gatepost.model.finding import Verdict
from gatepost.model.observation import of
from gatepost.model.words import Severity

STRENGTH = ("none", "quarantine", "reject")
ENFORCED = frozenset({"quarantine", "reject"})
NO_RECORD = "no DMARC record, see dmarc-published"
NO_POLICY = "the domain itself is not protected, see dmarc-enforced"
VOLUME, SHARE = 10, 0.01  # of a domain's messages: less from one source is noise
NO_REPORTS = "no DMARC report was imported (gatepost reports import, --state)"


@check("GP-DNSID-006", scope=Scope.DOMAIN)
def dmarc_published(case: Case) -> Verdict:
    """A DMARC policy holds for the domain."""
    dmarc = told(DmarcSeen, case)
    if dmarc is None:
        return not_seen(case, "dmarc")
    if dmarc.record is not None:
        where = dmarc.record.domain
        return passed(dmarc, because="" if where == case.at.host else f"from _dmarc.{where}")
    if dmarc.problems:
        return failed(f"no policy holds: {first(dmarc.problems)}", dmarc)
    if sends(case) is False:
        return not_applicable(PARKED, dmarc)
    because = f"no DMARC record at _dmarc.{case.at.host} or above it"
    return failed(because, dmarc, remedy=_start(case))


def _start(case: Case) -> str:
    name = case.at.host
    return (
        f'Publish at _dmarc.{name}: TXT "v=DMARC1; p=none; rua=mailto:dmarc@{name}"; read the reports for some weeks, '
        "mend what is not aligned, then raise p to quarantine or reject."
    )


@check("GP-DNSID-006", scope=Scope.DOMAIN)
def dmarc_valid(case: Case) -> Verdict:
    """The DMARC record says what it means (RFC 9989)."""
    dmarc = told(DmarcSeen, case)
    if dmarc is None:
        return not_seen(case, "dmarc")
    if dmarc.record is None:
        return not_applicable(NO_RECORD, dmarc)
    if problems := (*dmarc.record.problems, *dmarc.problems):
        return failed(first(problems), dmarc, severity=Severity.MEDIUM if dmarc.policy else None)
    return passed(dmarc)


@check("GP-DNSID-006", scope=Scope.DOMAIN)
def dmarc_without_obsolete_tags(case: Case) -> Verdict:
    """The DMARC record has no tag that RFC 9989 took away."""
    dmarc = told(DmarcSeen, case)
    if dmarc is None:
        return not_seen(case, "dmarc")
    if dmarc.record is None:
        return not_applicable(NO_RECORD, dmarc)
    if obsolete := dmarc.record.obsolete:
        because = f"no longer part of DMARC, receivers may skip it: {some(obsolete)}"
        return failed(because, dmarc, severity=Severity.INFO)
    return passed(dmarc)


@check("GP-DNSID-006", scope=Scope.DOMAIN)
def dmarc_reports_requested(case: Case) -> Verdict:
    """DMARC reports are asked for, where they were declared to go."""
    dmarc = told(DmarcSeen, case)
    if dmarc is None:
        return not_seen(case, "dmarc")
    if dmarc.record is None:
        return not_applicable(NO_RECORD, dmarc)
    meant = declared(case)
    wanted = meant.dmarc_reports if meant else ()
    if not dmarc.record.rua:
        if sends(case) is False and not wanted:
            return not_applicable(PARKED, dmarc)
        where = ",".join(f"mailto:{one}" for one in wanted) or f"mailto:dmarc@{case.at.host}"
        because = "no report address (rua=): nobody tells who sends as the domain"
        return failed(because, dmarc, severity=Severity.MEDIUM, remedy=f"Add to the record: rua={where}")
    if lacking := [one for one in wanted if f"mailto:{one}".lower() not in map(_plain, dmarc.record.rua)]:
        because = f"declared and not in the record: {some(lacking)}"
        return failed(because, dmarc, severity=Severity.MEDIUM)
    return passed(dmarc)


def _plain(uri: str) -> str:
    """Without the size limit of RFC 7489 (`!10m`)."""
    return uri.partition("!")[0].lower()


@check("GP-DNSID-006", scope=Scope.DOMAIN)
def report_targets_agree(case: Case) -> Verdict:
    """Report addresses in other domains have agreed to get them."""
    dmarc = told(DmarcSeen, case)
    if dmarc is None:
        return not_seen(case, "dmarc")
    targets = [t for t in of(ReportTarget, case.seen, case.at) if t.kind == "dmarc"]
    if refusing := [t for t in targets if t.authorised is False]:
        one = refusing[0]
        because = f"gets no reports: {some(t.uri for t in refusing)}" + (f" ({one.why})" if one.why else "")
        return failed(because, *refusing, severity=Severity.MEDIUM)
    if unsure := [t for t in targets if t.authorised is None]:
        return unknown(f"{unsure[0].uri}: {unsure[0].why or 'could not be asked'}", *unsure)
    if not targets:
        return not_applicable("no report goes to another domain", dmarc)
    return passed(*targets)


@check("GP-DNSID-006", scope=Scope.DOMAIN)
def walk_and_list_agree(case: Case) -> Verdict:
    """Old and new receivers take the same organisational domain.

    It matters for relaxed alignment only: siblings and parents are aligned for one half of the receivers.
    """
    dmarc = told(DmarcSeen, case)
    if dmarc is None:
        return not_seen(case, "dmarc")
    if dmarc.record is None:
        return not_applicable(NO_RECORD, dmarc)
    if not dmarc.organizational or not dmarc.by_suffix_list:
        return unknown("the organisational domain could not be told", dmarc)
    if dmarc.organizational == dmarc.by_suffix_list:
        return passed(dmarc)
    if "r" not in {dmarc.record.adkim, dmarc.record.aspf}:
        return passed(dmarc, because="they differ, and alignment is strict")
    because = (
        f"{dmarc.organizational} by tree walk (RFC 9989), {dmarc.by_suffix_list} by the suffix list of "
        f"{dmarc.list_date or 'unknown date'}: what is aligned differs between receivers"
    )
    severity = Severity.MEDIUM if dmarc.policy in ENFORCED else Severity.LOW
    remedy = f"Publish a DMARC record at _dmarc.{dmarc.by_suffix_list} (psd=n makes it the organisational domain)."
    return failed(because, dmarc, severity=severity, remedy=remedy)


@check("GP-DNSID-007", scope=Scope.DOMAIN)
def dmarc_enforced(case: Case) -> Verdict:
    """DMARC asks receivers to refuse or set aside forged mail, as hard as declared."""
    dmarc = told(DmarcSeen, case)
    if dmarc is None:
        return not_seen(case, "dmarc")
    if dmarc.record is None or sends(case) is False:
        return not_applicable(NO_RECORD if dmarc.record is None else PARKED, dmarc)
    meant = declared(case)
    wanted = meant.dmarc if meant else None
    policy = _written(dmarc, dmarc.record)
    if wanted and _weaker(policy, wanted):
        severity = None if policy == "none" else Severity.MEDIUM
        remedy = f"Set p={wanted} at _dmarc.{dmarc.record.domain}."
        return failed(f"declared as {wanted}, published as {policy}", dmarc, severity=severity, remedy=remedy)
    if policy == "none" and wanted == "none":
        return failed("p=none, as declared: forged mail is only counted", dmarc, severity=Severity.MEDIUM)
    if policy not in ENFORCED:
        return failed("p=none: forged mail is only counted", dmarc)
    return passed(dmarc, because="" if policy == "reject" else "quarantine")


def _written(dmarc: DmarcSeen, record: DmarcRecord) -> str:
    """The policy without the step that t=y takes off: that has a judge of its own."""
    if not record.testing:
        return dmarc.policy or "none"
    return (record.p if record.domain == dmarc.at.host else record.sp or record.p) or "none"


def _weaker(policy: str, wanted: str) -> bool:
    return STRENGTH.index(policy) < STRENGTH.index(wanted) if {policy, wanted} <= {*STRENGTH} else False


@check("GP-DNSID-007", scope=Scope.DOMAIN)
def subdomains_enforced(case: Case) -> Verdict:
    """Subdomains are protected like the domain."""
    return _below(case, "subdomains", "sp", "existing subdomains")


@check("GP-DNSID-007", scope=Scope.DOMAIN)
def invented_names_enforced(case: Case) -> Verdict:
    """Names that do not exist are protected like the domain."""
    return _below(case, "nonexistent", "np", "invented subdomains")


def _below(case: Case, field: str, tag: str, who: str) -> Verdict:
    dmarc = told(DmarcSeen, case)
    if dmarc is None:
        return not_seen(case, "dmarc")
    if dmarc.record is None or dmarc.policy not in ENFORCED:
        return not_applicable(NO_RECORD if dmarc.record is None else NO_POLICY, dmarc)
    policy: str = getattr(dmarc, field) or dmarc.policy
    if policy in ENFORCED:
        return passed(dmarc, because=policy)
    because = f"{policy} for {who}: a forger takes one of them"
    return failed(because, dmarc, severity=Severity.MEDIUM, remedy=f"Set {tag}=reject at _dmarc.{dmarc.record.domain}.")


@check("GP-DNSID-007", scope=Scope.DOMAIN)
def dmarc_out_of_test(case: Case) -> Verdict:
    """The DMARC policy is not in test mode."""
    dmarc = told(DmarcSeen, case)
    if dmarc is None:
        return not_seen(case, "dmarc")
    if dmarc.record is None:
        return not_applicable(NO_RECORD, dmarc)
    if dmarc.record.testing:
        written, left = _written(dmarc, dmarc.record), dmarc.policy or "none"
        because = f"t=y: of {written} receivers apply {left} (RFC 9989 section 4.7)"
        lost = written in ENFORCED and left not in ENFORCED
        return failed(because, dmarc, severity=None if lost else Severity.MEDIUM)
    return passed(dmarc)


@check("GP-DNSID-008", scope=Scope.DOMAIN)
def dmarc_reports_read(case: Case) -> Verdict:
    """DMARC reports arrive and are read."""
    read = [r for r in of(ReportsRead, case.seen, case.at) if r.kind == "dmarc"]
    dmarc = told(DmarcSeen, case)
    if dmarc and not read and (dmarc.record is None or not dmarc.record.rua):
        return not_applicable("no report is asked for, see GP-DNSID-006", dmarc)
    if not read:
        return silence(case, NO_REPORTS) if dmarc else not_seen(case, "dmarc")
    return freshest(read, case.now)


def freshest(read: list[ReportsRead], now: datetime) -> Verdict:
    last = max(read, key=lambda one: one.last)
    if fresh(last.last, now):
        return passed(*read, because=f"{sum(r.reports for r in read)} reports, the last of {last.last}")
    return failed(f"the last report is of {last.last}, more than {FRESH.days} days ago", *read)


def silence(case: Case, because: str) -> Verdict:
    """No report at all is only telling where they could have been imported for some time."""
    start = watched_since(case)
    if start is None or case.now - start < FRESH:
        return unknown(because)
    return failed(f"{because}, though state is kept since {start:%Y-%m-%d}", severity=Severity.LOW)


@check("GP-DNSID-008", scope=Scope.DOMAIN)
def sources_aligned(case: Case) -> Verdict:
    """Every source that sends real volume as the domain is aligned."""
    sources = of(SourceSeen, case.seen, case.at)
    if not sources:
        if any(r.kind == "dmarc" for r in of(ReportsRead, case.seen, case.at)):
            return unknown("the reports name no source")
        return unknown(NO_REPORTS) if told(DmarcSeen, case) else not_seen(case, "dmarc")
    bar = max(VOLUME, SHARE * sum(s.messages for s in sources))
    loud = [s for s in sources if s.messages - s.aligned >= bar]
    if not loud:
        return passed(*sorted(sources, key=lambda s: -s.messages)[:10], because=f"{len(sources)} sources")
    loud.sort(key=lambda s: (s.aligned - s.messages, s.source))
    own = {r.address for r in of(SpfResult, case.seen, case.at)}
    ours = any(s.source in own or s.aligned for s in loud)
    said = ", ".join(f"{s.source} ({s.messages - s.aligned} of {s.messages} messages)" for s in loud[:3])
    more = f" and {len(loud) - 3} more" if len(loud) > 3 else ""
    return failed(f"not aligned: {said}{more}", *loud[:10], severity=_weight(case, own=ours))


def _weight(case: Case, *, own: bool) -> Severity:
    """A broken stream of one's own loses mail under an enforced policy; a stranger's is what the policy is for."""
    dmarc = told(DmarcSeen, case)
    enforced = dmarc is not None and dmarc.policy in ENFORCED
    if own:
        return Severity.HIGH if enforced else Severity.MEDIUM
    return Severity.LOW if enforced else Severity.MEDIUM
