"""`gatepost probe`: what can be reached from here, or from a machine that only has Python."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost.cli import options as o

if TYPE_CHECKING:
    from gatepost.edge.host.reaching import Job, Results
    from gatepost.model.architecture import Architecture, Endpoint, Host


LOCAL = "local"


class Form(StrEnum):
    JSON = "json"
    TABLE = "table"


Hosts = Annotated[list[str] | None, typer.Argument(metavar="HOST", help="Declared hosts. Without one: all of them.")]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="ZONE|NAME", help="Where it stands: a zone, a declared host, or a name for it."),
]
Via = Annotated[
    str | None,
    typer.Option("--via", metavar="WAY", help='How to get there: local, "ssh me@workstation", "netns NAME".'),
]
To = Annotated[
    list[str] | None, typer.Option("--to", metavar="ADDR", help="Try this address too, declared or not. Repeatable.")
]
PrintAgent = Annotated[
    bool, typer.Option("--print-agent", help="Write the script to carry to a workstation, and try nothing.")
]
Beside = Annotated[
    list[Path] | None,
    typer.Option("--reach", metavar="FILE", help="Show these results too. Alone: only these. Repeatable."),
]
Greeting = Annotated[bool, typer.Option("--greeting", help="Wait for a first word from what was reached.")]
Timeout = Annotated[float, typer.Option("--timeout", metavar="S", min=0.1, max=30, help="Seconds a connection.")]
Shape = Annotated[Form, typer.Option("--format", help="What to print.", rich_help_panel=o.SHOWING)]


def probe(
    hosts: Hosts = None,
    config: o.Declaration = None,
    stands: From = None,
    via: Via = None,
    to: To = None,
    port_list: o.Ports = None,
    reach: Beside = None,
    greeting: Greeting = False,
    timeout: Timeout = 1.0,
    print_agent: PrintAgent = False,
    form: Shape = Form.TABLE,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Keep the results here, for --reach.")
    ] = None,
) -> None:
    """Try every declared port, and those that must not be reached, from one place, and hold it against the zones.

    The place needs Python and nothing else. Where no SSH leads, carry the script of --print-agent there.
    What it wrote is shown with --reach, here and in [bold]gatepost ports[/bold] and [bold]audit[/bold].

    [bold]Exit:[/bold] 0 as declared, 1 something is not, 2 bad input, 3 the place could not be used.
    """
    from gatepost.cli import telling
    from gatepost.cli.declared import load
    from gatepost.cli.looking import check_addresses, port_numbers
    from gatepost.edge.host import reaching
    from gatepost.report.reach import against, cells, reach_json, reach_text

    architecture = load(config)
    shown = [reaching.opened(path) for path in reach or ()]
    asked = not shown or bool(via or stands or print_agent)
    lost, kept = "", ""
    if asked:
        wanted = Asked(
            tuple(hosts or ()), stands or "", _way(architecture, stands, via), tuple(to or ()),
            port_numbers(port_list, architecture), timeout, greeting,
        )  # fmt: skip
        check_addresses(wanted.to)
        job = _job(wanted, architecture)
        if print_agent:
            _put(reaching.script(job), output)
            _say_how(job.vantage, output)
            raise typer.Exit
        results, text, lost = _run(job, wanted.via)
        if output:
            telling.write(output, text)
            kept = f"kept in {output}: gatepost ports --reach {output} shows it beside what the host says"
        shown.append(results)
    seen = tuple(one for results in shown for one in results.seen)
    page = reach_json(seen, architecture) if form is Form.JSON else reach_text(
        seen, architecture, width=telling.width(), colour=telling.colour()
    )  # fmt: skip
    typer.echo(page, nl=False)
    for note in (*_doubts(shown, architecture), *filter(None, (lost, kept))):
        typer.echo(f"gatepost: {note}", err=True)
    raise typer.Exit(3 if lost else int(bool(against(cells(seen, architecture)))))


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says of one look. `stands` is where from, `via` how to get there."""

    names: tuple[str, ...]
    stands: str
    via: str
    to: tuple[str, ...]
    only: frozenset[int]
    timeout: float
    greeting: bool


