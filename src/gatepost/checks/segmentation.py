"""What stands beside the mail ports and who gets to it: databases, filters, consoles, other zones (GP-SEG).

A workstation that reaches one of them is a way from there into the mail system. The rules tell who could; a vantage
tells who did.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gatepost import catalogue
from gatepost.catalogue import Port
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
    tried,
    unread,
    vantages,
)
from gatepost.firewall.drift import EVERYBODY, allowed, joined, parties, targets, told
from gatepost.firewall.matrix import management_ports
from gatepost.firewall.vantages import Way, wanted, way
from gatepost.model.finding import Verdict
from gatepost.model.host import BundleRead, ListenerConfigured, SocketSeen
from gatepost.model.observation import Identified, Observation, Upgrade, of
from gatepost.model.rules import AdmissionSeen, DeviationSeen, Drift, ReachSeen
from gatepost.model.words import Mode, Role, Severity
from gatepost.servers.bound import SOCKETS, inward, listed, outward, sockets

HOSTS = (Role.HOST,)
CONSOLES = frozenset({"doveadm", "http", "https"})  # protocols to operate mail software with
INNER = frozenset({"internal", "loopback"})


@dataclass(frozen=True, slots=True)
class Tier:
    """A kind of listener that only the mail system itself, or its operators, may reach."""

    name: str
    holds: Callable[[Port], bool]


REINJECTION = Tier("a reinjection port", lambda row: row.duty == "filter" and row.protocol == "smtp")
CONSOLE = Tier("a console", lambda row: row.protocol in CONSOLES and row.exposure in INNER)
STORE = Tier("a database", lambda row: row.duty == "backend" and not CONSOLE.holds(row))
FILTER = Tier(
    "a filter", lambda row: row.duty == "filter" and not REINJECTION.holds(row) and not CONSOLE.holds(row)
)  # fmt: skip


def _row(port: int) -> Port | None:
    return catalogue.port_numbered(port)


def _in(tier: Tier, port: int, case: Case) -> bool:
    """By its number, unless the port is declared as something else."""
    row, service = _row(port), case.host.service(port) if case.host else None
    if row is None or (service is not None and service.protocol != row.protocol):
        return False
    return tier.holds(row)


def _kept_in(case: Case, tier: Tier) -> Verdict:
    """By the sockets and the rules: nobody gets to these listeners but whom they are declared for."""
    if not listed(case.seen, case.at.host):
        return not_seen_inside(case, SOCKETS)
    found = [s for s in sockets(case.seen, case.at.host) if _in(tier, s.port, case)]
    out = outward(found)
    if not out:
        inner = evidence(found) or evidence(of(BundleRead, case.seen, here(case)))
        words = _named(found) if found else ""
        return passed(*inner, because=f"on loopback only: {words}") if found else not_applicable("none listens", *inner)
    if wide := [d for d in drifts(case, Drift.WIDER) if any(covers(d, s.port) for s in out)]:
        return replace(failed(_exposed(wide, out, case), *_at(wide, out)), ports=_ports(wide, out))
    if not read(case):
        return unknown(f"{_socket(out[0])}, and the rules that say who gets there were not read", *out)
    if case.host is None:
        return unknown(f"{_socket(out[0])}, and nothing is declared for this host", *out)
    if doubtful := [d for d in drifts(case, Drift.CANNOT_TELL) if any(covers(d, s.port) for s in out)]:
        return unknown(f"{_socket(out[0])}: {said(doubtful, case)}", *out, *evidence(doubtful))
    return passed(*out, *evidence(_admitting(out, case)), because=f"{_named(out)}: only declared sources get there")


def _exposed(wide: list[DeviationSeen], out: tuple[SocketSeen, ...], case: Case) -> str:
    ports = set(_ports(wide, out))
    first = next(s for s in out if s.port in ports)
    one = next(d for d in wide if covers(d, first.port))
    more = f" (and {', '.join(str(p) for p in sorted(ports - {first.port}))})" if len(ports) > 1 else ""
    return f"{_socket(first)}, and {told(one, case.architecture, first.port)}{more}"


def _ports(wide: list[DeviationSeen], out: tuple[SocketSeen, ...]) -> tuple[int, ...]:
    return tuple(sorted({s.port for s in out if any(covers(d, s.port) for d in wide)}))


def _at(wide: list[DeviationSeen], out: tuple[SocketSeen, ...]) -> tuple[Observation, ...]:
    return evidence((s for s in out if any(covers(d, s.port) for d in wide)), wide)


def _admitting(out: tuple[SocketSeen, ...], case: Case) -> list[AdmissionSeen]:
    ports = {s.port for s in out}
    return [a for a in admissions(case) if a.at.port in ports]


def _socket(one: SocketSeen) -> str:
    row = _row(one.port)
    where = f"[{one.address}]" if one.family == 6 else one.address
    return f"{one.process or (row.id if row else 'something')} listens on {where}:{one.port}"


def _named(found: list[SocketSeen] | tuple[SocketSeen, ...]) -> str:
    return ", ".join(dict.fromkeys(f"{s.port} {s.process}".strip() for s in found))


def _out_of_reach(case: Case, tier: Tier) -> Verdict:
    """By what was tried: no vantage got through that may not."""
    found = [r for r in tried(case) if _in(tier, r.at.port, case)]
    if not found:
        return unknown(NO_VANTAGE)
    if pivots := [r for r in found if way(r, case.architecture) is Way.OPEN]:
        return failed(_pivot(pivots, case), *evidence(pivots))
    return seen_enough(found, case)


def _pivot(found: list[ReachSeen], case: Case) -> str:
    ports = ", ".join(f"{p} ({row.id if (row := _row(p)) else '?'})" for p in sorted({r.at.port for r in found}))
    source = f" from {found[0].source}" if found[0].source else ""
    return f"{vantages(found, case)} reached {ports}{source}: whoever is there has a way into the mail system"


@check("GP-SEG-001", scope=Scope.HOST)
def kept_from_inner_networks(case: Case) -> Verdict:
    """A host that faces the internet neither connects nor forwards into inner networks beyond the declaration."""
    if blind := unread(case):
        return blind
    if not _faces_strangers(case):
        return not_applicable("nothing of this host is declared for the internet", *read(case))
    wide = drifts(case, Drift.WIDER, "forward", "output")
    if inner := [d for d in wide if targets(d, case.architecture) != ("anywhere",)]:
        return failed(_into(inner, case), *evidence(inner))
    if doubtful := drifts(case, Drift.CANNOT_TELL, "forward", "output"):
        return unknown(said(doubtful, case), *evidence(doubtful))
    return passed(*read(case))


def _into(found: list[DeviationSeen], case: Case) -> str:
    """`the host may connect into office and store, and forwards into office: no rule forbids it`."""
    ways = {"output": "may connect into", "forward": "forwards into"}
    told_ = [
        f"{verb} {joined(sorted({name for d in same for name in targets(d, case.architecture)}))}"
        for direction, verb in ways.items()
        if (same := [d for d in found if d.direction == direction])
    ]
    return f"the host {', and '.join(told_)}: {allowed(found)}"


def _faces_strangers(case: Case) -> bool:
    flows = (f for f in wanted(case.architecture).to(case.at.host) if not f.management)
    return any(n.prefixlen == 0 for f in flows for n in f.sources)


@check("GP-SEG-001", scope=Scope.HOST)
def inner_networks_out_of_its_reach(case: Case) -> Verdict:
    """From the host itself, inner networks are not reached beyond the declaration."""
    smtp = catalogue.number("smtp")
    found = [r for r in of(ReachSeen, case.seen) if r.vantage == case.at.host and r.at.port != smtp]
    if not found:
        return unknown(NO_VANTAGE)
    if pivots := [r for r in found if way(r, case.architecture) is Way.OPEN]:
        places = ", ".join(dict.fromkeys(f"{r.at.address} on {r.at.port}" for r in pivots[:3]))
        return failed(f"whoever takes this host over reaches {places}, which it is declared to be kept from", *pivots)
    return seen_enough(found, case)


@check("GP-SEG-002", scope=Scope.HOST, roles=HOSTS)
def stores_kept_in(case: Case) -> Verdict:
    """Databases, directories and caches are bound to loopback, or open to declared sources only."""
    return _kept_in(case, STORE)


@check("GP-SEG-002", scope=Scope.HOST, roles=HOSTS)
def stores_out_of_reach(case: Case) -> Verdict:
    """No vantage reaches a database, a directory or a cache that may not."""
    return _out_of_reach(case, STORE)


@check("GP-SEG-003", scope=Scope.HOST, roles=HOSTS)
def filters_kept_in(case: Case) -> Verdict:
    """Filters, policy and delivery services are bound to loopback, or open to named peers only."""
    return _kept_in(case, FILTER)


@check("GP-SEG-003", scope=Scope.HOST, roles=HOSTS)
def filters_out_of_reach(case: Case) -> Verdict:
    """No vantage reaches a filter, a policy or a delivery service that may not."""
    return _out_of_reach(case, FILTER)


@check("GP-RELAY-003", scope=Scope.HOST, roles=HOSTS)
def reinjection_kept_in(case: Case) -> Verdict:
    """Ports that take filtered mail back are bound to loopback, or open to named peers only."""
    return _kept_in(case, REINJECTION)


@check("GP-RELAY-003", scope=Scope.HOST, roles=HOSTS)
def reinjection_out_of_reach(case: Case) -> Verdict:
    """No vantage reaches a port that takes filtered mail back."""
    return _out_of_reach(case, REINJECTION)


@check("GP-SEG-004", scope=Scope.HOST)
def consoles_kept_in(case: Case) -> Verdict:
    """Controllers, panels and REST services are bound to loopback, or open to declared sources only."""
    return _kept_in(case, CONSOLE)


@check("GP-SEG-004", scope=Scope.HOST)
def consoles_out_of_reach(case: Case) -> Verdict:
    """No vantage reaches a controller, a panel or a login that may not."""
    managed = management_ports(case.host) if case.host else ()
    found = [r for r in tried(case) if r.at.port in managed or _in(CONSOLE, r.at.port, case)]
    if not found:
        return unknown(NO_VANTAGE)
    if pivots := [r for r in found if way(r, case.architecture) is Way.OPEN]:
        return failed(_pivot(pivots, case), *evidence(pivots))
    return seen_enough(found, case)


@check("GP-SEG-004", scope=Scope.HOST)
def logins_from_the_management_network(case: Case) -> Verdict:
    """Operators log in from the management network only."""
    if blind := unread(case):
        return blind
    ports = management_ports(case.host) if case.host else ()
    if wide := [d for d in drifts(case, Drift.WIDER) if any(covers(d, port) for port in ports)]:
        return failed(said(wide, case), *evidence(wide))
    if doubtful := [d for d in drifts(case, Drift.CANNOT_TELL) if any(covers(d, port) for port in ports)]:
        return unknown(said(doubtful, case), *evidence(doubtful))
    open_ = [a for a in admissions(case) if a.at.port in ports and EVERYBODY in _parties(a, case)]
    if open_ and not (case.host and case.host.management):
        because = f"{open_[0].at.port} is open to everybody, and no management network is declared for this host"
        return failed(because, *evidence(open_), severity=Severity.MEDIUM)
    return passed(*evidence((a for a in admissions(case) if a.at.port in ports), read(case)))


def _parties(one: AdmissionSeen, case: Case) -> tuple[str, ...]:
    return parties(one.accepted, case.architecture.zones, one.at.family)


@check("GP-SEG-005", scope=Scope.HOST, roles=HOSTS)
def tiers_encrypted(case: Case) -> Verdict:
    """What other hosts speak with filters and backends is encrypted."""
    if not listed(case.seen, case.at.host):
        return not_seen_inside(case, SOCKETS)
    tiers = (STORE, FILTER, REINJECTION)
    found = [s for s in sockets(case.seen, case.at.host) if any(_in(t, s.port, case) for t in tiers)]
    if not found:
        return not_applicable("none listens", *evidence(of(BundleRead, case.seen, here(case))))
    out = [s for s in found if not inward(s) and _gets_mail_from_outside(s, case)]
    if not out:
        return passed(*evidence(found), because="none of it leaves the host")
    clear = [s for s in out if _encrypted(s, case) is False]
    if clear:
        return failed(f"{_socket(clear[0])}, for other hosts, and offers no encryption", *evidence(clear))
    if doubtful := [s for s in out if _encrypted(s, case) is None]:
        return unknown(f"{_socket(doubtful[0])}, for other hosts: whether they encrypt was not seen", *doubtful)
    return passed(*evidence(out))


def _gets_mail_from_outside(one: SocketSeen, case: Case) -> bool:
    """Some other host gets there; without the rules, any might."""
    found = _admitting((one,), case)
    return not found or any(_beyond_loopback(a) for a in found)


def _beyond_loopback(one: AdmissionSeen) -> bool:
    return bool(parties((*one.accepted, *one.undecided), (), one.at.family))


def _encrypted(one: SocketSeen, case: Case) -> bool | None:
    """None: it may offer TLS, and nobody looked."""
    if any(c.tls for c in of(ListenerConfigured, case.seen, here(case)) if c.port == one.port):
        return True
    heard = [i for i in of(Identified, case.seen) if (i.at.host, i.at.port) == (case.at.host, one.port)]
    upgrades = [u for u in of(Upgrade, case.seen) if (u.at.host, u.at.port) == (case.at.host, one.port)]
    if any(i.mode is Mode.IMPLICIT for i in heard) or any(u.accepted for u in upgrades):
        return True
    row = _row(one.port)
    return False if heard or (row is not None and row.mode == "none") else None


@check("GP-SEG-006", scope=Scope.HOST)
def containers_behind_the_firewall(case: Case) -> Verdict:
    """No published container port leads past the rules of the host."""
    if blind := unread(case):
        return blind
    if past := [d for d in drifts(case, Drift.WIDER) if d.path.startswith("forward")]:
        return failed(said(past, case), *evidence(past))
    if doubtful := [d for d in drifts(case, Drift.CANNOT_TELL) if d.path.startswith("forward")]:
        return unknown(said(doubtful, case), *evidence(doubtful))
    published = [a for a in admissions(case) if a.path.startswith("forward")]
    return passed(*evidence(published, read(case)), because="" if published else "nothing is published past input")
