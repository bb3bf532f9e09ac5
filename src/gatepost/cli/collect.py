"""`gatepost collect`: what a host tells of itself, in one file that can be read elsewhere."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost.cli import options as o

if TYPE_CHECKING:
    from gatepost.errors import GatepostError
    from gatepost.model.architecture import Architecture, Host
    from gatepost.model.bundle import Bundle

STDOUT = Path("-")
AT_ONCE = 8  # hosts visited at the same time
COULD_NOT_LOOK = 3


def collect(
    hosts: Annotated[
        list[str] | None,
        typer.Argument(metavar="HOST", help="Names of hosts. Without one: every declared host, or this machine."),
    ] = None,
    config: o.Declaration = None,
    via: Annotated[
        str | None,
        typer.Option(
            "--via", metavar="WAY", help="How to get onto the host: local, ssh DEST, netns NAME, docker NAME."
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="What this machine is called in the declaration (default: as its mail server calls itself).",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write here; - for stdout (default: HOST.bundle.json)."),
    ] = None,
) -> None:
    """Take from hosts what `audit --bundle` needs: sockets, settings, versions, firewall rules. Nothing is changed.

    No private key, no mail and no password enters the file. It works without root, with what can be seen then.

    [bold]Exit:[/bold] 0 taken, 2 bad input, 3 a host could not be reached.
    """
    from gatepost.cli.declared import load
    from gatepost.report.escape import printable

    architecture = load(config)
    chosen = _chosen(hosts or [], architecture, via, name)
    taken, failed = _visits(chosen)
    if not hosts and not name and (via or not architecture.hosts):
        taken = [_called(one) for one in taken]
    for error in failed:
        sys.stderr.write(f"gatepost: {printable(str(error))}\n")
    if taken:
        _write(taken, output)
    if failed:
        raise typer.Exit(COULD_NOT_LOOK)


def _chosen(
    names: Sequence[str], architecture: Architecture, via: str | None, name: str | None
) -> list[tuple[Host, str]]:
    """Hosts with the way to each. Raises UsageError where there is none."""
    from gatepost.edge.host.here import way
    from gatepost.errors import UsageError
    from gatepost.model.architecture import Host

    if name and names:
        raise UsageError("--name is for this machine; it goes with no HOST")
    if via and len(names) > 1:
        raise UsageError("--via leads to one host: name one HOST")
    if names:
        names = [_named(one) for one in names]
        return [_one(architecture.host(n) or Host(n, (), ()), via, declared=bool(architecture.host(n))) for n in names]
    if architecture.hosts and not name and not via:
        found = [(host, there) for host in architecture.hosts if (there := way(host))]
        if not found:
            raise UsageError("no declared host is this machine or has `via`: write it there, or give HOST and --via")
        return found
    own = _named(name or _own_name())
    return [(architecture.host(own) or Host(own, (), ()), via or "local")]


def _named(name: str) -> str:
    """It stands in the file, and names it. Raises UsageError."""
    from gatepost.errors import UsageError

    if not re.fullmatch(r"[\w.:-]{1,255}", name) or name.startswith((".", "-")):
        raise UsageError(f"{name[:60]!r} is no name of a host")
    return name


def _one(host: Host, via: str | None, *, declared: bool) -> tuple[Host, str]:
    from gatepost.edge.host.here import way
    from gatepost.errors import UsageError

    there = via or way(host)
    if not there:
        why = "it is not this machine and has no `via`" if declared else "it is not declared"
        raise UsageError(f"{host.name}: {why}; say with --via how to get onto it")
    return host, there


def _own_name() -> str:
    import socket

    return socket.getfqdn() or "localhost"


def _visits(chosen: Sequence[tuple[Host, str]]) -> tuple[list[Bundle], list[GatepostError]]:
    """In the order asked for, whoever answers first."""
    from concurrent.futures import ThreadPoolExecutor
    from datetime import UTC, datetime

    from gatepost.edge.host.collecting import collect as visit
    from gatepost.edge.host.runner import Ways
    from gatepost.errors import CannotLook

    taken: list[Bundle] = []
    failed: list[GatepostError] = []
    with Ways() as ways, ThreadPoolExecutor(AT_ONCE) as pool:
        runners = [(host, ways.to(way)) for host, way in chosen]
        visits = [pool.submit(visit, runner, host, datetime.now(UTC)) for host, runner in runners]
        for (host, _), one in zip(chosen, visits, strict=True):
            try:
                taken.append(one.result())
            except CannotLook as error:
                failed.append(CannotLook(f"{host.name}: {error}"))
    return taken, failed


def _called(bundle: Bundle) -> Bundle:
    """By the name its mail server gives itself: where nobody named it, others know it by that."""
    from dataclasses import replace

    from gatepost.cli.machine import machine
    from gatepost.model.observation import Seen
    from gatepost.servers.witness import facts

    return replace(bundle, host=machine(bundle, Seen(facts(bundle))).name or bundle.host)


def _write(taken: Sequence[Bundle], output: Path | None) -> None:
    from textwrap import fill

    from gatepost.cli import telling
    from gatepost.edge.host.bundles import dumps, save
    from gatepost.report.escape import printable

    if output == STDOUT:
        sys.stdout.write(dumps(taken))
        return
    path = output or Path(f"{taken[0].host if len(taken) == 1 else 'gatepost'}.bundle.json")
    save(taken, path)
    for line in _told(taken, path):
        told = fill(
            printable(line), telling.width(), subsequent_indent=" " * 11, break_long_words=False, break_on_hyphens=False
        )
        sys.stdout.write(f"{told}\n")
    named = f"{taken[0].host} " if len(taken) == 1 else ""
    sys.stdout.write(f"Next:      gatepost audit {named}--bundle {path}\n")


def _told(taken: Sequence[Bundle], path: Path) -> list[str]:
    """What is in the file and what is not, so that one dares to send it."""
    size = path.stat().st_size
    hosts = taken[0].host if len(taken) == 1 else f"{len(taken)} hosts"
    ran, files = sum(len(b.ran) for b in taken), sum(1 for b in taken for f in b.files if f.exists)
    return [
        f"Written:   {path} ({hosts}, {max(1, size // 1024)} kB), readable by you only",
        f"Taken:     answers of {ran} commands, {files} files",
        "In it:     sockets, firewall rules, routes, versions, settings and configuration files, certificates.",
        "Not in it: private keys, mail, logs; passwords in settings are ***. It is JSON: look before you send it.",
        *(line for bundle in taken for line in _unseen(bundle)),
    ]


def _unseen(bundle: Bundle) -> list[str]:
    from gatepost.model.host import BundleRead
    from gatepost.model.observation import Unobserved, of
    from gatepost.servers.witness import facts

    seen = facts(bundle)
    without_root = [f"{bundle.host}: taken without root" for one in of(BundleRead, seen) if not one.root]
    lost = [one.wanted for one in of(Unobserved, seen)]
    more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
    listed = [f"{bundle.host}: could not be seen: {', '.join(lost[:5])}{more}"] if lost else []
    return [*without_root, *listed]
