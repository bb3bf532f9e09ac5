"""`gatepost demo`: everything on one machine with nothing to set up."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost.cli import options as o

if TYPE_CHECKING:
    from gatepost.model.audit import Audit


def demo(
    form: o.FormatName = None,
    output: o.Output = None,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", metavar="DIR", help="Leave the declaration, the CA certificate and the reports there."),
    ] = None,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Start two small mail hosts on loopback, a good and a bad one, and audit them with their domains.

    A name server, policies over HTTPS and reports of other sites belong to them. Needs no root and no network.

    [bold]Exit:[/bold] 0 always, since the findings are the point; 2 bad input, 3 could not start.
    """
    from gatepost.cli import telling
    from gatepost.cli.audit import conclude
    from gatepost.cli.looking import watched
    from gatepost.cli.request import Request
    from gatepost.demo.stage import running

    show = telling.shape(form, output)
    with running(keep) as stage:
        request = Request(
            targets=stage.domains, declaration=stage.declaration, ca=stage.ca, ports=stage.ports, https=stage.https
        )
        looked = watched(request, quiet=quiet)
        judged = conclude(looked, None, None, stage.state)
    if show is o.Format.TABLE and output is None:
        _domains(judged, verbose=verbose)
        _heading("audit", judged)
    telling.tell(judged, show, output, verbose=verbose, fail_on=o.FailOn.NEVER)


def _domains(judged: Audit, *, verbose: bool) -> None:
    """First the short page; what is wrong in it comes again as findings of the audit, with what mends it."""
    from dataclasses import replace

    from gatepost.cli import telling

    _heading("domains", judged)
    told = telling.limited(replace(judged, notes=()), telling.TOLD_IN_DNS, telling.ALSO_IN_DNS)
    telling.tell(told, o.Format.TABLE, None, verbose=verbose, view="domains", fail_on=o.FailOn.NEVER)
    sys.stdout.write("\n\n")


def _heading(command: str, judged: Audit) -> None:
    """The command that prints the page below, as one would type it."""
    sys.stdout.write(f"$ gatepost {command} {' '.join(judged.targets)}\n\n")
