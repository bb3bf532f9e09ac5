"""`gatepost dmarc`: which DMARC policy holds for a domain, how it is found, and whose mail counts as its own."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost.cli import options as o

if TYPE_CHECKING:
    from gatepost.edge.resolve import Resolver
    from gatepost.report.dmarc import Told

MAX_IDENTIFIERS = 100


class DmarcFormat(StrEnum):
    JSON = "json"
    TABLE = "table"


def dmarc(
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="The domain in the From header.")],
    signers: Annotated[
        list[str] | None,
        typer.Option(
            "--dkim-domain", metavar="D", help="A domain that signs this mail (d=): is it aligned? Repeatable."
        ),
    ] = None,
    senders: Annotated[
        list[str] | None,
        typer.Option("--spf-domain", metavar="D", help="A domain of envelope senders: is it aligned? Repeatable."),
    ] = None,
    config: o.Declaration = None,
    resolver: o.ResolverAt = None,
    trust_resolver: o.TrustResolver = False,
    form: Annotated[
        DmarcFormat, typer.Option("--format", help="How to print it.", rich_help_panel=o.SHOWING)
    ] = DmarcFormat.TABLE,
    output: o.Output = None,
) -> None:
    """Show the tree walk of a domain, the policy it leads to, and alignment by tree walk and by suffix list.

    [bold]Exit:[/bold] 0 in order, 1 no policy, a problem in it or an identifier that is not aligned by both ways,
    2 bad input, 3 could not ask DNS.
    """
    import asyncio

    from gatepost.cli import telling
    from gatepost.cli.names import chosen
    from gatepost.report.dmarc import exit_code, render, to_json

    wanted = [("DKIM", _domain(one)) for one in signers or ()] + [("SPF", _domain(one)) for one in senders or ()]
    asked = chosen(resolver, config, trusted=trust_resolver)
    told = asyncio.run(_look(_domain(domain), wanted[:MAX_IDENTIFIERS], asked))
    shown = telling.colour() and output is None
    text = to_json(told) if form is DmarcFormat.JSON else render(told, width=telling.width(), colour=shown)
    if output:
        telling.write(output, text)
    else:
        sys.stdout.write(text)
    raise typer.Exit(exit_code(told))


async def _look(name: str, wanted: list[tuple[str, str]], asked: Resolver) -> Told:
    from gatepost.model.observation import Unobserved
    from gatepost.records.dmarc import inspect, targets
    from gatepost.records.dmarc_alignment import alignment
    from gatepost.records.suffixes import suffixes
    from gatepost.report.dmarc import Identifier, Told

    lookup, listed = asked.asker, suffixes()
    try:
        seen = await inspect(name, lookup, listed)
        if isinstance(seen, Unobserved):
            return Told(seen)
        modes = {"DKIM": seen.record.adkim, "SPF": seen.record.aspf} if seen.record else {}
        identifiers = [
            Identifier(kind, one, await alignment(name, one, lookup, listed, strict=modes.get(kind) == "s"))
            for kind, one in wanted
        ]
        return Told(seen, await targets(seen, lookup), tuple(identifiers))
    finally:
        await asked.close()


def _domain(text: str) -> str:
    import re

    from gatepost.certs.names import a_labels
    from gatepost.errors import UsageError

    label = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
    name = a_labels(text.strip())
    if name is None or len(name) > 253 or not re.fullmatch(rf"({label}\.)*{label}", name):
        raise UsageError(f"{text[:60]!r} can be no domain")
    return name
