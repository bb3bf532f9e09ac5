"""The rule set: ours and the operator's, from YAML texts to `Rule`s, with every problem of every file at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from math import ceil, floor

import yaml
from sigma.correlations import (
    SigmaCorrelationCondition,
    SigmaCorrelationConditionOperator,
    SigmaCorrelationRule,
    SigmaCorrelationType,
    SigmaRuleReference,
)

from gatepost.detect import attributes
from gatepost.detect.attributes import Attributes
from gatepost.detect.reading import Document, Misread, read
from gatepost.detect.rule import (
    GROUPABLE,
    HIGHEST,
    LONGEST_WINDOW,
    TEXTS,
    Baseline,
    Counting,
    Rule,
    Selection,
)
from gatepost.errors import Problem
from gatepost.model.words import Severity

LARGEST = 1_000_000  # characters of a file
MOST = 2000  # rules of a file
DEEPEST = 4  # correlations of correlations

_COUNTED = {
    SigmaCorrelationType.EVENT_COUNT: Counting.EVENTS,
    SigmaCorrelationType.VALUE_SUM: Counting.EVENTS,
    SigmaCorrelationType.VALUE_COUNT: Counting.VALUES,
    SigmaCorrelationType.TEMPORAL: Counting.TOGETHER,
    SigmaCorrelationType.TEMPORAL_ORDERED: Counting.ORDERED,
}
_LEVELS = {"informational": Severity.INFO, "": Severity.MEDIUM} | {
    str(s): s for s in Severity if s is not Severity.INFO
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """The rules that can be used, and what is wrong with the others."""

    rules: tuple[Rule, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    file: str
    document: Document
    attributes: Attributes

    @property
    def label(self) -> str:
        return self.document.name or self.document.uuid or self.document.title or "a rule without a name"


def ours() -> tuple[tuple[str, str], ...]:
    """The files that gatepost brings along: name and text."""
    folder = resources.files("gatepost.detect").joinpath("data", "rules")
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yml")), key=lambda f: f.name)
    return tuple((f.name, f.read_text(encoding="utf-8")) for f in files)


def load(files: Iterable[tuple[str, str]] = (), off: Iterable[str] = ()) -> Loaded:
    """Ours and the operator's `files` (name and text), without those whose ids are in `off`."""
    problems: list[Problem] = []
    found = [one for name, text in (*ours(), *files) for one in _documents(name, text, problems)]
    problems += _repeated(found)
    loader = _Loader(found, problems)
    rules = [rule for one in found if (rule := loader.rule(one)) is not None and rule.told]
    unwanted = set(off)
    unknown = sorted(unwanted - {rule.id for rule in rules})
    problems += (Problem("", f"no rule has the id {name!r} that is switched off") for name in unknown)
    return Loaded(tuple(r for r in rules if r.id not in unwanted), tuple(dict.fromkeys(problems)))


def _documents(file: str, text: str, problems: list[Problem]) -> Iterable[_Found]:
    if len(text) > LARGEST:
        problems.append(Problem(file, f"larger than {LARGEST} characters"))
        return
    try:
        raws = list(yaml.safe_load_all(text))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        problems.append(Problem(file, f"not YAML: {error.problem}", line))
        return
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problems.append(Problem(file, f"not YAML: {' '.join(str(error).split())[:200]}"))
        return
    if len(raws) > MOST:
        problems.append(Problem(file, f"more than {MOST} rules"))
    for raw in (raw for raw in raws[:MOST] if raw is not None):
        if not isinstance(raw, dict):
            problems.append(Problem(file, "a rule is a mapping of names to values"))
            continue
        one = _Found(file, read(raw), attributes.read(raw.get("gatepost")))
        told = (*one.document.problems, *one.attributes.problems)
        problems += (Problem(f"{file}: {one.label}", sentence) for sentence in told)
        yield one


def _repeated(found: Iterable[_Found]) -> Iterable[Problem]:
    where: dict[str, list[_Found]] = {}
    for one in found:
        for key in {one.document.name, one.document.uuid} - {""}:
            where.setdefault(key, []).append(one)
    for key, same in where.items():
        if len(same) > 1:
            yield Problem(f"{same[-1].file}: {key}", f"the id is used {len(same)} times, first in {same[0].file}")


