"""What listens and what is configured to, as the host itself tells, held against the declaration (GP-PORT)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gatepost import catalogue
from gatepost.checks.case import Case, Scope, check, failed, passed, unknown
from gatepost.checks.dialogue_seen import closed, listens, some
from gatepost.checks.inside_seen import here, looked_inside, not_seen_inside
from gatepost.checks.ports import NOTHING_DECLARED, SUPPORT
from gatepost.checks.rules_seen import admissions, evidence, read
from gatepost.firewall.drift import parties, undecided
from gatepost.firewall.matrix import management_ports
from gatepost.model.architecture import Endpoint, Host, Service
from gatepost.model.finding import Verdict
from gatepost.model.host import ListenerConfigured, SocketSeen
from gatepost.model.observation import Observation, of
from gatepost.model.rules import AdmissionSeen
from gatepost.model.words import Role, Severity
from gatepost.servers.bound import SOCKETS, listed, outward, sockets, taking, translated


@check("GP-PORT-001", scope=Scope.HOST)
def configured_services_declared(case: Case) -> Verdict:
    """What the mail servers are configured to open is declared, whether they run or not."""
    if not looked_inside(case):
        return not_seen_inside(case, "configuration")
    found = [c for c in of(ListenerConfigured, case.seen, here(case)) if not _on_loopback(c)]
    if not found:
        return unknown("no listener of a mail server was seen in its configuration")
    if case.host is None:
        return unknown(NOTHING_DECLARED, *evidence(found))
    running = {s.port for s in sockets(case.seen, case.at.host)}
    waiting = [c for c in found if not _known(c.port, case.host) and c.port not in running]
    if waiting:
        one = waiting[0]
        more = f" (and {some(str(c.port) for c in waiting[1:])})" if waiting[1:] else ""
        place = f"{one.place}: " if one.place else ""
        because = f"{place}{one.software} {one.name} will open {one.port}, which is not declared{more}"
        return _with_ports(failed(because, *evidence(waiting), severity=Severity.MEDIUM), (c.port for c in waiting))
    return passed(*evidence(found))


def _on_loopback(one: ListenerConfigured) -> bool:
    """Names of loopback count as well: Postfix takes `localhost` in master.cf."""
    return bool(one.addresses) and all(
        a in {"localhost", "::1", "[::1]"} or a.startswith("127.") for a in one.addresses
    )


def _known(port: int, host: Host) -> bool:
    """A service of the declaration, or where the operators log in, once somebody said who they are."""
    service = host.service(port)
    operated = bool(host.management or host.management_ports) and port in management_ports(host)
    return (service is not None and service.declared) or operated


@check("GP-PORT-002", scope=Scope.HOST)
def sockets_declared(case: Case) -> Verdict:
    """No socket of the host waits for others undeclared."""
    found = _undeclared(case)
    if isinstance(found, Verdict):
        return found
    open_ = [s for s in found if _admission(s, case) != frozenset()]
    if not open_:
        return passed(*evidence(outward(sockets(case.seen, case.at.host))))
    mail = [s for s in open_ if _about_mail(s)]
    because = f"{_socket((mail or open_)[0], case)}, and is not declared{_more(mail or open_, open_)}"
    verdict = failed(because, *evidence(open_), severity=None if mail else Severity.LOW)
    return _with_ports(verdict, (s.port for s in open_))


@check("GP-PORT-002", scope=Scope.HOST)
def nothing_hides_behind_the_firewall(case: Case) -> Verdict:
    """No undeclared socket is kept from others by the firewall alone.

    What a mail server opens weighs more: one line of its configuration closes it.
    """
    found = _undeclared(case)
    if isinstance(found, Verdict):
        return found
    if not read(case):
        return not_seen_inside(case, "firewall")
    hidden = [s for s in found if _admission(s, case) == frozenset()]
    if not hidden:
        return passed(*evidence(outward(sockets(case.seen, case.at.host)), read(case)))
    servers = {c.port for c in of(ListenerConfigured, case.seen, here(case))}
    ours = [s for s in hidden if s.port in servers]
    first = (ours or [s for s in hidden if _about_mail(s)] or hidden)[0]
    because = f"{_socket(first, case)}, is not declared, and only the firewall keeps it closed{_more([first], hidden)}"
    verdict = failed(because, *evidence(hidden), severity=Severity.MEDIUM if ours else Severity.LOW)
    return _with_ports(verdict, (s.port for s in hidden))


def _undeclared(case: Case) -> list[SocketSeen] | Verdict:
    """One socket a port; those that the wire met are judged by their dialogue."""
    if not listed(case.seen, case.at.host):
        return not_seen_inside(case, SOCKETS)
    if case.host is None:
        return unknown(NOTHING_DECLARED)
    met = {at.port for at in case.endpoints if listens(case.seen, at)}
    by_port = {s.port: s for s in reversed(outward(sockets(case.seen, case.at.host)))}
    return [s for port, s in sorted(by_port.items()) if port not in met and not _known(port, case.host)]


def _admission(one: SocketSeen, case: Case) -> frozenset[str] | None:
    """Who gets there; None where the rules do not tell."""
    found = [a for a in admissions(case) if a.at.port == one.port]
    if not found or any(map(undecided, found)):
        return None
    return frozenset(name for a in found for name in parties(a.accepted, case.architecture.zones, a.at.family))


def _about_mail(one: SocketSeen) -> bool:
    row = catalogue.port_numbered(one.port)
    return row is not None and Role(row.duty) not in SUPPORT


def _socket(one: SocketSeen, case: Case) -> str:
    row = catalogue.port_numbered(one.port)
    where = f"[{one.address}]" if one.family == 6 else one.address
    name = f" ({row.id})" if row else ""
    written = next((c.place for c in of(ListenerConfigured, case.seen, here(case)) if c.port == one.port), None)
    return f"{one.process or 'something'} listens on {where}:{one.port}{name}{f', see {written}' if written else ''}"


def _more(first: Sequence[SocketSeen], whole: Sequence[SocketSeen]) -> str:
    others = [f"{s.port} {s.process}".strip() for s in whole if s.port != first[0].port]
    return f" (also {some(others)})" if others else ""


@check("GP-PORT-003", scope=Scope.HOST)
def declared_ports_have_listeners(case: Case) -> Verdict:
    """Behind every declared port a process of the host listens."""
    if not listed(case.seen, case.at.host):
        return not_seen_inside(case, SOCKETS)
    if case.host is None or not (services := [s for s in case.host.services if s.role is case.role]):
        return unknown(NOTHING_DECLARED)
    places = [(s, Endpoint(case.host.name, a, s.port)) for s in services for a in case.host.addresses]
    dead = [(s, at) for s, at in places if _dead(s, at, case)]
    if dead:
        service, at = dead[0]
        named = dict.fromkeys(f"{s.port} ({s.name})" for s, _ in dead)
        line = f" ({case.architecture.source}:{service.line})" if service.line and case.architecture.source else ""
        where = f" on {at.address}" if len(dead) < len(case.host.addresses) * len(named) else ""
        because = f"declared, but nothing listens{where}: {some(named)}{line}"
        return replace(failed(because, *_beside(at, case)), places=tuple(at for _, at in dead))
    return passed(*_serving(places, case)) if places else unknown("the host is declared without an address")


def _dead(service: Service, at: Endpoint, case: Case) -> bool:
    """The wire's own word goes first; a port that is led on to a container, or bound behind NAT, is not dead."""
    known = sockets(case.seen, case.at.host)
    if listens(case.seen, at) or closed(case.seen, [at]) or taking(known, at):
        return False
    led_on = any(a.path.startswith("forward") for a in of(AdmissionSeen, case.seen, at))
    if led_on or translated(known, at, case.host.addresses if case.host else ()):
        return False
    return service.exposure != "loopback" or not any(s.port == at.port for s in known)


def _beside(at: Endpoint, case: Case) -> tuple[Observation, ...]:
    """What does listen on that port, for other addresses."""
    near = [s for s in sockets(case.seen, case.at.host) if s.port == at.port]
    configured = [c for c in of(ListenerConfigured, case.seen, here(case)) if c.port == at.port]
    return evidence(near, configured)


def _serving(places: Iterable[tuple[Service, Endpoint]], case: Case) -> tuple[Observation, ...]:
    known = sockets(case.seen, case.at.host)
    return evidence(dict.fromkeys(s for _, at in places for s in taking(known, at)[:1])) or tuple(known[:1])


def _with_ports(verdict: Verdict, ports: Iterable[int]) -> Verdict:
    return replace(verdict, ports=tuple(sorted(set(ports))))
