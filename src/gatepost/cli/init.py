"""`gatepost init`: discover a host or domain and write its declaration."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gatepost.cli import options as o


def init(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="HOST|DOMAIN", help="What to discover. Without one: this machine, or where --via leads."
        ),
    ] = None,
    address: o.Address = None,
    port_list: o.Ports = None,
    resolver: o.ResolverAt = None,
    ca: o.CaFile = None,
    source: o.Source = None,
    via: o.Via = None,
    rate: o.Rate = None,
    organization: Annotated[str, typer.Option("--organization", metavar="NAME", help="Who owns it.")] = "",
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="Where to write; - for stdout.")
    ] = Path("gatepost.toml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    quiet: o.Quiet = False,
) -> None:
    """Discover a host or domain (MX, SRV, the ports that answer) and write a commented gatepost.toml.

    The file says what is there, not what should be: read it, narrow who may reach what, set owners and end dates.
    What a look into the host adds (its other addresses, listeners and trusted networks) stands there as comments.

    [bold]Exit:[/bold] 0 written, 2 bad input, 3 could not look, or no mail service answered.
    """
    from gatepost.cli import telling
    from gatepost.cli.declared import DEFAULT_DECLARATION
    from gatepost.cli.discovering import declaration
    from gatepost.cli.looking import watched
    from gatepost.cli.request import Request
    from gatepost.errors import UsageError
    from gatepost.wire.survey import Depth

    to_stdout = str(output) == "-"
    if not to_stdout and output.exists() and not force:
        raise UsageError(f"{output} exists; use --force to overwrite it, or -o for another name")
    name, own = (target, ()) if target else _told(via or "local")
    request = Request(
        targets=(name,),
        undeclared=True,
        addresses=tuple(address or own),
        ports=port_list,
        resolver=resolver,
        ca=ca,
        depth=Depth.PORTS,
        source=source,
        rate=rate,
        via=via,
    )
    looked = watched(request, quiet=quiet)
    text = declaration(looked, organization or name, resolver or "", via or "")
    if to_stdout:
        sys.stdout.write(text)
        return
    telling.write(output, text)
    named = "" if output == DEFAULT_DECLARATION else f" -c {output}"
    sys.stderr.write(
        f"gatepost: wrote {output}: what is there, not what should be. Read it and narrow it.\n"
        f"Next:     gatepost firewall{named}   who may reach what, as it says\n"
        f"          gatepost audit{named}      what is not so, and what is wrong besides\n"
    )


def _told(via: str) -> tuple[str, tuple[str, ...]]:
    """What the machine says of its own name and addresses.

    Raises CannotLook where it cannot be asked, and UsageError where it does not know.
    """
    from datetime import UTC, datetime

    from gatepost.cli.machine import machine
    from gatepost.edge.host.collecting import collect
    from gatepost.edge.host.runner import Ways
    from gatepost.errors import UsageError
    from gatepost.model.architecture import Host
    from gatepost.model.observation import Seen
    from gatepost.servers.witness import facts

    with Ways() as ways:
        bundle = collect(ways.to(via), Host(via, (), ()), datetime.now(UTC))
    told = machine(bundle, Seen(facts(bundle)))
    if not told.name or not told.addresses:
        lost = "no mail server runs here that knows its full name" if not told.name else "it has no address of its own"
        raise UsageError(f"{bundle.via}: {lost}: name a HOST or DOMAIN")
    return told.name, told.addresses
