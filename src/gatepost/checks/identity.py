"""SPF of domains that send, and what domains that send nothing should say (GP-DNSID-001, GP-DNSID-002)."""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.checks.case import Case, Scope, check, failed, not_applicable, passed, unknown
from gatepost.checks.dialogue_seen import some
from gatepost.checks.domain_seen import PARKED, exchangers, first, not_seen, sends, told
from gatepost.model.domain import DkimKeySeen, DmarcSeen, MxSeen, SpfResult, SpfSeen, SpfTerm
from gatepost.model.finding import Verdict
from gatepost.model.observation import of
from gatepost.model.words import Severity
from gatepost.records.spf import Kind, Mechanism, Qualifier, parse
from gatepost.records.spf.evaluate import MOST_LOOKUPS, MOST_VOIDS
from gatepost.records.spf.lint import TOO_WIDE, WIDE

NO_RECORD = "no SPF record, see one-spf-record"
SENDS = "sends mail, see GP-DNSID-001 and GP-DNSID-007"
UNSETTLED = "it could not be told whether the domain sends mail"


@check("GP-DNSID-001", scope=Scope.DOMAIN)
def one_spf_record(case: Case) -> Verdict:
    """The domain has one SPF record."""
    spf = told(SpfSeen, case)
    if spf is None:
        return not_seen(case, "spf")
    if not spf.records:
        if sends(case) is False:
            return not_applicable(PARKED, spf)
        return failed(first(spf.problems) or "no SPF record", spf, remedy=_start(case))
    if len(spf.records) > 1:
        because = f"{len(spf.records)} SPF records: receivers use none (permerror)"
        return failed(because, spf, remedy=f"Join them into one TXT record at {case.at.host} and delete the others.")
    return passed(spf)


def _start(case: Case) -> str:
    return f'Publish at {case.at.host}: TXT "v=spf1 mx -all", with an ip4, ip6 or include term for every other sender.'


@check("GP-DNSID-001", scope=Scope.DOMAIN)
def spf_valid(case: Case) -> Verdict:
    """The SPF record can be evaluated."""
    spf = told(SpfSeen, case)
    if spf is None:
        return not_seen(case, "spf")
    if not spf.records:
        return not_applicable(NO_RECORD, spf)
    if len(spf.records) > 1 or _over(spf):
        return not_applicable("receivers stop before that, see the number of records and of look-ups", spf)
    if spf.result == "permerror":
        return failed(f"receivers answer permerror: {first(spf.problems)}", spf)
    if spf.result != "valid":
        return unknown(first(spf.advice) or "some of it could not be looked up", spf)
    return passed(spf)


def _over(spf: SpfSeen) -> bool:
    return spf.lookups > MOST_LOOKUPS or spf.voids > MOST_VOIDS


@check("GP-DNSID-001", scope=Scope.DOMAIN)
def spf_within_limits(case: Case) -> Verdict:
    """SPF needs no more DNS look-ups than receivers make."""
    spf = told(SpfSeen, case)
    if spf is None:
        return not_seen(case, "spf")
    if len(spf.records) != 1:
        return not_applicable(NO_RECORD if not spf.records else "several records, see one-spf-record", spf)
    if spf.lookups > MOST_LOOKUPS:
        broken = next((t for t in spf.terms if t.lookups > MOST_LOOKUPS), None)
        because = f"needs {spf.lookups} look-ups, {MOST_LOOKUPS} are allowed{_at(broken)}"
        return failed(because, spf)
    if spf.voids > MOST_VOIDS:
        broken = next((t for t in spf.terms if t.voids > MOST_VOIDS), None)
        return failed(f"{spf.voids} look-ups find nothing, {MOST_VOIDS} may{_at(broken)}", spf)
    if spf.result == "temperror":
        return unknown(first(spf.advice) or "some of it could not be looked up", spf)
    return passed(spf, because=f"{spf.lookups} of {MOST_LOOKUPS} look-ups")


def _at(term: SpfTerm | None) -> str:
    if term is None:
        return ""
    return f": receivers give up at {term.text}" + (f" of {term.domain}" if term.depth else "")


