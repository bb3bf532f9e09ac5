"""Whether the running rules are those of the declaration, and leave alive what must live (GP-FW)."""

from __future__ import annotations

from dataclasses import replace

from gatepost import catalogue
from gatepost.checks.case import Case, Scope, check, failed, not_applicable, passed, unknown
from gatepost.checks.inside_seen import here, not_seen_inside
from gatepost.checks.rules_seen import (
    NO_VANTAGE,
    admissions,
    covers,
    drifts,
    evidence,
    read,
    said,
    seen_enough,
    single,
    tried,
    unread,
    vantages,
)
from gatepost.firewall.drift import EVERYBODY, allowed, listed, parties, sources, targets, undecided
from gatepost.firewall.matrix import management_ports
from gatepost.firewall.vantages import Way, past_the_relay, way
from gatepost.model.architecture import Host, Service
from gatepost.model.finding import Verdict
from gatepost.model.observation import Unobserved, of
from gatepost.model.rules import (
    AdmissionSeen,
    BanSeen,
    DeviationSeen,
    Drift,
    LifeSupportSeen,
    Reach,
    ReachSeen,
    RuleRef,
)
from gatepost.model.words import Severity

OUTWARD = ("forward", "output")


@check("GP-FW-001", scope=Scope.HOST)
def denied_by_default(case: Case) -> Verdict:
    """What nobody declared is closed."""
    if blind := unread(case):
        return blind
    wide = [d for d in drifts(case, Drift.WIDER) if not _declared(d, case.host)]
    if wide:
        ports = _count(wide)
        because = f"{ports} undeclared port{'s are' if ports > 1 else ' is'} open: {said(wide, case)}"
        return _of_the_host(failed(because, *evidence(wide, read(case))), case)
    doubtful = [d for d in drifts(case, Drift.CANNOT_TELL) if not _declared(d, case.host)]
    if doubtful:
        return unknown(said(doubtful, case), *evidence(doubtful, read(case)))
    return passed(*read(case))


def _of_the_host(verdict: Verdict, case: Case) -> Verdict:
    """The single ports have judges of their own; here they would make another finding of every change."""
    return replace(verdict, places=(here(case),))


def _declared(one: DeviationSeen, host: Host | None) -> bool:
    """About a port of a service or of the operators, so a matter of who may rather than whether."""
    known = host is not None and (host.service(one.ports[0]) or one.ports[0] in management_ports(host))
    return bool(known) and single(one)


def _count(found: list[DeviationSeen]) -> int:
    """Different ports; a port open on two addresses is one."""
    spans, ports, last = sorted({d.ports for d in found}), 0, 0
    for first, end in spans:
        ports += max(0, end - max(first, last + 1) + 1)
        last = max(last, end)
    return ports


@check("GP-FW-001", scope=Scope.HOST)
def families_admitted_alike(case: Case) -> Verdict:
    """A declared port admits the same zones over IPv4 and IPv6."""
    if blind := unread(case):
        return blind
    by_port: dict[int, list[AdmissionSeen]] = {}
    for one in admissions(case):
        if case.host and case.host.service(one.at.port):
            by_port.setdefault(one.at.port, []).append(one)
    both = {port: same for port, same in by_port.items() if {a.at.family for a in same} == {4, 6}}
    if not both:
        return not_applicable("the host has one address family, or nothing is declared on it", *read(case))
    uneven = [(port, why, same) for port, same in sorted(both.items()) if (why := _uneven(same, case))]
    if uneven:
        port, why, _ = uneven[0]
        more = f" (and {len(uneven) - 1} more)" if uneven[1:] else ""
        return failed(f"{port} {why}{more}", *evidence(*(same for _, _, same in uneven)), severity=Severity.MEDIUM)
    if doubtful := [a for same in both.values() for a in same if undecided(a)]:
        return unknown(f"cannot tell who gets to {doubtful[0].at.port}: {_reason(doubtful[0])}", *doubtful)
    return passed(*evidence(*both.values()))


def _uneven(same: list[AdmissionSeen], case: Case) -> str:
    """Of zones that have networks in both families."""
    zones = [z for z in case.architecture.zones if {n.version for n in z.networks} == {4, 6}]
    names = {EVERYBODY, *(z.name for z in zones)}
    by_family: dict[int, set[str]] = {4: set(), 6: set()}
    for one in same:
        if undecided(one):
            return ""
        by_family[one.at.family] |= names & set(parties(one.accepted, zones, one.at.family))
    if by_family[4] == by_family[6]:
        return ""
    return f"admits {listed(sorted(by_family[4]))} over IPv4 and {listed(sorted(by_family[6]))} over IPv6"