def _job(asked: Asked, architecture: Architecture) -> Job:
    from gatepost.edge.host.reaching import Job, canaries
    from gatepost.errors import UsageError

    places = _targets(asked, architecture)
    if not places:
        raise UsageError(_nothing(asked, architecture))
    zone = asked.stands if any(z.name == asked.stands for z in architecture.zones) else ""
    vantage = asked.stands or ("" if asked.via == LOCAL else asked.via)
    return Job(vantage, zone, places, canaries(places), asked.timeout, greeting=asked.greeting)


def _nothing(asked: Asked, architecture: Architecture) -> str:
    if architecture.host(asked.stands):
        return f"from {asked.stands} there is nothing to try: name addresses with --to"
    return "there is nothing to try: declare hosts with addresses (gatepost init writes a start)"


def _targets(asked: Asked, architecture: Architecture) -> tuple[Endpoint, ...]:
    from gatepost.firewall.vantages import targets

    wanted = [h for h in _hosts(asked, architecture) if h.name != asked.stands]
    found = targets([*wanted, *_strangers(asked, architecture)], asked.only)
    return tuple(at for at in found if not asked.only or at.port in asked.only)


def _hosts(asked: Asked, architecture: Architecture) -> tuple[Host, ...]:
    from gatepost.errors import UsageError

    if not asked.names:
        return architecture.hosts
    known = {h.name: h for h in architecture.hosts}
    if unknown := [n for n in asked.names if n not in known]:
        listed = f"; declared: {', '.join(known)}" if known else ""
        raise UsageError(f"{unknown[0]!r} is no declared host (--to takes any address){listed}")
    return tuple(known[n] for n in asked.names)


def _strangers(asked: Asked, architecture: Architecture) -> tuple[Host, ...]:
    """Addresses that were named; and from a declared host, the single hosts that its zones name."""
    from gatepost.firewall.vantages import alone
    from gatepost.model.architecture import Host

    given = tuple(Host(address, (address,), ()) for address in asked.to)
    return given or (alone(architecture) if architecture.host(asked.stands) else ())


def _way(architecture: Architecture, stands: str | None, via: str | None) -> str:
    """A declared host is reached as it is declared."""
    host = architecture.host(stands) if stands else None
    return via or (host.via if host else "") or LOCAL


def _run(job: Job, via: str) -> tuple[Results, str, str]:
    """The results, their file, and why there are none."""
    from datetime import UTC, datetime

    from gatepost.edge.host import reaching
    from gatepost.edge.host.runner import Ways
    from gatepost.errors import CannotLook

    try:
        text, lost = reaching.ask(Ways().to(via), job), ""
    except CannotLook as error:
        lost = str(error)
        text = reaching.unanswered(job, lost, datetime.now(UTC))
    return reaching.read(text, via), text, lost


def _doubts(shown: list[Results], architecture: Architecture) -> list[str]:
    """A vantage that does not stand where it says would prove the wrong thing."""
    from gatepost.firewall.vantages import zone_of

    told: dict[tuple[str, str], dict[str, None]] = {}
    for results in shown:
        for source in (one.source for one in results.seen if one.source):
            stood = zone_of(source, architecture)
            if results.zone and stood != results.zone:
                told.setdefault((results.vantage, stood), {})[source] = None
    return [
        f"{vantage} connected from {' and '.join(sources)}, which {'are' if len(sources) > 1 else 'is'} in "
        f"{stood or 'no zone'}: it may not stand where it says"
        for (vantage, stood), sources in told.items()
    ]


def _say_how(vantage: str, output: Path | None) -> None:
    """On stderr, so that a script that is piped on is a script alone."""
    script, results = output or "SCRIPT", f"{vantage.replace(' ', '-') or 'there'}.jsonl"
    typer.echo(f"gatepost: there: python3 {script} -o {results}   here: gatepost probe --reach {results}", err=True)


def _put(text: str, output: Path | None) -> None:
    from gatepost.cli import telling

    if output:
        telling.write(output, text)
    else:
        typer.echo(text, nl=False)
