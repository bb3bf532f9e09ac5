"""`gatepost firewall`: who may reach what, as the declaration says it, and the rules that make it so."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost.cli import options as o

if TYPE_CHECKING:
    from gatepost.model.architecture import Architecture, Host
    from gatepost.model.flows import Matrix

RULES = "Rules to load"


class Rules(StrEnum):
    """`nft` is our own table; the others are dialects of `firewall/exports`."""

    AWS = "aws"
    AZURE = "azure"
    FIREWALLD = "firewalld"
    GCP = "gcp"
    IP6TABLES = "ip6tables"
    IPTABLES = "iptables"
    KUBERNETES = "kubernetes"
    NFT = "nft"
    PF = "pf"
    UFW = "ufw"


class Form(StrEnum):
    JSON = "json"
    TABLE = "table"


def firewall(
    host: Annotated[
        str | None, typer.Argument(metavar="HOST", help="A host of the declaration. Without one: all of them.")
    ] = None,
    config: o.Declaration = None,
    rules: Annotated[
        Rules | None,
        typer.Option(
            "--render",
            metavar="DIALECT",
            help="Print the rules of one host instead: nft, iptables, "
            "ip6tables, pf, ufw, firewalld, aws, gcp, azure or kubernetes.",
            rich_help_panel=RULES,
        ),
    ] = None,
    blocks: Annotated[
        str,
        typer.Option(
            "--blocks",
            metavar="LIST",
            rich_help_panel=RULES,
            help="As in an emergency, with these ports shut to everybody. Names or numbers, comma separated.",
        ),
    ] = "",
    forbidden: Annotated[
        bool,
        typer.Option("--forbidden", help="What internal zones must not reach.", rich_help_panel=o.SHOWING),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Every network of a list.", rich_help_panel=o.SHOWING)
    ] = False,
    form: Annotated[
        Form | None,
        typer.Option(
            "--format",
            help="Default: table, or by the ending of --output.",
            show_default=False,
            rich_help_panel=o.SHOWING,
        ),
    ] = None,
    output: o.Output = None,
) -> None:
    """Show who may reach which port of which host, and where hosts may connect to. Nothing is looked at or changed.

    [bold]gatepost apply[/bold] loads these rules, guarded; --render prints them for other hands.

    [bold]Exit:[/bold] 0 shown, 2 bad input.
    """  # fmt: skip
    from gatepost.cli import telling
    from gatepost.cli.declared import load
    from gatepost.errors import UsageError
    from gatepost.firewall.matrix import matrix, without

    if rules and (forbidden or form):
        raise UsageError("--render prints rules as they are loaded; leave --forbidden and --format away")
    architecture = load(config)
    hosts = _hosts(architecture, host)
    whole = matrix(architecture)
    if rules or blocks:
        one = _only(hosts, rules)
        shut = _ports(blocks, one)
        whole = without(whole, one.name, shut)
        if rules:
            _tell(_rendered(rules, whole, one, architecture, shut), output)
            _remark(whole, one)
            if rules is Rules.NFT:
                _remark_start(one, shut)
            return
        _remark_shut(one, blocks, config)
    chosen = form or (Form.JSON if output and output.suffix.lower() == ".json" else Form.TABLE)
    plain = output is not None
    _tell(
        _shown(whole, architecture, hosts, chosen, forbidden=forbidden, width=telling.width(),
               colour=telling.colour() and not plain, everything=verbose),
        output,
    )  # fmt: skip


def _shown(
    whole: Matrix, architecture: Architecture, hosts: tuple[Host, ...], form: Form,
    *, forbidden: bool, width: int, colour: bool, everything: bool,
) -> str:  # fmt: skip
    from gatepost.firewall.forbidden import forbidden as barriers
    from gatepost.report.matrix import render, to_json

    kept = barriers(whole, architecture, hosts=hosts) if forbidden else None
    if form is Form.JSON:
        return to_json(whole, architecture, hosts, kept)
    return render(whole, architecture, hosts, kept, width=width, colour=colour, everything=everything)


def _rendered(rules: Rules, whole: Matrix, host: Host, architecture: Architecture, shut: tuple[int, ...]) -> str:
    from gatepost.enforcement.boot import text
    from gatepost.firewall.exports import DIALECTS
    from gatepost.firewall.render import transaction

    if rules is Rules.NFT:
        return text(transaction(whole, host, architecture, closed=shut))
    return next(one for one in DIALECTS if one.name == rules.value).render(whole, host)


def _remark(whole: Matrix, host: Host) -> None:
    """On stderr, so that what is piped on is rules alone."""
    from gatepost.firewall.remarks import remarks
    from gatepost.report.escape import printable

    for sentence in remarks(whole, host):
        sys.stderr.write(f"note: {printable(sentence, 500)}\n")


def _remark_start(host: Host, shut: tuple[int, ...]) -> None:
    """How they are loaded. The kernel forgets, and what is loaded at the start may say otherwise."""
    from gatepost.servers.boot import RULES

    sys.stderr.write(f"note: to load them on {host.name}: nft -j -f FILE (nft -j -c -f FILE only tries them)\n")
    if shut:
        told = f"these ports are open again once {host.name} restarts, unless these rules are in its {RULES} too"
    else:
        told = f"the kernel forgets rules when {host.name} restarts: gatepost apply keeps them in its {RULES} as well"
    sys.stderr.write(f"note: {told}\n")


def _remark_shut(host: Host, blocks: str, config: Path | None) -> None:
    """What is shown is only what would be."""
    import shlex

    given = f" -c {shlex.quote(str(config))}" if config else ""
    command = f"gatepost firewall {host.name}{given} --blocks {shlex.quote(blocks)} --render nft | nft -j -f -"
    sys.stderr.write(f"note: nothing is shut by this; to do it, on {host.name}: {command}\n")
    sys.stderr.write(
        "note: that loads the table shown here, whole; nft delete table inet gatepost takes it away again\n"
    )


def _hosts(architecture: Architecture, name: str | None) -> tuple[Host, ...]:
    from gatepost.declaration.names import plain_name
    from gatepost.declaration.wording import did_you_mean, shown
    from gatepost.errors import UsageError

    if not architecture.hosts:
        where = f"{architecture.source} declares no host" if architecture.source else "there is no gatepost.toml here"
        raise UsageError(f"{where}: who may reach what is read from [hosts] and [zones] (see: gatepost init --help)")
    if name is None:
        return architecture.hosts
    found = architecture.host(plain_name(name.strip()) or name)
    if found is None:
        known = [one.name for one in architecture.hosts]
        near = did_you_mean(name, known) or f"; declared: {', '.join(known[:5])}"
        raise UsageError(f"{shown(name)} is no declared host{near}")
    return (found,)


def _only(hosts: tuple[Host, ...], rules: Rules | None) -> Host:
    from gatepost.errors import UsageError

    if len(hosts) > 1:
        option = "--render" if rules else "--blocks"
        raise UsageError(f"{option} is about one host: name it ({', '.join(one.name for one in hosts[:5])})")
    return hosts[0]


def _ports(listed: str, host: Host) -> tuple[int, ...]:
    """Names of the host's services go before those of the catalogue."""
    from gatepost import catalogue
    from gatepost.declaration.wording import shown
    from gatepost.errors import UsageError
    from gatepost.firewall.render import refuse_lockout

    known = {row.id: row.number for row in catalogue.ports()} | {one.name: one.port for one in host.services}
    found = []
    for word in filter(None, (one.strip() for one in listed.split(","))):
        number = int(word) if word.isascii() and word.isdecimal() and len(word) < 6 else known.get(word, 0)
        if not 0 < number < 65536:
            raise UsageError(f"--blocks: {shown(word)} is no port and no service of {host.name}")
        found.append(number)
    refuse_lockout(host, found)
    return tuple(found)


def _tell(made: str, output: Path | None) -> None:
    from gatepost.cli import telling

    if output:
        telling.write(output, made)
    else:
        sys.stdout.write(made)