@check("GP-DNSID-001", scope=Scope.DOMAIN)
def spf_ends_in_refusal(case: Case) -> Verdict:
    """SPF ends in a refusal of everybody else."""
    spf = told(SpfSeen, case)
    if spf is None:
        return not_seen(case, "spf")
    if not spf.records:
        return not_applicable(NO_RECORD, spf)
    if spf.ending == "+all":
        return failed("+all: everybody may send as the domain", spf)
    if spf.result != "valid":
        return not_applicable("the record is not evaluated to its end, see spf-valid", spf)
    if spf.ending == "-all":
        return passed(spf)
    if spf.ending == "~all":
        return _softly(case, spf)
    because = "?all: says nothing about everybody else" if spf.ending else "says nothing about everybody else (neutral)"
    return failed(because, spf, severity=Severity.MEDIUM)


def _softly(case: Case, spf: SpfSeen) -> Verdict:
    """Under an enforced DMARC policy a softfail is refused all the same, and forwarded mail with a good DKIM
    signature is not lost before DMARC is asked. Without one, ~all refuses nothing.
    """
    dmarc = told(DmarcSeen, case)
    if dmarc is None:
        lost = not_seen(case, "dmarc")
        return unknown(f"~all is good enough under DMARC, which was not seen ({lost.because})", spf, *lost.evidence)
    if dmarc.policy in {"quarantine", "reject"}:
        return passed(spf, dmarc, because=f"~all, and DMARC says {dmarc.policy}")
    because = "~all without an enforced DMARC policy: mail of strangers is marked, not refused"
    return failed(because, spf, dmarc, severity=Severity.LOW)


@check("GP-DNSID-001", scope=Scope.DOMAIN)
def spf_admits_own_senders(case: Case) -> Verdict:
    """Every own sending address passes SPF."""
    spf = told(SpfSeen, case)
    if spf is None:
        return not_seen(case, "spf")
    if sends(case) is False:
        return not_applicable(PARKED, spf)
    results = of(SpfResult, case.seen, case.at)
    if not results:
        return unknown("no sending address is known: declare them (domains: senders)")
    if spf.result == "permerror" or len(spf.records) != 1:
        return not_applicable("SPF gives no result for anybody, see the other judges of GP-DNSID-001", spf)
    refused = [r for r in results if r.result not in {"pass", "temperror"}]
    if refused:
        return failed("; ".join(map(_answer, refused[:3])) + _more(refused[3:]), *refused, remedy=_admit(case, refused))
    if unsure := [r for r in results if r.result == "temperror"]:
        return unknown(f"{unsure[0].address}: {unsure[0].why or 'could not be looked up'}", *unsure)
    return passed(*results)


def _answer(one: SpfResult) -> str:
    return f"{one.address}: {one.result}" + (f" by {one.mechanism}" if one.mechanism else "")


def _more(rest: list[SpfResult]) -> str:
    return f"; and {len(rest)} more" if rest else ""


def _admit(case: Case, refused: list[SpfResult]) -> str:
    terms = " ".join(f"{'ip6' if ':' in r.address else 'ip4'}:{r.address}" for r in refused[:5])
    return f"Add to the SPF record of {case.at.host}, before its all: {terms}"


@check("GP-DNSID-001", scope=Scope.DOMAIN)
def spf_admits_no_strangers(case: Case) -> Verdict:
    """SPF admits no network wider than any sender has."""
    spf = told(SpfSeen, case)
    if spf is None:
        return not_seen(case, "spf")
    if len(spf.records) != 1:
        return not_applicable("no record to read, see one-spf-record", spf)
    for limits, severity in ((TOO_WIDE, Severity.HIGH), (WIDE, Severity.LOW)):
        wide = [t for t in spf.terms if _wider(t, limits, own=severity is Severity.LOW)]
        if wide:
            named = some(f"{t.text} of {t.domain}" if t.depth else t.text for t in wide)
            return failed(f"admits very wide networks: {named}", spf, severity=severity)
    return passed(spf)


def _wider(term: SpfTerm, limits: dict[int, int], *, own: bool) -> bool:
    """What big providers hold is wide too: only the domain's own terms are held against the lower bar."""
    if own and term.depth:
        return False
    return any(_prefix_below(one, limits, strict=own) for one in parse(f"v=spf1 {term.text}").mechanisms)


def _prefix_below(one: Mechanism, limits: dict[int, int], *, strict: bool) -> bool:
    if one.qualifier is not Qualifier.PASS or one.kind not in {Kind.A, Kind.IP4, Kind.IP6, Kind.MX}:
        return False
    prefixes = {one.block.version: one.block.network.prefixlen} if one.block else {4: one.prefix4, 6: one.prefix6}
    return any(prefix < limits[family] if strict else prefix <= limits[family] for family, prefix in prefixes.items())


