"""Which suites an OpenSSL cipher string admits, worked out as openssl-ciphers(1) says, without the library.

What counts is the set, so `+` (move to the end) and `@STRENGTH` change nothing here. DEFAULT means something at the
beginning only, and shuts out for good what it leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from gatepost.catalogue import document
from gatepost.checks.settings.answer import HOLDS, Answer, cannot_tell, fails

_LONGEST = 4096  # characters
_BY_NATURE = frozenset({"ALL", "COMPLEMENTOFALL", "COMPLEMENTOFDEFAULT"})
_NOT_DEFAULT = frozenset({"aDSS", "aNULL", "AESCCM", "ARIA", "CAMELLIA"})
_WORDS = {"kRSA": "RSA key exchange", "aNULL": "suites without a certificate", "eNULL": "suites without encryption"}


def excludes(text: str, kinds: Iterable[str]) -> Answer:
    """None of these kinds may be left. A suite that only old libraries have leaves a doubt."""
    if len(text) > _LONGEST:
        return cannot_tell("the cipher string is too long to be worked out")
    left = _Left.of(text)
    for kind in kinds:
        found = sorted(name for name in left.suites if kind in _suites()[name])
        if today := [name for name in found if name in _now()]:
            if left.removed_unknown:
                return cannot_tell(f"{left.removed_unknown} is not known here, and may shut out {today[0]}")
            return fails(f"admits {_WORDS.get(kind, kind)} ({today[0]})")
        if found:
            return cannot_tell(f"admits {_WORDS.get(kind, kind)} where the library still has it ({found[0]})")
    if left.added_unknown:
        return cannot_tell(f"what {left.added_unknown} admits is not known here")
    return HOLDS


@dataclass(slots=True)
class _Left:
    """The suites that are left, and words that nobody could read."""

    suites: set[str] = field(default_factory=set)
    banned: set[str] = field(default_factory=set)
    added_unknown: str = ""
    removed_unknown: str = ""

    @classmethod
    def of(cls, text: str) -> _Left:
        left = cls()
        words = list(filter(None, re.split(r"[:,; ]+", text)))
        if words[:1] == ["DEFAULT"]:
            words[:1] = ["ALL", "!COMPLEMENTOFDEFAULT", "!eNULL"]
        for word in words:
            left._take(word)
        return left

    def _take(self, word: str) -> None:
        sign, name = (word[0], word[1:]) if word[0] in "!-+" else ("", word)
        if name.startswith("@") or sign == "+":
            return
        found = _meant(name)
        if found is None:
            if sign:
                self.removed_unknown = self.removed_unknown or word
            else:
                self.added_unknown = self.added_unknown or word
        elif sign:
            self.suites -= found
            self.banned |= found if sign == "!" else set()
        else:
            self.suites |= found - self.banned


def _meant(name: str) -> frozenset[str] | None:
    """The suites a word means; None for one we do not know. `kECDHE+AESGCM` means both at once."""
    if name in _suites():
        return frozenset({name})
    if name.startswith("TLS_"):
        return frozenset()  # TLS 1.3 is always forward secret and has a list of its own
    parts = [_of_kind(part) for part in name.split("+")]
    if any(part is None for part in parts):
        return None
    return frozenset.intersection(*(part for part in parts if part is not None))


@cache
def _of_kind(word: str) -> frozenset[str] | None:
    if word in _BY_NATURE:
        return _by_nature(word)
    if word in document("openssl_suites")["empty"]:
        return frozenset()
    kinds = document("openssl_suites")["aliases"].get(word, word).split()
    with_, without = {k for k in kinds if k[0] != "-"}, {k[1:] for k in kinds if k[0] == "-"}
    if not with_ <= _kinds():
        return None
    return frozenset(name for name, has in _suites().items() if with_ <= has and not without & has)


def _by_nature(word: str) -> frozenset[str]:
    suites = _suites()
    null = frozenset(name for name, kinds in suites.items() if "eNULL" in kinds)
    shy = frozenset(name for name, kinds in suites.items() if kinds & _NOT_DEFAULT or name not in _now()) - null
    return {"ALL": frozenset(suites) - null, "COMPLEMENTOFALL": null, "COMPLEMENTOFDEFAULT": shy}[word]


@cache
def _suites() -> dict[str, frozenset[str]]:
    listed = document("openssl_suites")["now"] | document("openssl_suites")["once"]
    return {name: frozenset(kinds.split()) for name, kinds in listed.items()}


@cache
def _now() -> frozenset[str]:
    return frozenset(document("openssl_suites")["now"])


@cache
def _kinds() -> frozenset[str]:
    return frozenset().union(*_suites().values())
