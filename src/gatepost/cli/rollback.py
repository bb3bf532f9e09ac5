"""`gatepost rollback`: take back what was applied and kept, and show what was applied at all."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost.cli import options as o
from gatepost.cli.apply import SAFETY, Yes, exit_code
from gatepost.cli.plan import AsPlan, is_json

if TYPE_CHECKING:
    from gatepost.model.plan import Applied

UNDONE = 0


def rollback(
    name: Annotated[
        str | None, typer.Argument(metavar="APPLY", help="Which one (default: the last that is in force).")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("-c", "--config", metavar="FILE",
                     help="Without APPLY: the last that is in force on a host of this declaration."),
    ] = None,
    listing: Annotated[
        bool, typer.Option("--list", help="Show what was applied, when, and how it ended.", rich_help_panel=o.SHOWING)
    ] = False,
    yes: Yes = False,
    force: Annotated[
        bool,
        typer.Option("--force", rich_help_panel=SAFETY,
                     help="Put old files back also where somebody has changed them since. His stay in the backup."),
    ] = False,
    state: o.State = None,
    form: AsPlan = None,
    output: o.Output = None,
) -> None:  # fmt: skip
    """Take back an apply that was kept: files, firewall table and servers are as before, proved byte by byte.

    What was built upon it since is taken back first. An apply that was cut off is finished before anything else.

    [bold]Exit:[/bold] 0 taken back; 1 you said no; 2 bad input, or a file was changed since; 3 a host was not reached.
    """
    from gatepost.cli import settling, telling
    from gatepost.cli.declared import DEFAULT_STATE, load
    from gatepost.edge.host.journal import records

    directory = state or DEFAULT_STATE
    hosts = frozenset(one.name for one in load(config).hosts) if config else None
    finished = settling.settle(state)
    if not listing:
        finished += settling.settle_elsewhere(directory, sure=yes)
    as_json = is_json(form, output)
    if listing:
        told, code = shown(records(directory), directory, as_json=as_json, plain=output is not None), UNDONE
    elif finished and name is None:
        told, code = shown(finished, directory, as_json=True) if as_json else "", max(map(_finished, finished))
    else:
        ended = _taken_back(directory, name or _last_on(hosts, directory), sure=yes, force=force, quiet=as_json)
        told = shown(ended, directory, as_json=True) if as_json else ""
        code = max(map(_finished, ended))
    if output:
        telling.write(output, told)
    else:
        sys.stdout.write(told)
    raise typer.Exit(code)


def shown(found: tuple[Applied, ...], state: Path, *, as_json: bool, plain: bool = False) -> str:
    from gatepost.cli import telling
    from gatepost.report.applied import history, to_json

    if as_json:
        return to_json(found)
    return history(found, state=str(state), width=telling.width(), colour=telling.colour() and not plain)


def _last_on(hosts: frozenset[str] | None, state: Path) -> str | None:
    """The last apply in force that changed one of these. Raises UsageError where there is none."""
    from gatepost.edge.host.journal import records
    from gatepost.errors import UsageError
    from gatepost.model.plan import Ending

    if hosts is None:
        return None
    found = [one.id for one in records(state) if one.ending is Ending.KEPT and not hosts.isdisjoint(one.plan.hosts)]
    if not found:
        raise UsageError("nothing that was applied is in force on a host of this declaration")
    return found[-1]


def _finished(one: Applied) -> int:
    """Taken back is what was wanted here."""
    from gatepost.model.plan import Ending

    return exit_code(one) if one.ending is Ending.UNFINISHED else UNDONE


def _taken_back(state: Path, name: str | None, *, sure: bool, force: bool, quiet: bool) -> tuple[Applied, ...]:
    from datetime import UTC, datetime

    from gatepost.cli import telling
    from gatepost.cli.settling import who
    from gatepost.edge.host.journal import records
    from gatepost.edge.host.mending import chain, roll_back
    from gatepost.edge.host.runner import Ways
    from gatepost.errors import UsageError
    from gatepost.model.plan import Ending
    from gatepost.report.applied import ending, nothing, preview

    known = records(state)
    if not known:
        raise UsageError(nothing(str(state)))
    wanted = chain(known, name)
    out = sys.stderr if quiet else sys.stdout
    out.write(preview(wanted, width=telling.width(), colour=telling.colour() and not quiet))
    _ask(len(wanted), sure=sure)
    ended: list[Applied] = []
    with Ways() as ways:
        for one in wanted:
            ended.append(roll_back(state, one, ways.to, lambda: datetime.now(UTC), force=force, by=who()))
            out.write(ending(ended[-1], width=telling.width(), colour=telling.colour() and not quiet))
            if ended[-1].ending is not Ending.UNDONE:
                break
    return tuple(ended)


def _ask(count: int, *, sure: bool) -> None:
    from gatepost.cli.carrying import agreed
    from gatepost.errors import UsageError

    if sure:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to be asked: pass --yes to take it back")
    if not agreed("take it back?" if count == 1 else f"take these {count} back?"):
        sys.stdout.write("nothing was changed\n")
        raise typer.Exit(1)