@check("GP-FW-001", scope=Scope.HOST)
def ways_closed_and_not_only_unused(case: Case) -> Verdict:
    """Where nobody listens, the way there is closed too."""
    if not tried(case):
        return unknown(NO_VANTAGE)
    unused = tried(case, Way.UNUSED)
    if not unused:
        return seen_enough(tried(case), case)
    if read(case):
        return not_applicable("the rules themselves were read", *read(case))
    count = len({r.at.port for r in unused})
    ports = f"{count} undeclared port{'s' if count > 1 else ''}"
    because = f"{vantages(unused, case)} met no firewall on {ports}, only nobody who listens now"
    return failed(because, _first(unused), severity=Severity.LOW)


def _first(found: list[ReachSeen]) -> ReachSeen:
    return min(found, key=lambda r: (r.at, r.vantage))


@check("GP-FW-002", scope=Scope.HOST)
def limited_to_the_declared(case: Case) -> Verdict:
    """The rules admit only the sources a service is declared for."""
    if blind := unread(case):
        return blind
    services = _services(case)
    if not services:
        return not_applicable(f"nothing is declared as {case.role.value}", *read(case))
    if wide := [d for d in drifts(case, Drift.WIDER) if _about(d, services)]:
        return failed(said(wide, case), *evidence(wide))
    if doubtful := [d for d in drifts(case, Drift.CANNOT_TELL) if _about(d, services)]:
        return unknown(said(doubtful, case), *evidence(doubtful))
    return passed(*evidence((a for a in admissions(case) if a.at.port in services), read(case)))


def _services(case: Case) -> dict[int, Service]:
    return {s.port: s for s in (case.host.services if case.host else ()) if s.declared and s.role is case.role}


def _about(one: DeviationSeen, services: dict[int, Service]) -> bool:
    return any(covers(one, port) for port in services)


@check("GP-FW-002", scope=Scope.HOST)
def reached_from_the_declared_only(case: Case) -> Verdict:
    """A service is reached only from zones it is declared for."""
    services = _services(case)
    found = [r for r in tried(case) if r.at.port in services]
    if not found:
        return unknown(NO_VANTAGE)
    if wide := [r for r in found if way(r, case.architecture) is Way.OPEN]:
        ports = ", ".join(f"{p} ({services[p].name})" for p in sorted({r.at.port for r in wide}))
        return failed(f"{vantages(wide, case)} may not, and reached {ports}", *evidence(wide))
    return seen_enough(found, case)


@check("GP-FW-003", scope=Scope.HOST)
def mail_leaves_only_from_relays(case: Case) -> Verdict:
    """The host lets no mail out past the relay: not its own, and not that of others."""
    if blind := unread(case):
        return blind
    if wide := [d for d in drifts(case, Drift.WIDER, *OUTWARD) if _lets_mail_out(d, case)]:
        return failed(_past_the_relay(wide, case), *evidence(wide))
    if doubtful := [d for d in drifts(case, Drift.CANNOT_TELL, *OUTWARD) if _lets_mail_out(d, case)]:
        return unknown(said(doubtful, case), *evidence(doubtful))
    return passed(*read(case))


def _lets_mail_out(one: DeviationSeen, case: Case) -> bool:
    """To anywhere: what leads into inner networks is GP-SEG-001."""
    return covers(one, catalogue.number("smtp")) and targets(one, case.architecture) == ("anywhere",)


def _past_the_relay(wide: list[DeviationSeen], case: Case) -> str:
    own = [d for d in wide if d.direction == "output"]
    if own:
        return f"it is no relay, and may send mail to anywhere by itself: {allowed(own)}"
    who = sorted({name for d in wide for name in sources(d, case.architecture)})
    return f"lets mail of {listed(who)} through to anywhere, past the relay: {allowed(wide)}"


@check("GP-FW-003", scope=Scope.HOST)
def no_mail_past_the_relay(case: Case) -> Verdict:
    """No vantage sends mail out by itself."""
    smtp = catalogue.number("smtp")
    declared = {h.name for h in case.architecture.hosts}
    others = [r for r in of(ReachSeen, case.seen) if r.at.host not in declared]
    out = [r for r in others if past_the_relay(r, case.architecture)]
    if not out:
        return unknown(NO_VANTAGE)
    if case.at.host != min(declared, default=""):
        return not_applicable("told with the first declared host: it is a matter of the network")
    if past := [r for r in out if way(r, case.architecture) is Way.OPEN]:
        return failed(f"{vantages(past, case)} reached {smtp} of {past[0].at.address} past the relay", *evidence(past))
    return seen_enough(out, case)


@check("GP-FW-004", scope=Scope.HOST)
def rules_as_declared(case: Case) -> Verdict:
    """The running rules let nothing through that the declaration does not."""
    if blind := unread(case):
        return blind
    if wide := drifts(case, Drift.WIDER, "input", *OUTWARD):
        return _of_the_host(failed(said(sorted(wide, key=_blamed), case), *evidence(wide)), case)
    if doubtful := drifts(case, Drift.CANNOT_TELL, "input", *OUTWARD):
        return unknown(said(doubtful, case), *evidence(doubtful))
    return passed(*read(case), because=_count_of_rules(case))


