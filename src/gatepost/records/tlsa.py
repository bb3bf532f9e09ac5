"""TLSA records of a port (RFC 6698), looked for where SMTP and other clients look for them (RFC 7672 section 2.2.3)."""

from __future__ import annotations

import re

from gatepost.errors import PeerGarbled
from gatepost.model.architecture import Endpoint
from gatepost.model.association import fault
from gatepost.model.dns import Answer, Security, Tlsa
from gatepost.model.domain import TlsaSeen
from gatepost.model.observation import Unobserved
from gatepost.records import rows
from gatepost.records.lookup import Lookup, unanswered
from gatepost.records.sentences import bounded, shown

MAX_DATA = 131072  # hexadecimal digits; a whole certificate is allowed, and few are larger

_FORM = re.compile(r"\s*(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})\s*([0-9A-Fa-f\s]*)", re.ASCII)


async def inspect(host: str, port: int, lookup: Lookup) -> TlsaSeen | Unobserved:
    """The first base domain with signed records wins; else what the host's own name has.

    A failed question ends the search: a client would put delivery off rather than go on without (section 2.1.2).
    """
    bases = await _bases(host, port, lookup)
    if isinstance(bases, Unobserved):
        return bases
    found: list[TlsaSeen] = []
    for base in bases:
        answer = await lookup(owner(base, port), "TLSA")
        if answer.failed:
            return _unobserved(host, port, answer)
        seen = records(host, port, answer)
        if seen.records and seen.security is Security.SECURE:
            return seen
        found.append(seen)
    return next((seen for seen in found if seen.records), found[-1])


def owner(base: str, port: int) -> str:
    return f"_{port}._tcp.{base}"


def records(host: str, port: int, answer: Answer) -> TlsaSeen:
    """What one answer says. Records that cannot be read are problems and left out, odd ones are kept."""
    kept, problems = rows.read(answer.values, parse)
    problems.extend(said for one in kept if (said := fault(one)))
    if kept and answer.security is Security.INSECURE:
        problems.append("the zone is not signed with DNSSEC: no client uses these records")
    where = answer.aliases[-1] if answer.aliases else answer.name
    return TlsaSeen(
        Endpoint(host),
        port,
        where,
        answer.presence,
        tuple(dict.fromkeys(kept)),
        answer.ttl,
        bounded(problems),
        answer.security,
        answer.name.removeprefix(owner("", port)),
    )


def parse(value: str) -> Tlsa:
    """`3 1 1 hexadecimal`, blanks inside the data allowed (RFC 6698 section 2.2). Raises PeerGarbled."""
    if len(value) > MAX_DATA:
        raise PeerGarbled(f"a TLSA record of {len(value)} characters, more than {MAX_DATA}")
    form = _FORM.fullmatch(value)
    if form is None:
        raise PeerGarbled(f"{shown(value)} is no TLSA record: three numbers and hexadecimal digits are wanted")
    usage, selector, matching = (int(one) for one in form.groups()[:3])
    data = "".join(form[4].split()).lower()
    if max(usage, selector, matching) > 255:
        raise PeerGarbled(f"{shown(value)} has a number above 255")
    if len(data) % 2:
        raise PeerGarbled(f"{shown(value)} has an odd number of hexadecimal digits")
    return Tlsa(usage, selector, matching, data)


async def _bases(host: str, port: int, lookup: Lookup) -> tuple[str, ...] | Unobserved:
    """The name an alias leads to, then the name itself; only the latter where the way there is not signed.

    With a resolver that nobody trusts the state is unknown, and both are looked at.
    """
    answer = await lookup(host, "A")
    if answer.failed:
        other = await lookup(host, "AAAA")
        if other.failed:
            return _unobserved(host, port, answer)
        answer = other
    if not answer.aliases or answer.security in {Security.INSECURE, Security.BOGUS}:
        return (host,)
    return tuple(dict.fromkeys((answer.aliases[-1], host)))


def _unobserved(host: str, port: int, answer: Answer) -> Unobserved:
    return unanswered(Endpoint(host), f"tlsa:{port}", answer)
