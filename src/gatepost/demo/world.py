"""The world of `gatepost demo`: a host in order and a host that is not, both on loopback.

Two addresses, so that each host has its own: 127.0.0.25 and .26 where the system lets us bind them (Linux), else
127.0.0.1 and ::1. Only in the first case do we look from another address than the servers', and only then do
answers about clear text and relaying count.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gatepost.demo.authority import Authority, Flaw, Key, KeyKind, Papers, make_key
from gatepost.demo.habits import Habits, Injection, Relaying, Starttls, Tls
from gatepost.demo.names import Table, name_server
from gatepost.demo.reports import remembered
from gatepost.demo.servers import Handler, listeners, listening, mail
from gatepost.demo.web import documents
from gatepost.demo.zones import Records, Site, bad_zone, good_zone, merged, policies

GOOD, BAD = "mail.good.test", "mail.bad.test"
GOOD_DOMAIN, BAD_DOMAIN = "good.test", "bad.test"
OLD_TLS = Tls(lowest=0x0301, highest=0x0303, ciphers="ALL:COMPLEMENTOFALL", renegotiation=True)


@dataclass(frozen=True, slots=True)
class World:
    """`hosts` are the names to audit, `ports` everything that listens, declared or not."""

    declaration: Path
    ca: Path
    hosts: tuple[str, ...]
    ports: frozenset[int]
    domains: tuple[str, ...] = ()
    https: int = 0  # where policies are served, when there are any
    state: Path | None = None  # what was seen before and reported by others, when there is any


@dataclass(frozen=True, slots=True)
class Stall:
    """One listener: the number it would like, its habits, and what the declaration says of it.

    `declared` is the catalogue's name of the service; empty where the operator knows nothing of it. `instead`
    makes what listens there when it is no mail server.
    """

    port: int
    declared: str
    habits: Habits
    flaw: Flaw = Flaw.NONE
    legacy: bool = False
    instead: Callable[[Handler], Handler] | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """One host."""

    name: str
    address: str
    stalls: tuple[Stall, ...]


def good_host() -> tuple[Stall, ...]:
    return (
        Stall(10025, "smtp", Habits("smtp", name=GOOD, domain=GOOD)),
        Stall(10465, "submissions", Habits("smtp", name=GOOD, domain=GOOD, submission=True, implicit=True)),
        Stall(10587, "submission", Habits("smtp", name=GOOD, domain=GOOD, submission=True)),
        Stall(10993, "imaps", Habits("imap", name=GOOD, domain=GOOD, implicit=True)),
        Stall(14190, "managesieve", Habits("managesieve", name=GOOD, domain=GOOD)),
    )


def bad_host() -> tuple[Stall, ...]:
    """A handful of the faults that real hosts have, one or two to a port."""
    leaky = frozenset({Relaying.OWN_SENDER, Relaying.PERCENT})
    return (
        Stall(
            20025,
            "smtp",
            Habits("smtp", name=BAD, domain=BAD, relays=leaky, verifies=True, banner="mail ESMTP Exim 4.92"),
        ),
        Stall(
            20587, "submission", Habits("smtp", name=BAD, domain=BAD, submission=True, login_in_clear=True, tls=OLD_TLS)
        ),
        Stall(20143, "imap", Habits("imap", name=BAD, domain=BAD, injection=Injection.COMMAND), legacy=True),
        Stall(
            20110,
            "pop3",
            Habits("pop3", name=BAD, domain=BAD, starttls=Starttls.ABSENT, login_in_clear=True),
            legacy=True,
        ),
        Stall(20993, "imaps", Habits("imap", name=BAD, domain=BAD, implicit=True), flaw=Flaw.EXPIRED),
        Stall(
            20995,
            "pop3s",
            Habits("pop3", name=BAD, domain=BAD, implicit=True, limit="-ERR [SYS/TEMP] too many connections"),
        ),
        Stall(22525, "", Habits("smtp", name=BAD, domain=BAD, submission=True, mechanisms=("PLAIN", "ANONYMOUS"))),
    )


@dataclass(frozen=True, slots=True)
class Opened:
    """Servers that are up, and what is needed to put more beside them. `ports` are by host and wanted port."""

    world: World
    authority: Authority
    papers: dict[str, Papers]  # those of most ports, by host
    ports: dict[str, dict[int, int]]


@asynccontextmanager
async def demo_world(directory: Path) -> AsyncIterator[World]:
    """The hosts, a name server that knows their domains, and a web server for their policies."""
    good, bad = _addresses()
    async with AsyncExitStack() as stack:
        opened = await _open(stack, directory, (Place(GOOD, good, good_host()), Place(BAD, bad, bad_host())))
        site = opened.authority.issue((f"mta-sts.{GOOD_DOMAIN}", f"mta-sts.{BAD_DOMAIN}"))
        pages = documents(policies((GOOD_DOMAIN, GOOD), (BAD_DOMAIN, BAD)), site)
        web = await stack.enter_async_context(listening(pages, good, 0))
        table = Table(_zones(opened, good, bad), signed=(GOOD_DOMAIN,))
        names = await stack.enter_async_context(name_server(table, good))
        told = _DOMAINS.format(resolver=f"{good}#{names}", good=GOOD, bad=BAD, kept=GOOD_DOMAIN, neglected=BAD_DOMAIN)
        with opened.world.declaration.open("a", encoding="utf-8") as file:
            file.write(told)
        state = remembered(directory, *_sites(good, bad), _held(opened), opened.authority.now)
        yield replace(opened.world, domains=(GOOD_DOMAIN, BAD_DOMAIN), https=web, state=state)


def _sites(good: str, bad: str) -> tuple[Site, Site]:
    return Site(GOOD_DOMAIN, GOOD, good, web=good), Site(BAD_DOMAIN, BAD, bad, web=good)


def _held(opened: Opened) -> tuple[Papers, Papers]:
    """The certificate that the bad host had, and the one it has."""
    return opened.authority.issue((BAD,), Flaw.EXPIRED), opened.papers[BAD]


def _zones(opened: Opened, good: str, bad: str) -> Records:
    kept, neglected = _sites(good, bad)
    services = {stall.declared: opened.ports[GOOD][stall.port] for stall in good_host()}
    pointed = bad_zone(neglected, opened.ports[BAD][20025], opened.ports[BAD][20143])
    return merged(good_zone(kept, services, opened.papers[GOOD]), pointed)


@asynccontextmanager
async def open_world(directory: Path, places: tuple[Place, ...]) -> AsyncIterator[World]:
    """Servers up while the block runs; the declaration and the CA certificate are written to `directory`."""
    async with AsyncExitStack() as stack:
        yield (await _open(stack, directory, places)).world


async def _open(stack: AsyncExitStack, directory: Path, places: tuple[Place, ...]) -> Opened:
    now = datetime.now(UTC)
    authority = Authority(now, title="gatepost demo")
    key = make_key(KeyKind.RSA)
    papers = {place.name: authority.issue((place.name,), key=key) for place in places}
    ports: dict[str, dict[int, int]] = {}
    for place in places:
        handlers = _handlers(place, authority, papers[place.name], key)
        ports[place.name] = await stack.enter_async_context(listeners(handlers, place.address))
    declaration, ca = directory / "gatepost.toml", directory / "ca.pem"
    hosts = (_host(place, ports[place.name], now) for place in places)
    declaration.write_text(_HEAD + "".join(hosts), encoding="utf-8")
    ca.write_bytes(authority.pem)
    used = frozenset(port for got in ports.values() for port in got.values())
    world = World(declaration, ca, tuple(place.name for place in places), used)
    return Opened(world, authority, papers, ports)


def _handlers(place: Place, authority: Authority, usual: Papers, key: Key) -> dict[int, Handler]:
    """One certificate for all ports of a host that have nothing wrong with theirs."""
    return {stall.port: _handler(stall, place, authority, usual, key) for stall in place.stalls}


def _handler(stall: Stall, place: Place, authority: Authority, usual: Papers, key: Key) -> Handler:
    papers = usual if stall.flaw is Flaw.NONE else authority.issue((place.name,), stall.flaw, key)
    server = mail(stall.habits, papers)
    return stall.instead(server) if stall.instead else server


def _addresses() -> tuple[str, str]:
    for wanted in (("127.0.0.25", "127.0.0.26"), ("127.0.0.1", "::1")):
        if all(_can_bind(address) for address in wanted):
            return wanted
    return "127.0.0.1", "127.0.0.1"


def _can_bind(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


_DOMAINS = """
[dns]
resolver = "{resolver}"

[domains."{kept}"]
mx = ["{good}"]
dkim = ["s2026"]
dmarc = "reject"
dmarc_reports = ["dmarc@{kept}"]
mta_sts = "enforce"
tls_reports = ["tls@{kept}"]
dane = true

[domains."{neglected}"]
mx = ["{bad}"]
dmarc = "reject"
mta_sts = "enforce"
"""
_HEAD = """\
version = 1
organization = "Demo"

[zones]
anywhere = ["0.0.0.0/0", "::/0"]
"""


def _host(place: Place, got: dict[int, int], now: datetime) -> str:
    until = (now + timedelta(days=120)).date()
    services = "".join(
        f'  {{ name = "{stall.declared}", port = {got[stall.port]}'
        + (f', owner = "helpdesk", reason = "old clients", until = {until}' if stall.legacy else "")
        + " },\n"
        for stall in place.stalls
        if stall.declared
    )
    return f'\n[hosts."{place.name}"]\naddresses = ["{place.address}"]\nservices = [\n{services}]\n'
