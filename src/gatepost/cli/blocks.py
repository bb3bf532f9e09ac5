"""`gatepost blocks` and `gatepost unblock`: who is shut out, by hand and by watch, and who no longer."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gatepost.cli import options as o
from gatepost.cli.declared import DEFAULT_STATE

app = typer.Typer(
    name="blocks",
    help="Who is shut out of the mail ports, since when, why, and how we know that it holds.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
State = Annotated[Path, typer.Option("--state", metavar="DIR", help="Where the ledger is kept.")]
Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="An address, or a network like 2001:db8:7::/64.")]


class Form(StrEnum):
    JSON = "json"
    TABLE = "table"


@app.callback()
def blocks(
    context: typer.Context,
    history: Annotated[bool, typer.Option("--history", help="Also those that ended, and those refused.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Reason, evidence and proof of each.")] = False,
    form: Annotated[Form, typer.Option("--format", help="table or json.")] = Form.TABLE,
    output: o.Output = None,
    state: State = DEFAULT_STATE,
) -> None:
    """List who is blocked now. `blocks add` shuts somebody out, `gatepost unblock` lets them in again.

    [bold]Exit:[/bold] 0 shown, 2 bad input.
    """
    if context.invoked_subcommand:
        return
    from gatepost.cli import telling
    from gatepost.cli.now import now as clock
    from gatepost.edge.watch.ledger import looked_at
    from gatepost.report import blocks as report

    now = clock()
    with looked_at(state) as ledger:
        entries = () if ledger is None else ledger.history() if history else ledger.standing(now, dry=None)
    if form is Form.JSON:
        told = report.to_json(entries, now)
    else:
        colour = telling.colour() and not output
        told = report.to_text(entries, now, width=telling.width(), colour=colour, verbose=verbose, history=history)
    if output:
        telling.write(output, told)
    else:
        sys.stdout.write(told)


@app.command("add")
def add(
    address: Address,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="For those who read the list later.")],
    length: Annotated[str, typer.Option("--for", metavar="TIME", help="30m, 8h, 7d …")] = "1h",
    every_port: Annotated[bool, typer.Option("--all-ports", help="Not only the declared mail ports.")] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    config: o.Declaration = None,
    state: State = DEFAULT_STATE,
) -> None:
    """Shut an address out on every declared host, end its connections, and prove that it is shut out.

    [bold]Exit:[/bold] 0 blocked and proved, 1 blocked but not proved, 2 bad input, 3 no host could be reached.
    """
    import getpass

    from gatepost.cli.barring import plain, sparing, walls
    from gatepost.cli.declared import load
    from gatepost.cli.now import now as clock
    from gatepost.declaration.durations import seconds
    from gatepost.edge.host.runner import Ways
    from gatepost.edge.watch.blocks import Blocks
    from gatepost.edge.watch.ledger import opened
    from gatepost.errors import CannotLook, UsageError
    from gatepost.model.alert import Block
    from gatepost.model.event import MICROSECONDS

    one, lasting, architecture = plain(address), seconds(length), load(config)
    if lasting is None:
        raise UsageError(f"--for {length[:20]}: write 30m, 8h or 7d")
    with Ways() as ways, opened(state) as ledger:
        raised = walls(architecture, ways, every_port=every_port)
        if refused := sparing(architecture, raised).why(one):
            raise UsageError(f"{one} is not blocked: it {refused}")
        now = clock()
        block = Block(one, now, now + lasting * MICROSECONDS, "", "", getpass.getuser(), why, dry, 0, "")
        if dry:
            sys.stdout.write(f"{one} would be blocked for {length} on {', '.join(raised)}; nothing was done.\n")
            return
        doing = Blocks(ledger, raised, dry=False)
        doing.reconcile(now)
        doing.troubles.clear()
        doing.take([(block, ())], now)
        _said(doing.troubles)
        if len(doing.troubles) == len(raised):
            raise CannotLook(f"{one} is blocked nowhere; it is in the ledger, and watch will set it")
        proof = doing.prove([one], clock()).get(one, "not proved")
        sys.stdout.write(f"{one} is blocked for {length} on {', '.join(raised)}.\n{proof[:1].upper()}{proof[1:]}.\n")
    if not proof.startswith("proved"):
        raise typer.Exit(1)


def unblock(
    address: Address,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="For those who read the ledger later.")] = "",
    config: o.Declaration = None,
    state: State = DEFAULT_STATE,
) -> None:
    """Let an address in again, on every declared host.

    [bold]Exit:[/bold] 0 let in, 2 it was not blocked, 3 a host could not be reached.
    """
    import getpass

    from gatepost.cli.barring import plain, walls
    from gatepost.cli.declared import load
    from gatepost.cli.now import now as clock
    from gatepost.edge.host.runner import Ways
    from gatepost.edge.watch.blocks import Blocks
    from gatepost.edge.watch.ledger import opened
    from gatepost.errors import CannotLook, UsageError

    one, architecture = plain(address), load(config)
    with Ways() as ways, opened(state) as ledger:
        doing = Blocks(ledger, walls(architecture, ways), dry=False)
        lifted = doing.lift(one, clock(), by=getpass.getuser(), why=why)
        if doing.troubles:
            raise CannotLook("\n".join(doing.troubles))
    if not lifted:
        raise UsageError(f"{one} is not blocked")
    sys.stdout.write(f"{one} is let in again.\n")


def _said(troubles: list[str]) -> None:
    from gatepost.report.escape import printable

    for trouble in troubles:
        sys.stderr.write(f"gatepost: {printable(trouble)}\n")
