"""Where the settings of a host take effect: which server, which port, with which value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from gatepost import catalogue
from gatepost.catalogue.presumption import presumed
from gatepost.catalogue.settings import EVERYWHERE, OUTWARD, Row, settings
from gatepost.checks.case import Case
from gatepost.checks.inside_seen import here
from gatepost.checks.settings.networks import local
from gatepost.model.architecture import Service
from gatepost.model.host import ListenerConfigured, ServerSeen, SettingSeen, SocketSeen
from gatepost.model.observation import of
from gatepost.model.words import Mode
from gatepost.servers.effective import effective

SENDING = ("smtp/unix", "relay/unix")  # Postfix's own clients; others are found by what they override
LISTENING = frozenset({"postscreen", "smtpd"})  # commands of master.cf that talk to clients
_ASIDE = {"dovecot": ("plugin",)}  # 2.3 keeps settings of plugins in a block of their own
_TRANSPORTS = frozenset({
    "content_filter", "default_transport", "fallback_transport", "local_transport", "mailbox_transport",
    "relay_transport", "virtual_transport",
})  # fmt: skip
_LONGEST = 120  # characters of a value in a sentence


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a setting takes effect: one port of a server, a block of its configuration, or the server as a whole.

    `service` is what overrides are written for; empty: the whole.
    """

    server: ServerSeen
    service: str = ""
    listener: ListenerConfigured | None = None
    meant: Service | None = None  # what is declared on the port, or presumed there
    kin: str = ""  # the usual port for the same purpose: 587 for a submission port on 2587

    @property
    def port(self) -> int:
        return self.listener.port if self.listener else 0

    @property
    def label(self) -> str:
        if self.listener is None:
            return self.service
        return f"{self.meant.name} ({self.port})" if self.meant else f"port {self.port}"

    @property
    def public(self) -> bool:
        return self.meant is not None and self.meant.exposure == "internet"

    @property
    def postscreen(self) -> bool:
        return self.listener is not None and self.listener.command == "postscreen"


@dataclass(frozen=True, slots=True)
class Asked:
    """One row of the catalogue at one spot of a host."""

    case: Case
    row: Row
    spot: Spot

    @property
    def version(self) -> str:
        return self.spot.server.version

    def seen(self, name: str) -> SettingSeen | None:
        server, at = self.spot.server, here(self.case)
        for service in (self.spot.service, *_ASIDE.get(server.software, ())):
            found = effective(self.case.seen, at, server.software, server.instance, service, name)
            if found is not None:
                return found
        return None


def servers(case: Case, software: str) -> list[ServerSeen]:
    return [one for one in of(ServerSeen, case.seen, here(case)) if one.software == software]


def told(case: Case, server: ServerSeen) -> Iterator[SettingSeen]:
    """Every setting of an instance, overrides and defaults included."""
    for one in of(SettingSeen, case.seen, here(case)):
        if (one.software, one.instance) == (server.software, server.instance):
            yield one


def spots(case: Case, server: ServerSeen, row: Row) -> list[Spot]:
    """Where the row is about this server; overrides for clients, names and networks are spots of their own."""
    if row.block:
        named = (one.service for one in told(case, server) if one.name == row.reads)
        return [Spot(server, name) for name in dict.fromkeys(named) if name.startswith(row.block)]
    if row.listener:
        return [_named(case, one) for one in listeners(case, server) if _called(one, row.listener)]
    if EVERYWHERE in row.applies_to:
        return [Spot(server), *_blocks(case, server, row, ())]
    if OUTWARD in row.applies_to:
        usual = [Spot(server, name) for name in (SENDING if server.software == "postfix" else ("",))]
        others = _blocks(case, server, row, SENDING)
        return [*usual, *(one for one in others if not _to_a_filter(case, server, one.service))]
    found = [_spot(case, one) for one in listeners(case, server) if not hidden(case, one)]
    wanted = [one for one in found if one.kin in row.applies_to]
    if server.software == "postfix" or not wanted:
        return wanted
    return [*wanted, *(one for one in _blocks(case, server, row, ()) if not one.service.startswith("protocol "))]


