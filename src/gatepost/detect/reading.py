"""One Sigma document to our own types, through pySigma's parser. Every problem of a document is told, not the first.

What is taken: equality with wildcards, `all`, `cased`, `contains`, `startswith`, `endswith`, `re` (RE2, with `i`, `m`
and `s`), `cidr`, `lt`, `lte`, `gt`, `gte`, `neq`, `exists` and null. What has no meaning for a signal is refused with
the reason: a rule that can never match is worse than none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network

import pyarrow as pa
import pyarrow.compute as pc
from sigma import conditions, types
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule

from gatepost.detect.rule import NUMBERS, TEXTS, WORDS, All, Any, Comparison, Not, Predicate, Test, Wild

LONGEST_PATTERN = 200  # characters of a regular expression
MOST_TESTS = 2000  # comparisons of one rule
TAKEN = frozenset({
    "all", "cased", "cidr", "contains", "endswith", "exists", "gt", "gte", "i", "ignorecase", "dotall", "lt", "lte",
    "m", "multiline", "neq", "re", "s", "startswith",
})  # fmt: skip
_ENCODING = "signals hold no encoded text"
REFUSED: Mapping[str, str] = {
    "base64": _ENCODING,
    "base64offset": _ENCODING,
    "expand": "there are no lists to fill placeholders from",
    "fieldref": "two fields of one signal are never compared",
    "utf16": _ENCODING,
    "utf16be": _ENCODING,
    "utf16le": _ENCODING,
    "wide": _ENCODING,
    "windash": "signals hold no command lines",
    **dict.fromkeys(("minute", "hour", "day", "week", "month", "year"), "times of the day belong into a baseline"),
}
_COMPARED = {
    types.CompareOperators.GT: Comparison.ABOVE,
    types.CompareOperators.GTE: Comparison.AT_LEAST,
    types.CompareOperators.LT: Comparison.BELOW,
    types.CompareOperators.LTE: Comparison.AT_MOST,
}
_FLAGS = types.SigmaRegularExpression.sigma_to_re_flag
_WILD = {types.SpecialChars.WILDCARD_MULTI: Wild.MANY, types.SpecialChars.WILDCARD_SINGLE: Wild.ONE}
_FOLDED = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


class Misread(Exception):
    """One sentence about what is wrong."""


def folded(text: str) -> str:
    """Without the case of A to Z. Only those: Unicode folds differently in Python and in DuckDB."""
    return text.translate(_FOLDED)


@dataclass(frozen=True, slots=True)
class Document:
    """A rule as Sigma has it: a selection with `where`, or a correlation."""

    where: Predicate | None
    correlation: SigmaCorrelationRule | None
    title: str
    name: str
    uuid: str
    level: str
    description: str
    problems: tuple[str, ...]


def read(raw: Mapping[str, object]) -> Document:
    """Never raises for what an operator can write."""
    parser = SigmaCorrelationRule if "correlation" in raw else SigmaRule
    told: list[str] = list(_fields(raw))
    parsed: SigmaCorrelationRule | SigmaRule | None = None
    try:
        parsed = parser.from_dict(dict(raw), collect_errors=True)
        told += [_said(error) for error in parsed.errors]
    except SigmaError as error:
        told.append(_said(error))
    except (AttributeError, TypeError, ValueError, RecursionError) as error:
        told.append(f"the rule is not built as Sigma has it ({error})")
    where = None
    if isinstance(parsed, SigmaRule) and not told:
        where = _where(parsed, told)
    correlation = parsed if isinstance(parsed, SigmaCorrelationRule) and not told else None
    words = (parsed.title, parsed.name, parsed.id, parsed.level, parsed.description) if parsed else (None,) * 5
    title, name, uuid, level, description = (str(w) if w is not None else "" for w in words)
    return Document(where, correlation, title, name, uuid, level.lower(), description, tuple(dict.fromkeys(told)))


def _said(error: Exception) -> str:
    text = " ".join(str(error.args[0] if error.args else error).split())
    return f"{text[:1].lower()}{text[1:]}".removeprefix("sigma ").rstrip(".")


def _where(rule: SigmaRule, told: list[str]) -> Predicate | None:
    if len(rule.detection.parsed_condition) != 1:
        told.append("detection.condition: give one condition, not a list")
        return None
    try:
        found = predicate(rule.detection.parsed_condition[0].parsed)
    except SigmaError as error:
        told.append(f"detection.condition: {_said(error)}")
    except Misread as error:
        told.append(str(error))
    except RecursionError:
        told.append("detection.condition is nested too deeply")
    except (AttributeError, TypeError, ValueError) as error:  # the parser reads it only now
        told.append(f"detection.condition is not built as Sigma has it ({error})")
    else:
        if sum(1 for _ in tests(found)) <= MOST_TESTS:
            return found
        told.append(f"more than {MOST_TESTS} comparisons")
    return None


def tests(where: Predicate) -> Iterator[Test]:
    if isinstance(where, Test):
        yield where
        return
    for part in (where.part,) if isinstance(where, Not) else where.parts:
        yield from tests(part)


def _fields(raw: Mapping[str, object]) -> Iterator[str]:
    """Fields and modifiers of every selection; pySigma stops at the first it does not know."""
    detection = raw.get("detection")
    source = raw.get("logsource")
    if "correlation" not in raw and not (isinstance(source, dict) and source.get("product") == "gatepost"):
        yield "logsource.product is not gatepost: the rule is written for other fields than those of signals"
    if not isinstance(detection, dict):
        return
    for name, selection in detection.items():
        if name != "condition":
            for key in _keys(selection, 0):
                yield from _key(f"detection.{name}", key)


def _keys(selection: object, depth: int) -> Iterator[str]:
    if depth > 8:  # deeper than any rule; pySigma says what is wrong with it
        return
    if isinstance(selection, dict):
        yield from (str(key) for key in selection)
    elif isinstance(selection, list):
        for one in selection:
            yield from _keys(one, depth + 1)


def _key(at: str, key: str) -> Iterator[str]:
    field, *modifiers = key.split("|")
    if not field:
        yield f"{at}: words without a field match nothing here; name the field"
    elif field not in TEXTS | NUMBERS:
        yield f"{at}: signals have no field {field!r}; they have {', '.join(sorted(TEXTS | NUMBERS))}"
    for modifier in modifiers:
        if modifier in REFUSED:
            yield f"{at}: the modifier {modifier!r} is not supported: {REFUSED[modifier]}"
        elif modifier not in TAKEN:
            yield f"{at}: there is no modifier {modifier!r}"


def predicate(node: object) -> Predicate:
    if isinstance(node, conditions.ConditionAND):
        return All(_parts(node.args))
    if isinstance(node, conditions.ConditionOR):
        return Any(_parts(node.args))
    if isinstance(node, conditions.ConditionNOT):
        return Not(predicate(node.args[0]))
    if isinstance(node, conditions.ConditionFieldEqualsValueExpression):
        return _compared(node.field, node.value)
    raise Misread("detection.condition selects nothing" if node is None else "words without a field match nothing here")


def _parts(nodes: Iterable[object]) -> tuple[Predicate, ...]:
    return tuple(predicate(node) for node in nodes if node is not None)


def _compared(field: str, value: types.SigmaType) -> Predicate:
    if isinstance(value, types.SigmaExpansion):
        return Any(tuple(_compared(field, one) for one in value.values))
    if isinstance(value, types.SigmaNull):
        return Not(Test(field, Comparison.EXISTS, ""))
    if isinstance(value, types.SigmaExists):
        there = Test(field, Comparison.EXISTS, "")
        return there if value else Not(there)
    if isinstance(value, types.SigmaCompareExpression):
        if value.op is types.CompareOperators.NEQ:
            return Not(_number(field, value.number.number, Comparison.EQUAL))
        return _number(field, value.number.number, _COMPARED[value.op])
    if isinstance(value, types.SigmaNumber):
        if field in NUMBERS:
            return _number(field, value.number, Comparison.EQUAL)
        return Test(field, Comparison.EQUAL, folded(str(value.number)))
    if field in NUMBERS:
        raise Misread(f"{field} is a number: compare it with one, or with lt, lte, gt, gte or exists")
    return _text(field, value)


def _number(field: str, number: float, how: Comparison) -> Test:
    if field not in NUMBERS:
        raise Misread(f"{field} is text and has no order: lt, lte, gt and gte are for {', '.join(sorted(NUMBERS))}")
    return Test(field, how, number)


def _text(field: str, value: types.SigmaType) -> Predicate:
    if isinstance(value, types.SigmaCIDRExpression):
        return _network(field, value.cidr)
    if isinstance(value, types.SigmaRegularExpression):
        flags = "".join(sorted({"s", *(_FLAGS[flag] for flag in value.flags)}))
        return Test(field, Comparison.REGEX, _pattern(f"(?{flags})", str(value.regexp)))
    if not isinstance(value, types.SigmaString):
        raise Misread(f"{field} cannot be compared with {value}")
    exact = isinstance(value, types.SigmaCasedString)
    parts = tuple(_WILD[part] if isinstance(part, types.SpecialChars) else str(part) for part in value.s)
    if not exact:
        parts = tuple(part if isinstance(part, Wild) else folded(part) for part in parts)
    if value.contains_special():
        return Test(field, Comparison.LIKE_EXACT if exact else Comparison.LIKE, parts)
    word = "".join(parts)
    if field in WORDS and word not in WORDS[field]:
        raise Misread(f"{field} is never {word!r}; it is one of {', '.join(sorted(w for w in WORDS[field] if w))}")
    return Test(field, Comparison.EXACT if exact else Comparison.EQUAL, word)


def _network(field: str, cidr: str) -> Test:
    if field not in {"client", "network"}:
        raise Misread(f"{field} is no address: cidr is for client and network")
    return Test(field, Comparison.NETWORK, str(ip_network(cidr)))


def _pattern(flags: str, pattern: str) -> str:
    """RE2, as in DuckDB: time grows with the text alone, whatever a stranger writes into it."""
    if len(pattern) > LONGEST_PATTERN:
        raise Misread(f"the regular expression is longer than {LONGEST_PATTERN} characters")
    try:
        matches(flags + pattern, "")
    except pa.ArrowInvalid as error:
        raise Misread(f"the regular expression {pattern!r} is not one of RE2: {str(error).split(': ')[-1]}") from None
    return flags + pattern


def matches(pattern: str, text: str) -> bool:
    return bool(pc.match_substring_regex(pa.array([text], pa.string()), pattern=pattern)[0].as_py())
