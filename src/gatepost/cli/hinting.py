"""What `gatepost init` found and does not declare: comments for whoever reads the file, ready to be put to use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from textwrap import wrap

from gatepost import catalogue
from gatepost.cli.looking import Looked
from gatepost.cli.machine import MOST, Machine
from gatepost.declaration.writing import array, comment, key
from gatepost.firewall.matrix import management_ports
from gatepost.model.architecture import Endpoint, Host
from gatepost.model.host import ServerSeen, SettingSeen
from gatepost.model.observation import Listening, Seen, of
from gatepost.servers.bound import listed, outward, sockets

LISTENERS, WIDTH = 12, 100
_RELAYING = ("mynetworks",)
_SPEAKING = ("haproxy_trusted_networks", "login_trusted_networks", "smtpd_authorized_xclient_hosts")
_EXAMPLE = ("office", ("192.0.2.0/24", "2001:db8:1::/48"))


def of_zones(machines: Iterable[Machine]) -> Iterator[str]:
    """Networks that a host is connected to, or what one looks like."""
    beside = [one for machine in machines for one in machine.beside]
    if beside:
        yield "Networks this host is connected to; give them the names of what is there, such as office or admin:"
    else:
        yield "A network of yours would be:"
    for name, networks in beside or [_EXAMPLE]:
        yield f"{key(name)} = {array(networks)}"


def of_host(host: Host, looked: Looked, machine: Machine | None) -> Iterator[str]:
    others = [one for one in (machine.addresses + machine.others if machine else ()) if one not in host.addresses]
    if others:
        yield from wrap(
            f"It has other addresses too; add those that mail is to be reached at: {', '.join(others)}", WIDTH
        )
    if left := _undeclared(host, looked):
        more = f" and {len(left) - LISTENERS} more" if left[LISTENERS:] else ""
        yield from wrap(
            f"Open beside these, and not declared on purpose: {', '.join(left[:LISTENERS])}{more}. "
            "Each is a finding of `gatepost audit` until it is closed, bound to loopback, or declared above.",
            WIDTH,
        )
    yield 'A service for one zone alone: { name = "submission", from = ["office"] }. To be put to use as they are:'
    yield 'management = ["admin"]  # zones or networks that may log in to operate it (ssh); else everybody may try'
    yield from _trusted(host, looked.run.seen)
    if not host.via:
        yield f'via = "ssh root@{comment(host.name)}"  # to look inside from another machine; not needed on this host'


def _undeclared(host: Host, looked: Looked) -> list[str]:
    """`3306 mysqld`: by what the host says, else by what answered."""
    seen, known = looked.run.seen, {one.port for one in host.services} | set(management_ports(host))
    found: dict[int, str] = {}
    if listed(seen, host.name):
        for one in outward(sockets(seen, host.name)):
            found[one.port] = found.get(one.port) or one.process
    else:
        found = {one.at.port: _usual(one.at.port) for one in of(Listening, seen) if one.at.host == host.name}
    return [comment(f"{port} {found[port]}".strip()) for port in sorted(found) if port not in known]


def _usual(port: int) -> str:
    row = catalogue.port_numbered(port)
    return row.id if row else ""


def _trusted(host: Host, seen: Seen) -> Iterator[str]:
    """Whom its settings trust: to be declared, as far as it is meant."""
    if relaying := _networks(host, seen, _RELAYING):
        yield f"relay_clients = {array(relaying)}  # may relay without a login (mynetworks); keep those that must"
    if speaking := _networks(host, seen, _SPEAKING):
        yield f"proxies = {array(speaking)}  # are trusted to speak for others; keep the proxies among them"


def _networks(host: Host, seen: Seen, names: Iterable[str]) -> list[str]:
    at = Endpoint(host.name)
    running = {(one.software, one.instance) for one in of(ServerSeen, seen, at) if one.running}
    words = [
        word.replace("[", "").replace("]", "")
        for one in of(SettingSeen, seen, at)
        if one.name in names and (one.software, one.instance) in running
        for word in one.value.replace(",", " ").split()
    ]
    return [word for word in dict.fromkeys(words) if _outer(word)][:MOST]


def _outer(word: str) -> bool:
    """A network or an address, and not only the host itself."""
    try:
        return not ip_network(word, strict=False).is_loopback
    except ValueError:
        return False