def listeners(case: Case, server: ServerSeen) -> list[ListenerConfigured]:
    """What the server talks to clients on."""
    return [
        one
        for one in of(ListenerConfigured, case.seen, here(case))
        if (one.software, one.instance) == (server.software, server.instance)
        and (one.software != "postfix" or one.command.rpartition("/")[2] in LISTENING)
    ]


def hidden(case: Case, listener: ListenerConfigured) -> bool:
    """Only this host itself gets there: bound to loopback, as configured or as the kernel has it."""
    bound = listener.addresses or tuple(
        one.address for one in of(SocketSeen, case.seen, here(case)) if one.port == listener.port
    )
    return bool(bound) and all(map(local, bound))


def shown(value: str) -> str:
    value = value.strip()
    if not value:
        return "empty"
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"


def _called(listener: ListenerConfigured, name: str) -> bool:
    return listener.name == name or listener.name.startswith(f"{name}/")


def _spot(case: Case, listener: ListenerConfigured) -> Spot:
    server = next(
        one
        for one in servers(case, listener.software)
        if (one.software, one.instance) == (listener.software, listener.instance)
    )
    declared = case.host.service(listener.port) if case.host else None
    meant = declared or presumed(listener.port)
    return Spot(server, listener.name, listener, meant, kin(meant))


def _named(case: Case, listener: ListenerConfigured) -> Spot:
    """What its configuration calls it says more than what usually has the number."""
    spot = _spot(case, listener)
    declared = spot.meant is not None and spot.meant.declared
    return spot if declared or spot.kin else replace(spot, meant=None)


def kin(service: Service) -> str:
    """The port of the catalogue's rows with the same protocol, duty and start; a port in clear is one of STARTTLS."""
    start = service.mode if service.mode is Mode.IMPLICIT else Mode.STARTTLS
    return _usual().get((service.protocol, service.role.value, start.value), "")


@cache
def _usual() -> dict[tuple[str, str, str], str]:
    numbers = {port for row in settings() for port in row.applies_to if port.isdecimal()}
    rows = [found for port in numbers if (found := catalogue.port_numbered(int(port)))]
    return {(row.protocol, row.duty, row.mode): str(row.number) for row in rows}


def _blocks(case: Case, server: ServerSeen, row: Row, known: Iterable[str]) -> list[Spot]:
    """Overrides of the row's own setting for something else than a port: `local_name`, `remote`, another client."""
    others = {
        one.service
        for one in told(case, server)
        if one.service and one.name == row.reads and not _of_a_port(one.service) and not _of_this_host(one.service)
    }
    return [Spot(server, name) for name in sorted(others - set(known))]


def _of_this_host(service: str) -> bool:
    """`remote 127.0.0.1`: what clients on the host itself may do is seen by nobody on the way."""
    kind, _, clients = service.partition(" ")
    return kind == "remote" and bool(clients) and all(map(local, clients.replace(",", " ").split()))


def _to_a_filter(case: Case, server: ServerSeen, service: str) -> bool:
    """A client of master.cf that is only named with destinations on this host: nothing leaves it."""
    name = service.partition("/")[0]
    named = [
        place
        for one in told(case, server)
        if one.name in _TRANSPORTS
        for client, _, place in (one.value.strip().partition(":"),)
        if client == name
    ]
    return bool(named) and all(local(_host(place)) for place in named)


def _host(place: str) -> str:
    """`[127.0.0.1]:10024`, `localhost:10024`, `[127.0.0.1]`."""
    host, _, port = place.rpartition(":")
    return (host if port.isdecimal() else place).strip("[]")


def _of_a_port(service: str) -> bool:
    """A block of one listener has words of its own: `ssl` there is not the setting `ssl`."""
    return service == "plugin" or service.startswith("service ") or service.endswith(("/inet", "/pass"))
