"""Names to records, through a resolver whose address and port are known.

What went wrong is told apart, because the remedies differ: a name that does not exist (PeerUnresolved), a
resolver that says no (PeerRefused), one that says nothing (PeerSilent), one that talks nonsense (PeerGarbled).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from gatepost import catalogue
from gatepost.certs.names import a_labels
from gatepost.edge.lookup import SECONDS, Asker
from gatepost.edge.nameserver import Nameserver
from gatepost.edge.unbound import validator
from gatepost.errors import PeerError, PeerUnresolved, UsageError
from gatepost.model.dns import Answer, Presence
from gatepost.model.reasons import failure
from gatepost.records.srv import Row

MAX_RECORDS = 64  # of one kind under one name
HOSTS_FILE = Path("/etc/hosts")
RESOLVER_FILE = Path("/etc/resolv.conf")
MAX_FILE = 1024 * 1024  # octets
MAX_SERVERS = 3  # resolv.conf(5)


@dataclass(frozen=True, slots=True)
class Found:
    """Addresses of a name, and what kept us from asking for one family or the other."""

    addresses: tuple[str, ...]
    trouble: tuple[PeerError, ...] = ()


@dataclass(frozen=True, slots=True)
class Resolver:
    """`where` names it for messages. `local` is /etc/hosts, consulted by the system's resolver only.

    `asker` answers every other question about DNS in the same run, so that each is asked once.
    """

    where: str
    asker: Asker
    local: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    async def addresses(self, name: str) -> tuple[str, ...]:
        """IPv4 first. Raises a PeerError when there is none."""
        found = await self.find(name)
        if not found.addresses:
            raise found.trouble[0]
        return found.addresses

    async def find(self, name: str) -> Found:
        """Both families, each on its own: half an answer is told together with why the rest is missing."""
        plain = name.strip().removeprefix("[").removesuffix("]")
        if address := literal(plain):
            return Found((address,))
        known = self.local.get(plain.rstrip(".").lower(), ())
        if known and not _own_name(plain, known):
            return Found(known)
        found = await self._asked(plain)
        return Found(known) if known and not found.addresses else found

    async def _asked(self, plain: str) -> Found:
        answers = await asyncio.gather(*(self._family(plain, kind) for kind in ("A", "AAAA")))
        addresses = tuple(dict.fromkeys(a for answer in answers for a in answer.addresses))
        trouble = tuple({str(error): error for answer in answers for error in answer.trouble}.values())
        if not addresses and not trouble:
            return Found((), (PeerUnresolved(f"{plain} has no address"),))
        return Found(addresses, trouble)

    async def _family(self, name: str, kind: str) -> Found:
        try:
            rows = await self._records(name, kind)
        except PeerError as error:
            return Found((), (error,))
        return Found(tuple(sorted(rows, key=lambda a: ip_address(a).packed)))

    async def mx(self, name: str) -> tuple[tuple[int, str], ...]:
        """Preference and target. Empty when the name exists without any; raises a PeerError otherwise."""
        rows = [row.split(" ", 1) for row in await self._records(name, "MX")]
        return tuple((int(preference), _absolute(target)) for preference, target in rows)

    async def srv(self, name: str) -> tuple[Row, ...]:
        """Priority, weight, port, target. A name that does not exist has none."""
        try:
            rows = [row.split(" ", 3) for row in await self._records(name, "SRV")]
        except PeerUnresolved:
            return ()
        return tuple((int(row[0]), int(row[1]), int(row[2]), _absolute(row[3])) for row in rows)

    async def txt(self, name: str) -> tuple[str, ...]:
        """The strings of each record joined, octets as Latin-1. A name that does not exist has none."""
        try:
            return await self._records(name, "TXT")
        except PeerUnresolved:
            return ()

    async def close(self) -> None:
        self.asker.close()

    async def _records(self, name: str, kind: str) -> tuple[str, ...]:
        answer = await self.asker(a_labels(name) or "", kind)
        if answer.failed or answer.presence is Presence.ABSENT:
            raise _trouble(name, answer)
        return answer.values[:MAX_RECORDS]


def _trouble(name: str, answer: Answer) -> PeerError:
    if answer.failed:
        return failure(answer.reason, answer.why)
    return PeerUnresolved(f"{name!r} is no host name" if answer.why else f"{name} does not exist")


def _absolute(name: str) -> str:
    return name if name == "." else f"{name}."


def resolver_at(
    where: str | None = None, *, seconds: float = SECONDS, trusted: bool = False, anchor: Path | None = None
) -> Resolver:
    """`ADDR[#PORT]`, or the system's resolver. `seconds` are for one question. Raises UsageError.

    `trusted`: its word on DNSSEC counts although it is not on this machine. `anchor` is a file of trust anchors for
    validation here, where libunbound is installed; the usual places are tried without one.
    """
    if where is None:
        return _system(seconds, trusted=trusted, anchor=anchor)
    address, _, port = where.partition("#")
    plain = literal(address.removeprefix("[").removesuffix("]"))
    if plain is None:
        raise UsageError(f"--resolver: {address!r} is not an IP address (ADDR[#PORT], for example 127.0.0.1#5353)")
    if port and not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise UsageError(f"--resolver: {port!r} is not a port number")
    name = f"the resolver {where}"
    server = _server(plain, int(port) if port else catalogue.number("dns"), name, trusted=trusted)
    return Resolver(name, _asker((server,), name, seconds, anchor))


def _system(seconds: float, *, trusted: bool, anchor: Path | None) -> Resolver:
    addresses, honest = resolver_file(RESOLVER_FILE)
    name = "the system's resolver"
    servers = tuple(_server(a, catalogue.number("dns"), f"{name} {a}", trusted=trusted or honest) for a in addresses)
    return Resolver(name, _asker(servers, name, seconds, anchor), hosts_file(HOSTS_FILE))


def _server(address: str, port: int, where: str, *, trusted: bool) -> Nameserver:
    """Nobody sits between us and an address of this machine."""
    return Nameserver(address, port, where, trusted=trusted or ip_address(address).is_loopback)


def _asker(servers: tuple[Nameserver, ...], where: str, seconds: float, anchor: Path | None) -> Asker:
    places = tuple((server.address, server.port) for server in servers)
    return Asker(servers, where, seconds=seconds, validator=validator(places, anchor))


def resolver_file(path: Path) -> tuple[tuple[str, ...], bool]:
    """resolv.conf(5): the addresses, and whether their AD bit counts (`options trust-ad`).

    Without the file, or without an address in it, a resolver on this machine is meant.
    """
    addresses: list[str] = []
    options: list[str] = []
    for line in _lines(path):
        words = line.split()
        if words[:1] == ["nameserver"] and len(words) > 1 and literal(words[1]):
            addresses.append(words[1])
        elif words[:1] == ["options"]:
            options += words[1:]
    return tuple(dict.fromkeys(addresses))[:MAX_SERVERS] or ("127.0.0.1",), "trust-ad" in options


def hosts_file(path: Path) -> dict[str, tuple[str, ...]]:
    """Names to addresses; `localhost` even without the file (RFC 6761 section 6.3)."""
    found: dict[str, list[str]] = {}
    for line in _lines(path):
        address, *names = line.partition("#")[0].split() or [""]
        for name in names if literal(address) else ():
            found.setdefault(name.rstrip(".").lower(), []).append(str(literal(address)))
    found.setdefault("localhost", ["127.0.0.1"])
    return {name: tuple(dict.fromkeys(addresses)) for name, addresses in found.items()}


def _own_name(name: str, addresses: tuple[str, ...]) -> bool:
    """Debian maps a machine's own public name to 127.0.1.1: what the world is told in DNS is worth more."""
    loopback = all(ip_address(one).is_loopback for one in addresses)
    return loopback and "." in name and not name.lower().rstrip(".").endswith("localhost")


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE).decode("latin-1").splitlines()
    except OSError:
        return []


def literal(text: str) -> str | None:
    """An IP address in its usual spelling; None for anything else."""
    try:
        return str(ip_address(text))
    except ValueError:
        return None
