"""Text in, `Architecture` out, or every problem at once.

Each table is read on its own, so that one mistake hides no other. What could be read is then held together:
zones that overlap, names that nobody declared, ports declared twice.
"""

from __future__ import annotations

import re
from datetime import date
from ipaddress import ip_address

from gatepost import catalogue
from gatepost.declaration.expand import far_off, read_services
from gatepost.declaration.paper import Paper, paper
from gatepost.declaration.positions import Path
from gatepost.declaration.shapes import DeclarationShape, DomainShape, ExchangerShape, Head, HostShape, WaiverShape
from gatepost.declaration.wording import clipped, did_you_mean, shown
from gatepost.declaration.zones import read_zones
from gatepost.errors import DeclarationError
from gatepost.model.architecture import Architecture, Domain, Host, Waiver

VERSION = 1
SECTIONS = ("zones", "hosts", "domains", "waivers")
LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")  # underscores do occur


def read(text: str, name: str, *, today: date) -> Architecture:
    """An empty file declares nothing: `-c /dev/null` looks without the declaration of this directory."""
    if not text:
        return Architecture()
    page = paper(text, name)
    found = _architecture(page, today)
    if page.problems:
        ordered = sorted(page.problems, key=lambda p: (p.line or 0, p.path, p.sentence))
        raise DeclarationError(name, tuple(dict.fromkeys(ordered)))
    return found


def _architecture(page: Paper, today: date) -> Architecture:
    top = {key: value for key, value in page.tables.items() if key not in SECTIONS}
    head = page.shape(Head, top, (), whole=DeclarationShape)
    _check_head(page)
    hosts = _hosts(page, today)
    known = frozenset(filter(None, map(plain_name, page.table(page.tables, "hosts"))))
    return Architecture(
        organization=head.organization if head else "",
        profile=head.profile if head else "",
        zones=read_zones(page),
        hosts=hosts,
        domains=_domains(page, known),
        waivers=_waivers(page, today),
        source=page.name,
    )


def _check_head(page: Paper) -> None:
    """Looked at as written, so that a mistake in one key hides none in the other."""
    version = page.tables.get("version")
    if isinstance(version, int) and not isinstance(version, bool) and version != VERSION:
        page.problem(("version",), f"this gatepost reads version {VERSION}, got {shown(version)}")
    name, known = page.tables.get("profile"), catalogue.profile_names()
    if isinstance(name, str) and name not in known:
        near = did_you_mean(name, known) or f"; known: {', '.join(known)}"
        page.problem(("profile",), f"no TLS profile named {shown(name)}{near}")


def _hosts(page: Paper, today: date) -> tuple[Host, ...]:
    found: list[Host] = []
    for key, raw in page.table(page.tables, "hosts").items():
        path: Path = ("hosts", key)
        host = _host(page, key, raw, path, today)
        if host and any(host.name == other.name for other in found):
            page.problem(path, f"{host.name} is declared twice")
        elif host:
            found.append(host)
    return tuple(found)


def _host(page: Paper, key: str, raw: object, path: Path, today: date) -> Host | None:
    name = plain_name(key)
    if name is None:
        page.problem(path, f"{shown(key)} is no host name")
    if not isinstance(raw, dict):
        page.problem(path, f"expected a table, got {shown(raw)}")
        return None
    shape = page.rest(HostShape, {k: v for k, v in raw.items() if k != "services"}, path)
    services = read_services(page, page.array(raw, "services", path), (*path, "services"), today)
    if shape is None or name is None:
        return None
    if raw.get("addresses", []) == [] and not _address(name):
        page.problem((*path, "addresses"), "a host needs at least one address")
    return Host(name, _addresses(page, shape, name, path), services, page.line(path))


def _addresses(page: Paper, shape: HostShape, name: str, path: Path) -> tuple[str, ...]:
    """A host that is named by its address needs no other."""
    if not shape.addresses and _address(name):
        return (name,)
    found: list[str] = []
    for n, text in enumerate(shape.addresses):
        address = _address(text)
        if address is None:
            page.problem((*path, "addresses", n), f"{shown(text)} is no IPv4 or IPv6 address of a host")
        elif address in found:
            page.problem((*path, "addresses", n), f"{address} is listed twice")
        else:
            found.append(address)
    return tuple(found)


def _address(text: str) -> str | None:
    """In its usual spelling. Addresses that belong to no single host are none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if address.is_unspecified or address.is_multicast or "%" in text:
        return None
    return str(address)


def plain_name(key: str) -> str | None:
    """Lower case, without the final dot; None for what can be neither a DNS name nor an address."""
    if address := _address(key):
        return address
    name = key.removesuffix(".").lower()
    if len(name) > 253 or not all(LABEL.fullmatch(label) for label in name.split(".")):
        return None
    return name


def _domains(page: Paper, hosts: frozenset[str]) -> tuple[Domain, ...]:
    found: list[Domain] = []
    for key, raw in page.table(page.tables, "domains").items():
        path: Path = ("domains", key)
        domain = _domain(page, key, raw, path, hosts)
        if domain and any(domain.name == other.name for other in found):
            page.problem(path, f"{domain.name} is declared twice")
        elif domain:
            found.append(domain)
    return tuple(found)


def _domain(page: Paper, key: str, raw: object, path: Path, hosts: frozenset[str]) -> Domain | None:
    name = plain_name(key)
    if name is None or _address(name):
        page.problem(path, f"{shown(key)} is no domain name")
    shape = page.rest(DomainShape, raw, path)
    if shape is None or name is None:
        return None
    exchangers: list[str] = []
    for n, one in enumerate(shape.mx):
        host = _exchanger(page, one, (*path, "mx", n), hosts)
        if host in exchangers:
            page.problem((*path, "mx", n), f"{host} is listed twice")
        exchangers.append(host)
    return Domain(name, tuple(exchangers), shape.dmarc, shape.mta_sts, shape.dane, page.line(path))


def _exchanger(page: Paper, one: ExchangerShape, path: Path, hosts: frozenset[str]) -> str:
    name = plain_name(one.host)
    if name is None:
        page.problem(path, f"{shown(one.host)} is no host name")
    elif not one.external and name not in hosts:
        near = did_you_mean(name, sorted(hosts))
        external = f'; write {{ host = "{clipped(name)}", external = true }} when others run it'
        page.problem(path, f"{name} is not declared under [hosts]{near or external}")
    return name or one.host


def _waivers(page: Paper, today: date) -> tuple[Waiver, ...]:
    found: list[Waiver] = []
    for n, raw in enumerate(page.array(page.tables, "waivers")):
        path: Path = ("waivers", n)
        _check_control(page, raw, path)
        shape = page.shape(WaiverShape, raw, path)
        if shape is None:
            continue
        far_off(page, shape.expires, (*path, "expires"), today)
        found.append(Waiver(shape.control, shape.subject, shape.owner, shape.reason, shape.expires, page.line(path)))
    return tuple(found)


def _check_control(page: Paper, raw: object, path: Path) -> None:
    control = raw.get("control") if isinstance(raw, dict) else None
    known = [row["id"] for row in catalogue.document("controls")["controls"]]
    if isinstance(control, str) and control not in known:
        near = did_you_mean(control.upper(), known)
        page.problem((*path, "control"), f"no control named {shown(control)}{near}")
