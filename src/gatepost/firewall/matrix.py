"""From zones and services to the flows they permit, address by address; whatever is not listed is forbidden."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from gatepost import catalogue
from gatepost.firewall.exits import exits, kept_from, relays
from gatepost.firewall.whom import EVERYBODY, NOBODY, Directory, Party
from gatepost.model.architecture import Architecture, Host, Service
from gatepost.model.flows import Flow, Matrix
from gatepost.model.words import Role

INNER = frozenset({Role.BACKEND, Role.FILTER})


def matrix(architecture: Architecture) -> Matrix:
    """A service past its `until` stays in: closing it is an operator's act, and `line` says where it is declared."""
    directory = Directory.of(architecture)
    flows = tuple(flow for host in architecture.hosts for flow in _flows(host, architecture, directory))
    return Matrix(
        flows,
        exits(architecture, flows, directory),
        kept_from(architecture),
        frozenset(host.name for host in architecture.hosts if host.routes),
        frozenset(host.name for host in architecture.hosts if not relays(host)),
        tuple((zone.name, zone.networks) for zone in architecture.zones),
    )


def without(whole: Matrix, host: str, ports: Iterable[int]) -> Matrix:
    """The same with some ports of one host shut to everybody."""
    shut = frozenset(ports)
    return replace(whole, flows=tuple(f for f in whole.flows if f.host != host or f.port not in shut))


def management_ports(host: Host) -> tuple[int, ...]:
    return tuple(dict.fromkeys(host.management_ports)) or (catalogue.number("ssh"),)


def _flows(host: Host, architecture: Architecture, directory: Directory) -> Iterator[Flow]:
    managed = management_ports(host)
    for service in host.services:
        if service.port not in managed:
            yield from _flow(host, service.name, service.port, _admitted(host, service, architecture, directory),
                             line=service.line)  # fmt: skip
    for port in managed:
        yield from _management(host, port, directory)


def _flow(
    host: Host, name: str, port: int, party: Party, *, line: int | None, management: bool = False
) -> Iterator[Flow]:
    for address in host.addresses:
        if sources := party.of(6 if ":" in address else 4):
            yield Flow(f"{host.name}/{name}", host.name, address, port, sources, party.names, line, management)


def _admitted(host: Host, service: Service, architecture: Architecture, directory: Directory) -> Party:
    """Named zones win over exposure. Filters and backends also take the peers of the host, named for just that.

    `internal` without named peers means the declared hosts: the mail system itself.
    """
    if service.sources:
        return directory.party((*service.sources, *(host.peers if service.role in INNER else ())))
    if service.exposure in {"internet", "clients"}:
        return EVERYBODY
    if service.exposure == "internal":
        return directory.party(host.peers or [one.name for one in architecture.hosts])
    return NOBODY


def _management(host: Host, port: int, directory: Directory) -> Iterator[Flow]:
    """Where nobody is named, everybody may try to log in: a firewall that locks its operator out is worse."""
    service = host.service(port)
    named = (*host.management, *(service.sources if service else ()))
    row = catalogue.port_numbered(port)
    name = service.name if service else row.id if row else f"port-{port}"
    yield from _flow(
        host,
        name,
        port,
        directory.party(named) if named else EVERYBODY,
        line=service.line if service else host.line,
        management=True,
    )
