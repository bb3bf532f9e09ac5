"""The inner side of a host: how to get onto it, whom it trusts, where it may connect to."""

from __future__ import annotations

import re
from ipaddress import ip_network

from gatepost import catalogue
from gatepost.declaration.names import plain_name
from gatepost.declaration.paper import Paper
from gatepost.declaration.positions import Path
from gatepost.declaration.shapes import EgressShape, HostShape
from gatepost.declaration.wording import did_you_mean, shown
from gatepost.declaration.zones import zone_names
from gatepost.model.architecture import Egress, Host

WAYS = ("docker", "local", "netns", "ssh")
PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:%-]*")  # never an option, never a second word
LOG = re.compile(r"/.+|journal(:[A-Za-z0-9_][A-Za-z0-9_.@:\\-]*)?")


def inside(page: Paper, shape: HostShape, path: Path) -> Host:
    """A host without its name, addresses and services."""
    for key in ("management", "relay_clients", "proxies", "peers"):
        check_whom(page, getattr(shape, key), (*path, key))
    _check_files(page, (*shape.postfix, *shape.dovecot), path)
    return Host(
        "",
        (),
        (),
        page.line(path),
        via=_via(page, shape.via, (*path, "via")),
        postfix=tuple(shape.postfix),
        dovecot=tuple(shape.dovecot),
        management=tuple(shape.management),
        management_ports=tuple(shape.management_ports),
        relay_clients=tuple(shape.relay_clients),
        proxies=tuple(shape.proxies),
        peers=tuple(shape.peers),
        egress=_egress(page, shape.egress, (*path, "egress")),
        routes=shape.routes,
        logs=_logs(page, shape.logs, (*path, "logs")),
    )


def _via(page: Paper, text: str | None, path: Path) -> str:
    """A closed set of ways: a declaration never names a program to run."""
    if text is None:
        return ""
    way, _, where = text.partition(" ")
    if way not in WAYS:
        page.problem(path, f"expected local, ssh DEST, netns NAME or docker NAME, got {shown(text)}")
    elif way == "local" and where:
        page.problem(path, f"local takes no name, got {shown(text)}")
    elif way != "local" and not PLAIN.fullmatch(where):
        page.problem(path, f"{way} needs one plain name behind it, got {shown(text)}")
    return text


def check_whom(page: Paper, named: list[str], path: Path) -> None:
    """Zones, networks and declared hosts."""
    zones, hosts = zone_names(page), frozenset(filter(None, map(plain_name, page.table(page.tables, "hosts"))))
    for n, text in enumerate(named):
        if text not in zones and text not in hosts and not _network(text):
            near = did_you_mean(text, sorted(zones | hosts))
            page.problem((*path, n), f"{shown(text)} is no zone, network or declared host{near}")


def _network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _check_files(page: Paper, files: tuple[str, ...], path: Path) -> None:
    for text in files:
        if not text.startswith("/") or not text.isprintable():
            page.problem(path, f"expected an absolute path on the host, got {shown(text)}")


def _logs(page: Paper, written: list[str], path: Path) -> tuple[str, ...]:
    """Files, with stars for those a rotation leaves, and the journal, whole or of one unit."""
    for n, text in enumerate(written):
        if not LOG.fullmatch(text) or not text.isprintable():
            page.problem((*path, n), f"expected an absolute path, journal or journal:UNIT, got {shown(text)}")
        elif text in written[:n]:
            page.problem((*path, n), f"{shown(text)} is listed twice")
    return tuple(written)


def _egress(page: Paper, written: list[EgressShape] | None, path: Path) -> tuple[Egress, ...] | None:
    if written is None:
        return None
    found: list[Egress] = []
    for n, one in enumerate(written):
        here: Path = (*path, n)
        check_whom(page, one.to, (*here, "to"))
        ports = tuple(_port(page, port, (*here, "ports", m)) for m, port in enumerate(one.ports))
        found.append(Egress(tuple(one.to), ports, one.transport, page.line(here)))
    return tuple(found)


def _port(page: Paper, written: int | str, path: Path) -> int:
    if isinstance(written, int):
        return written
    row = catalogue.port(written)
    if row is None:
        page.problem(
            path, f"no port is named {shown(written)}{did_you_mean(written, [p.id for p in catalogue.ports()])}"
        )
    return row.number if row else 0
