"""The enforcement story: what is desired, what is missing, in which order, and whether the promise was kept.

    plan    audit + declaration -> ordered steps, each with its undo
    kept    findings before and after -> "", or why it must be taken back

Both are pure. `edge.applying` does the steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from gatepost.enforcement import causes, decisions, dns, dovecot, edits, firewall, keys, postfix, services
from gatepost.enforcement.observed import Inside, hosts
from gatepost.enforcement.ordering import ordered
from gatepost.enforcement.outcome import kept
from gatepost.enforcement.promises import promised
from gatepost.enforcement.shares import Share
from gatepost.enforcement.values import POSTFIX
from gatepost.enforcement.wishes import Wishes
from gatepost.model.audit import Audit
from gatepost.model.bundle import Bundle
from gatepost.model.finding import Finding
from gatepost.model.flows import Matrix
from gatepost.model.plan import Kind, Plan, Step

__all__ = ["Wishes", "kept", "plan"]


def plan(
    audit: Audit, matrix: Matrix, bundles: Sequence[Bundle], *, now: datetime, wishes: Wishes | None = None
) -> Plan:
    """Only hosts that are declared and were looked at from inside are changed; DNS is for people."""
    seen = hosts(audit.architecture, audit.run.seen, bundles)
    wishes = wishes or Wishes()
    steps = [step for inside in seen for step in _host(inside, audit, matrix, now, wishes)]
    if wishes.wants(Kind.DNS):
        steps += [share.step for share in dns.shares(audit.architecture, audit.findings)]
    listed = ordered(steps)
    before = tuple(f.id for f in audit.findings if f.open)
    told = replace(
        Plan("", now, audit.architecture.source or "", listed, before),
        notes=(*_notes(audit, seen), *_left(audit, seen, listed)),
    )
    return replace(told, id=_name(told))


def _name(told: Plan) -> str:
    """Sorts by time, and differs where the steps do."""
    return f"{told.made_at:%Y%m%d-%H%M%S}-{sha256(repr(told.steps).encode()).hexdigest()[:6]}"


def _host(inside: Inside, audit: Audit, matrix: Matrix, now: datetime, wishes: Wishes) -> tuple[Step, ...]:
    open_ = causes.of_host(audit.findings, inside.host.name)
    strays = services.strays(inside, audit.findings, wishes, now.date())
    settings = () if wishes.ports else open_
    desk = edits.edits(inside, causes.causes(settings), wishes, services.closing(strays))
    shares = [share for share in _shares(desk, strays, matrix, settings) if wishes.wants(share.step.kind)]
    return promised(shares, open_, desk.left)


def _shares(
    desk: edits.Desk,
    strays: tuple[services.Stray, ...],
    matrix: Matrix,
    open_: tuple[Finding, ...],
) -> Iterator[Share]:
    inside = desk.inside
    yield from keys.shares(inside, open_)
    yield from postfix.shares(inside, (one for one in desk.edits.values() if one.server.software == POSTFIX))
    yield from dovecot.shares(desk, strays)
    yield from services.shares(inside, strays)
    yield from decisions.shares(inside, desk.left)
    yield from firewall.shares(inside, matrix, strays, desk.wishes.operator)


def _left(audit: Audit, seen: Sequence[Inside], steps: Sequence[Step]) -> Iterator[str]:
    """Controls that fail on the hosts, and that no step is about: they go with others, or other means are needed."""
    names = {inside.host.name for inside in seen}
    about = {one for step in steps for one in step.promises}
    handled = {one for step in steps for one in step.controls}
    left = [f for name in names for f in causes.of_host(audit.findings, name) if f.id not in about]
    if rest := sorted({f.control for f in left} - handled):
        yield (
            f"No step here promises to end {', '.join(rest)}: what does not go with the others, "
            "gatepost audit tells how to mend."
        )


def _notes(audit: Audit, seen: Sequence[Inside]) -> tuple[str, ...]:
    """Declared hosts that nobody looked into: nothing is planned for them."""
    known = {inside.host.name for inside in seen}
    targets = {at.host for at in audit.run.seen.endpoints()}
    unseen = [host.name for host in audit.architecture.hosts if host.name not in known and host.name in targets]
    return tuple(
        f"{name} was not looked at from inside, so nothing is planned for it: set `via` in the declaration."
        for name in unseen
    )