@check("GP-DNSID-001", scope=Scope.DOMAIN)
def every_spf_term_counts(case: Case) -> Verdict:
    """No term of the SPF record is written in vain."""
    spf = told(SpfSeen, case)
    if spf is None:
        return not_seen(case, "spf")
    if spf.result != "valid":
        return not_applicable("the record is not evaluated to its end, see spf-valid", spf)
    if slips := [*dict.fromkeys(_slips(spf))]:
        return failed(first(slips), spf, severity=Severity.LOW)
    return passed(spf)


def _slips(spf: SpfSeen) -> Iterator[str]:
    """Problems of a record that works, without those that have judges of their own: width and ending."""
    for term in spf.terms:
        kinds = {one.kind for one in parse(f"v=spf1 {term.text}").mechanisms}
        if term.broken and Kind.ALL not in kinds and not _wider(term, TOO_WIDE, own=False):
            yield f"{term.text}{f' of {term.domain}' if term.depth else ''}: {term.note}"
    if spf.ending:
        yield from (said for said in spf.problems if not any(said.startswith(term.text) for term in spf.terms))


def _parked(case: Case) -> Verdict | None:
    """What keeps a judge of parked domains from judging; None where the domain sends nothing."""
    state = sends(case)
    if state:
        return not_applicable(SENDS)
    if state is False:
        return None
    lost = not_seen(case, "mx", "spf")
    return lost if not lost.evidence else unknown(f"{UNSETTLED} ({lost.because})", *lost.evidence)


@check("GP-DNSID-002", scope=Scope.DOMAIN)
def parked_spf_refuses_everybody(case: Case) -> Verdict:
    """A domain that sends no mail says so in SPF."""
    if other := _parked(case):
        return other
    spf = told(SpfSeen, case)
    if spf is None:
        return not_seen(case, "spf")
    publish = f'Publish at {case.at.host}, as its only SPF record: TXT "v=spf1 -all"'
    if not spf.records:
        return failed("sends no mail, and no SPF record says so", spf, remedy=publish)
    if spf.ending != "-all":
        return failed(f"sends no mail, and SPF ends in {spf.ending or 'nothing'}", spf, remedy=publish)
    admitted = [t.text for t in spf.terms if not t.depth and t.text.lower() != "-all"]
    if admitted:
        return failed(f"sends no mail, and SPF has more than -all: {some(admitted)}", spf, remedy=publish)
    return passed(spf)


@check("GP-DNSID-002", scope=Scope.DOMAIN)
def parked_dmarc_rejects(case: Case) -> Verdict:
    """DMARC of a domain that sends no mail says reject."""
    if other := _parked(case):
        return other
    dmarc = told(DmarcSeen, case)
    if dmarc is None:
        return not_seen(case, "dmarc")
    publish = f'Publish at _dmarc.{case.at.host}: TXT "v=DMARC1; p=reject"'
    if dmarc.record is None:
        return failed("sends no mail, and no DMARC record says so", dmarc, remedy=publish)
    if dmarc.policy != "reject":
        test = " (t=y)" if dmarc.record.testing else ""
        return failed(f"sends no mail, and DMARC says {dmarc.policy or 'none'}{test}", dmarc, remedy=publish)
    return passed(dmarc)


@check("GP-DNSID-002", scope=Scope.DOMAIN)
def parked_takes_no_mail(case: Case) -> Verdict:
    """A domain without mail and with an address has a null MX."""
    if other := _parked(case):
        return other
    mx = told(MxSeen, case)
    if mx is None:
        return not_seen(case, "mx")
    if mx.null:
        return passed(mx)
    if not exchangers(mx):
        return not_applicable("no address that mail could go to", mx)
    if mx.exchangers:
        return not_applicable("takes mail, though it sends none", mx)
    because = f"no MX: mail for it goes to {some(mx.own_addresses)}, where nobody waits for it"
    return failed(because, mx, severity=Severity.LOW, remedy=f"Publish at {case.at.host}: MX 0 .")


@check("GP-DNSID-002", scope=Scope.DOMAIN)
def parked_has_no_keys(case: Case) -> Verdict:
    """A domain that sends no mail has no DKIM key."""
    if other := _parked(case):
        return other
    keys = of(DkimKeySeen, case.seen, case.at)
    if alive := [k for k in keys if k.fingerprint and not k.revoked]:
        return failed(f"sends no mail, and mail could be signed with {some(k.selector for k in alive)}", *alive)
    lost = not_seen(case, "dkim")
    if lost.evidence:
        return lost
    spf = told(SpfSeen, case)
    return passed(*keys, spf, because="no key under a common selector") if spf else lost
