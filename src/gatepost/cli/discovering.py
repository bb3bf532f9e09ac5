"""What a look found, as a declaration: the deciding part of `gatepost init`."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from ipaddress import ip_network

from gatepost.catalogue.presumption import CONVERSED
from gatepost.cli import hinting
from gatepost.cli.adopting import as_published
from gatepost.cli.declared import today
from gatepost.cli.looking import Looked
from gatepost.cli.machine import machine
from gatepost.declare import adopted, write
from gatepost.errors import CannotLook
from gatepost.model.architecture import Architecture, Domain, Endpoint, Host, Service, Zone
from gatepost.model.observation import Advertised, Closed, Greeting, Handshake, Identified, Listening, of
from gatepost.model.words import Role

_WITHIN = frozenset({Role.BACKEND, Role.FILTER})  # for servers among themselves: open to others it is hardly meant
INTERNET = Zone("internet", (ip_network("0.0.0.0/0"), ip_network("::/0")))


def declaration(looked: Looked, organization: str, resolver: str = "", via: str = "") -> str:
    """The text of gatepost.toml. `resolver` and `via` were named to find it, so that the next look uses them again.

    Raises CannotLook when no mail service answered.
    """
    made = replace(found(looked, organization, today()), resolver=resolver)
    made = replace(made, hosts=tuple(replace(host, via=via) for host in made.hosts))
    machines = {bundle.host: machine(bundle, looked.run.seen) for bundle in looked.bundles}
    hints = {host.name: tuple(hinting.of_host(host, looked, machines.get(host.name))) for host in made.hosts}
    return write(made, tuple(hinting.of_zones(machines.values())), hints)


def found(looked: Looked, organization: str, day: date) -> Architecture:
    hosts = tuple(host for name in _host_names(looked) if (host := _host(name, looked)).services)
    if not hosts:
        raise CannotLook(f"no mail service answered at {', '.join(looked.targets)}: nothing to declare")
    return adopted(
        Architecture(
            organization=organization,
            profile=looked.profile.name,
            zones=(INTERNET,),
            hosts=hosts,
            domains=_domains(looked, {h.name for h in hosts}),
        ),
        today=day,
    )


def _host_names(looked: Looked) -> tuple[str, ...]:
    return tuple(dict.fromkeys(at.host for at in looked.services))


def _host(name: str, looked: Looked) -> Host:
    there = [at for at in looked.services if at.host == name]
    services = {at.port: looked.services[at] for at in there if _speaks_mail(at, looked)}
    services = {port: service for port, service in services.items() if service.role not in _WITHIN}
    seen = looked.run.seen
    answering = {o.at.address for o in of(Listening, seen)} | {o.at.address for o in of(Closed, seen)}
    addresses = tuple(dict.fromkeys(at.address for at in there if at.address in answering))
    return Host(name, addresses, tuple(_as_met(services[port], looked, name) for port in sorted(services)))


def _speaks_mail(at: Endpoint, looked: Looked) -> bool:
    seen = looked.run.seen
    met = bool(of(Greeting, seen, at)) or bool(of(Handshake, seen, at))
    named = any(i.protocol in CONVERSED for i in of(Identified, seen, at))
    return (met or named) and looked.services[at].protocol in CONVERSED


def _as_met(service: Service, looked: Looked, host: str) -> Service:
    """A presumed service becomes a declared one, with the mode it was met in."""
    met = [i.mode for i in of(Identified, looked.run.seen) if (i.at.host, i.at.port) == (host, service.port)]
    return replace(service, declared=True, mode=met[0] if met else service.mode)


def _domains(looked: Looked, hosts: set[str]) -> tuple[Domain, ...]:
    by_domain: dict[str, list[str]] = {}
    for one in of(Advertised, looked.run.seen):
        if one.via == "mx" and one.target:
            by_domain.setdefault(one.at.host, []).append(one.target)
    return tuple(
        as_published(Domain(name, mx=tuple(dict.fromkeys(mx))), frozenset(hosts), looked.run.seen)
        for name, mx in by_domain.items()
        if set(mx) & hosts
    )
