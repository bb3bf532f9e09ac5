"""`gatepost init`: discover a host or domain and write its declaration."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gatepost.cli import options as o


def init(
    target: Annotated[str, typer.Argument(metavar="HOST|DOMAIN", help="What to discover.")],
    address: o.Address = None,
    port_list: o.Ports = None,
    resolver: o.ResolverAt = None,
    ca: o.CaFile = None,
    source: o.Source = None,
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
    """
    from gatepost.cli import telling
    from gatepost.cli.discovering import declaration
    from gatepost.cli.looking import watched
    from gatepost.cli.request import Request
    from gatepost.errors import UsageError
    from gatepost.wire.survey import Depth

    to_stdout = str(output) == "-"
    if not to_stdout and output.exists() and not force:
        raise UsageError(f"{output} exists; use --force to overwrite it, or -o for another name")
    request = Request(
        targets=(target,),
        undeclared=True,
        addresses=tuple(address or ()),
        ports=port_list,
        resolver=resolver,
        ca=ca,
        depth=Depth.PORTS,
        source=source,
        rate=rate,
    )
    looked = watched(request, quiet=quiet)
    text = declaration(looked, organization or target, resolver or "")
    if to_stdout:
        sys.stdout.write(text)
        return
    telling.write(output, text)
    sys.stderr.write(f"gatepost: wrote {output}; next: read it, then `gatepost audit`\n")