def _blamed(one: DeviationSeen) -> tuple[bool, bool]:
    """What somebody published comes before what a rule allows, and that before what nobody forbade."""
    return not one.path.startswith("forward after"), not one.rules


def _count_of_rules(case: Case) -> str:
    rules = sum(one.rules for one in read(case))
    return f"{rules} rule{'s' if rules != 1 else ''} read"


@check("GP-FW-004", scope=Scope.HOST)
def declared_ports_admitted(case: Case) -> Verdict:
    """The running rules let through what is declared."""
    if blind := unread(case):
        return blind
    if shut := drifts(case, Drift.CLOSED, "input", *OUTWARD):
        return failed(said(shut, case), *evidence(shut))
    if doubtful := [d for d in drifts(case, Drift.CANNOT_TELL) if _declared(d, case.host)]:
        return unknown(said(doubtful, case), *evidence(doubtful))
    return passed(*evidence(admissions(case), read(case)))


@check("GP-FW-004", scope=Scope.HOST)
def reached_where_declared(case: Case) -> Verdict:
    """A zone reaches what is declared for it."""
    if not tried(case):
        return unknown(NO_VANTAGE)
    shut = [r for r in tried(case, Way.CLOSED) if r.result is not Reach.REFUSED]
    if shut:
        ports = listed([str(p) for p in sorted({r.at.port for r in shut})], 4)
        because = f"{vantages(shut, case)} got no way to {ports}, declared for it ({shut[0].result.value})"
        return failed(because, *evidence(shut), severity=Severity.MEDIUM)
    reached = [r for r in tried(case, Way.AS_DECLARED) if r.result is Reach.REACHED]
    return passed(*evidence(reached)) if reached else unknown("no vantage stands where something is declared for it")


_DEAD = {
    "loopback": "the host cannot talk to itself, and its daemons not to one another",
    "management": "operators are locked out",
    "neighbour-discovery": "IPv6 stops as soon as neighbours forget each other",
    "path-mtu": "large messages hang where a link is narrower",
    "replies": "answers to its own connections are lost",
}


@check("GP-FW-004", scope=Scope.HOST)
def life_support_passes(case: Case) -> Verdict:
    """Loopback, replies, neighbour discovery, path MTU and the way in for operators stay open."""
    found = of(LifeSupportSeen, case.seen, here(case))
    if not found:
        return not_seen_inside(case, "firewall")
    if dead := sorted((o for o in found if o.alive is False), key=lambda o: (o.what, o.family)):
        what = ", ".join(dict.fromkeys(_organ(o) for o in dead))
        return failed(f"{_by(dead[0])} {what}: {_DEAD.get(dead[0].what, 'mail stops')}", *dead)
    if doubtful := [o for o in found if o.alive is None]:
        return unknown(f"cannot tell whether {_organ(doubtful[0])} passes: {doubtful[0].detail}", *doubtful)
    return passed(*found)


def _organ(one: LifeSupportSeen) -> str:
    return f"IPv{one.family} {one.what.replace('-', ' ')}" if one.what != "loopback" else "loopback"


def _by(one: LifeSupportSeen) -> str:
    return f"{one.rules[-1]} stops" if one.rules else "the rules stop"


@check("GP-FW-004", scope=Scope.HOST)
def bans_hold(case: Case) -> Verdict:
    """A banned address gets to no mail port."""
    found = of(BanSeen, case.seen, here(case))
    doubted = [u for u in of(Unobserved, case.seen, here(case)) if u.wanted == "bans"]
    if not found and doubted:
        return unknown(f"whether bans hold cannot be told: {doubted[0].detail}", *doubted)
    if not found:
        return not_applicable("no address is banned", *read(case)) if read(case) else not_seen_inside(case, "firewall")
    if leaking := [b for b in found if b.passes]:
        more = f" (and {len(leaking) - 1} more)" if leaking[1:] else ""
        return failed(f"{_leak(leaking[0])}{more}", *evidence(leaking))
    if doubted:
        return unknown(f"whether every ban holds cannot be told: {doubted[0].detail}", *doubted)
    return passed(*evidence(found), because=f"{len(found)} banned, none gets in")


def _leak(one: BanSeen) -> str:
    ports = listed([str(p) for p in one.passes], 4)
    way_ = f" by {one.path}" if one.path and one.path != "input" else ""
    rule: RuleRef | None = one.rules[-1] if one.rules else None
    return f"{one.source} is banned in {one.where}, and gets to {ports}{way_}{f': {rule}' if rule else ''}"


def _reason(one: AdmissionSeen) -> str:
    return one.reasons[0] if one.reasons else "the rules were not understood"
