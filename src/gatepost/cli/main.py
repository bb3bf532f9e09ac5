"""The command line: one function per command, errors in one line, exit codes that mean something.

Exit: 0 in order, 1 findings at or above --fail-on, 2 bad input, 3 could not look.
Everything heavy is imported inside the commands, so that `--help` and `--version` answer at once.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from gatepost import __version__
from gatepost.cli import (
    alerts,
    apply,
    audit,
    blocks,
    certs,
    collect,
    demo,
    dkim,
    dmarc,
    domains,
    explain,
    firewall,
    init,
    locks,
    logs,
    plan,
    policyd,
    ports,
    probe,
    query,
    records,
    reports,
    retire,
    rollback,
    schema,
    spf,
    usage,
    watch,
)
from gatepost.errors import GatepostError, UsageError

BAD_INPUT = 2
COULD_NOT_LOOK = 3

app = typer.Typer(
    name="gatepost",
    help="The mail ports of a host as one controlled asset: declared, audited, enforced, watched.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with:  gatepost demo   ·   gatepost audit mail.example.org   ·   gatepost init example.org",
)

app.command("audit")(audit.audit)
app.command("ports")(ports.ports)
app.command("firewall")(firewall.firewall)
app.command("probe")(probe.probe)
app.command("plan")(plan.plan)
app.command("apply")(apply.apply)
app.command("rollback")(rollback.rollback)
app.command("certs")(certs.certs)
app.command("domains")(domains.domains)
app.command("collect")(collect.collect)
app.command("init")(init.init)
app.command("explain")(explain.explain)
app.command("schema")(schema.schema)
app.command("spf")(spf.spf)
app.command("dkim")(dkim.dkim)
app.command("dmarc")(dmarc.dmarc)
app.command("records")(records.records)
app.add_typer(reports.app, name="reports")
app.command("watch")(watch.watch)
app.add_typer(blocks.app, name="blocks")
app.command("unblock")(blocks.unblock)
app.command("policyd")(policyd.policyd)
app.add_typer(locks.app, name="locks")
app.command("retire")(retire.retire)
app.add_typer(logs.app, name="logs")
app.command("query")(query.query)
app.command("usage")(usage.usage)
app.command("alerts")(alerts.alerts)
app.command("demo")(demo.demo)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"gatepost {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the program; never show a traceback unless GATEPOST_TRACEBACK is set."""
    try:
        app(prog_name="gatepost")
    except UsageError as error:
        _stop(error, BAD_INPUT)
    except GatepostError as error:
        _stop(error, COULD_NOT_LOOK)
    except KeyboardInterrupt:
        sys.stderr.write("\ngatepost: interrupted\n")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # a reader such as head went away
        sys.exit(0)
    except Exception as error:
        if os.environ.get("GATEPOST_TRACEBACK"):
            raise
        _stop(f"internal error: {type(error).__name__}: {error} (set GATEPOST_TRACEBACK=1 for the details)", 70)


def _stop(error: object, code: int) -> None:
    """Words of a host or a peer are data here too, and never a command to the terminal."""
    from gatepost.report.escape import printable

    for line in str(error).split("\n"):
        sys.stderr.write(f"gatepost: {printable(line)}\n")
    sys.exit(code)
