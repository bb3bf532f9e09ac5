"""`gatepost spf`: the SPF of a domain as a tree, and what a receiver would say of mail from an address."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost.cli import options as o

if TYPE_CHECKING:
    from gatepost.edge.resolve import Resolver
    from gatepost.report.spf import Told

MAX_ADDRESSES = 1000


class SpfFormat(StrEnum):
    JSON = "json"
    TABLE = "table"


def spf(
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="The domain whose SPF to show.")],
    address: Annotated[
        list[str] | None,
        typer.Option("--ip", metavar="ADDRESS", help="Say what mail from this address would get. Repeatable."),
    ] = None,
    sender: Annotated[
        str, typer.Option("--from", metavar="MAILBOX", help="The envelope sender (default: postmaster at DOMAIN).")
    ] = "",
    helo: Annotated[
        str, typer.Option("--helo", metavar="NAME", help="The name the client gives (default: DOMAIN).")
    ] = "",
    config: o.Declaration = None,
    resolver: o.ResolverAt = None,
    trust_resolver: o.TrustResolver = False,
    form: Annotated[
        SpfFormat, typer.Option("--format", help="How to print it.", rich_help_panel=o.SHOWING)
    ] = SpfFormat.TABLE,
    output: o.Output = None,
) -> None:
    """Show the SPF of a domain as a tree with its running counts, what is wrong with it, and who passes.

    [bold]Exit:[/bold] 0 in order, 1 no record, a broken one or an address that does not pass, 2 bad input,
    3 could not ask DNS.
    """
    import asyncio

    from gatepost.cli import telling
    from gatepost.cli.names import chosen
    from gatepost.report.spf import exit_code, render, to_json

    name, addresses = _domain(domain), [_address(one) for one in address or ()]
    asked = chosen(resolver, config, trusted=trust_resolver)
    told = asyncio.run(_look(name, addresses[:MAX_ADDRESSES], sender, helo, asked))
    wide, coloured = telling.width(), telling.colour() and output is None
    text = to_json(told) if form is SpfFormat.JSON else render(told, width=wide, colour=coloured)
    if output:
        telling.write(output, text)
    else:
        sys.stdout.write(text)
    raise typer.Exit(exit_code(told))


async def _look(name: str, addresses: list[str], sender: str, helo: str, asked: Resolver) -> Told:
    from gatepost.edge.questions import at_once
    from gatepost.records.spf import check, inspect, permitted
    from gatepost.report.spf import Told

    lookup = asked.asker
    try:
        seen = await inspect(name, lookup, together=at_once)
        results = [await check(one, name, lookup, sender=sender, helo=helo) for one in addresses]
        return Told(seen, tuple(results), await permitted(name, lookup, together=at_once))
    finally:
        await asked.close()


def _domain(text: str) -> str:
    from gatepost.certs.names import a_labels
    from gatepost.errors import UsageError
    from gatepost.records.spf.names import malformed

    name = a_labels(text.strip())
    if name is None or (why := malformed(name)):
        raise UsageError(why if name else f"{text[:60]!r} can be no domain")
    return name


def _address(text: str) -> str:
    from ipaddress import ip_address

    from gatepost.errors import UsageError

    try:
        return str(ip_address(text.strip()))
    except ValueError:
        raise UsageError(f"--ip: {text[:60]!r} is not an IP address") from None
