"""`gatepost records`: the records a declared domain asks for and DNS lacks, in order."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost.cli import options as o

if TYPE_CHECKING:
    from gatepost.records.publishing.publication import Publication

NOTHING_LACKING, LACKING, COULD_NOT_ASK = 0, 1, 3
LONGEST_TTL = 604800  # seconds


class RecordsFormat(StrEnum):
    JSON = "json"
    NSUPDATE = "nsupdate"
    TABLE = "table"
    ZONE = "zone"


ENDINGS = {".json": RecordsFormat.JSON, ".nsupdate": RecordsFormat.NSUPDATE, ".zone": RecordsFormat.ZONE}


def records(
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="A domain of the declaration.")],
    config: o.Declaration = None,
    resolver: o.ResolverAt = None,
    trust_resolver: o.TrustResolver = False,
    ca: o.CaFile = None,
    source: o.Source = None,
    look: Annotated[
        bool,
        typer.Option("--look/--no-look", help="Look at the keys that TLS ports serve.", rich_help_panel=o.LOOKING),
    ] = True,
    https: Annotated[int | None, typer.Option("--https-port", hidden=True)] = None,
    next_key: Annotated[
        list[Path] | None,
        typer.Option("--next-key", metavar="FILE", help="A key or certificate (PEM) served next. Repeatable."),
    ] = None,
    no_next_key: Annotated[
        bool, typer.Option("--no-next-key", help="There is none: TLSA records that match nothing can go.")
    ] = False,
    ttl: Annotated[
        int, typer.Option("--ttl", metavar="SECONDS", min=60, max=LONGEST_TTL, help="Of what is published.")
    ] = 3600,
    server: Annotated[
        str,
        typer.Option("--server", metavar="HOST[#PORT]", help="Where nsupdate sends updates (default: the primary)."),
    ] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="What is in order as well.", rich_help_panel=o.SHOWING)
    ] = False,
    form: Annotated[
        RecordsFormat | None,
        typer.Option(
            "--format",
            help="Default: table, or by the ending of --output.",
            rich_help_panel=o.SHOWING,
            show_default=False,
        ),
    ] = None,
    output: o.Output = None,
    quiet: o.Quiet = False,
) -> None:
    """Show the records that the declaration asks for and DNS lacks: what, in which order, and how long to wait.

    [bold]Exit:[/bold] 0 nothing is lacking, 1 something is, 2 bad input, 3 nothing is but not all could be asked.
    """  # fmt: skip
    from gatepost.cli import telling
    from gatepost.cli.publishing import Asking, ask
    from gatepost.errors import UsageError

    asking = Asking(
        config, resolver, trust_resolver, ca, source, look, https, tuple(next_key or ()), no_next_key, ttl, quiet
    )
    if not server.isprintable() or " " in server:
        raise UsageError(f"--server: {server[:60]!r} is no HOST[#PORT]")
    told = ask(domain, asking)
    chosen = form or (ENDINGS.get(output.suffix.lower()) if output else None) or RecordsFormat.TABLE
    text = rendered(told, chosen, server, everything=everything, plain=output is not None)
    if output:
        telling.write(output, text)
    else:
        sys.stdout.write(text)
    raise typer.Exit(exit_code(told))


def rendered(told: Publication, form: RecordsFormat, server: str, *, everything: bool, plain: bool) -> str:
    from gatepost.cli import telling
    from gatepost.records.publishing import nsupdate, zonefile
    from gatepost.report.publishing import render, to_json

    match form:
        case RecordsFormat.JSON:
            return to_json(told)
        case RecordsFormat.NSUPDATE:
            return nsupdate.script(told.steps, _head(told), server.replace("#", " "), told.servers)
        case RecordsFormat.ZONE:
            listed = [(one.record, one.zone) for one in told.records if one.present] if everything else []
            return zonefile.fragment(told.steps, _head(told), listed)
        case RecordsFormat.TABLE:
            wide, coloured = telling.width(), telling.colour() and not plain
            return render(told, width=wide, colour=coloured, everything=everything)


def _head(told: Publication) -> list[str]:
    """Comments at the beginning of a file that is applied later, maybe by somebody else."""
    from gatepost.report.publishing import summary

    policy = [f"The MTA-STS policy for {told.document.uri} is in --format table and json."] if told.document else []
    unasked = [f"Could not be asked: {one.what}: {one.why}" for one in told.unasked]
    return [f"{told.domain}: {summary(told)}, as of {told.now:%Y-%m-%d %H:%M} UTC", *policy, *unasked]


def exit_code(told: Publication) -> int:
    if told.lacking:
        return LACKING
    return COULD_NOT_ASK if told.unasked else NOTHING_LACKING
