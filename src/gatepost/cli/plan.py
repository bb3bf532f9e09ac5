"""`gatepost plan`: what would have to change so that a host is as declared. Nothing is changed."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost.cli import options as o

if TYPE_CHECKING:
    from gatepost.cli.looking import Looked
    from gatepost.enforcement.wishes import Wishes
    from gatepost.model.audit import Audit
    from gatepost.model.plan import Plan

NOTHING_TO_DO, PENDING, COULD_NOT_LOOK = 0, 1, 3
WHAT = "What to do"


class PlanFormat(StrEnum):
    JSON = "json"
    TABLE = "table"


CloseLegacy = Annotated[
    bool,
    typer.Option("--close-legacy", rich_help_panel=WHAT,
                 help="Close ports for users that nobody declared, or whose end date is over, also where somebody may "
                 "still use them."),
]  # fmt: skip
OnlyKinds = Annotated[
    str | None,
    typer.Option("--only", metavar="KIND,…", rich_help_panel=WHAT,
                 help="Only these: firewall, postfix, dovecot, service, dns."),
]  # fmt: skip
Insist = Annotated[
    list[str] | None,
    typer.Option("--insist", metavar="SETTING", rich_help_panel=WHAT,
                 help="You decided: do this, although it is left to you otherwise. The name the plan tells, or all. "
                 "Repeatable."),
]  # fmt: skip

Promises = Annotated[
    bool,
    typer.Option("-v", "--verbose", help="Show as well which findings each step ends.", rich_help_panel=o.SHOWING),
]  # fmt: skip
AsPlan = Annotated[
    PlanFormat | None,
    typer.Option("--format", help="Default: table, or by the ending of --output.", rich_help_panel=o.SHOWING,
                 show_default=False),
]  # fmt: skip


def plan(
    targets: o.Targets = None,
    config: o.Declaration = None,
    address: o.Address = None,
    port_list: o.Ports = None,
    resolver: o.ResolverAt = None,
    trust_resolver: o.TrustResolver = False,
    ca: o.CaFile = None,
    source: o.Source = None,
    via: o.Via = None,
    bundle: o.BundleFiles = None,
    rate: o.Rate = None,
    close_legacy: CloseLegacy = False,
    only: OnlyKinds = None,
    insist: Insist = None,
    state: o.State = None,
    form: AsPlan = None,
    output: o.Output = None,
    verbose: Promises = False,
    quiet: o.Quiet = False,
) -> None:  # fmt: skip
    """Show what has to change for each host to be as declared: step by step, why, at what risk, and how it is undone.

    Looks at declared hosts from outside and inside, and changes nothing. DNS and decisions are left to you.

    [bold]Exit:[/bold] 0 nothing to do, 1 steps are pending, 2 bad input, 3 could not look.
    """
    from gatepost.cli import settling, telling
    from gatepost.cli.looking import watched
    from gatepost.cli.request import Request

    settling.settle(state)
    request = Request(
        targets=tuple(targets or ()),
        declaration=config,
        addresses=tuple(address or ()),
        ports=port_list,
        resolver=resolver,
        trust_resolver=trust_resolver,
        ca=ca,
        source=source,
        via=via,
        bundles=tuple(bundle or ()),
        rate=rate,
    )
    wanted = wishes(only, insist, close_legacy=close_legacy)
    looked = watched(request, quiet=quiet)
    refuse_undeclared(looked)
    made = planned(looked, wanted)
    refuse_blind(made, looked)
    told = rendered(made, as_json=is_json(form, output), verbose=verbose, plain=output is not None)
    if output:
        telling.write(output, told)
    else:
        sys.stdout.write(told)
    raise typer.Exit(PENDING if made.steps else NOTHING_TO_DO)


def is_json(form: PlanFormat | None, output: Path | None) -> bool:
    """What was asked for, else as the file is named."""
    return form is PlanFormat.JSON or (form is None and output is not None and output.suffix == ".json")


def wishes(only: str | None, insist: list[str] | None, *, close_legacy: bool) -> Wishes:
    """Raises UsageError for kinds and rows that do not exist."""
    from gatepost.catalogue.desired import rows
    from gatepost.enforcement.wishes import EVERYTHING, Wishes
    from gatepost.errors import UsageError
    from gatepost.model.plan import Kind

    kinds = {one.value for one in Kind}
    wanted = [one.strip() for one in (only or "").split(",") if one.strip()]
    if unknown := [one for one in wanted if one not in kinds]:
        raise UsageError(f"--only: no kind of step is named {unknown[0][:60]!r}; known: {', '.join(sorted(kinds))}")
    decidable = {one.id for one in rows() if one.decidable}
    for one in insist or ():
        if one != EVERYTHING and one not in decidable:
            raise UsageError(f"--insist: {one[:60]!r} is no step by hand of the settings; `gatepost plan` names them")
    return Wishes(close_legacy, frozenset(Kind(one) for one in wanted), frozenset(insist or ()), operator())


def operator() -> str:
    """Where the SSH session comes from that this runs in; empty without one."""
    return (os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_CLIENT") or "").partition(" ")[0]


def refuse_undeclared(looked: Looked) -> None:
    from gatepost.errors import UsageError

    if not looked.architecture.hosts:
        raise UsageError("nothing is declared, so nothing can be enforced: gatepost init writes a gatepost.toml")


def planned(looked: Looked, wished: Wishes | None = None, audit: Audit | None = None) -> Plan:
    """`audit` is the look judged, where somebody has it already."""
    from gatepost.enforce import plan as desired
    from gatepost.firewall.matrix import matrix

    whole = matrix(looked.architecture)
    return desired(audit or judged(looked), whole, looked.bundles, now=looked.run.started, wishes=wished)


def judged(looked: Looked) -> Audit:
    """What `kept` compares before and after."""
    from gatepost.cli.audit import conclude

    return conclude(looked, None, None, None)


def refuse_blind(made: Plan, looked: Looked) -> None:
    """Nothing to do is only said of hosts that were seen from inside."""
    from gatepost.errors import CannotLook
    from gatepost.model.host import BundleRead
    from gatepost.model.observation import Unobserved, of

    if made.steps or of(BundleRead, looked.run.seen):
        return
    lost = [one for one in of(Unobserved, looked.run.seen) if one.wanted == "host"]
    why = f": {lost[0].detail}" if lost else "; set `via` in the declaration, or pass --via or --bundle"
    raise CannotLook(f"no declared host could be looked at from inside{why}")


def rendered(made: Plan, *, as_json: bool, verbose: bool, plain: bool) -> str:
    from gatepost.cli import telling
    from gatepost.report.plan import render, to_json

    if as_json:
        return to_json(made)
    return render(made, width=telling.width(), colour=telling.colour() and not plain, verbose=verbose)


def load(path: Path) -> Plan:
    """A plan saved with `-o plan.json`. Raises UsageError."""
    from gatepost.errors import UsageError, because
    from gatepost.report.plan import LARGEST, read_json

    try:
        text = path.read_text(encoding="utf-8") if path.stat().st_size <= LARGEST else ""
    except OSError as error:
        raise UsageError(f"{path}: {because(error)}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8 text") from None
    return read_json(text, str(path))
