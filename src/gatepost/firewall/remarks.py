"""What follows from a declaration and may surprise the one who wrote it."""

from __future__ import annotations

from collections.abc import Iterator

from gatepost import catalogue
from gatepost.firewall.exits import relays
from gatepost.firewall.matrix import management_ports
from gatepost.model.architecture import Host
from gatepost.model.flows import Flow, Matrix


def remarks(matrix: Matrix, host: Host) -> tuple[str, ...]:
    """Sentences, the gravest first."""
    flows = matrix.to(host.name)
    return (*_login(flows, host), *_inbound(flows, host), *_outbound(matrix, host))


def _login(flows: tuple[Flow, ...], host: Host) -> Iterator[str]:
    for port in management_ports(host):
        name = called(host, port)
        ways = [flow for flow in flows if flow.port == port]
        if not ways:
            yield f"nobody can log in over {name} ({port}): who is named has no network of a family this host has"
        elif any(not flow.zones for flow in ways):
            yield f"everybody may try to log in over {name} ({port}): name management to limit it"


def _inbound(flows: tuple[Flow, ...], host: Host) -> Iterator[str]:
    """Of ports that somebody was let in to: a family where all of them are missing."""
    for family in sorted({6 if ":" in address else 4 for address in host.addresses}):
        for port in dict.fromkeys(flow.port for flow in flows):
            ways = [flow for flow in flows if flow.port == port]
            if not any(flow.family == family for flow in ways):
                who = ", ".join(ways[0].zones)
                what = f"{called(host, port)} ({port}) over IPv{family}"
                yield f"nobody reaches {what}: there is no IPv{family} network in {who}"


def _outbound(matrix: Matrix, host: Host) -> Iterator[str]:
    if host.egress is None:
        return
    leaving = [one for one in matrix.out_of(host.name) if one.transport == "tcp"]
    if relays(host) and not any(one.port in {0, catalogue.number("smtp")} for one in leaving):
        yield f"mail cannot leave: no egress names port {catalogue.number('smtp')}"
    names = {0, catalogue.number("dns"), catalogue.number("domain-s")}
    if not any(one.port in names for one in matrix.out_of(host.name)):
        yield f"names cannot be looked up: no egress names port {catalogue.number('dns')}"


def unreached(matrix: Matrix, host: Host) -> tuple[tuple[int, str], ...]:
    """Declared, and let in to from nowhere: loopback, or sources without networks."""
    reached = {flow.port for flow in matrix.to(host.name)}
    return tuple((service.port, service.name) for service in host.services if service.port not in reached)


def called(host: Host, port: int) -> str:
    """What a port of a host is called; the number where nobody named it."""
    service = host.service(port)
    if service is not None:
        return service.name
    row = catalogue.port_numbered(port)
    return row.id if row else f"port {port}"
