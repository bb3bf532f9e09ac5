"""`gatepost domains`: what the world is told about a mail domain, and whether it holds."""

from __future__ import annotations

import typer

from gatepost.cli import options as o


def domains(
    targets: o.Targets = None,
    config: o.Declaration = None,
    resolver: o.ResolverAt = None,
    trust_resolver: o.TrustResolver = False,
    ca: o.CaFile = None,
    mine: o.Mine = False,
    vantage: o.VantageLabel = "",
    source: o.Source = None,
    rate: o.Rate = None,
    fail_on: o.FailOnSeverity = o.FailOn.HIGH,
    form: o.FormatName = None,
    output: o.Output = None,
    state: o.State = None,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Show the domain truth: MX, SPF as a tree, DKIM, DMARC, MTA-STS, TLS-RPT, DANE, CAA, reverse names, reports.

    The certificates of the mail hosts are looked at too: TLSA records and MTA-STS speak of them.
    gatepost audit DOMAIN says what mends each fault, gatepost records DOMAIN prints the records.

    [bold]Exit:[/bold] 0 in order, 1 findings at or above --fail-on, 2 bad input, 3 could not look.
    """
    from gatepost.cli import declared, telling
    from gatepost.cli.audit import conclude
    from gatepost.cli.looking import watched
    from gatepost.cli.request import Request
    from gatepost.wire.survey import Depth

    request = Request(
        targets=tuple(targets or ()),
        declaration=config,
        resolver=resolver,
        trust_resolver=trust_resolver,
        ca=ca,
        mine=mine,
        as_domain=True,
        sweep=False,
        depth=Depth.CERTIFICATES,
        vantage=vantage,
        source=source,
        rate=rate,
    )
    kept = declared.state(state)
    looked = watched(request, quiet=quiet)
    whole = conclude(looked, None, None, kept)
    judged = telling.limited(whole, telling.TOLD_IN_DNS, telling.ALSO_IN_DNS)
    telling.tell(judged, telling.shape(form, output), output, verbose=verbose, view="domains", fail_on=fail_on)
    raise typer.Exit(telling.exit_code(judged, fail_on))
