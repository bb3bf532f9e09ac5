"""Which findings are gone once the steps are done: only where that is certain, since a broken promise undoes it all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from gatepost.catalogue.desired import Desired, rows
from gatepost.enforcement.causes import ports, word
from gatepost.enforcement.edits import Left
from gatepost.enforcement.shares import Share
from gatepost.model.finding import Finding
from gatepost.model.host import SettingSeen
from gatepost.model.plan import Step
from gatepost.model.rules import DeviationSeen, Drift


@dataclass(slots=True)
class _Cover:
    """What the steps of one host reach, and which step does."""

    wire: dict[tuple[str, int], set[int]] = field(default_factory=lambda: defaultdict(set))
    rows: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    places: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    ports: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    closed: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    shut: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    spared: frozenset[int] = frozenset()


def promised(shares: Iterable[Share], findings: Iterable[Finding], left: Iterable[Left]) -> tuple[Step, ...]:
    """The steps of one host with the ids of its findings that they end."""
    listed = tuple(shares)
    cover = _covered(listed)
    undone = frozenset(one.want.id for one in left)
    told: dict[int, list[str]] = defaultdict(list)
    for finding in findings:
        for step in sorted(_by(finding, cover, undone)):
            told[step].append(finding.id)
    return tuple(replace(share.step, promises=tuple(told[n])) for n, share in enumerate(listed))


def _covered(shares: tuple[Share, ...]) -> _Cover:
    cover = _Cover()
    for n, share in enumerate(shares):
        if share.step.by_hand:
            continue
        for edit in share.edits:
            for want in edit.wants:
                cover.rows[want.id].add(n)
                cover.ports[want.id] |= edit.ports
                cover.places[want.id].add((edit.server.instance, edit.was.service if edit.was else edit.service))
                for known in want.certain:
                    for port in edit.ports:
                        cover.wire[known, port].add(n)
        for name in share.rows:
            cover.rows[name].add(n)
        for port in share.closed:
            cover.closed[port].add(n)
        for direction in share.shut:
            cover.shut[direction].add(n)
        cover.spared |= share.spared
    return cover


def _by(finding: Finding, cover: _Cover, undone: frozenset[str]) -> set[int]:
    """The steps that together end it; none when some part of it is left."""
    if finding.id in cover.rows:
        return cover.rows[finding.id]
    if want := _judged().get(finding.check.replace("_", "-")):
        return _of_row(finding, want, cover, undone)
    if held := _firewalled(finding, cover):
        return held
    return _by_port(finding, cover)


def _by_port(finding: Finding, cover: _Cover) -> set[int]:
    """On every port it names it is mended, or the port is closed."""
    about = ports(finding)
    found = [cover.wire.get((word(finding), port)) or cover.closed.get(port) for port in about]
    return set().union(*(one for one in found if one)) if about and all(found) else set()


def _firewalled(finding: Finding, cover: _Cover) -> set[int]:
    """All that is wrong is that the rules admit too much, and a drop of ours is final whatever other tables say.

    Evidence may be a sample, so with ports that stay open only what names other ports is certain.
    """
    wide = [one for one in finding.evidence if isinstance(one, DeviationSeen)]
    if not wide or any(one.drift is not Drift.WIDER or one.direction not in cover.shut for one in wide):
        return set()
    about = ports(finding)
    if cover.spared and (not about or about & cover.spared):
        return set()
    return set().union(*(cover.shut[one.direction] for one in wide))


def _of_row(finding: Finding, want: Desired, cover: _Cover, undone: frozenset[str]) -> set[int]:
    """Wherever its judge found it, the value is set; or every port it is about is closed."""
    about = ports(finding)
    if want.id not in cover.rows:
        return _by_port(finding, cover)
    if want.id in undone or (
        want.ports and want.id in cover.ports and about - cover.ports[want.id] - cover.closed.keys()
    ):
        return set()
    blamed = {
        (o.instance, o.service) for o in finding.evidence if isinstance(o, SettingSeen) and o.name == want.setting
    }
    known = cover.places.get(want.id)
    return cover.rows[want.id] if known is None or blamed <= known else set()


def _judged() -> Mapping[str, Desired]:
    return {one.check: one for one in rows() if one.check}
