"""The public suffix list: which domain an organisation registered, as receivers that predate RFC 9989 tell it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from publicsuffixlist import PublicSuffixList

from gatepost.records.names import fits

_VERSION = re.compile(r"// VERSION: (\d{4}-\d\d-\d\d)")


@dataclass(frozen=True, slots=True)
class Suffixes:
    """`list_date` is YYYY-MM-DD, empty for a list that does not say."""

    rules: PublicSuffixList
    list_date: str = ""

    def organizational(self, domain: str) -> str:
        """One label more than the public suffix (RFC 7489 section 3.2); a public suffix stands for itself."""
        plain = _plain(domain)
        if not fits(plain):
            return plain
        return self.rules.privatesuffix(plain) or plain

    def is_public(self, domain: str) -> bool:
        """Whether the list names it as a suffix under which strangers register; an unlisted top level is none."""
        plain = _plain(domain)
        return fits(plain) and self.rules.is_public(plain, accept_unknown=False)


@cache
def suffixes() -> Suffixes:
    """The list of the installed package, read once (0.1 s)."""
    text = (files("publicsuffixlist") / "public_suffix_list.dat").read_text(encoding="utf-8")
    return of_lines(text.splitlines())


def of_lines(lines: Iterable[str]) -> Suffixes:
    """A list in the format of publicsuffix.org."""
    kept = list(lines)
    dated = next((found[1] for line in kept[:40] if (found := _VERSION.match(line))), "")
    return Suffixes(PublicSuffixList(kept), dated)


def _plain(domain: str) -> str:
    return domain.lower().removesuffix(".")
