"""`gatepost reports`: what other sites report of us, imported and shown."""

from __future__ import annotations

import sys
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost.cli import options as o

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.edge.mailbox import Letter, Unreadable
    from gatepost.feedback.contents import Reporter
    from gatepost.report.reporters import Asked

app = typer.Typer(
    name="reports",
    help="What other sites report of you: DMARC aggregate reports and TLS reports.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
DAYS = 30


class ReportsFormat(StrEnum):
    CSV = "csv"
    JSON = "json"
    TABLE = "table"


class ImportFormat(StrEnum):
    JSON = "json"
    TABLE = "table"


State = Annotated[Path, typer.Option("--state", metavar="DIR", help="Where reports, and what audits saw, are kept.")]
DomainName = Annotated[
    str | None, typer.Argument(metavar="DOMAIN", help="Only this domain (default: all).", show_default=False)
]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="DATE", help="From this day on (default: 30 days ago).", show_default=False),
]
Form = Annotated[ReportsFormat, typer.Option("--format", help="How to print it.", rich_help_panel=o.SHOWING)]
Everything = Annotated[bool, typer.Option("--all", help="Leave nothing out of the table.", rich_help_panel=o.SHOWING)]
HERE = Path(".gatepost")  # that of `declared.DEFAULT_STATE`


@app.command("import")
def take(
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Reports, mails, mbox files, Maildirs, directories.")
    ],
    state: State = HERE,
    form: Annotated[
        ImportFormat, typer.Option("--format", help="How to print the summary.", rich_help_panel=o.SHOWING)
    ] = ImportFormat.TABLE,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.", rich_help_panel=o.SHOWING)] = False,
) -> None:
    """Read reports into the state directory: XML, JSON, gzip, zip, mails with them, mbox files, Maildirs, directories.

    Nothing is imported twice, so that the same mailbox can be given every day.
    gatepost audit and gatepost domains use what is kept there, and find .gatepost by themselves.

    [bold]Exit:[/bold] 0 in order, 1 a report was refused, 2 bad input.
    """
    from datetime import UTC, datetime

    from gatepost.cli import telling
    from gatepost.edge.intake import take_in
    from gatepost.edge.mailbox import letters
    from gatepost.report.intake import intake_json, intake_text, problem

    problems: list[tuple[str, str]] = []

    def tell(name: str, why: str) -> None:
        problems.append((name, why))
        if form is ImportFormat.TABLE:
            sys.stderr.write(f"gatepost: {problem(name, why)}\n")

    every = tuple(letters(paths))
    with telling.progress(quiet=quiet) as moved:

        def counted() -> Iterator[Letter | Unreadable]:
            for done, letter in enumerate(every):
                moved(done, len(every), letter.name)
                yield letter

        taken = take_in(state, counted(), datetime.now(UTC), tell)
    sys.stdout.write(intake_json(taken, problems) if form is ImportFormat.JSON else intake_text(taken))
    raise typer.Exit(int(taken.refused > 0))


@app.command("list")
def listed(
    domain: DomainName = None,
    since: Since = None,
    state: State = HERE,
    form: Form = ReportsFormat.TABLE,
    output: o.Output = None,
) -> None:
    """Show which reports were imported, by domain and reporter, and who no longer reports.

    [bold]Exit:[/bold] 0 shown, 2 bad input, or nothing was imported yet.
    """
    from gatepost.cli import telling
    from gatepost.report.reporters import reporters_csv, reporters_json, reporters_text

    asked, today = _asked(domain, since)
    found_by = _reporters(state, asked)
    if form is ReportsFormat.CSV:
        text = reporters_csv(found_by)
    elif form is ReportsFormat.JSON:
        text = reporters_json(asked, found_by, today)
    else:
        text = reporters_text(asked, found_by, today, colour=telling.colour() and output is None)
    _put(text, output)


@app.command("sources")
def sources(
    domain: DomainName = None,
    since: Since = None,
    state: State = HERE,
    everything: Everything = False,
    form: Form = ReportsFormat.TABLE,
    output: o.Output = None,
) -> None:
    """Show who sends as a domain: each source address, what was aligned and what happened to its mail.

    [bold]Exit:[/bold] 0 shown, 2 bad input, or nothing was imported yet.
    """
    from gatepost.cli import telling
    from gatepost.edge import reportstore
    from gatepost.report.sources import sources_csv, sources_json, sources_text

    asked, today = _asked(domain, since)
    found_by = [one for one in _reporters(state, asked) if one.read.kind == "dmarc"]
    found = reportstore.sources(state, asked.domain, asked.since, asked.until)
    if form is ReportsFormat.CSV:
        text = sources_csv(found)
    elif form is ReportsFormat.JSON:
        text = sources_json(asked, found, found_by, today)
    else:
        wide, coloured = telling.width(), telling.colour() and output is None
        text = sources_text(asked, found, found_by, today, width=wide, colour=coloured, everything=everything)
    _put(text, output)


@app.command("failures")
def failures(
    domain: DomainName = None,
    since: Since = None,
    state: State = HERE,
    everything: Everything = False,
    form: Form = ReportsFormat.TABLE,
    output: o.Output = None,
) -> None:
    """Show why TLS sessions on the way to a domain failed: one line a cause, joined with what was seen that day.

    [bold]Exit:[/bold] 0 shown, 2 bad input, or nothing was imported yet.
    """
    from gatepost.cli import telling
    from gatepost.edge import reportstore
    from gatepost.report.failures import failures_csv, failures_json, failures_text

    asked, today = _asked(domain, since)
    found_by = _reporters(state, asked)
    found = reportstore.failures(state, asked.domain, asked.since, asked.until)
    if form is ReportsFormat.CSV:
        text = failures_csv(found)
    elif form is ReportsFormat.JSON:
        text = failures_json(asked, found, found_by, today)
    else:
        wide, coloured = telling.width(), telling.colour() and output is None
        text = failures_text(asked, found, found_by, today, width=wide, colour=coloured, everything=everything)
    _put(text, output)


def _asked(domain: str | None, since: str | None) -> tuple[Asked, date]:
    from datetime import UTC, datetime, timedelta

    from gatepost.certs.names import a_labels
    from gatepost.errors import UsageError
    from gatepost.report.reporters import Asked

    today = datetime.now(UTC).date()
    try:
        begin = date.fromisoformat(since) if since else today - timedelta(days=DAYS)
    except ValueError:
        raise UsageError(f"--since: {since!r} is not a date like 2026-10-01") from None
    name = domain.strip().lower().rstrip(".") if domain else None
    return Asked(name and (a_labels(name) or name), begin, today), today


def _reporters(state: Path, asked: Asked) -> tuple[Reporter, ...]:
    """Raises UsageError where nothing was imported, or nothing of this domain."""
    from gatepost.edge import reportstore
    from gatepost.errors import UsageError

    known = reportstore.domains(state)
    if not known:
        raise UsageError(f"no reports in {state}: start with gatepost reports import FILE --state {state}")
    if asked.domain and asked.domain not in known:
        listed = ", ".join(known[:5]) + (f" and {len(known) - 5} more" if len(known) > 5 else "")
        raise UsageError(f"no reports on {asked.domain}; there are some on {listed}")
    return reportstore.reporters(state, asked.domain, asked.since, asked.until)


def _put(text: str, output: Path | None) -> None:
    from gatepost.cli import telling

    if output:
        telling.write(output, text)
    else:
        sys.stdout.write(text)
