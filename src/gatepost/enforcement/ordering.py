"""In which order steps are safe: keys, settings, what is closed, the firewall, and last what only people can do."""

from __future__ import annotations

from collections.abc import Iterable

from gatepost.model.plan import Kind, Step

_RANK = {Kind.POSTFIX: 1, Kind.DOVECOT: 2, Kind.SERVICE: 3, Kind.FIREWALL: 4, Kind.DNS: 5}


def ordered(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Host by host; within a host as given otherwise. A port is served as it should be before anybody is let in."""
    listed = tuple(steps)
    hosts = {name: n for n, name in enumerate(dict.fromkeys(step.host for step in listed))}
    return tuple(sorted(listed, key=lambda step: (step.kind is Kind.DNS, hosts[step.host], _rank(step))))


def _rank(step: Step) -> tuple[bool, int]:
    return step.by_hand, 0 if step.key.startswith("key:") else _RANK[step.kind]