class _Loader:
    """References between documents, resolved once each."""

    def __init__(self, found: Iterable[_Found], problems: list[Problem]) -> None:
        self._named = {key: one for one in found for key in (one.document.name, one.document.uuid) if key}
        self._problems = problems
        self._counted = Counter(r.reference for one in found for r in _references(one.document))

    def rule(self, one: _Found, depth: int = 0) -> Rule | None:
        """None where something is wrong with it, or with a rule it counts; the former was told."""
        if one.document.problems or one.attributes.problems:
            return None
        try:
            return self._correlated(one, depth) if one.document.correlation else self._alone(one)
        except Misread as error:
            self._problems.append(Problem(f"{one.file}: {one.label}", str(error)))
            return None

    def _alone(self, one: _Found) -> Rule | None:
        """A plain rule tells of each signal, by client, unless it is there for others to count."""
        document = one.document
        if document.where is None or self._counted[document.name] or self._counted[document.uuid]:
            return None
        part = Selection(one.label, document.where, ("client",))
        return _dressed(one, Rule(
            one.label, document.uuid, document.title, document.description, _LEVELS[document.level],
            Counting.EVENTS, (part,), ("client",), source=one.file,
        ))  # fmt: skip

    def _correlated(self, one: _Found, depth: int) -> Rule | None:
        document, correlation = one.document, one.document.correlation
        assert correlation is not None  # noqa: S101 - the caller asked
        if depth > DEEPEST:
            raise Misread("it counts rules that count it, or more than four correlations deep")
        counting = _counting(correlation)
        groups = tuple(correlation.group_by or ())
        parts = [self._part(r.reference, groups, correlation, depth) for r in correlation.rules or ()]
        if not parts:
            raise Misread("correlation.rules is empty")
        if any(part is None for part in parts):
            return None
        window = correlation.timespan.seconds
        if window > LONGEST_WINDOW:
            raise Misread(f"correlation.timespan is {window} s, longer than {LONGEST_WINDOW} s (31 days)")
        counted = self._counted[document.name] or self._counted[document.uuid]
        rule = Rule(
            one.label, document.uuid, document.title, document.description, _LEVELS[document.level],
            counting, tuple(p for p in parts if p is not None), groups,
            window=window, threshold=_threshold(correlation, counting), value=_value(correlation, counting),
            source=one.file, told=not counted or correlation.generate or one.attributes.told,
        )  # fmt: skip
        return _dressed(one, rule)

    def _part(
        self, name: str, groups: tuple[str, ...], correlation: SigmaCorrelationRule, depth: int
    ) -> Selection | Rule | None:
        found = self._named.get(name)
        if found is None:
            raise Misread(f"correlation.rules: no rule has the name or id {name!r}")
        taken = tuple(_taken(group, name, correlation) for group in groups)
        if found.document.correlation is None:
            if unknown := [f for f in taken if f not in GROUPABLE]:
                raise Misread(f"correlation.group-by: signals cannot be grouped by {', '.join(unknown)}")
            where = found.document.where
            return None if where is None else Selection(name, where, taken)
        inner = self.rule(found, depth + 1)
        if inner is None:
            return None
        if inner.normal is not None:
            raise Misread(f"correlation.rules: {name!r} compares with history and cannot be counted by others")
        if unknown := [f for f in taken if f not in inner.groups]:
            raise Misread(f"correlation.group-by: {name!r} is not grouped by {', '.join(unknown)}")
        return replace(inner, fields=taken)


def _references(document: Document) -> Iterable[SigmaRuleReference]:
    return (document.correlation.rules or ()) if document.correlation else ()


def _taken(group: str, name: str, correlation: SigmaCorrelationRule) -> str:
    alias = correlation.aliases.aliases.get(group)
    if alias is None:
        return group
    mapped = {reference.reference: field for reference, field in alias.mapping.items()}
    if name not in mapped:
        raise Misread(f"correlation.aliases.{group}: no field is given for {name!r}")
    return str(mapped[name])


def _counting(correlation: SigmaCorrelationRule) -> Counting:
    counting = _COUNTED.get(correlation.type)
    if counting is None:
        raise Misread(f"correlation.type {correlation.type.name.lower()} is not supported: count events or values")
    condition = correlation.condition
    if correlation.type is SigmaCorrelationType.VALUE_SUM and (
        not isinstance(condition, SigmaCorrelationCondition) or condition.fieldref != "amount"
    ):
        raise Misread("correlation.type value_sum: amount is the only field that can be added up")
    return counting


def _threshold(correlation: SigmaCorrelationRule, counting: Counting) -> int:
    condition = correlation.condition
    if not isinstance(condition, SigmaCorrelationCondition):
        raise Misread("correlation.condition: conditions in words are not supported; list the rules")
    if condition.op is SigmaCorrelationConditionOperator.GTE:
        least = ceil(condition.count)
    elif condition.op is SigmaCorrelationConditionOperator.GT:
        least = floor(condition.count) + 1
    else:
        raise Misread("correlation.condition: only gte and gt; what is missing shows in a baseline of kind silence")
    if not 1 <= least <= HIGHEST * (1_000_000 if correlation.type is SigmaCorrelationType.VALUE_SUM else 1):
        raise Misread(f"correlation.condition: {condition.count} is not between 1 and {HIGHEST}")
    parts = len(correlation.rules or ())
    if counting in {Counting.TOGETHER, Counting.ORDERED} and least > parts:
        raise Misread(f"correlation.condition asks for {least} of {parts} rules")
    if counting is Counting.ORDERED and least < parts:
        raise Misread("correlation.condition: a sequence needs all of its rules")
    return least


def _value(correlation: SigmaCorrelationRule, counting: Counting) -> str:
    condition = correlation.condition
    if counting is not Counting.VALUES or not isinstance(condition, SigmaCorrelationCondition):
        return ""
    field = condition.fieldref
    if not isinstance(field, str) or field not in TEXTS | {"port"}:
        raise Misread(f"correlation.condition.field: values of {field!r} cannot be counted; name one field of signals")
    return field


def _dressed(one: _Found, rule: Rule) -> Rule:
    worn = one.attributes
    rule = replace(
        rule, response=worn.response, fold=worn.fold, owner=worn.owner, controls=worn.controls,
        tuning=worn.tuning, says=worn.says, normal=worn.normal,
    )  # fmt: skip
    _fit(rule)
    return rule


def _fit(rule: Rule) -> None:
    """A baseline needs the kind of counting it compares."""
    if rule.normal is None:
        return
    needed: Mapping[Baseline, tuple[Counting, ...]] = {
        Baseline.BURST: (Counting.EVENTS,),
        Baseline.DOWNGRADE: (Counting.ORDERED,),
        Baseline.NOVELTY: (Counting.VALUES,),
        Baseline.SILENCE: (Counting.EVENTS,),
        Baseline.STRANGER: tuple(Counting),
    }
    kind = rule.normal.kind
    if rule.counting not in needed[kind]:
        raise Misread(f"gatepost.baseline: {kind} compares a rule of type {needed[kind][0]}")
    if kind is not Baseline.STRANGER and (not rule.groups or any(isinstance(p, Rule) for p in rule.parts)):
        raise Misread(f"gatepost.baseline: {kind} needs group-by and plain rules")
