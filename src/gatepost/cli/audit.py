"""`gatepost audit`: every witness that can be asked from here, every control judged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gatepost.cli import options as o

if TYPE_CHECKING:
    from gatepost.cli.looking import Looked
    from gatepost.model.audit import Audit
    from gatepost.model.finding import Finding


def audit(
    targets: o.Targets = None,
    config: o.Declaration = None,
    profile: o.ProfileName = None,
    address: o.Address = None,
    port_list: o.Ports = None,
    resolver: o.ResolverAt = None,
    trust_resolver: o.TrustResolver = False,
    ca: o.CaFile = None,
    mine: o.Mine = False,
    recipient: o.Recipient = None,
    inventory: o.Inventory = False,
    vantage: o.VantageLabel = "",
    source: o.Source = None,
    via: o.Via = None,
    bundle: o.BundleFiles = None,
    reach: o.ReachFiles = None,
    outside: o.Outside = False,
    rate: o.Rate = None,
    compare: o.Compare = None,
    since: o.Since = None,
    only: o.Only = None,
    fail_on: o.FailOnSeverity = o.FailOn.HIGH,
    form: o.FormatName = None,
    output: o.Output = None,
    state: o.State = None,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Look at the mail ports of a host or domain and say what is wrong, why, and which setting mends it.

    Works without any file: a domain is followed through MX and SRV, a host is looked at on every mail port.
    With a declaration (gatepost.toml) what was found is held against what was intended.

    [bold]Exit:[/bold] 0 in order, 1 findings at or above --fail-on, 2 bad input, 3 could not look.
    """
    from gatepost.cli import declared, telling
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
        mine=mine,
        recipient=recipient,
        depth=Depth.INVENTORY if inventory else Depth.CONFORMANCE,
        vantage=vantage,
        source=source,
        via=via,
        bundles=tuple(bundle or ()),
        reach=tuple(reach or ()),
        inside=not outside,
        rate=rate,
    )
    areas = telling.areas(only)
    show = telling.shape(form, output)
    other = telling.earlier(compare, "--compare")
    before = telling.earlier(since, "--since")
    kept = declared.state(state)
    looked = watched(request, quiet=quiet)
    judged = conclude(with_logs(looked, kept), other, before, kept)
    shown = telling.limited(judged, areas)
    telling.tell(telling.changed(shown, before), show, output, verbose=verbose, fail_on=fail_on)
    raise typer.Exit(telling.exit_code(shown, fail_on))


def conclude(looked: Looked, other: Audit | None, before: Audit | None, state: Path | None) -> Audit:
    """Judge, compare with the other vantage, and date what is open."""
    from dataclasses import replace

    from gatepost import audit as story

    now = looked.run.started
    if state:
        looked, state = remembering(looked, state)
    extra: tuple[Finding, ...] = ()
    if other:
        from gatepost.checks.compare import compare

        extra = compare(looked.run, other.run, now=now)
    dates = {f.id: f.first_seen for f in before.findings if f.first_seen} if before else {}
    judged = story.conclude(
        looked.run,
        looked.architecture,
        looked.profile,
        looked.services,
        looked.targets,
        now=now,
        mine=looked.mine,
        extra=extra,
        first_seen=dates,
    )
    judged = replace(judged, notes=(*looked.notes, *judged.notes))
    if state:
        from gatepost.edge.store import remember

        judged = replace(judged, findings=remember(state, judged.findings, now))
    return replace(judged, compared_with=other.run.vantage or "the other run") if other else judged


def with_logs(looked: Looked, state: Path | None) -> Looked:
    """With what the lake tells of the hosts, where there is one. A lake that cannot be read costs nothing else."""
    from dataclasses import replace

    from gatepost.cli.declared import DEFAULT_STATE
    from gatepost.errors import UsageError
    from gatepost.model.observation import Seen

    directory = state or DEFAULT_STATE
    if not (directory / "lake").is_dir():
        return looked
    from gatepost.edge.lake.traffic import traffic

    run = looked.run
    try:
        told = traffic(directory, {at.host for at in run.seen.endpoints()}, run.started)
    except UsageError as error:
        return replace(looked, notes=(*looked.notes, f"the logs were not asked: {error}"))
    return replace(looked, run=replace(run, seen=Seen((*run.seen, *told))))


def remembering(looked: Looked, state: Path) -> tuple[Looked, Path | None]:
    """With what the state directory knows: since when keys and certificates are there, and what others reported.

    A directory that fails after the look costs the memory of this run, not the run.
    """
    from dataclasses import replace

    from gatepost.edge.reportstore import reported
    from gatepost.edge.store import sighted
    from gatepost.errors import UsageError
    from gatepost.model.observation import Seen

    run = looked.run
    try:
        dated = sighted(state, run.seen, run.started)
        others = reported(state, looked.domains, run.started)
    except UsageError as error:
        return replace(looked, notes=(*looked.notes, f"nothing is remembered of this run: {error}")), None
    return replace(looked, run=replace(run, seen=Seen((*run.seen, *dated, *others)))), state
