"""MX records: where mail for a domain goes, or that it goes nowhere (RFC 5321 section 5.1, RFC 7505)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gatepost import catalogue
from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Answer, Presence, Security, weakest
from gatepost.model.domain import Exchanger, MxSeen
from gatepost.model.observation import Advertised, Unobserved
from gatepost.model.words import Mode
from gatepost.records import addresses, names
from gatepost.records.lookup import Lookup, unanswered
from gatepost.records.sentences import bounded, shown

MX = "smtp"  # its id in the port catalogue
MAX_EXCHANGERS = 50  # looked at, the most preferred first
DOCUMENTATION = ("192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:")  # RFC 5737, RFC 3849

_FORM = re.compile(r"(\d{1,5})\s+(\S+)", re.ASCII)


def exchangers(domain: str, rows: Iterable[tuple[int, str]]) -> tuple[Advertised, ...]:
    """`rows` are preference and target; most preferred first. The null MX advertises nothing."""
    row = catalogue.row(MX)
    return tuple(
        Advertised(Endpoint(domain), "mx", MX, target, row.number, Mode(row.mode), preference)
        for preference, target in sorted((p, t.rstrip(".").lower()) for p, t in rows)
        if target
    )


def refuses_mail(rows: Iterable[tuple[int, str]]) -> bool:
    """The null MX: a single record, preference aside, that names the root (RFC 7505 section 3)."""
    return [target.rstrip(".") for _, target in rows] == [""]


async def inspect(domain: str, lookup: Lookup) -> MxSeen | Unobserved:
    """Without any MX record mail goes to the domain's own address, which is only then asked for."""
    at = Endpoint(domain)
    answer = await lookup(domain, "MX")
    if answer.failed:
        return unanswered(at, "mx", answer)
    rows, problems = read(answer.values)
    if not answer.values:
        return await _implicit(domain, answer, lookup)
    known: dict[str, Addresses] = {}
    found: list[Exchanger] = []
    targets = [(preference, target) for preference, target in rows if target]
    for preference, target in targets[:MAX_EXCHANGERS]:
        if target not in known:
            known[target] = await _addresses(target, lookup) if _askable(target) else Addresses()
        found.append(_exchanger(preference, target, known[target]))
    if len(targets) > MAX_EXCHANGERS:
        problems.append(f"{len(targets)} exchangers, of which the first {MAX_EXCHANGERS} were looked at")
    if len(targets) < len(rows) and not refuses_mail(rows):
        problems.append("a null MX stands beside other records: it has to be the only one")
    problems.extend(said for one in found for said in exchanger_problems(one))
    return MxSeen(
        at,
        answer.presence,
        tuple(found),
        null=refuses_mail(rows),
        problems=bounded(problems),
        security=answer.security,
    )


def read(values: Iterable[str]) -> tuple[list[tuple[int, str]], list[str]]:
    """Preference and target, most preferred first, `` for the root; and what could not be read."""
    rows: list[tuple[int, str]] = []
    problems: list[str] = []
    for value in values:
        form = _FORM.fullmatch(value.strip())
        if form is None or int(form[1]) > 65535:
            problems.append(f"{shown(value)} is no MX record: a number and a name are wanted")
        else:
            rows.append((int(form[1]), form[2].lower().removesuffix(".")))
    return sorted(dict.fromkeys(rows)), problems


def exchanger_problems(one: Exchanger) -> Iterator[str]:
    if _literal(one.host):
        yield f"{shown(one.host)} is an address: an exchanger has to be a name"
    elif not _askable(one.host):
        yield f"{shown(one.host)} is no host name"
    elif one.aliases:
        yield f"{one.host} is an alias of {one.aliases[-1]}: an exchanger may not be one (RFC 5321 section 5.1)"
    if _askable(one.host) and not one.addresses and not one.trouble:
        yield f"{one.host} has no address"
    for address in one.addresses:
        if kind := unreachable(address):
            yield f"{one.host} has the {kind} address {address}: the internet cannot reach it"


def unreachable(address: str) -> str:
    """What keeps the internet from an address, in a word: private, loopback and so on; empty for a public one."""
    one = addresses.read(address)
    if one is None:
        return "unreadable"
    if one.is_global and not one.is_multicast:
        return ""
    kinds = (
        ("loopback", one.is_loopback),
        ("link-local", one.is_link_local),
        ("multicast", one.is_multicast),
        ("unspecified", one.is_unspecified),
        ("documentation", str(one).startswith(DOCUMENTATION)),
        ("reserved", one.is_reserved),
        ("private", one.is_private),
    )
    return next((kind for kind, so in kinds if so), "shared")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Both families of a name. `trouble` has the failed questions."""

    values: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    trouble: tuple[Answer, ...] = ()
    security: Security = Security.UNKNOWN


async def _implicit(domain: str, answer: Answer, lookup: Lookup) -> MxSeen | Unobserved:
    own = Addresses() if answer.presence is Presence.ABSENT else await _addresses(domain, lookup)
    if own.trouble and not own.values:
        failed = own.trouble[0]
        return unanswered(Endpoint(domain), "mx", failed)
    kinds = [(one, unreachable(one)) for one in own.values]
    problems = [f"its own address {one} is a {kind} one: the internet cannot reach it" for one, kind in kinds if kind]
    return MxSeen(
        Endpoint(domain),
        answer.presence,
        own_addresses=own.values,
        problems=bounded(problems),
        security=answer.security,
    )


async def _addresses(name: str, lookup: Lookup) -> Addresses:
    """IPv4 first. The security is that of the weaker answer."""
    answers = [await lookup(name, "A"), await lookup(name, "AAAA")]
    heard = [one for one in answers if not one.failed]
    return Addresses(
        tuple(dict.fromkeys(value for one in heard for value in one.values)),
        next((one.aliases for one in heard if one.aliases), ()),
        tuple(one for one in answers if one.failed),
        weakest(one.security for one in answers),
    )


def _exchanger(preference: int, target: str, found: Addresses) -> Exchanger:
    trouble = tuple(f"{one.kind}: {one.why}" for one in found.trouble)
    return Exchanger(preference, target, found.values, found.aliases, trouble, found.security)


def _askable(target: str) -> bool:
    return names.is_host(target) and not _literal(target)


def _literal(target: str) -> bool:
    return addresses.read(target.removeprefix("[").removeprefix("ipv6:")) is not None
