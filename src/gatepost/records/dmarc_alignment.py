"""Do two domains belong together? By tree walk, as RFC 9989 section 4.10.2 asks, and by the public suffix list.

Receivers change from the list to the walk one after another: an operator has to be aligned by both.
"""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.model.observation import Unobserved
from gatepost.records.dmarc_walk import walk
from gatepost.records.lookup import Lookup
from gatepost.records.suffixes import Suffixes


@dataclass(frozen=True, slots=True)
class Organisation:
    """Whom a domain belongs to. `parted` is the name whose psd= ended the walk, with the tag."""

    domain: str
    by_walk: str
    by_list: str
    parted: str = ""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Whether an authenticated domain counts for the domain of the From header. `warning` where the ways differ."""

    author: Organisation
    identifier: Organisation
    strict: bool
    by_walk: bool
    by_list: bool
    warning: str = ""


async def alignment(
    author: str, identifier: str, lookup: Lookup, suffixes: Suffixes, *, strict: bool
) -> Alignment | Unobserved:
    """One walk for each of the two."""
    sides = [await organisation(one, lookup, suffixes) for one in (author, identifier)]
    if lost := next((one for one in sides if isinstance(one, Unobserved)), None):
        return lost
    known = [one for one in sides if isinstance(one, Organisation)]
    return aligned(known[0], known[1], strict=strict)


async def organisation(domain: str, lookup: Lookup, suffixes: Suffixes) -> Organisation | Unobserved:
    plain = domain.lower().removesuffix(".")
    found = await walk(plain, lookup)
    if isinstance(found, Unobserved):
        return found
    last = found.stops[-1].record
    parted = f"psd={last.psd} at _dmarc.{last.domain}" if last and last.psd != "u" else ""
    return Organisation(plain, found.organizational, suffixes.organizational(plain), parted)


def aligned(author: Organisation, identifier: Organisation, *, strict: bool) -> Alignment:
    """Identical domains are always aligned, others only in relaxed mode and within one organisation."""
    same = author.domain == identifier.domain
    by_walk = same or (not strict and author.by_walk == identifier.by_walk)
    by_list = same or (not strict and author.by_list == identifier.by_list)
    return Alignment(author, identifier, strict, by_walk, by_list, _warning(author, identifier, by_walk, by_list))


def _warning(author: Organisation, identifier: Organisation, by_walk: bool, by_list: bool) -> str:  # noqa: FBT001 - the pair is one answer
    if by_walk == by_list:
        return ""
    if by_walk:
        return (
            f"aligned by the tree walk ({author.by_walk}), not by the suffix list: receivers that predate RFC 9989"
            " see two organisations"
        )
    parted = next((one.parted for one in (author, identifier) if one.parted), "")
    if parted:
        return f"aligned today by the suffix list, not by the tree walk: {parted} parts them"
    return (
        "aligned today by the suffix list, not by the tree walk: publish a record at the organisational domain,"
        f" _dmarc.{author.by_list}"
    )
