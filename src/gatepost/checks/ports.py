"""Which ports answer, how they begin, and whether anybody meant them to (GP-PORT)."""

from __future__ import annotations

from datetime import date
from ipaddress import ip_address

from gatepost import catalogue
from gatepost.catalogue import Port
from gatepost.checks.case import Case, Scope, check, failed, not_applicable, passed, unknown
from gatepost.checks.dialogue_seen import MAIL, closed, in_clear, inside_tls, listens, spoken, starts, words
from gatepost.firewall.matrix import management_ports
from gatepost.model.architecture import Endpoint, Host, Service
from gatepost.model.finding import Verdict
from gatepost.model.observation import (
    Closed,
    Identified,
    Listening,
    Observation,
    Unobserved,
    Upgrade,
    Vantage,
    of,
)
from gatepost.model.rules import FirewallSeen
from gatepost.model.words import Mode, Reason, Role, Severity

USERS = (Role.ACCESS, Role.SUBMISSION)
SUPPORT = frozenset({Role.HOST, Role.WEB})
IMPLICIT = {"imap": "imaps", "pop3": "pop3s", "smtp": "submissions"}  # catalogue ids
NOTHING_DECLARED = "nothing is declared for this host (gatepost init writes a start)"


@check("GP-PORT-001", scope=Scope.HOST)
def host_declared(case: Case) -> Verdict:
    """The host and its mail services are written down."""
    if not case.endpoints:
        return case.missing("connection")
    answering = _listening(case)
    if case.declared:
        return passed(*answering[:1])
    if case.architecture.source:
        return failed("answers on mail ports, and the declaration does not have this host", *answering)
    return unknown(NOTHING_DECLARED)


def _who(case: Case) -> list[Observation]:
    """What shows best that somebody is there."""
    found: list[Observation] = [*of(Identified, case.seen, case.at), *of(Listening, case.seen, case.at)]
    return found[:1]


def _listening(case: Case) -> list[Listening]:
    return [seen for at in case.endpoints for seen in of(Listening, case.seen, at)]


@check("GP-PORT-002")
def listener_declared(case: Case) -> Verdict:
    """What answers is declared."""
    if not listens(case.seen, case.at):
        return case.missing("connection")
    evidence = _who(case)
    if case.host is None:
        return unknown(NOTHING_DECLARED, *evidence)
    if case.host.service(case.at.port) is not None or _operated(case.host, case.at.port):
        return passed(*evidence)
    severity = Severity.LOW if case.role in SUPPORT else None
    because = f"{spoken(case) or 'something'} answers, and is not declared"
    return failed(because, *evidence, severity=severity, remedy=_login(case))


def _login(case: Case) -> str:
    """Where operators log in there is no service to declare. Nothing for all else: the catalogue knows better."""
    usual = case.at.port == catalogue.number("ssh")
    if spoken(case) != "ssh" and not usual:
        return ""
    more = "" if usual else f" and management_ports = [{case.at.port}]"
    return (
        f'Say who operates the host: management = ["ZONE"]{more} in gatepost.toml, so that the firewall lets in nobody '
        "else; or close the port."
    )


def _operated(host: Host, port: int) -> bool:
    """Where operators log in, once somebody wrote down who they are."""
    return bool(host.management or host.management_ports) and port in management_ports(host)


@check("GP-PORT-003")
def begins_as_declared(case: Case) -> Verdict:
    """The port begins as declared: encrypted at once, or in clear."""
    found = starts(case.seen, case.at)
    service = case.service
    if found is None or service is None:
        return case.missing("greeting", "identity", "tls")
    mode, evidence = found
    wanted, word = _wanted(case.at, service)
    if wanted is None:
        return not_applicable("no mode is usual on this port", evidence)
    if protocol := _other_protocol(case, service):
        if not service.declared:
            return not_applicable(f"speaks {protocol}", evidence)
        return failed(f"speaks {protocol}, {word} {service.protocol}", evidence)
    if wanted is Mode.IMPLICIT and mode is not Mode.IMPLICIT:
        return failed(f"begins in clear, {word} implicit TLS", evidence)
    if wanted in {Mode.NONE, Mode.STARTTLS} and mode is Mode.IMPLICIT:
        return failed(f"begins with TLS at once, {word} {wanted.value}", evidence)
    return passed(evidence)


