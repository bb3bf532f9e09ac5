"""Text in, `Architecture` out, or every problem at once.

Each table is read on its own, so that one mistake hides no other. What could be read is then held together:
zones that overlap, names that nobody declared, ports declared twice.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from gatepost import catalogue
from gatepost.declaration.domains import read_domains
from gatepost.declaration.expand import far_off, read_services
from gatepost.declaration.inside import inside
from gatepost.declaration.names import plain_address, plain_name
from gatepost.declaration.paper import Paper, paper
from gatepost.declaration.positions import Path
from gatepost.declaration.resolver import read_resolver
from gatepost.declaration.shapes import DeclarationShape, Head, HostShape, WaiverShape
from gatepost.declaration.watching import read_watching
from gatepost.declaration.wording import did_you_mean, shown
from gatepost.declaration.zones import read_zones
from gatepost.errors import DeclarationError
from gatepost.model.architecture import Architecture, Host, Waiver

VERSION = 1
SECTIONS = ("dns", "zones", "hosts", "domains", "logs", "watch", "waivers")


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
    resolver, trusted = read_resolver(page)
    return Architecture(
        organization=head.organization if head else "",
        profile=head.profile if head else "",
        zones=read_zones(page),
        hosts=hosts,
        domains=read_domains(page, known, today),
        waivers=_waivers(page, today),
        source=page.name,
        resolver=resolver,
        resolver_trusted=trusted,
        watching=read_watching(page),
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
    if raw.get("addresses", []) == [] and not plain_address(name):
        page.problem((*path, "addresses"), "a host needs at least one address")
    return replace(
        inside(page, shape, path), name=name, addresses=_addresses(page, shape, name, path), services=services
    )


def _addresses(page: Paper, shape: HostShape, name: str, path: Path) -> tuple[str, ...]:
    """A host that is named by its address needs no other."""
    if not shape.addresses and plain_address(name):
        return (name,)
    found: list[str] = []
    for n, text in enumerate(shape.addresses):
        address = plain_address(text)
        if address is None:
            page.problem((*path, "addresses", n), f"{shown(text)} is no IPv4 or IPv6 address of a host")
        elif address in found:
            page.problem((*path, "addresses", n), f"{address} is listed twice")
        else:
            found.append(address)
    return tuple(found)


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
