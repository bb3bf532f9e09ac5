"""Reverse names of the addresses mail leaves from, and whether they lead back (RFC 1912 section 2.1)."""

from __future__ import annotations

from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Presence
from gatepost.model.domain import ReverseSeen
from gatepost.model.observation import Unobserved
from gatepost.model.words import Reason
from gatepost.records.addresses import Address, read
from gatepost.records.lookup import Lookup, unanswered
from gatepost.records.sentences import bounded

MAX_NAMES = 10  # the number SPF allows for the same question (RFC 7208 section 4.6.4)


async def inspect(at: Endpoint, address: str, lookup: Lookup) -> ReverseSeen | Unobserved:
    """Each name is asked for addresses of the same family only."""
    wanted = read(address)
    if wanted is None:
        return Unobserved(at, f"ptr:{address[:60]}", Reason.UNRESOLVED, f"{address[:60]!r} is no IP address")
    answer = await lookup(wanted.reverse_pointer, "PTR")
    if answer.failed:
        return unanswered(at, f"ptr:{address}", answer)
    names = tuple(dict.fromkeys(answer.values))
    confirmed: list[str] = []
    why: list[str] = []
    for name in names[:MAX_NAMES]:
        objection = await _objection(name, wanted, lookup)
        if objection:
            why.append(objection)
        else:
            confirmed.append(name)
    if len(names) > MAX_NAMES:
        why.append(f"{len(names)} reverse names, of which the first {MAX_NAMES} were asked")
    return ReverseSeen(at, address, names, tuple(confirmed), "; ".join(bounded(why)), answer.security)


async def _objection(name: str, wanted: Address, lookup: Lookup) -> str:
    answer = await lookup(name, "A" if wanted.version == 4 else "AAAA")
    if answer.failed:
        return f"{name} could not be asked: {answer.why}"
    if wanted in {read(value) for value in answer.values}:
        return ""
    if answer.presence is Presence.ABSENT:
        return f"{name} does not exist"
    there = ", ".join(answer.values[:3]) + (", …" if len(answer.values) > 3 else "")
    return f"{name} leads to {there}" if there else f"{name} has no IPv{wanted.version} address"
