"""The meaning of a rule in the plainest words: every window is looked at again for every signal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import product

from gatepost.detect.condition import function
from gatepost.detect.rule import Counting, Rule, Selection
from gatepost.model.event import MICROSECONDS, Signal

Group = tuple[str, ...]
Seen = tuple[int, int, str, int]  # instant, weight, value, number of the part


def text(signal: Signal, field: str) -> str:
    value = getattr(signal, field)
    return "" if value is None else str(value)


def fired(rule: Rule, signals: Sequence[Signal]) -> dict[Group, list[int]]:
    """The instants at which each group fires."""
    seen: dict[Group, list[Seen]] = defaultdict(list)
    for number, part in enumerate(rule.parts):
        for group, one in _seen(rule, part, number, signals):
            seen[group].append(one)
    found = {group: sorted({s[0] for s in all_ if _holds(rule, all_, s)}) for group, all_ in seen.items()}
    return {group: instants for group, instants in found.items() if instants}


def runs(rule: Rule, instants: Iterable[int]) -> list[tuple[int, int]]:
    """First and last instant of each hit."""
    found: list[tuple[int, int]] = []
    for at in instants:
        if found and at - found[-1][1] <= rule.window * MICROSECONDS:
            found[-1] = (found[-1][0], at)
        else:
            found.append((at, at))
    return found


def _seen(rule: Rule, part: Selection | Rule, number: int, signals: Sequence[Signal]) -> Iterable[tuple[Group, Seen]]:
    if isinstance(part, Rule):
        for group, instants in fired(part, signals).items():
            named = dict(zip(part.groups, group, strict=True))
            for at in instants:
                yield tuple(named[f] for f in part.fields), (at, 1, named.get(rule.value, ""), number)
        return
    takes = function(part.where)
    for signal in signals:
        group = tuple(text(signal, field) for field in part.fields)
        value = text(signal, rule.value) if rule.value else "any"
        counted = rule.counting is not Counting.EVENTS or signal.amount > 0
        if takes(signal) and all(group) and value and counted:
            yield group, (signal.at, max(signal.amount, 1), value, number)


def _holds(rule: Rule, seen: Sequence[Seen], now: Seen) -> bool:
    inside = [s for s in seen if now[0] - rule.window * MICROSECONDS <= s[0] <= now[0]]
    if rule.counting is Counting.EVENTS:
        return sum(s[1] for s in inside) >= rule.threshold
    if rule.counting is Counting.VALUES:
        return len({s[2] for s in inside}) >= rule.threshold
    if rule.counting is Counting.TOGETHER:
        return len({s[3] for s in inside}) >= rule.threshold
    steps = [[s[0] for s in inside if s[3] == n] for n in range(len(rule.parts))]
    return any(list(way) == sorted(way) and way[-1] == now[0] for way in product(*steps))
