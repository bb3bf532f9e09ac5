"""`gatepost retire`: what is to go, from the first look to the last who did not come back."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost.cli import options as o
from gatepost.cli.declared import DEFAULT_DECLARATION, DEFAULT_STATE

if TYPE_CHECKING:
    from gatepost.edge.host.runner import Runner
    from gatepost.model.architecture import Architecture, Host, Service
    from gatepost.retiring.assessment import Assessment, Fallout
    from gatepost.retiring.stages import Milestone
    from gatepost.retiring.target import Target

STEPS = "One step after the other"
LOOKING_BACK = 90  # days
STOPPED = 1
WITHIN = 120.0  # seconds without a word of us, and a host undoes all by itself


class Form(StrEnum):
    JSON = "json"
    TABLE = "table"


def retire(
    what: Annotated[
        str,
        typer.Argument(metavar="WHAT", help="A port (110, pop3), 587-plain, 25-auth, tls1.0, tls1.1, cram-md5 …"),
    ],
    config: o.Declaration = None,
    state: Annotated[Path, typer.Option("--state", metavar="DIR", help="Where the lake is.")] = DEFAULT_STATE,
    days: Annotated[
        int, typer.Option("--days", metavar="N", min=1, max=3650, help="How far to look back.")
    ] = LOOKING_BACK,
    notices: Annotated[
        Path | None,
        typer.Option("--notices", metavar="DIR", rich_help_panel=STEPS, show_default=False,
                     help="Draft a mail to each account into this directory."),
    ] = None,
    template: Annotated[
        Path | None,
        typer.Option("--template", metavar="FILE", rich_help_panel=STEPS, show_default=False,
                     help="Your own text for it, with $account, $close, $remedy …"),
    ] = None,
    announce: Annotated[
        bool, typer.Option("--announce", help="Record that it was announced.", rich_help_panel=STEPS)
    ] = False,
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="DATE", rich_help_panel=STEPS, show_default=False,
                     help="The day it ends (default: the one proposed)."),
    ] = None,
    rehearse: Annotated[
        bool,
        typer.Option("--rehearse", rich_help_panel=STEPS,
                     help="Shut the port for an hour. It opens again by itself, whatever becomes of gatepost."),
    ] = False,
    length: Annotated[
        str, typer.Option("--for", metavar="TIME", help="How long: 10m, 1h, 8h.", rich_help_panel=STEPS)
    ] = "1h",
    reopen: Annotated[
        bool, typer.Option("--reopen", help="End the trial now.", rich_help_panel=STEPS)
    ] = False,
    close: Annotated[
        bool,
        typer.Option("--close", rich_help_panel=STEPS,
                     help="Take it out of the declaration, and apply that."),
    ] = False,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Give it up, and record that.", rich_help_panel=STEPS)
    ] = False,
    backups: Annotated[
        str | None,
        typer.Option("--backups", metavar="DIR", rich_help_panel=STEPS,
                     help="Where backups are kept on each host (default: /var/lib/gatepost)."),
    ] = None,
    ca: o.CaFile = None,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.", rich_help_panel=STEPS)] = False,
    form: Annotated[
        Form, typer.Option("--format", help="How to print it.", rich_help_panel=o.SHOWING)
    ] = Form.TABLE,
    output: o.Output = None,
) -> None:  # fmt: skip
    """Retire a port or an old way in, without losing anybody by accident.

    Without an option: who still uses it, since when, and what comes next. The logs in the lake tell
    (gatepost logs import, gatepost watch). Each step is recorded with its day and who took it.

    [bold]Exit:[/bold] 0 nobody would break, or the step is done; 1 somebody would, or you said no; 2 bad input;
    3 no log was read yet.
    """
    from gatepost.cli.declared import load
    from gatepost.retiring.target import target

    aim = target(what)
    architecture = load(config)
    if rehearse:
        _rehearse(aim, architecture, state, length)
    elif reopen:
        _reopen(architecture)
    elif cancel:
        _record(state, aim, "cancelled")
    elif close:
        _close(aim, architecture, config or DEFAULT_DECLARATION, state, backups, ca, yes=yes)
    else:
        found = _assessed(aim, state, days)
        if notices:
            _draft(found, architecture, state, notices, template, on)
        elif announce:
            _announce(found, state, on)
        else:
            _show(found, state, form, output)


def _assessed(aim: Target, state: Path, days: int) -> Assessment:
    from gatepost.cli.lakes import opened
    from gatepost.edge.lake.using import begins
    from gatepost.edge.retiring.uses import uses
    from gatepost.retire import assess

    until = datetime.now(UTC).date()
    with opened(state) as lake, lake.connect() as connection:
        since = begins(connection, until - timedelta(days=days - 1))
        return assess(uses(connection, since, until), aim, since=since, until=until)


def _show(found: Assessment, state: Path, form: Form, output: Path | None) -> None:
    from gatepost.cli import telling
    from gatepost.edge.retiring.store import milestones
    from gatepost.report.retire import to_json, to_text
    from gatepost.retire import dates
    from gatepost.retiring.stages import Stage, reached

    so_far = milestones(state, found.target.name)
    last = reached(so_far)
    lost = _fallout(found.target, state, last) if last and last.stage is Stage.CLOSED else None
    when = dates(found, found.until)
    if form is Form.JSON:
        told = to_json(found, when, so_far, lost)
    else:
        width, colour = (telling.width(), telling.colour()) if output is None else (100, False)
        told = to_text(found, when, so_far, lost, width=width, colour=colour)
    telling.write(output, told) if output else sys.stdout.write(told)
    raise typer.Exit(STOPPED if found.accounts and lost is None else 0)


def _fallout(aim: Target, state: Path, closed: Milestone) -> Fallout:
    from gatepost.cli.lakes import opened
    from gatepost.edge.retiring.uses import failed, uses
    from gatepost.model.event import MICROSECONDS
    from gatepost.retire import fallout

    moment = datetime.fromtimestamp(closed.at, UTC)
    since, until = moment.date() - timedelta(days=LOOKING_BACK), datetime.now(UTC).date()
    with opened(state) as lake, lake.connect() as connection:
        found = (*uses(connection, since, until), *failed(connection, moment))
        return fallout(found, aim, round(closed.at * MICROSECONDS), looking_back=LOOKING_BACK)


def _draft(
    found: Assessment, architecture: Architecture, state: Path, to: Path, template: Path | None, on: str | None
) -> None:
    from gatepost.edge.retiring.store import milestones
    from gatepost.errors import UsageError, because
    from gatepost.retire import dates
    from gatepost.retiring.notices import TEXT, Sender, notice

    when = dates(found, found.until)
    announced = next((one.on for one in reversed(milestones(state, found.target.name)) if one.on), None)
    ends = _day(on) or announced or when.close
    domain = architecture.domains[0].name if architecture.domains else "localhost"
    sender = Sender(f"postmaster@{domain}", architecture.organization, domain)
    trial = when.rehearse if when.rehearse < ends else None
    text = _template(template) if template else TEXT
    try:
        to.mkdir(parents=True, exist_ok=True)
        for one in found.certain:
            draft = notice(one, found, ends, trial, sender, text)
            (to / draft.name).write_bytes(draft.letter.as_bytes())
    except OSError as error:
        raise UsageError(f"{to}: {because(error)}") from None
    sys.stdout.write(
        f"{len(found.certain)} drafts in {to}; nothing was sent. Read them, then hand them to sendmail -t.\n"
    )


def _template(path: Path) -> str:
    from gatepost.errors import UsageError, because

    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {because(error) if isinstance(error, OSError) else 'not UTF-8 text'}") from None


def _announce(found: Assessment, state: Path, on: str | None) -> None:
    from gatepost.retire import dates

    ends = _day(on) or dates(found, found.until).close
    _record(state, found.target, "announced", ends, f"{len(found.certain)} accounts used it")
    sys.stdout.write(f"{found.target.title} ends on {ends:%A, %d %B %Y}.\n")


def _rehearse(aim: Target, architecture: Architecture, state: Path, length: str) -> None:
    from gatepost.declaration.durations import seconds
    from gatepost.edge.retiring import brownout
    from gatepost.errors import UsageError
    from gatepost.retiring.target import What

    lasting = seconds(length)
    if lasting is None or lasting > 86400:
        raise UsageError(f"--for {length}: write 10m, 1h or up to 24h")
    if aim.what is not What.PORT or aim.port is None:
        raise UsageError(
            f"only a port can be shut on trial by the firewall. For {aim.title}: gatepost apply --confirm {lasting}, "
            "which takes the settings back by itself after that time"
        )
    shut = []
    with _runners(architecture, aim) as runners:
        for host, runner in runners:
            brownout.shut(runner, (aim.port,), lasting)
            left = brownout.shut_now(runner).get(aim.port)
            if left is None:
                raise UsageError(f"{host.name}: the port is not shut, although nft said so")
            again = time.strftime("%H:%M:%S %Z", time.localtime(time.time() + left))
            sys.stdout.write(f"{host.name}: {aim.title} is shut, and opens by itself at {again}.\n")
            shut.append(host.name)
    _record(state, aim, "rehearsed", None, f"for {length}", tuple(shut))


def _reopen(architecture: Architecture) -> None:
    from gatepost.edge.retiring import brownout

    with _runners(architecture, None) as runners:
        for host, runner in runners:
            turned = brownout.turned_away(runner)
            was = brownout.shut_now(runner)
            brownout.open_again(runner)
            told = f"open again; {turned} connections were turned away" if was or turned else "nothing was shut"
            sys.stdout.write(f"{host.name}: {told}.\n")


def _close(
    aim: Target, architecture: Architecture, path: Path, state: Path, backups: str | None, ca: Path | None, *, yes: bool
) -> None:
    from gatepost.errors import GatepostError, UsageError
    from gatepost.retiring.target import What

    if not architecture.hosts:
        raise UsageError("to close it takes a declaration: gatepost init writes one")
    hosts, before = tuple(host.name for host in architecture.hosts), ""
    if aim.what is What.PORT and _listed(aim, architecture):
        before = path.read_text(encoding="utf-8")
        hosts = _take_out(aim, architecture, path, before, yes=yes)
    try:
        _applied(aim, hosts, path, state, backups, ca, yes=yes)
    except (GatepostError, typer.Exit):
        if before:
            _replace(path, before)
        sys.stderr.write(f"gatepost: it is not closed{'; the declaration is as it was' if before else ''}\n")
        raise
    _record(state, aim, "closed", datetime.now(UTC).date(), "", hosts)
    sys.stdout.write(f"{aim.title} is closed. In a week, gatepost retire {aim.name} tells who did not come back.\n")


def _applied(
    aim: Target, hosts: tuple[str, ...], path: Path, state: Path, backups: str | None, ca: Path | None, *, yes: bool
) -> None:
    """As `gatepost apply` does it; of the servers, only what this is about. Raises Exit where it was not kept."""
    from dataclasses import replace

    from gatepost.cli import settling
    from gatepost.cli.apply import exit_code, named, rendered
    from gatepost.cli.carrying import Session
    from gatepost.cli.plan import wishes
    from gatepost.cli.request import Request
    from gatepost.edge.host.applying import Terms
    from gatepost.edge.host.hand import ROOT
    from gatepost.retiring.target import What

    settling.settle(state, backups)
    only = "service,dovecot,firewall" if aim.what is What.PORT else "postfix,dovecot"
    insist = ["postfix.tls.protocols.opportunistic"] if aim.what is What.TLS else None
    wanted = wishes(only, insist, close_legacy=True)
    if aim.what is What.PORT and aim.port is not None:
        wanted = replace(wanted, ports=frozenset({aim.port}))
    request = Request(targets=hosts, declaration=path, ca=ca)
    terms = Terms(settling.who(), WITHIN, backups=backups or ROOT)
    ended = Session(request, state, terms, wanted, sure=yes).run(None)
    sys.stdout.write(rendered(ended, as_json=False, plain=False, state=named(state)))
    if code := exit_code(ended):
        raise typer.Exit(code)


def _take_out(aim: Target, architecture: Architecture, path: Path, before: str, *, yes: bool) -> tuple[str, ...]:
    """The hosts concerned. Nothing is written before it reads back as it was, without the services."""
    import difflib

    from gatepost.cli.declared import today
    from gatepost.declare import read
    from gatepost.errors import UsageError
    from gatepost.retiring.declaring import without

    listed, after = _listed(aim, architecture), before
    for _, service in sorted(listed, key=lambda pair: -(pair[1].line or 0)):
        shorter = without(after, service)
        if shorter is None:
            raise UsageError(f"{path}:{service.line}: take {service.name} out of the list by hand, then again")
        after = shorter
    if _listed(aim, read(after, str(path), today=today())):
        raise UsageError(f"{path}: take {aim.title} out of the list by hand, then again")
    diff = difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), str(path), str(path))
    sys.stdout.write("".join(diff) + "\n")
    if not yes and not typer.confirm("Write that, and apply it?", default=False):
        raise typer.Exit(STOPPED)
    _replace(path, after)
    return tuple(dict.fromkeys(host.name for host, _ in listed))


def _listed(aim: Target, architecture: Architecture) -> list[tuple[Host, Service]]:
    return [(host, one) for host in architecture.hosts for one in host.services if one.port == aim.port]


def _replace(path: Path, text: str) -> None:
    """All of it or nothing, with the permissions it had."""
    import shutil

    from gatepost.errors import UsageError, because

    new = path.with_name(f".{path.name}.new")
    try:
        new.write_text(text, encoding="utf-8")
        shutil.copymode(path, new)
        new.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: {because(error)}") from None


@contextmanager
def _runners(architecture: Architecture, aim: Target | None) -> Iterator[list[tuple[Host, Runner]]]:
    """A way onto each host that has the port, or onto all."""
    from gatepost.edge.host.here import way
    from gatepost.edge.host.runner import Ways
    from gatepost.errors import UsageError

    hosts = [host for host in architecture.hosts if aim is None or any(s.port == aim.port for s in host.services)]
    if not hosts:
        where = f"no declared host has {aim.title}" if aim else "no host is declared"
        raise UsageError(where)
    lost = [host.name for host in hosts if not way(host)]
    if lost:
        raise UsageError(f"no way onto {', '.join(lost)}: set `via` in the declaration")
    with Ways() as ways:
        yield [(host, ways.to(way(host))) for host in hosts]


def _record(
    state: Path, aim: Target, stage: str, on: date | None = None, note: str = "", hosts: tuple[str, ...] = ()
) -> None:
    from gatepost.cli.settling import who
    from gatepost.edge.retiring.store import record
    from gatepost.retiring.stages import Milestone, Stage

    record(state, Milestone(aim.name, Stage(stage), time.time(), who(), on, note, hosts))


def _day(text: str | None) -> date | None:
    from gatepost.errors import UsageError

    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--on {text}: write it as 2027-03-31") from None
