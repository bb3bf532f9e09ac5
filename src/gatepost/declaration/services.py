"""From a name to a service: what the port catalogue knows, corrected by what the operator wrote."""

from __future__ import annotations

from datetime import date

from gatepost import catalogue
from gatepost.catalogue import Port
from gatepost.model.architecture import Host, Service
from gatepost.model.words import Mode, Role

SPOKEN = frozenset({"imap", "lmtp", "managesieve", "pop3", "smtp"})  # mail protocols a dialogue exists for
DUTIES = {
    "imap": Role.ACCESS,
    "lmtp": Role.FILTER,
    "managesieve": Role.SIEVE,
    "pop3": Role.ACCESS,
    "smtp": Role.SUBMISSION,  # port 25 has its own name; SMTP anywhere else takes mail from clients
}
USERS = frozenset({Role.ACCESS, Role.SIEVE, Role.SUBMISSION})


def presume(name: str, addresses: tuple[str, ...]) -> Host:
    """A host nobody declared: every TCP port of the catalogue that usually speaks a mail protocol."""
    numbers = sorted({row.number for row in catalogue.ports() if tcp(row) and row.protocol in SPOKEN})
    rows = [row for row in map(catalogue.port_numbered, numbers) if row and row.protocol in SPOKEN]
    return Host(name, addresses, tuple(catalogued(row, declared=False) for row in rows))


def tcp(row: Port) -> bool:
    return "tcp" in row.transport


def catalogued(row: Port, *, declared: bool = True) -> Service:
    """The service as the catalogue has it."""
    return Service(row.id, row.number, row.protocol, Role(row.duty), Mode(row.mode), row.exposure, declared=declared)


def role_of(protocol: str) -> Role:
    """What a port of this protocol is for, when nothing else tells."""
    return DUTIES.get(protocol, Role.HOST)


def needs_end(service: Service) -> str:
    """Why a service may only be declared with owner, reason and end date; empty when it needs none.

    Clear text on loopback and plain web ports (redirects, ACME) are no exceptions to anything.
    """
    row = catalogue.port(service.name)
    if service.exposure == "loopback" or service.role is Role.WEB:
        return ""
    if service.mode is Mode.NONE:
        return "it has no encryption"
    if service.mode is Mode.OPTIONAL and service.role in USERS:
        return "it lets users in without encryption"
    if row is not None and row.lifecycle in {"historic", "legacy"}:
        return "it is a legacy port that starts in clear" if service.mode is Mode.STARTTLS else "it is historic"
    if row is not None and row.posture in {"forbidden", "retire"} and row.duty != "backend":
        return "it should be retired"
    return ""


def a_year_after(day: date) -> date:
    """29 February becomes the 28th."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)
