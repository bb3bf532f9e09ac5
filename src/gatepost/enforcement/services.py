"""Listeners that nobody declared: which are closed, which are bound to this host, and which a person has to look at.

A port where users come is closed by itself only where TLS begins at once; at the others somebody may still read mail,
so they wait for the operator to insist (`--close-legacy`). The port where mail arrives is never closed by us.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from shlex import quote

from gatepost import catalogue
from gatepost.enforcement import postfix
from gatepost.enforcement.causes import places
from gatepost.enforcement.observed import Inside
from gatepost.enforcement.shares import Share
from gatepost.enforcement.values import DOVECOT, POSTFIX
from gatepost.enforcement.wishes import Wishes
from gatepost.firewall.matrix import management_ports
from gatepost.model.finding import Finding
from gatepost.model.host import ListenerConfigured, ServerSeen, SocketSeen
from gatepost.model.observation import of
from gatepost.model.plan import Kind, Step
from gatepost.model.words import Mode, Role
from gatepost.servers.bound import inward

USERS = frozenset({Role.ACCESS, Role.SIEVE, Role.SUBMISSION})
CONTROLS = ("GP-PORT-002", "GP-PORT-005", "GP-PORT-007", "GP-PORT-008")


class Fate(StrEnum):
    """What becomes of a listener."""

    BIND = "bind"
    CLOSE = "close"
    LOOK = "look"  # by hand


@dataclass(frozen=True, slots=True)
class Stray:
    """A listener that should not be open as it is, and why."""

    listener: ListenerConfigured
    server: ServerSeen
    fate: Fate
    control: str
    why: str
    risk: str = ""

    @property
    def title(self) -> str:
        name, port = self.listener.name.rpartition("/")[2 if self.server.software != POSTFIX else 0], self.listener.port
        verb = {Fate.BIND: "let only this host reach", Fate.CLOSE: "close", Fate.LOOK: "decide about"}[self.fate]
        return f"{verb} {f'port {port}' if name.endswith(str(port)) else f'{name} ({port})'}"


def strays(inside: Inside, findings: Iterable[Finding], wishes: Wishes, today: date) -> tuple[Stray, ...]:
    """`findings` are all of the audit: what somebody waived is left alone."""
    waived = {place for f in findings if f.waiver and f.control in CONTROLS for place in places(f)}
    open_ = (
        (server, listener)
        for software in (POSTFIX, DOVECOT)
        for server in inside.servers(software)
        for listener in inside.listeners(server)
        if (inside.host.name, listener.port) not in waived and wishes.about(listener.port)
    )
    found = (_stray(inside, server, listener, wishes, today) for server, listener in open_)
    return tuple(filter(None, found))


def closing(found: Iterable[Stray]) -> frozenset[str]:
    """Services of master.cf that go."""
    return frozenset(s.listener.name for s in found if s.fate is Fate.CLOSE and s.server.software == POSTFIX)


def _stray(
    inside: Inside, server: ServerSeen, listener: ListenerConfigured, wishes: Wishes, today: date
) -> Stray | None:
    service = inside.host.service(listener.port)
    late = service is not None and service.until is not None and service.until < today
    if (service and not late) or listener.port in management_ports(inside.host) or hidden(inside, listener):
        return None
    row = catalogue.port_numbered(listener.port)
    duty = Role(row.duty) if row else None
    if late and service:
        why = f"Declared until {service.until}, which is over" + (f" (line {service.line})." if service.line else ".")
        return _users(server, listener, why, "GP-PORT-005", closes=wishes.close_legacy)
    why = f"{_spoken(listener)} listens, and nobody declared it."
    if duty is Role.MX:
        return Stray(listener, server, Fate.LOOK, "GP-PORT-002", f"{why} Mail for this host may arrive here.")
    if duty in USERS and row:
        begins = Mode(row.mode) is Mode.IMPLICIT
        control = "GP-PORT-007" if row.lifecycle in {"historic", "unofficial"} else "GP-PORT-005"
        return _users(server, listener, why, "GP-PORT-002" if begins else control,
                      closes=begins or wishes.close_legacy)  # fmt: skip
    if server.software != POSTFIX and duty is not None:
        return None  # a row of the settings says what to do with these
    return _inner(inside, server, listener, why)


def _spoken(listener: ListenerConfigured) -> str:
    place = f" ({listener.place})" if listener.place else ""
    return f"{listener.command or listener.name} on port {listener.port}{place}"


def _users(server: ServerSeen, listener: ListenerConfigured, why: str, control: str, *, closes: bool) -> Stray:
    if closes:
        return Stray(listener, server, Fate.CLOSE, control, why,
                     f"Whoever still uses port {listener.port} cannot connect any more.")  # fmt: skip
    more = "Users may still come here: look who does, then pass --close-legacy, or declare the port with an end date."
    return Stray(listener, server, Fate.LOOK, control, f"{why} {more}")


def _inner(inside: Inside, server: ServerSeen, listener: ListenerConfigured, why: str) -> Stray:
    """Between programs: what runs on this host goes on working, what comes from elsewhere does not."""
    simple = server.software == POSTFIX and ":" not in listener.name
    if inside.host.peers or not simple:
        return Stray(listener, server, Fate.LOOK, "GP-SEG-003", f"{why} Declare it, or bind it to this host.")
    return Stray(listener, server, Fate.BIND, "GP-SEG-003", why,
                 f"A filter on another machine that hands mail back to port {listener.port} cannot any more; "
                 "declare it under peers if it should.")  # fmt: skip


def hidden(inside: Inside, listener: ListenerConfigured) -> bool:
    """Bound to loopback, as configured or as the kernel has it: nobody outside gets there."""
    words = listener.addresses
    if words:
        return all(word == "::1" or word.startswith("127.") or word == "localhost" for word in words)
    sockets = [one for one in of(SocketSeen, inside.seen, inside.at) if one.port == listener.port]
    return bool(sockets) and all(map(inward, sockets))


def shares(inside: Inside, found: Iterable[Stray]) -> Iterator[Share]:
    """Postfix, and what is for a person; Dovecot's listeners are closed in its own file."""
    for stray in found:
        told = _told(inside, stray)
        if stray.fate is Fate.LOOK:
            yield Share(told)
        elif stray.server.software == POSTFIX:
            way = postfix.closing if stray.fate is Fate.CLOSE else postfix.binding
            port = frozenset({stray.listener.port})
            yield Share(way(inside, stray.server, stray.listener, told), closed=port)


def _told(inside: Inside, stray: Stray) -> Step:
    by_hand = stray.fate is Fate.LOOK
    return Step(
        key=f"service:{stray.server.instance}:{stray.listener.name}",
        host=inside.host.name,
        kind=Kind.SERVICE,
        title=stray.title,
        controls=(stray.control,),
        why=stray.why,
        risk=stray.risk,
        diff=_commands(stray) if by_hand else "",
        by_hand=by_hand,
    )


def _commands(stray: Stray) -> str:
    name, instance = stray.listener.name, stray.server.instance
    if stray.server.software == POSTFIX:
        return f"postconf -c {quote(instance)} -M# {quote(name)}\npostfix -c {quote(instance)} reload\n"
    service, _, listener = name.rpartition("/")
    return f"service {service} {{\n  inet_listener {listener} {{\n    port = 0\n  }}\n}}\n"
