"""`gatepost certs`: which certificate each port, address and name really serves."""

from __future__ import annotations

import typer

from gatepost.cli import options as o


def certs(
    targets: o.Targets = None,
    config: o.Declaration = None,
    profile: o.ProfileName = None,
    address: o.Address = None,
    port_list: o.Ports = None,
    resolver: o.ResolverAt = None,
    trust_resolver: o.TrustResolver = False,
    ca: o.CaFile = None,
    vantage: o.VantageLabel = "",
    source: o.Source = None,
    rate: o.Rate = None,
    fail_on: o.FailOnSeverity = o.FailOn.HIGH,
    form: o.FormatName = None,
    output: o.Output = None,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Show the certificate truth: per port, address and SNI, with the chain's verdict and the days left."""
    from gatepost.cli import telling
    from gatepost.cli.audit import conclude
    from gatepost.cli.looking import watched
    from gatepost.cli.request import Request
    from gatepost.wire.survey import Depth

    request = Request(
        targets=tuple(targets or ()),
        declaration=config,
        profile=profile,
        addresses=tuple(address or ()),
        ports=port_list,
        resolver=resolver,
        trust_resolver=trust_resolver,
        ca=ca,
        depth=Depth.CERTIFICATES,
        vantage=vantage,
        source=source,
        rate=rate,
    )
    looked = watched(request, quiet=quiet)
    judged = telling.limited(conclude(looked, None, None, None), frozenset({"certificates"}))
    telling.tell(judged, telling.shape(form, output), output, verbose=verbose, view="certs", fail_on=fail_on)
    raise typer.Exit(telling.exit_code(judged, fail_on))