def _wanted(at: Endpoint, service: Service) -> tuple[Mode | None, str]:
    """What an undeclared port is held against is what its number usually means."""
    if service.declared:
        return service.mode, "declared as"
    row = catalogue.port_numbered(at.port)
    return (Mode(row.mode) if row and row.protocol == service.protocol else None), "usual is"


def _other_protocol(case: Case, service: Service) -> str:
    """`tls` is TLS with something inside that did not speak: no statement about the protocol."""
    protocol = spoken(case)
    return "" if protocol in {"", "silent", "tls", "unknown", service.protocol} else protocol


@check("GP-PORT-003", scope=Scope.HOST)
def declared_port_answers(case: Case) -> Verdict:
    """Every declared port answers."""
    declared = [at for at, s in case.services.items() if s.declared and s.role is case.role]
    dead = closed(case.seen, (at for at in declared if not listens(case.seen, at)))
    if not declared:
        return unknown(NOTHING_DECLARED)
    if blamed := [c for c in dead if not _kept_out(case, c.at)]:
        return failed("declared, but nothing listens", *blamed)
    if dead:
        return unknown("refused from here, and declared for other networks", *dead)
    silent = [u for at in declared if not listens(case.seen, at) for u in of(Unobserved, case.seen, at)]
    if silent:
        return unknown(f"no answer from here ({silent[0].reason.value}: {silent[0].detail})", *silent)
    heard = [one for at in declared for one in of(Listening, case.seen, at)]
    return passed(*heard) if heard else case.missing("connection")


def _kept_out(case: Case, at: Endpoint) -> bool:
    """The port is declared for networks we may not be in."""
    return case.services[at].exposure != "internet" and bool(case.services[at].sources) and not _inside(case, at)


def _inside(case: Case, at: Endpoint) -> bool:
    ours = [ip_address(v.source) for v in of(Vantage, case.seen) if v.at.host == at.host and v.source]
    zones = [z for z in case.architecture.zones if z.name in case.services[at].sources]
    return any(one in net for one in ours for z in zones for net in z.networks if one.version == net.version)


@check("GP-PORT-004", scope=Scope.HOST, roles=USERS)
def implicit_tls_offered(case: Case) -> Verdict:
    """Users can reach every service over implicit TLS."""
    places = [at for at in case.places() if case.services[at].exposure == "clients"]
    implicit = {s.protocol for at, s in case.services.items() if _encrypted(s) and (s.declared or at in places)}
    lacking = {case.services[at].protocol for at in places} - implicit
    if not places:
        return case.missing("connection")
    evidence = [one for at in places for one in of(Listening, case.seen, at)]
    for protocol in sorted(lacking):
        row = catalogue.port(IMPLICIT.get(protocol, ""))
        at_rest = [at for at in case.services if row and at.port == row.number]
        if row and not closed(case.seen, at_rest):
            return unknown(f"whether {protocol} is also offered on {row.number} was not seen")
    if lacking:
        return failed(f"{words(lacking)} begins in clear only: no port with implicit TLS", *evidence)
    return passed(*evidence)


def _encrypted(service: Service) -> bool:
    """One that is declared counts: when it does not answer, that is GP-PORT-003's finding."""
    return service.mode is Mode.IMPLICIT and service.exposure == "clients"


@check("GP-PORT-005", scope=Scope.HOST, roles=(Role.ACCESS,))
def clear_text_access_ends(case: Case) -> Verdict:
    """Mailbox ports that begin in clear are closed, or have an end date."""
    legacy = [at for at, s in case.services.items() if s.role is Role.ACCESS and _clear(s)]
    answering = [at for at in legacy if at in case.endpoints]
    undated = [at for at in answering if not _dated(case.services[at], case.now.date())]
    evidence = [one for at in undated for one in of(Listening, case.seen, at)]
    if undated and case.declared:
        return failed("begins in clear, and its end date is missing or past", *evidence)
    if undated:
        because = "begins in clear, and nobody wrote down until when"
        return failed(because, *evidence, severity=Severity.LOW)
    gone = closed(case.seen, legacy)
    if answering or gone:
        return passed(*gone, *(one for at in answering for one in of(Listening, case.seen, at)))
    return case.missing("connection")


def _clear(service: Service) -> bool:
    mailbox = service.protocol in {"imap", "pop3"} and service.exposure == "clients"
    return mailbox and service.mode is not Mode.IMPLICIT


def _dated(service: Service, today: date) -> bool:
    return service.declared and service.until is not None and service.until >= today


