"""A host as it was seen from inside, as a plan asks for it: what serves which port, which value holds there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

from gatepost import catalogue
from gatepost.catalogue.desired import rows
from gatepost.catalogue.presumption import presumed
from gatepost.model.architecture import Architecture, Endpoint, Host
from gatepost.model.bundle import Bundle, FileTaken
from gatepost.model.host import ListenerConfigured, ServerSeen, SettingSeen
from gatepost.model.observation import Seen, of
from gatepost.model.plan import Found
from gatepost.model.words import Mode, Role
from gatepost.servers.effective import effective

ABSENT = frozenset({"", "(no such setting)"})


@dataclass(frozen=True, slots=True)
class Inside:
    """`bundle` is None where only facts came, from a saved run."""

    host: Host
    architecture: Architecture
    seen: Seen
    bundle: Bundle | None = None

    @property
    def at(self) -> Endpoint:
        return Endpoint(self.host.name)

    def servers(self, software: str) -> tuple[ServerSeen, ...]:
        found = (s for s in of(ServerSeen, self.seen, self.at) if s.software == software)
        return tuple({s.instance: s for s in found}.values())

    def listeners(self, server: ServerSeen, ports: frozenset[int] = frozenset()) -> tuple[ListenerConfigured, ...]:
        """Those of the ports a row is about, by their number or their purpose."""
        found = [one for one in of(ListenerConfigured, self.seen, self.at) if _of(one, server)]
        return tuple(one for one in found if not ports or ports & {one.port, self.usual(one.port)})

    def usual(self, port: int) -> int:
        """The port that rows have for the same purpose: 587 for submission on 2587."""
        service = self.host.service(port) or presumed(port)
        start = service.mode if service.mode is Mode.IMPLICIT else Mode.STARTTLS
        return _purposes().get((service.protocol, service.role, start), port)

    def settings(self, server: ServerSeen, name: str) -> tuple[SettingSeen, ...]:
        """Everywhere it is set, the value for all services first."""
        found = [one for one in of(SettingSeen, self.seen, self.at) if one.name == name and _of(one, server)]
        return tuple(sorted(found, key=lambda one: one.service))

    def setting(self, server: ServerSeen, name: str, service: str = "") -> SettingSeen | None:
        return next((one for one in self.settings(server, name) if one.service == service), None)

    def effective(self, server: ServerSeen, name: str, service: str) -> SettingSeen | None:
        return effective(self.seen, self.at, server.software, server.instance, service, name)

    def file(self, path: str) -> FileTaken | None:
        return self.bundle.file(path) if self.bundle else None

    def found(self, *paths: str) -> tuple[Found, ...]:
        """Files as they were, where the bundle holds them unmasked."""
        return tuple(Found(path, digest) for path in paths if (digest := self._digest(path)) is not None)

    def _digest(self, path: str) -> str | None:
        taken = self.file(path)
        if taken is None:
            return None
        if not taken.exists:
            return ""
        octets = (taken.text or "").encode(errors="replace")
        whole = taken.text is not None and len(octets) == taken.size and "***" not in taken.text
        return sha256(octets).hexdigest() if whole else None


@cache
def _purposes() -> Mapping[tuple[str, Role, Mode], int]:
    numbers = sorted({port for one in rows() for port in one.ports})
    found = [row for number in numbers if (row := catalogue.port_numbered(number))]
    return {(row.protocol, Role(row.duty), Mode(row.mode)): row.number for row in found}


def _of(one: ListenerConfigured | SettingSeen, server: ServerSeen) -> bool:
    return (one.software, one.instance) == (server.software, server.instance)


def hosts(architecture: Architecture, seen: Seen, bundles: Iterable[Bundle]) -> tuple[Inside, ...]:
    """Declared hosts that were looked at from inside. What nobody declared is nothing to enforce."""
    known = {bundle.host: bundle for bundle in bundles}
    inside = {one.at.host for one in of(ServerSeen, seen)} | set(known)
    return tuple(
        Inside(host, architecture, seen, known.get(host.name)) for host in architecture.hosts if host.name in inside
    )


def written(one: SettingSeen | None) -> str:
    """As the administrator wrote it, with references; a default as it works out."""
    if one is None:
        return ""
    return one.value if one.default else one.written or one.value


def where(one: SettingSeen | None) -> str:
    """`main.cf:12`, for a sentence."""
    return str(one.place) if one is not None and one.place else "the built-in default"
