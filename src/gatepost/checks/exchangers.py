"""Exchangers and senders under names that lead where they say (GP-DNSID-010), and as declared (GP-PORT-001)."""

from __future__ import annotations

from collections.abc import Iterable

from gatepost.checks.case import Case, Scope, check, failed, not_applicable, passed, unknown
from gatepost.checks.dialogue_seen import some
from gatepost.checks.domain_seen import (
    NOT_DECLARED,
    STRANGERS,
    TAKES_NONE,
    declared,
    exchangers,
    first,
    not_seen,
    sends,
    strangers,
    takes_mail,
    told,
)
from gatepost.model.architecture import Endpoint
from gatepost.model.domain import MxSeen, ReverseSeen
from gatepost.model.finding import Verdict
from gatepost.model.observation import Greeting, of
from gatepost.model.words import Role, Severity


@check("GP-DNSID-010", scope=Scope.HOST, roles=(Role.HOST,))
def sending_address_has_its_name(case: Case) -> Verdict:
    """Every address mail leaves from has a name that leads back to it."""
    sender = _sender(case)
    if strangers(case):
        return not_applicable(STRANGERS)
    if sender is None and not _relays(case):
        return not_applicable("no mail leaves from here, as far as is known")
    if sender is False:
        return not_applicable("declared domains send from elsewhere (domains: senders)")
    addresses = sorted({at.address for at in case.services if at.address} or _asked(case))
    verdict = _named(case, addresses)
    if sender is None and verdict.severity is None and verdict.because and verdict.outcome == "fail":
        return failed(f"{verdict.because}; it matters if mail leaves from here", *verdict.evidence,
                      severity=Severity.LOW)  # fmt: skip
    return verdict


def _relays(case: Case) -> bool:
    return bool(case.serves) or any(case.services[at].role is Role.MX for at in case.endpoints if at in case.services)


def _sender(case: Case) -> bool | None:
    """Whether mail leaves from this host, by the declaration. None: it does not say."""
    near = [d for d in case.architecture.domains if d.sends and (case.at.host in d.mx or d.senders)]
    own = {case.at.host, *(case.host.addresses if case.host else ())}
    if any(own & set(d.senders) for d in near):
        return True
    serving = [d for d in near if case.at.host in d.mx]
    if any(not d.senders for d in serving):
        return True
    return False if serving else None


def _asked(case: Case) -> set[str]:
    return {one.address for one in of(ReverseSeen, case.seen, case.at)}


def _named(case: Case, addresses: Iterable[str]) -> Verdict:
    seen = {one.address: one for one in of(ReverseSeen, case.seen, case.at)}
    nameless = [one for address in addresses if (one := seen.get(address)) and not one.confirmed]
    if nameless:
        return failed(first(map(_complaint, nameless), 3), *nameless, remedy=_remedy(nameless))
    for address in addresses:
        if address not in seen:
            return not_seen(case, f"ptr:{address}", "ptr")
    return passed(*seen.values()) if seen else not_seen(case, "ptr")


def _complaint(one: ReverseSeen) -> str:
    if not one.names:
        return f"{one.address} has no reverse name"
    return f"{one.address} is called {some(one.names)}, which does not lead back ({one.why})"


def _remedy(nameless: list[ReverseSeen]) -> str:
    one = nameless[0]
    name = one.names[0] if one.names else one.at.host
    kind = "AAAA" if ":" in one.address else "A"
    return f"Have the owner of the network set PTR of {one.address} to {name}, and publish {name} {kind} {one.address}."


@check("GP-DNSID-010", scope=Scope.DOMAIN, roles=(Role.DOMAIN,))
def declared_senders_have_names(case: Case) -> Verdict:
    """Declared sending addresses outside the own hosts have names that lead back."""
    if declared(case) is None:
        return not_applicable("no sending address outside the own hosts is declared")
    own = {address for host in case.architecture.hosts for address in host.addresses}
    found = [one for one in of(ReverseSeen, case.seen, case.at) if one.address not in own]
    lost = not_seen(case, "ptr")
    if found:
        verdict = _named(case, [one.address for one in found])
        return lost if lost.evidence and verdict.outcome == "pass" else verdict
    if lost.evidence:
        return lost
    if told(MxSeen, case) is None:
        return not_seen(case, "mx")
    return not_applicable("no sending address outside the own hosts is declared")


@check("GP-DNSID-010", roles=(Role.MX,))
def greets_with_its_name(case: Case) -> Verdict:
    """Port 25 greets with a name of its address."""
    greetings = [g for g in of(Greeting, case.seen, case.at) if g.host]
    if not greetings:
        return case.missing("greeting")
    name = greetings[0].host.lower().rstrip(".")
    if "." not in name.strip("[]") or name.endswith((".local", ".localdomain", ".internal")):
        because = f"greets as {name}, which is no name on the internet"
        return failed(because, greetings[0], severity=Severity.LOW)
    reverse = next(
        (r for r in of(ReverseSeen, case.seen, Endpoint(case.at.host)) if r.address == case.at.address), None
    )
    if name == case.at.host or (reverse and name in reverse.confirmed):
        return passed(greetings[0], *([reverse] if reverse else []))
    if reverse is None:
        return not_seen(case, f"ptr:{case.at.address}", "ptr", name=case.at.host)
    because = f"greets as {name}; its address is called {some(reverse.names) or 'nothing'}"
    return failed(because, greetings[0], reverse, severity=Severity.LOW)


