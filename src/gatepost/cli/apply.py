"""`gatepost apply`: make a host what the declaration says, prove it by looking again, or take all of it back."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost.cli import options as o
from gatepost.cli import plan as planning

if TYPE_CHECKING:
    from gatepost.model.plan import Applied

KEPT, TAKEN_BACK, UNREACHED = 0, 1, 3
WAIT, TICK = 30.0, 0.2  # seconds for the session that asked to end it, and between looks at that
SAFETY = "How it is kept safe"

Yes = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.", rich_help_panel=SAFETY)]
Backups = Annotated[
    str | None,
    typer.Option("--backups", metavar="DIR", rich_help_panel=SAFETY,
                 help="Where backups are kept on each host (default: /var/lib/gatepost)."),
]  # fmt: skip


def apply(
    targets: o.Targets = None,
    config: o.Declaration = None,
    saved: Annotated[
        Path | None,
        typer.Option("--plan", metavar="FILE", rich_help_panel=planning.WHAT,
                     help="Do this plan, saved by gatepost plan -o FILE, instead of a new one."),
    ] = None,
    close_legacy: planning.CloseLegacy = False,
    only: planning.OnlyKinds = None,
    insist: planning.Insist = None,
    yes: Yes = False,
    confirm: Annotated[
        int | None,
        typer.Option("--confirm", metavar="SECONDS", min=5, max=86400, rich_help_panel=SAFETY,
                     help="Keep it only if you say so within this time: type keep, or run gatepost apply --keep in a "
                     "second session on this machine."),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the apply that waits for it.", rich_help_panel=SAFETY)
    ] = False,
    within: Annotated[
        int,
        typer.Option("--within", metavar="SECONDS", min=1, max=3600, rich_help_panel=SAFETY,
                     help="A host undoes all by itself when it does not hear from gatepost for so long."),
    ] = 120,
    backups: Backups = None,
    address: o.Address = None,
    port_list: o.Ports = None,
    resolver: o.ResolverAt = None,
    trust_resolver: o.TrustResolver = False,
    ca: o.CaFile = None,
    source: o.Source = None,
    via: o.Via = None,
    rate: o.Rate = None,
    state: o.State = None,
    form: planning.AsPlan = None,
    output: o.Output = None,
    verbose: planning.Promises = False,
    quiet: o.Quiet = False,
) -> None:  # fmt: skip
    """Do what gatepost plan shows, step by step, look again, and keep it only if it did what was promised.

    Files are saved first, on the host itself; if anything goes wrong, even if gatepost dies, all of it is taken back.

    [bold]Exit:[/bold] 0 kept, or nothing to do; 1 taken back, or you said no; 2 bad input; 3 a host unreached or busy.
    """
    from gatepost.cli import settling, telling
    from gatepost.cli.carrying import Session
    from gatepost.cli.declared import DEFAULT_STATE
    from gatepost.cli.request import Request
    from gatepost.edge.host.applying import Terms
    from gatepost.edge.host.hand import ROOT

    directory = state or DEFAULT_STATE
    as_json = planning.is_json(form, output)
    if keep:
        ended = _kept_from_here(directory)
    else:
        settling.settle(state, backups)
        request = Request(
            targets=tuple(targets or ()),
            declaration=config,
            addresses=tuple(address or ()),
            ports=port_list,
            resolver=resolver,
            trust_resolver=trust_resolver,
            ca=ca,
            source=source,
            via=via,
            rate=rate,
        )
        terms = Terms(settling.who(), float(within), confirm=float(confirm or 0), backups=backups or ROOT)
        wanted = planning.wishes(only, insist, close_legacy=close_legacy)
        session = Session(request, directory, terms, wanted, sure=yes, verbose=verbose, quiet=quiet)
        ended = session.run(saved, as_json=as_json)
    told = rendered(ended, as_json=as_json, plain=output is not None, state=named(state))
    if output:
        telling.write(output, told)
    else:
        sys.stdout.write(told)
    raise typer.Exit(exit_code(ended))


def exit_code(ended: Applied) -> int:
    from gatepost.model.plan import Ending

    return {Ending.KEPT: KEPT, Ending.UNFINISHED: UNREACHED}.get(ended.ending, TAKEN_BACK)


def named(state: Path | None) -> str:
    """For the next command, which needs the same history."""
    import shlex

    return f"--state {shlex.quote(str(state))}" if state else ""


def rendered(ended: Applied, *, as_json: bool, plain: bool, state: str = "") -> str:
    from gatepost.cli import telling
    from gatepost.report.applied import ending, to_json

    if as_json:
        return to_json([ended])
    return ending(ended, width=telling.width(), colour=telling.colour() and not plain, state=state)


def _kept_from_here(state: Path) -> Applied:
    """The second session: it has just come to the host, which is what had to be shown."""
    from datetime import UTC, datetime

    from gatepost.cli.settling import who
    from gatepost.edge.host.journal import records
    from gatepost.edge.host.mending import keep
    from gatepost.edge.host.runner import Ways
    from gatepost.model.plan import Ending

    with Ways() as ways:
        told = keep(state, ways.to, datetime.now(UTC), who())
    deadline = time.monotonic() + WAIT
    while told.ending is Ending.UNFINISHED and time.monotonic() < deadline:
        time.sleep(TICK)  # the session that asked does the rest
        told = next(one for one in records(state) if one.id == told.id)
    return told
