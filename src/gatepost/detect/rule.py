"""What a detection rule is, once it was read: our own frozen types, with nothing of the parser left in them.

Windows are inclusive at both ends: what happened exactly `window` before still counts. Lines of the same instant count
together, in whatever order they came; RFC 3164 writes whole seconds, so that a failure and a login of one second
stand in the order that a rule asks for.
"""

from __future__ import annotations

import types
import typing
from dataclasses import dataclass, fields
from enum import StrEnum

from gatepost.model.alert import Response
from gatepost.model.event import Act, Cover, Signal
from gatepost.model.words import Severity

DAY = 86400  # seconds
LIVE = DAY  # windows shorter than this are counted line by line, the others by SQL over the lake
LONGEST_WINDOW = 31 * DAY
HIGHEST = 100_000  # of a threshold


class Counting(StrEnum):
    """What a rule counts within its window."""

    EVENTS = "event_count"  # the sum of `amount`: a line that tells of four attempts counts four
    ORDERED = "temporal_ordered"  # each part, one after the other
    TOGETHER = "temporal"  # each part, in any order
    VALUES = "value_count"  # distinct values of a field


class Baseline(StrEnum):
    """What a rule compares with the history of the group."""

    BURST = "burst"  # far more in an hour than in the same hours of other weeks
    DOWNGRADE = "downgrade"  # TLS before, and none now
    NOVELTY = "novelty"  # many values that the group never had
    SILENCE = "silence"  # nothing, where something always was
    STRANGER = "stranger"  # only clients that never logged in; the rule counts as it does without


class Fold(StrEnum):
    """Which hits become one alert."""

    ACCOUNT = "account"  # the same account
    ACTOR = "actor"  # a client in common, or the network of a client
    ALONE = "alone"  # the same rule and group
    RULE = "rule"  # the same rule: a list of what is to be put in order


class Comparison(StrEnum):
    """How a field is compared. Text is compared without regard to the case of A to Z, unless it says exact."""

    ABOVE = ">"
    AT_LEAST = ">="
    AT_MOST = "<="
    BELOW = "<"
    EQUAL = "="
    EXACT = "exact"
    EXISTS = "exists"
    LIKE = "like"
    LIKE_EXACT = "like-exact"
    NETWORK = "network"
    REGEX = "regex"


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison. `value` of a pattern is a tuple: text, with "*" and "?" as members of their own."""

    __test__ = False  # pytest takes the name for its own

    field: str
    how: Comparison
    value: str | int | float | tuple[str | Wild, ...]


class Wild(StrEnum):
    """In a pattern: any text, or any one character."""

    MANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Any:
    parts: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Predicate


Predicate = Test | All | Any | Not


@dataclass(frozen=True, slots=True)
class Selection:
    """A plain Sigma rule that a correlation counts. `fields` holds, for each group field, the field to take."""

    name: str
    where: Predicate
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Normal:
    """What a baseline needs to know."""

    kind: Baseline
    history: int = 30 * DAY  # seconds looked back
    warm: int = 7 * DAY  # no alarm about a group that is known for less
    least: int = 1  # no alarm below this count
    factor: float = 6.0  # median absolute deviations above the median, and times the median


@dataclass(frozen=True, slots=True)
class Rule:
    """One detection. `parts` are what is counted; a part that is a Rule is counted each time it fires."""

    id: str  # short, unique: what operators type
    uuid: str
    title: str
    description: str
    severity: Severity
    counting: Counting
    parts: tuple[Selection | Rule, ...]
    groups: tuple[str, ...]  # group-by, by their names in the alert
    fields: tuple[str, ...] = ()  # of a Rule as a part: for each group field of the outer rule the one to take
    window: int = 3600  # seconds
    threshold: int = 1
    value: str = ""  # the field whose distinct values are counted
    response: Response = Response.TELL
    fold: Fold = Fold.ACTOR
    owner: str = ""
    controls: tuple[str, ...] = ()
    tuning: str = ""  # why this threshold
    says: str = ""  # sentence with {count}, {clients}, {users}, {services}, {hosts}, {span}, {group}
    normal: Normal | None = None
    source: str = ""  # file
    told: bool = True  # False: only a part of others

    @property
    def live(self) -> bool:
        """Counted line by line by `detect.live`; everything else by SQL over the lake every few minutes."""
        return self.normal is None and self.reach < LIVE

    @property
    def reach(self) -> int:
        """Seconds from the oldest line that can count to the newest."""
        return self.window + max((p.reach for p in self.parts if isinstance(p, Rule)), default=0)


def selections(rule: Rule) -> tuple[Selection, ...]:
    """Every plain selection of a rule, also those of its parts."""
    found: list[Selection] = []
    for part in rule.parts:
        found += [part] if isinstance(part, Selection) else selections(part)
    return tuple(found)


_HINTS = typing.get_type_hints(Signal)
NUMBERS = frozenset(f.name for f in fields(Signal) if _HINTS[f.name] in {int, int | None}) - {"at"}
TEXTS = frozenset(f.name for f in fields(Signal)) - NUMBERS - {"at"}
WORDS: types.MappingProxyType[str, frozenset[str]] = types.MappingProxyType(
    {"act": frozenset(Act), "cover": frozenset(Cover)}
)
GROUPABLE = TEXTS | {"port"}
