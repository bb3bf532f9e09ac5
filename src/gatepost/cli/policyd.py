"""`gatepost policyd`: answers Dovecot and Postfix, attempt by attempt."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost.cli import options as o
from gatepost.cli.declared import DEFAULT_STATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatepost.edge.policing.server import Server
    from gatepost.policing.limits import Limits
    from gatepost.policing.memory import Known

DEFAULT_AT = "127.0.0.1:4001"
DECIDING = "What is slowed and refused"


def policyd(
    listen: Annotated[
        list[str] | None,
        typer.Option("--listen", metavar="AT", show_default=False,
                     help="Address:port or path of a socket (default: the declaration's, else 127.0.0.1:4001). "
                          "Repeatable."),
    ] = None,
    declaration: o.Declaration = None,
    state: Annotated[
        Path, typer.Option("--state", metavar="DIR", help="Where locks and known networks are kept.")
    ] = DEFAULT_STATE,
    secret_file: Annotated[
        Path | None,
        typer.Option("--secret-file", metavar="FILE", show_default=False,
                     help="Its first line is what Dovecot's Authorization header must say."),
    ] = None,
    log_only: Annotated[
        bool, typer.Option("--log-only", help="Write down the answers and let everything pass.")
    ] = False,
    free_guesses: Annotated[
        int, typer.Option("--free-guesses", metavar="N", min=1, rich_help_panel=DECIDING,
                          help="Different passwords for one account before strangers wait.")
    ] = 3,
    closing_guesses: Annotated[
        int, typer.Option("--closing-guesses", metavar="N", min=2, rich_help_panel=DECIDING,
                          help="… before strangers are refused for an hour.")
    ] = 20,
    free_accounts: Annotated[
        int, typer.Option("--free-accounts", metavar="N", min=1, rich_help_panel=DECIDING,
                          help="Accounts one network may fail at before it waits.")
    ] = 3,
    closing_accounts: Annotated[
        int, typer.Option("--closing-accounts", metavar="N", min=2, rich_help_panel=DECIDING,
                          help="… before it is refused for an hour.")
    ] = 15,
    recipients: Annotated[
        int, typer.Option("--recipients-per-hour", metavar="N", min=0, rich_help_panel=DECIDING,
                          help="More from one account are told to try later; 0: as many as it likes.")
    ] = 0,
    configuration: Annotated[
        bool, typer.Option("--configuration", help="Print the settings for Dovecot and Postfix, and exit.")
    ] = False,
) -> None:  # fmt: skip
    """Allow, delay or refuse logins one by one, and mail of locked accounts.

    Dovecot asks before and after each password (auth policy), Postfix for each recipient (policy service).
    Neither waits long, and both go on without us.

    A network that an account logged in from before is let through; who guesses waits longer and longer.
    A telephone with an old password is told from guessing by the digest that Dovecot sends.
    """
    from gatepost.cli.declared import load
    from gatepost.policing.limits import Limits

    places = tuple(map(_place, listen or [load(declaration).watching.policy or DEFAULT_AT]))
    if configuration:
        sys.stdout.write(_settings(places))
        return
    limits = Limits(
        free_guesses=free_guesses,
        closing_guesses=closing_guesses,
        free_accounts=free_accounts,
        closing_accounts=closing_accounts,
        recipients=recipients,
    )
    _serve(places, state, _secret(secret_file), limits, log_only=log_only)


def _settings(places: tuple[str, ...]) -> str:
    """Dovecot speaks HTTP over TCP only. The nonce is new each time: a secret, the same only within one cluster."""
    import secrets

    from gatepost.policing.configuration import dovecot, postfix

    by_tcp = next((one for one in places if "/" not in one), DEFAULT_AT)
    nonce, url = secrets.token_urlsafe(24), f"http://{by_tcp}/"
    return (
        f"# Dovecot 2.3, in conf.d/\n{dovecot(url, nonce, '')}\n\n"
        f"# Dovecot 2.4, in conf.d/\n{dovecot(url, nonce, '', version=(2, 4))}\n\n"
        f"# Postfix, in main.cf\n{postfix(places[0])}\n"
    )


def _secret(path: Path | None) -> str:
    from gatepost.errors import UsageError, because

    if path is None:
        return ""
    try:
        first = path.read_text(encoding="utf-8").partition("\n")[0].strip()
    except OSError as error:
        raise UsageError(f"{path}: {because(error)}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not text") from None
    if not first:
        raise UsageError(f"{path}: its first line is empty")
    return first


def _place(text: str) -> str:
    """A path has a slash: a mistyped port would become a socket that nobody asks."""
    from gatepost.declaration.places import listener
    from gatepost.errors import UsageError

    if "/" in text:
        return text
    try:
        return listener(text)
    except UsageError as error:
        raise UsageError(f"--listen {text}: {error}, or a path with a slash") from None


def _serve(places: tuple[str, ...], directory: Path, secret: str, limits: Limits, *, log_only: bool) -> None:
    import asyncio

    from gatepost.edge.policing.bench import Bench
    from gatepost.edge.policing.server import Server
    from gatepost.errors import UsageError, because

    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--state {directory}: {because(error)}") from None
    bench = Bench(directory, limits, log_only=log_only, complain=_complaint())
    bench.recall(_from_the_lake(directory, limits))
    try:
        asyncio.run(_until_told(Server(bench, secret), places))
    except* UsageError as errors:
        raise errors.exceptions[0] from None
    finally:
        bench.save()
        sys.stderr.write(f"gatepost: {bench.answered} attempts answered\n")


def _from_the_lake(directory: Path, limits: Limits) -> tuple[Known, ...]:
    """Networks that accounts logged in from, as far as logs were read; without them it learns by itself."""
    if not (directory / "lake").is_dir():
        return ()
    from gatepost.edge.policing.acquaintance import from_lake
    from gatepost.errors import UsageError

    try:
        return from_lake(directory / "lake", limits.remembered_days)
    except UsageError as error:
        _say(f"the logs were not asked: {error}")
        return ()


async def _until_told(server: Server, places: tuple[str, ...]) -> None:
    import asyncio
    import signal

    stop = asyncio.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(one, stop.set)
    async with asyncio.TaskGroup() as group:
        for at in places:
            group.create_task(server.serve(at, lambda where: _say(f"answering on {where}"), stop))


def _complaint() -> Callable[[str], None]:
    """The same complaint a thousand times is told once."""
    told: set[str] = set()

    def complain(sentence: str) -> None:
        if sentence not in told and len(told) < 1000:
            told.add(sentence)
            _say(sentence)

    return complain


def _say(sentence: str) -> None:
    from gatepost.report.escape import printable

    sys.stderr.write(f"gatepost: {printable(sentence)}\n")
    sys.stderr.flush()
