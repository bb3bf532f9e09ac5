"""Sentences of a plan: what is there, why it should not be, and the lines that change."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import unified_diff

from gatepost.catalogue.desired import Desired
from gatepost.enforcement.observed import where
from gatepost.model.host import SettingSeen

LONGEST = 160  # characters of a value in a sentence


def shown(value: str) -> str:
    if not value:
        return "empty"
    return value if len(value) <= LONGEST else f"{value[:LONGEST]}…"


def there(name: str, seen: SettingSeen | None) -> str:
    """`smtpd_tls_auth_only is no (main.cf:12)`."""
    return f"{name} is not set" if seen is None else f"{name} is {shown(seen.value)} ({where(seen)})"


def why(wants: Iterable[Desired], name: str, seen: SettingSeen | None) -> str:
    """The fact first, then a reason for each row that asks for the change."""
    reasons = dict.fromkeys(want.why for want in wants)
    return f"{there(name, seen)}. {' '.join(reasons)}"


def risks(wants: Iterable[Desired]) -> str:
    return " ".join(dict.fromkeys(want.risk for want in wants if want.risk))


def controls(wants: Iterable[Desired]) -> tuple[str, ...]:
    """The first control of each row is what it is about; the others it serves as well."""
    return tuple(dict.fromkeys(want.controls[0] for want in wants))


def changed(path: str, before: str | None, after: str) -> str:
    """Unified, for reading: a missing file is /dev/null."""
    old = [] if before is None else before.splitlines(keepends=True)
    lines = unified_diff(old, after.splitlines(keepends=True), "/dev/null" if before is None else path, path, n=2)
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def line(place: str, old: str | None, new: str | None) -> str:
    """One line of a file that another program rewrites."""
    told = [f"--- {place}", f"+++ {place}"]
    told += [f"-{old}"] if old is not None else []
    told += [f"+{new}"] if new is not None else []
    return "\n".join(told) + "\n"


def listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))