@check("GP-DNSID-010", scope=Scope.DOMAIN, roles=(Role.DOMAIN,))
def exchangers_can_be_reached(case: Case) -> Verdict:
    """Every exchanger is a name with addresses the internet can reach."""
    mx = told(MxSeen, case)
    if mx is None:
        return not_seen(case, "mx")
    if mx.null and not mx.problems:
        return not_applicable(TAKES_NONE, mx)
    inner = [said for said in mx.problems if _answers_here(case, mx, said)]
    if problems := [said for said in mx.problems if said not in inner]:
        dead = bool(mx.exchangers) and not any(one.addresses or one.trouble for one in mx.exchangers)
        return failed(first(problems), mx, severity=Severity.HIGH if dead else Severity.MEDIUM)
    if inner:
        return unknown(f"vantage: {inner[0]}; it answers here, so ask a resolver outside too (--resolver)", mx)
    if unsure := [one for one in mx.exchangers if one.trouble and not one.addresses]:
        return unknown(f"{unsure[0].host}: {unsure[0].trouble[0]}", mx)
    return passed(mx) if exchangers(mx) else not_applicable(TAKES_NONE, mx)


def _answers_here(case: Case, mx: MxSeen, problem: str) -> bool:
    """About an address of the inner network that was reached: inside, names often lead elsewhere than outside."""
    reached = {at.address for one in exchangers(mx) for at in case.listening.get(one.host, ())}
    return any(f"address {address}:" in problem or f"address {address} is" in problem for address in reached)


@check("GP-DNSID-010", scope=Scope.DOMAIN, roles=(Role.DOMAIN,))
def exchangers_have_both_families(case: Case) -> Verdict:
    """Mail can come in over IPv4 and over IPv6."""
    mx = told(MxSeen, case)
    if mx is None:
        return not_seen(case, "mx")
    found = exchangers(mx)
    if not found or takes_mail(case) is False:
        return not_applicable(TAKES_NONE, mx)
    families = {6 if ":" in address else 4 for one in found for address in one.addresses}
    if families == {4, 6}:
        return passed(mx)
    if any(one.trouble for one in found):
        return unknown(next(f"{one.host}: {one.trouble[0]}" for one in found if one.trouble), mx)
    if not families:
        return not_applicable("no exchanger has an address, see exchangers-can-be-reached", mx)
    if all(_answers_here(case, mx, said) for said in mx.problems) and mx.problems:
        return unknown("vantage: only inner addresses are told here; ask a resolver outside too (--resolver)", mx)
    absent = 6 if families == {4} else 4
    severity = Severity.INFO if absent == 6 else Severity.LOW
    return failed(f"no exchanger has an IPv{absent} address", mx, severity=severity)


@check("GP-PORT-001", scope=Scope.DOMAIN, roles=(Role.DOMAIN,))
def mx_as_declared(case: Case) -> Verdict:
    """The published exchangers are the declared ones, in their order."""
    mx, meant = told(MxSeen, case), declared(case)
    if mx is None:
        return not_seen(case, "mx")
    if meant is None:
        return unknown(NOT_DECLARED)
    published = [one.host for one in sorted(exchangers(mx), key=lambda one: one.preference)]
    strange, lacking = set(published) - set(meant.mx), set(meant.mx) - set(published)
    if strange and not (meant.mx or meant.sends):
        return failed(f"declared without exchangers, published: {some(strange)}", mx, remedy=_null(case))
    if strange:
        both = f"; not published: {some(lacking)}" if lacking else ""
        return failed(f"mail also goes to {some(strange)}, which is not declared{both}", mx)
    if lacking:
        return failed(f"declared and not published: {some(lacking)}", mx, severity=Severity.MEDIUM)
    if _preferred(mx) - {*meant.mx[: len(_preferred(mx))]}:
        because = f"the most preferred is {some(_preferred(mx))}, declared is {meant.mx[0]}"
        return failed(because, mx, severity=Severity.LOW)
    return passed(mx) if sends(case) or published else passed(mx, because=TAKES_NONE)


def _preferred(mx: MxSeen) -> set[str]:
    lowest = min((one.preference for one in exchangers(mx)), default=0)
    return {one.host for one in exchangers(mx) if one.preference == lowest}


def _null(case: Case) -> str:
    return f"Publish at {case.at.host} as its only MX: 0 . — or declare the exchangers (domains: mx)."
