"""Comparing versions: as their makers number them, and as Debian and its kin do."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LEADING = re.compile(r"\d{1,9}(?:\.\d{1,9}){0,5}")
_BOUND = re.compile(r"(>=|<)(\d{1,9}(?:\.\d{1,9}){0,5})")
_PARTS = re.compile(r"(\D*)(\d*)")
_LONGEST = 200  # characters of a package version that are compared

Numbers = tuple[int, ...]


def numbers(version: str) -> Numbers:
    """`4.94.2`, `4.97-RC1` and `8.17.1/8.17.1` as numbers; empty for what does not begin with one."""
    found = _LEADING.match(version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


@dataclass(frozen=True, slots=True)
class Range:
    """`>=2.0 <2.4`. `backports` are patch releases from which older branches are inside too: 3.7.9 for all of 3.7."""

    text: str = ""
    backports: tuple[str, ...] = ()

    def __contains__(self, version: str) -> bool:
        """A version that nobody knows is inside: what was seen on the host then decides."""
        ours = numbers(version)
        if not ours:
            return True
        return all(_within(ours, sign, numbers(bound)) for sign, bound in _BOUND.findall(self.text)) or any(
            _same_branch(ours, carried) and ours >= carried for carried in map(numbers, self.backports)
        )


def _within(ours: Numbers, sign: str, bound: Numbers) -> bool:
    return ours >= bound if sign == ">=" else ours < bound


def _same_branch(ours: Numbers, carried: Numbers) -> bool:
    return ours[:2] == carried[:2]


def older(version: str, other: str) -> bool:
    """Whether a Debian package version comes before another (deb-version(7))."""
    return _key(version) < _key(other)


def _key(version: str) -> tuple[int, _Text, _Text]:
    epoch, colon, rest = version[:_LONGEST].partition(":")
    if not colon or not epoch.isdecimal():
        epoch, rest = "0", version[:_LONGEST]
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
    return int(epoch), _Text.of(upstream), _Text.of(revision)


@dataclass(frozen=True, slots=True, order=True)
class _Text:
    """Words and numbers in turn; a tilde sorts before the end, letters before other signs."""

    parts: tuple[tuple[tuple[int, ...], int], ...]

    @classmethod
    def of(cls, text: str) -> _Text:
        found = _PARTS.findall(text) or [("", "")]
        return cls(tuple((_order(word), int(digits or 0)) for word, digits in found))


def _order(word: str) -> tuple[int, ...]:
    """Ends with 0, the end of the word, which only a tilde comes before."""
    return (*(-1 if sign == "~" else ord(sign) + (0 if sign.isalpha() else 256) for sign in word), 0)


def upstream(version: str) -> str:
    """The maker's version inside a package's: `1:2.3.19.1+dfsg1-2.1+deb12u1` is 2.3.19.1."""
    rest = version.partition(":")[2] if version.partition(":")[0].isdecimal() and ":" in version else version
    return ".".join(map(str, numbers(rest)))
