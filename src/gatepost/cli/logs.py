"""`gatepost logs`: the logs of all mail ports in one lake, checked, kept in shape and handed on."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost.cli import options as o

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gatepost.cli.logpages import Page
    from gatepost.edge.lake.importing import Imported
    from gatepost.edge.logs.taking import Progress

app = typer.Typer(
    name="logs",
    help="The logs of all mail ports in one lake: import, check, keep in shape, hand on.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
HERE = Path(".gatepost")
ROWS = 5000  # of an export at a time


class LogsFormat(StrEnum):
    JSON = "json"
    TABLE = "table"


class Schema(StrEnum):
    ECS = "ecs"
    OCSF = "ocsf"


State = Annotated[Path, typer.Option("--state", metavar="DIR", help="The lake is DIR/lake.")]
Form = Annotated[LogsFormat, typer.Option("--format", help="How to print it.", rich_help_panel=o.SHOWING)]
Day = Annotated[str | None, typer.Option(metavar="DATE", show_default=False)]


@app.command("import")
def take(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE", help="Files, compressed or not, directories, patterns; - is stdin.")
    ],
    zone: Annotated[
        str,
        typer.Option("--zone", metavar="Z", help="Of times without one: an IANA name, or +02:00.", show_default=False),
    ] = "",
    host: Annotated[
        str, typer.Option("--host", metavar="NAME", help="Of lines that name no host.", show_default=False)
    ] = "",
    year: Annotated[
        int | None,
        typer.Option("--year", metavar="Y", min=1990, max=2200, help="Of lines without one.", show_default=False),
    ] = None,
    config: o.Declaration = None,
    state: State = HERE,
    form: Form = LogsFormat.TABLE,
    quiet: o.Quiet = False,
) -> None:
    """Read old logs of mail servers into the lake: plain, gzip, bzip2, xz or zstd, under any name.

    What was read before is known again by its first bytes, also when it was renamed or compressed since, and is not
    read twice; a file that grew is read on. Stopped at any moment, the next import goes on.

    [bold]Exit:[/bold] 0 in order, 1 a file could not be read whole or the share of logins understood is low,
    2 bad input, 3 nothing could be read.
    """
    import time

    from gatepost.cli import declared, logpages
    from gatepost.edge.lake import importing, understood
    from gatepost.edge.lake.deriving import derive
    from gatepost.edge.lake.lake import FOLDER, Lake, now
    from gatepost.errors import UsageError
    from gatepost.logs import years

    watching = declared.load(config).watching
    if zone and years.zone(zone) is None:
        raise UsageError(f"--zone {zone!r}: no such time zone; an IANA name such as Europe/Berlin, or +02:00")
    wanted = importing.Wanted(zone or watching.zone, host, year)
    names = importing.files(files)
    with Lake.open(state / FOLDER, write=True) as lake:
        lake.unnamed = host
        start, begun = lake.sequence, time.monotonic()
        with _counted(len(names), quiet=quiet) as counting:
            done = tuple(importing.take_file(lake, name, wanted, counting(name)) for name in names)
        seconds = time.monotonic() - begun
        understood.note(lake, now(), [part for one in done for part in one.coverage])
        lake.commit()
        with _busy("putting sessions together", quiet=quiet):
            derive(lake)
        new = [one for one in lake.present("events") if one.sequence > start]
        low = bool(understood.alarms(understood.runs(lake))) and any(one.lines for one in done)
    if form is LogsFormat.JSON:
        sys.stdout.write(logpages.imported_json(done, new, seconds))
    else:
        sys.stdout.write(logpages.imported(done, new, seconds, _page()))
    raise typer.Exit(_outcome(done, low=low))


@app.command("list")
def listed(
    state: State = HERE,
    everything: Annotated[bool, typer.Option("--all", help="Every day.", rich_help_panel=o.SHOWING)] = False,
    form: Form = LogsFormat.TABLE,
) -> None:
    """Show what the lake holds: where it came from, which tables and days, how much."""
    from gatepost.cli import logpages
    from gatepost.edge.lake.lake import FOLDER, Lake

    with Lake.open(state / FOLDER) as lake:
        sources, files = lake.sources(), lake.present()
    if form is LogsFormat.JSON:
        sys.stdout.write(logpages.listed_json(sources, files))
    else:
        sys.stdout.write(logpages.listed(sources, files, _page(), everything=everything))


@app.command("coverage")
def coverage(state: State = HERE, form: Form = LogsFormat.TABLE) -> None:
    """Show what share of each daemon's lines was understood, and samples of what was not.

    [bold]Exit:[/bold] 0 in order, 1 the share of authentication lines is low or fell.
    """
    from gatepost.cli import logpages
    from gatepost.edge.lake import understood
    from gatepost.edge.lake.lake import FOLDER, Lake

    with Lake.open(state / FOLDER) as lake:
        runs = understood.runs(lake)
    sys.stdout.write(logpages.covered_json(runs) if form is LogsFormat.JSON else logpages.covered(runs, _page()))
    raise typer.Exit(int(bool(understood.alarms(runs))))


@app.command("verify")
def verify(
    head: Annotated[
        str | None,
        typer.Option(
            "--head", metavar="N:DIGEST", help="A link noted before; it must still be there.", show_default=False
        ),
    ] = None,
    state: State = HERE,
    form: Form = LogsFormat.TABLE,
    quiet: o.Quiet = False,
) -> None:
    """Compute every link of the chain again, and the digest of every file: is the lake what was written?

    Shown at the end is the newest link. Who may write to the whole directory can write another chain, which looks as
    sound as this one; so keep that line somewhere else (on paper, in a ticket, on another host), and hold the lake
    against it later with --head.

    [bold]Exit:[/bold] 0 whole, 1 something was changed or is missing.
    """
    from gatepost.cli import logpages, telling
    from gatepost.edge.lake.lake import FOLDER, Lake
    from gatepost.report.layout import paint, text

    with Lake.open(state / FOLDER) as lake, _busy("computing digests", quiet=quiet):
        newest, digest, files, rows = lake.head()
        broken = (*lake.verify(), *(lake.lacks(head) if head else ()))
    if form is LogsFormat.JSON:
        import json

        whole = {"whole": not broken, "broken": broken, "links": newest, "head": f"{newest}:{digest}", "files": files}
        sys.stdout.write(json.dumps(whole, indent=2) + "\n")
    else:
        page = logpages.verified(broken, f"{newest}:{digest}", newest, files, rows)
        sys.stdout.write(paint([text(*line) for line in page], colour=telling.colour()))
    raise typer.Exit(int(bool(broken)))


@app.command("compact")
def compact(state: State = HERE, quiet: o.Quiet = False) -> None:
    """Make one file of many small ones, day by day. Readers and the chain go on."""
    from gatepost.edge.lake import upkeep
    from gatepost.edge.lake.lake import FOLDER, Lake

    with Lake.open(state / FOLDER, write=True) as lake, _busy("merging", quiet=quiet):
        done = upkeep.compact(lake)
    sys.stdout.write(f"{done.before} files became {done.after}\n" if done.before else "nothing to merge\n")


@app.command("prune")
def prune(
    keep_days: Annotated[
        int | None,
        typer.Option("--keep-days", metavar="N", min=1, help="Instead of the declared days.", show_default=False),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this it is only shown.")] = False,
    config: o.Declaration = None,
    state: State = HERE,
) -> None:
    """Delete days older than the declaration keeps, and take the names out of those past its pseudonymise.

    Their links stay in the chain. Files that a reader still looks at go with the next writer.
    """
    from gatepost.cli import declared, logpages, telling
    from gatepost.edge.lake import upkeep
    from gatepost.edge.lake.lake import FOLDER, Lake
    from gatepost.report.layout import paint, text

    watching, today = declared.load(config).watching, declared.today()
    keep, hide = keep_days or watching.keep_days, watching.pseudonymise_days
    with Lake.open(state / FOLDER, write=yes) as lake:
        gone = upkeep.expired(lake, keep, today)
        named = [one for one in (upkeep.named(lake, hide, today) if hide is not None else ()) if one not in gone]
        sys.stdout.write(paint(logpages.leaving(gone, named), colour=telling.colour()))
        if upkeep.clock_jumped(lake, keep, today):
            sys.stderr.write(f"gatepost: nothing was read for {keep} days, and today is {today}: is the clock right?\n")
        if yes:
            upkeep.prune(lake, keep, today)
            if named and hide is not None:
                upkeep.mask(lake, hide, today, upkeep.key(state))
        done = "done" if yes else "nothing was changed yet: --yes does it"
        if gone or named:
            sys.stdout.write(paint([text(""), text(done, "dim")], colour=telling.colour()))


@app.command("export")
def export(
    form: Annotated[Schema, typer.Option("--format", help="In whose words.", rich_help_panel=o.SHOWING)],
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="From this day on (UTC).", show_default=False)
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Up to and with this day.", show_default=False)
    ] = None,
    state: State = HERE,
    output: o.Output = None,
) -> None:
    """Hand events on as JSON lines, in the field names of ECS or OCSF.

    [bold]ecs[/bold]: Elastic Common Schema 9.5. [bold]ocsf[/bold]: Open Cybersecurity Schema Framework 1.9, classes
    authentication (3002), email_activity (4009) and network_activity (4001).
    """
    from gatepost.cli import telling
    from gatepost.edge.lake.lake import FOLDER, Lake

    days = (_date(since, "--since"), _date(until, "--until"))
    with Lake.open(state / FOLDER) as lake:
        lines = _exported(lake.connect(), form.value, *days)
        if output is not None:
            telling.write(output, lines)
        else:
            sys.stdout.writelines(lines)


def _exported(db: object, form: str, since: object, until: object) -> Iterator[str]:
    import json

    import duckdb

    from gatepost.lake.export import FORMATS

    assert isinstance(db, duckdb.DuckDBPyConnection)  # noqa: S101 - typed so late that --help need not load it
    conditions = [f"day {sign} ?" for sign, day in ((">=", since), ("<=", until)) if day]
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    db.execute(f'SELECT * FROM events {where} ORDER BY day, "at"', [day for day in (since, until) if day])  # noqa: S608 - conditions are ours
    names = [one[0] for one in db.description or ()]
    while batch := db.fetchmany(ROWS):
        for row in batch:
            yield json.dumps(FORMATS[form](dict(zip(names, row, strict=True)))) + "\n"


def _date(word: str | None, option: str) -> object:
    from datetime import date

    from gatepost.errors import UsageError

    try:
        return date.fromisoformat(word) if word else None
    except ValueError:
        raise UsageError(f"{option} {word!r}: a day such as 2026-08-01 is wanted") from None


def _outcome(done: tuple[Imported, ...], *, low: bool) -> int:
    if done and all(one.failed for one in done):
        return 3
    return int(low or any(one.failed or one.notes for one in done))


def _page() -> Page:
    from gatepost.cli import telling
    from gatepost.cli.logpages import Page

    return Page(telling.width(), telling.colour())


@contextmanager
def _counted(files: int, *, quiet: bool) -> Iterator[Callable[[str], Callable[[Progress], None]]]:
    """Lines and their rate on stderr while a person watches."""
    if quiet or not sys.stderr.isatty():
        yield lambda _name: lambda _progress: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    from gatepost.report.escape import printable

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        begun: list[str] = []

        def of(name: str) -> Callable[[Progress], None]:
            begun.append(name)
            where = f"{printable(Path(name).name, 40)} ({len(begun)} of {files})"
            bar.update(task, description=where)
            return lambda now: bar.update(task, description=f"{where}: {now.lines:,} lines")

        yield of


@contextmanager
def _busy(what: str, *, quiet: bool) -> Iterator[None]:
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield
