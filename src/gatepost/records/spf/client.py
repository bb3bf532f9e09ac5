"""The client whose mail is judged: its address, the macros it fills, and the names that are really its own."""

from __future__ import annotations

from datetime import datetime

from gatepost.model.dns import Answer
from gatepost.records.addresses import Address, read
from gatepost.records.lookup import Lookup
from gatepost.records.spf.names import octets

MOST_NAMES = 10  # PTR records looked at, in the order they come (RFC 7208 section 4.6.4)


def values(at: Address, domain: str, sender: str, helo: str, receiver: str, now: datetime | None) -> dict[str, str]:
    """The macros that stay the same throughout, by letter (section 7.2); d and p depend on the record."""
    local, _, of = sender.rpartition("@")
    local, of = local or "postmaster", of or domain
    filled = {
        "c": str(at),
        "h": helo or of,
        "i": ".".join(at.packed.hex().upper()) if at.version == 6 else str(at),
        "l": local,
        "o": of,
        "r": receiver or "unknown",
        "s": f"{local}@{of}",
        "t": str(int(now.timestamp()) if now else 0),
        "v": "ip6" if at.version == 6 else "in-addr",
    }
    return {letter: octets(value) for letter, value in filled.items()}


def kind(at: Address) -> str:
    """The records that hold addresses of its family."""
    return "A" if at.version == 4 else "AAAA"


async def confirmed(at: Address, pointers: Answer, lookup: Lookup) -> tuple[str, ...]:
    """Names of its PTR records that lead back to it (section 5.5). A name that cannot be looked up is skipped."""
    names: list[str] = []
    for name in pointers.values[:MOST_NAMES]:
        forward = await lookup(name, kind(at))
        if at in {read(one) for one in forward.values}:
            names.append(name.lower())
    return tuple(names)


def best(names: tuple[str, ...], domain: str) -> str:
    """The p macro (section 7.3): the domain itself, else a name below it, else any, else `unknown`."""
    below = [name for name in names if name.endswith(f".{domain}")]
    return domain if domain in names else next(iter((*below, *names)), "unknown")
