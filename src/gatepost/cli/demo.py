"""`gatepost demo`: everything on one machine with nothing to set up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatepost.cli import options as o


def demo(
    form: o.FormatName = None,
    output: o.Output = None,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="DIR", help="Leave the declaration and CA certificate there.")
    ] = None,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Start small mail servers on loopback, good and bad ones, audit them, and show the table.

    Needs no root and no network. Always exits 0: the findings are the point.
    """
    from gatepost.cli import telling
    from gatepost.cli.audit import conclude
    from gatepost.cli.looking import watched
    from gatepost.cli.request import Request
    from gatepost.demo.stage import running

    with running(keep) as stage:
        request = Request(declaration=stage.declaration, ca=stage.ca, ports=stage.ports, https=stage.https)
        looked = watched(request, quiet=quiet)
    judged = conclude(looked, None, None, None)
    telling.tell(judged, telling.shape(form, output), output, verbose=verbose, fail_on=o.FailOn.NEVER)
