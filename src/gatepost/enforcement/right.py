"""Whether a value is right already, as far as the value alone tells: what is right is never touched."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from gatepost.catalogue.settings import Safe
from gatepost.catalogue.versions import numbers

_VERSIONS = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_UNITS = {"": 1, "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1, "m": 60, "min": 60, "mins": 60, "minute": 60,
          "minutes": 60, "h": 3600, "hour": 3600, "hours": 3600, "d": 86400, "day": 86400, "days": 86400,
          "w": 604800, "week": 604800, "weeks": 604800}  # fmt: skip
_TIME = re.compile(r"(\d{1,12})\s*([a-z]*)")
_FLOOR = re.compile(r">=?\s*(\S+)")


def right(safe: Safe, value: str) -> bool:
    """False also where it cannot be told."""
    match safe.op:
        case "any_of":
            return any(right(part, value) for part in safe.of if not part.setting)
        case "eq" | "in" | "eq_unless_declared":
            return any(fnmatchcase(value.casefold(), one.casefold()) for one in safe.values)
        case "empty":
            return not value
        case "int_between" | "int_ge":
            return value.isdecimal() and _between(safe, int(value[:12]))
        case "seconds_le" | "seconds_ge":
            found = seconds(value)
            return found is not None and _between(safe, found)
        case "version_ge":
            return bool(numbers(value)) and numbers(value) >= numbers(safe.values[0])
        case "tls_min":
            return floor(value) >= _VERSIONS.index(safe.values[0])
    return False


def seconds(value: str) -> int | None:
    """`3600s`, `1 hours`, `2 secs`."""
    found = _TIME.fullmatch(value.strip().casefold())
    return int(found[1]) * _UNITS[found[2]] if found and found[2] in _UNITS else None


def floor(value: str) -> int:
    """The lowest version that a list of protocols admits, as a place in the order of versions."""
    text = value.strip()
    if text in _VERSIONS:
        return _VERSIONS.index(text)
    if found := _FLOOR.search(text):
        return _VERSIONS.index(found[1]) if found[1] in _VERSIONS else 0
    named = re.split(r"[\s,:]+", text)
    out = {one[1:] for one in named if one.startswith(("!", "-"))}
    chosen = [one for one in _VERSIONS if one in named] or [one for one in _VERSIONS if one not in out]
    return _VERSIONS.index(chosen[0]) if text and chosen else 0


def _between(safe: Safe, number: int) -> bool:
    return (safe.low is None or number >= safe.low) and (safe.high is None or number <= safe.high)
