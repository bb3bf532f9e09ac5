"""`gatepost ports`: the port truth table."""

from __future__ import annotations

import typer

from gatepost.cli import options as o


def ports(
    targets: o.Targets = None,
    config: o.Declaration = None,
    address: o.Address = None,
    port_list: o.Ports = None,
    resolver: o.ResolverAt = None,
    ca: o.CaFile = None,
    vantage: o.VantageLabel = "",
    source: o.Source = None,
    via: o.Via = None,
    bundle: o.BundleFiles = None,
    reach: o.ReachFiles = None,
    outside: o.Outside = False,
    rate: o.Rate = None,
    state: o.State = None,
    form: o.FormatName = None,
    output: o.Output = None,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Show each port of a host: declared, listening, firewalled, reachable, encrypted; one verdict and one cause line.

    Two connections a port, so it is quick. What was not asked is a dash, what nobody could tell a question mark.

    [bold]Exit:[/bold] 0 as declared, 1 a port is not, 2 bad input, 3 could not look.
    """
    from gatepost.cli import telling
    from gatepost.cli.audit import conclude, with_logs
    from gatepost.cli.looking import watched
    from gatepost.cli.request import Request
    from gatepost.report.truth import rows
    from gatepost.wire.survey import Depth

    request = Request(
        targets=tuple(targets or ()),
        declaration=config,
        addresses=tuple(address or ()),
        ports=port_list,
        resolver=resolver,
        ca=ca,
        depth=Depth.PORTS,
        dns=False,
        vantage=vantage,
        source=source,
        via=via,
        bundles=tuple(bundle or ()),
        reach=tuple(reach or ()),
        inside=not outside,
        rate=rate,
    )
    looked = watched(request, quiet=quiet)
    judged = conclude(with_logs(looked, state), None, None, None)
    telling.tell(judged, telling.shape(form, output), output, verbose=verbose, view="ports")
    raise typer.Exit(int(any(row.wrong for row in rows(judged))))
