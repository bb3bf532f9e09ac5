"""`gatepost locks`: accounts that policyd refuses, set and taken back."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from gatepost.cli.declared import DEFAULT_STATE

app = typer.Typer(
    name="locks",
    help="Accounts that policyd refuses: to networks that never logged in before, or to everybody.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
State = Annotated[Path, typer.Option("--state", metavar="DIR", help="Where locks are kept.")]
Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The login name, as it is typed.")]


@app.callback()
def locks(context: typer.Context, state: State = DEFAULT_STATE) -> None:
    """List the accounts that are locked. `locks add` and `locks remove` change them at once."""
    if context.invoked_subcommand:
        return
    from gatepost.edge.policing import store
    from gatepost.report.escape import printable

    held = store.locks(state, time.time())
    for one in held.values():
        whom = "for strangers" if one.strangers else "for everybody"
        sys.stdout.write(f"{printable(one.user):32}  {whom:14}  until {_when(one.until)}  {printable(one.why)}\n")
    if not held:
        sys.stdout.write("No account is locked.\n")


@app.command("add")
def add(
    account: Account,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="For those who read the list later.")],
    length: Annotated[str, typer.Option("--for", metavar="TIME", help="30m, 8h, 7d …")] = "1h",
    everybody: Annotated[
        bool, typer.Option("--everybody", help="Also from networks that logged in to the account before.")
    ] = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Lock an account. It holds within a second of the next question, in open SMTP sessions too."""
    import getpass

    from gatepost.declaration.durations import seconds
    from gatepost.edge.policing import store
    from gatepost.errors import UsageError
    from gatepost.policing.attempt import account as folded
    from gatepost.policing.judging import Lock

    lasting = seconds(length)
    if lasting is None or not folded(account):
        raise UsageError(f"--for {length}: write 30m, 8h or 7d" if lasting is None else "the account has no name")
    until = time.time() + lasting
    store.lock(state, Lock(folded(account), until, why, getpass.getuser(), strangers=not everybody))
    sys.stdout.write(f"{folded(account)} is locked until {_when(until)}.\n")


@app.command("remove")
def remove(account: Account, state: State = DEFAULT_STATE) -> None:
    """Open an account again."""
    from gatepost.edge.policing import store
    from gatepost.errors import UsageError
    from gatepost.policing.attempt import account as folded

    if not store.unlock(state, folded(account)):
        raise UsageError(f"{account} is not locked")
    sys.stdout.write(f"{folded(account)} is open again.\n")


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(at))
