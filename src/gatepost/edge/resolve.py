"""Names to records, through a resolver whose address and port are known.

What went wrong is told apart, because the remedies differ: a name that does not exist (PeerUnreachable), a
resolver that says no (PeerRefused), one that says nothing (PeerSilent), one that talks nonsense (PeerGarbled).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.SRV import SRV

from gatepost import catalogue
from gatepost.certs.names import a_labels
from gatepost.errors import (
    PeerClosed,
    PeerError,
    PeerGarbled,
    PeerRefused,
    PeerReset,
    PeerSilent,
    PeerUnreachable,
    UsageError,
)
from gatepost.model.words import Reason
from gatepost.records.srv import Row

SECONDS = 8.0  # for one question, repetitions included
MAX_RECORDS = 64  # of one kind under one name
HOSTS_FILE = Path("/etc/hosts")
MAX_HOSTS_FILE = 1024 * 1024  # octets


@dataclass(frozen=True, slots=True)
class Found:
    """Addresses of a name, and what kept us from asking for one family or the other."""

    addresses: tuple[str, ...]
    trouble: tuple[PeerError, ...] = ()


@dataclass(frozen=True, slots=True)
class Resolver:
    """`where` names it for messages. `local` is /etc/hosts, consulted by the system's resolver only."""

    where: str
    stub: dns.asyncresolver.Resolver
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
            return Found((), (PeerUnreachable(f"{plain} has no address", refused=False),))
        return Found(addresses, trouble)

    async def _family(self, name: str, kind: str) -> Found:
        try:
            rows = await self._records(name, kind)
        except PeerError as error:
            return Found((), (error,))
        return Found(tuple(sorted((str(one) for one in rows), key=lambda a: ip_address(a).packed)))

    async def mx(self, name: str) -> tuple[tuple[int, str], ...]:
        """Preference and target. Empty when the name exists without any; raises a PeerError otherwise."""
        rows = await self._records(name, "MX")
        return tuple((one.preference, one.exchange.to_text()) for one in rows if isinstance(one, MX))

    async def srv(self, name: str) -> tuple[Row, ...]:
        """Priority, weight, port, target. A name that does not exist has none."""
        try:
            rows = await self._records(name, "SRV")
        except PeerUnreachable:
            return ()
        return tuple((r.priority, r.weight, r.port, r.target.to_text()) for r in rows if isinstance(r, SRV))

    async def txt(self, name: str) -> tuple[str, ...]:
        """The strings of each record joined, octets as Latin-1. A name that does not exist has none."""
        try:
            rows = await self._records(name, "TXT")
        except PeerUnreachable:
            return ()
        return tuple(b"".join(one.strings).decode("latin-1") for one in rows if isinstance(one, TXT))

    async def _records(self, name: str, kind: str) -> list[object]:
        asked = _question(name)
        try:
            answer = await self.stub.resolve(asked, kind, search=False, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            raise PeerUnreachable(f"{name} does not exist", refused=False) from None
        except dns.exception.Timeout:
            raise PeerSilent(f"{self.where} does not answer for {name} within {self.stub.lifetime:g} s") from None
        except dns.resolver.NoNameservers as error:
            raise PeerRefused(f"{self.where} cannot resolve {name}: {_answer(error)}") from None
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise PeerGarbled(f"{self.where} answers nonsense for {name}: {error}") from None
        return list(answer.rrset or ())[:MAX_RECORDS]


def _question(name: str) -> dns.name.Name:
    plain = a_labels(name)
    try:
        if plain:
            return dns.name.from_text(plain)
    except dns.exception.DNSException:
        pass
    raise PeerUnreachable(f"{name!r} is no host name", refused=False)


def resolver_at(where: str | None = None, *, seconds: float = SECONDS) -> Resolver:
    """`ADDR[#PORT]`, or the system's resolver. `seconds` are for one question. Raises UsageError."""
    if where is None:
        return _system(seconds)
    address, _, port = where.partition("#")
    plain = literal(address.removeprefix("[").removesuffix("]"))
    if plain is None:
        raise UsageError(f"--resolver: {address!r} is not an IP address (ADDR[#PORT], for example 127.0.0.1#5353)")
    if port and not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise UsageError(f"--resolver: {port!r} is not a port number")
    stub = dns.asyncresolver.Resolver(configure=False)
    stub.nameservers = [dns.nameserver.Do53Nameserver(plain, int(port) if port else _usual_port())]
    return Resolver(f"the resolver {where}", _patient(stub, seconds))


def _system(seconds: float) -> Resolver:
    try:
        stub = dns.asyncresolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        stub = dns.asyncresolver.Resolver(configure=False)
        stub.nameservers = ["127.0.0.1"]  # what resolv.conf(5) says of an absent file
    return Resolver("the system's resolver", _patient(stub, seconds), hosts_file(HOSTS_FILE))


def _patient(stub: dns.asyncresolver.Resolver, seconds: float) -> dns.asyncresolver.Resolver:
    stub.lifetime = seconds
    stub.timeout = seconds / 3
    return stub


def _usual_port() -> int:
    row = catalogue.port("dns")
    assert row is not None  # noqa: S101 - a test holds the catalogue to it
    return row.number


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
            return file.read(MAX_HOSTS_FILE).decode("latin-1").splitlines()
    except OSError:
        return []


def literal(text: str) -> str | None:
    """An IP address in its usual spelling; None for anything else."""
    try:
        return str(ip_address(text))
    except ValueError:
        return None


def reason(error: PeerError) -> Reason:
    """What an unanswered question is filed under."""
    match error:
        case PeerSilent():
            return Reason.TIMEOUT
        case PeerGarbled():
            return Reason.GARBLED
        case PeerRefused():
            return Reason.REFUSED
        case PeerClosed():
            return Reason.CLOSED
        case PeerReset():
            return Reason.RESET
        case _:
            return Reason.UNRESOLVED


def _answer(error: dns.resolver.NoNameservers) -> str:
    """The response code or the reason, out of dnspython's list of every try."""
    tries = error.kwargs.get("errors") or []
    last = tries[-1][3] if tries and len(tries[-1]) > 3 else error
    return str(last) or type(last).__name__