@check("GP-PORT-006", roles=(Role.MX,))
def no_login_on_the_mx_port(case: Case) -> Verdict:
    """Port 25 offers no login."""
    offers = [*in_clear(case), *inside_tls(case)]
    if with_login := [c for c in offers if c.mechanisms()]:
        mechanisms = {m for c in with_login for m in c.mechanisms()}
        return failed(f"offers AUTH to the world: {words(mechanisms)}", *with_login)
    upgraded = any(u.accepted for u in of(Upgrade, case.seen, case.at))
    if not offers or (upgraded and not inside_tls(case)):
        return case.missing("capabilities", "tls")
    return passed(*offers)


@check("GP-PORT-007")
def no_historic_port(case: Case) -> Verdict:
    """No historic or unofficial mail port answers."""
    if not listens(case.seen, case.at):
        return case.missing("connection")
    row = catalogue.port_numbered(case.at.port)
    evidence = _who(case)
    if row is None or not _outlived(row):
        return passed(*evidence)
    said = spoken(case)
    if said in {"", "silent", "unknown"}:
        return unknown(f"something answers on {row.id}, and does not say what it is", *evidence)
    if said not in {row.protocol, *MAIL}:
        return not_applicable(f"speaks {said}", *evidence)
    if case.service and case.declared and _dated(case.service, case.now.date()):
        return passed(*evidence, because=f"declared until {case.service.until}")
    successor = f": {row.successor} took its place" if row.successor else ""
    return failed(f"{said} on the {row.lifecycle} port {row.id}{successor}", *evidence)


def _outlived(row: Port) -> bool:
    """110 and 143 have a control of their own; tolerated alternates only need their successor's policy."""
    mail = row.duty in {Role.ACCESS, Role.MX, Role.SIEVE, Role.SUBMISSION}
    old = row.lifecycle in {"historic", "unofficial"} or row.exposure == "never"
    return mail and old and row.posture in {"forbidden", "retire"}


@check("GP-PORT-008")
def mail_where_expected(case: Case) -> Verdict:
    """Mail is spoken only where the number or the declaration says so."""
    identified = of(Identified, case.seen, case.at)
    declared = case.host is not None and case.host.service(case.at.port) is not None
    if not identified:
        return passed(*of(Listening, case.seen, case.at)) if _as_presumed(case) else case.missing("identity")
    said = identified[-1].protocol
    if said not in MAIL or declared:
        return passed(identified[-1])
    row = catalogue.port_numbered(case.at.port)
    if row and row.protocol == said:
        return passed(identified[-1])
    if case.declared:
        return not_applicable("an undeclared listener, see GP-PORT-002", identified[-1])
    usual = f" where {row.protocol} is usual" if row else " on a number of no mail service"
    return failed(f"speaks {said}{usual}", identified[-1])


def _as_presumed(case: Case) -> bool:
    """The dialogue of the presumed service went through, so nobody had to identify anything."""
    return starts(case.seen, case.at) is not None


@check("GP-FW-001", scope=Scope.HOST)
def both_families_alike(case: Case) -> Verdict:
    """The same ports answer over IPv4 and IPv6."""
    if len({at.family for at in case.services}) == 1:
        return not_applicable("the host has one address family, or only one was looked at")
    by_family = {family: {at.port for at in case.endpoints if at.family == family} for family in (4, 6)}
    if not by_family[4] or not by_family[6]:
        return unknown("only one address family answered from here")
    one_sided = by_family[4] ^ by_family[6]
    absent = [at for at in case.services if at.port in one_sided and at not in case.endpoints]
    evidence: list[Closed | Unobserved] = [*closed(case.seen, absent), *(u for at in absent for u in _silent(case, at))]
    if evidence:
        present = 4 if evidence[0].at.family == 6 else 6
        here = [one for at in case.endpoints if at.port in one_sided for one in of(Listening, case.seen, at)]
        because = f"answers over IPv{present} and not over IPv{evidence[0].at.family}"
        return failed(because, *here, *evidence, severity=Severity.MEDIUM)
    if read := of(FirewallSeen, case.seen, case.at):
        return passed(*read, because="alike over IPv4 and IPv6, as seen from here and in the rules")
    return unknown("alike over IPv4 and IPv6 as seen from here; the rule set itself was not read")


def _silent(case: Case, at: Endpoint) -> list[Unobserved]:
    return [u for u in of(Unobserved, case.seen, at) if u.reason in {Reason.FILTERED, Reason.TIMEOUT}]
