"""An MTA-STS policy file (RFC 8461 section 3.2), and which hosts its patterns stand for (section 4.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gatepost.records import addresses
from gatepost.records.fields import BLANKS
from gatepost.records.names import is_host
from gatepost.records.sentences import bounded, shown

MAX_TEXT = 65536  # octets; the limit section 3.3 gives senders as an example
MAX_PATTERNS = 500
MAX_AGE = 31557600  # seconds, a year
DAY, WEEK = 86400, 604800  # seconds
MODES = ("enforce", "testing", "none")
KEYS = ("version", "mode", "mx", "max_age")
MARKS = ("\ufeff", "\u00ef\u00bb\u00bf")  # a byte order mark, as UTF-8 and as Latin-1 read it

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_HTML = re.compile(r"\s*<(?:!doctype|html|head|body|\?xml)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Policy:
    """`mode` is empty and `max_age` 0 where the file has no usable one. `mx` keeps broken patterns too."""

    mode: str = ""
    mx: tuple[str, ...] = ()
    max_age: int = 0
    problems: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()


Lines = list[tuple[str, str]]


def read(text: str) -> Policy:
    """Keys in any order, unknown ones passed over, of a repeated one the first (section 3.2)."""
    if objection := _no_policy(text):
        return Policy(problems=(objection,))
    body, problems = _unmarked(text)
    lines, advice = _lines(body, problems)
    mx = tuple(dict.fromkeys(value.lower() for key, value in lines if key == "mx"))[:MAX_PATTERNS]
    mode = _mode(lines, problems)
    _version(lines, problems)
    max_age = _max_age(lines, problems)
    problems.extend(_pattern_problems(lines, mode))
    repeated, changed = _repeats(lines)
    advice.extend([*repeated, *_pattern_advice(lines), *_age_advice(mode, max_age, lines)])
    return Policy(mode, mx, max_age or 0, bounded([*problems, *changed]), bounded(advice))


def render(policy: Policy) -> str:
    rows = ["version: STSv1", f"mode: {policy.mode}", *(f"mx: {one}" for one in policy.mx)]
    return "".join(f"{row}\r\n" for row in [*rows, f"max_age: {policy.max_age}"])


def pattern_covers(pattern: str, host: str) -> bool:
    """A wildcard is the whole leftmost label and stands for exactly one; a broken pattern covers nothing."""
    plain, name = pattern.lower(), host.lower().removesuffix(".")
    if pattern_problem(plain) or not name:
        return False
    if not plain.startswith("*."):
        return plain == name
    first, dot, rest = name.partition(".")
    return bool(first and dot) and rest == plain[2:]


def pattern_problem(pattern: str) -> str:
    """Empty for `["*."] Domain` in A-labels. Case does not matter to DNS and is not judged here."""
    plain = pattern.lower().removeprefix("*.")
    if not pattern:
        return "an empty mx pattern"
    if not pattern.isascii():
        return f"mx pattern {shown(pattern)} is not ASCII: internationalised names go in their xn-- form"
    if "*" in plain:
        return f"mx pattern {shown(pattern)}: a wildcard may only be the whole leftmost label"
    if addresses.read(plain):
        return f"mx pattern {shown(pattern)} is an address: only names match"
    if plain.endswith("."):
        return f"mx pattern {shown(pattern)} ends with a dot"
    if not is_host(plain):
        return f"mx pattern {shown(pattern)} is no host name"
    return ""


def served_as(content_type: str) -> tuple[list[str], list[str]]:
    """Problems and advice. Senders should refuse other media types (section 3.3); parameters are ignored."""
    kind = content_type.partition(";")[0].strip().lower()
    if not kind:
        return [], ["served without a media type; it should be text/plain"]
    return ([], []) if kind == "text/plain" else ([f"served as {shown(kind)}, senders expect text/plain"], [])


def _no_policy(text: str) -> str:
    if len(text.encode("utf-8", "replace")) > MAX_TEXT:
        return f"longer than {MAX_TEXT} octets"
    if _HTML.match(text.lstrip("".join(MARKS))):
        return "an HTML page stands in its place"
    return "" if text.strip() else "the file is empty"


def _unmarked(text: str) -> tuple[str, list[str]]:
    for mark in MARKS:
        if text.startswith(mark):
            return text.removeprefix(mark), ["begins with a byte order mark, which spoils the first key"]
    return text, []


def _lines(text: str, problems: list[str]) -> tuple[Lines, list[str]]:
    """Lines end with CRLF or LF. Empty ones are outside the grammar, yet every sender skips them."""
    rows = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    found: Lines = []
    for number, row in enumerate(rows, 1):
        key, colon, value = row.partition(":")
        if not row.strip():
            continue
        if objection := _row_objection(row, key, colon, value):
            problems.append(f"line {number} {objection}")
        else:
            found.append((key, value.strip(BLANKS)))
    return found, ["has empty lines, which the grammar does not know"] if not all(r.strip() for r in rows) else []


def _row_objection(row: str, key: str, colon: str, value: str) -> str:
    if not colon:
        return f"is not of the form 'key: value': {shown(row)}"
    if key.strip() != key:
        return f"has white space around the key {shown(key)}"
    if not _KEY.fullmatch(key):
        return f"has a key that is none: {shown(key)}"
    if (plain := key.lower().replace("-", "_")) in KEYS and key not in KEYS:
        return f"says {key}, which is ignored: it has to be written {plain}"
    if any(c < " " and c != "\t" for c in value):
        return f"has a control character in the value of {key}"
    return ""


def _first(lines: Lines, key: str) -> str | None:
    return next((value for one, value in lines if one == key), None)


def _version(lines: Lines, problems: list[str]) -> None:
    value = _first(lines, "version")
    if value is None:
        problems.append("no version line: it has to say 'version: STSv1'")
    elif value != "STSv1":
        problems.append(f"version is {shown(value)} and has to be STSv1")


def _mode(lines: Lines, problems: list[str]) -> str:
    value = _first(lines, "mode")
    if value is None:
        problems.append("no mode line")
    elif value not in MODES:
        problems.append(f"mode is {shown(value)} and has to be enforce, testing or none")
    return value if value in MODES else ""


def _max_age(lines: Lines, problems: list[str]) -> int | None:
    value = _first(lines, "max_age")
    if value is None:
        problems.append("no max_age line")
    elif not (value.isascii() and value.isdecimal() and len(value) <= 10):
        problems.append(f"max_age is {shown(value)} and has to be a number of seconds")
    elif int(value) > MAX_AGE:
        problems.append(f"max_age is {int(value)} seconds, more than the {MAX_AGE} allowed")
    else:
        return int(value)
    return None


def _pattern_problems(lines: Lines, mode: str) -> Iterator[str]:
    patterns = [value for key, value in lines if key == "mx"]
    if not patterns and mode in {"enforce", "testing"}:
        yield f"no mx line: in mode {mode} no host may receive mail"
    if len(patterns) > MAX_PATTERNS:
        yield f"{len(patterns)} mx lines, of which the first {MAX_PATTERNS} were read"
    yield from (said for one in patterns[:MAX_PATTERNS] if (said := pattern_problem(one)))


def _pattern_advice(lines: Lines) -> Iterator[str]:
    for key, value in lines:
        if key == "mx" and value != value.lower() and value.isascii():
            yield f"mx pattern {shown(value)} has capital letters; not every sender ignores case"


def _age_advice(mode: str, max_age: int | None, lines: Lines) -> Iterator[str]:
    """Short is right while testing or leaving (section 8.3), and a hole while enforcing (section 3.2)."""
    if mode != "enforce" or max_age is None or _first(lines, "max_age") is None:
        return
    if max_age < DAY:
        yield f"max_age is {max_age} seconds, below a day: an attacker needs to block the policy only that long"
    elif max_age < WEEK:
        yield f"max_age is {max_age} seconds, below a week; weeks are usual"


def _repeats(lines: Lines) -> tuple[list[str], list[str]]:
    """Keys given twice with the same value, and with different ones."""
    once = dict.fromkeys(pair for pair in lines if pair[0] != "mx")
    kinds = [key for key, _ in once]
    every = [key for key, _ in lines if key != "mx"]
    changed = [key for key in dict.fromkeys(kinds) if kinds.count(key) > 1]
    same = [key for key in dict.fromkeys(kinds) if kinds.count(key) == 1 and every.count(key) > 1]
    return (
        [f"{key} is given twice" for key in same],
        [f"{key} is given twice and differently: the first one counts" for key in changed],
    )
