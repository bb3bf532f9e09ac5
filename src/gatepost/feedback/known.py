"""What the state directory knew on a day: certificates, TLSA records and policies, as of the end of a report."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol, TypeVar

from gatepost.feedback import values
from gatepost.model.domain import Dated


@dataclass(frozen=True, slots=True)
class Certificate:
    host: str
    address: str
    port: int
    first: date  # seen
    last: date
    not_before: date
    not_after: date
    names: tuple[str, ...]
    issuer: str
    trusted: bool | None
    digest: str  # SHA-256 of the certificate, hexadecimal
    key: str  # SHA-256 of its public key

    @property
    def place(self) -> tuple[str, str, int]:
        return self.host, self.address, self.port

    def names_host(self, host: str) -> bool:
        return any(covers(name, host) for name in self.names)


@dataclass(frozen=True, slots=True)
class Pin:
    """A TLSA record: usage, selector, matching type and data, in words."""

    host: str
    port: int
    first: date
    last: date
    text: str
    security: str

    @property
    def place(self) -> tuple[str, int]:
        return self.host, self.port

    def matches(self, certificate: Certificate) -> bool | None:
        """None where a leaf's digests cannot tell: authorities, and records with the whole data."""
        usage, selector, matching, data = (*self.text.split(), "", "", "", "")[:4]
        if (usage, matching) != ("3", "1"):
            return None
        return data.lower() == (certificate.key if selector == "1" else certificate.digest)


@dataclass(frozen=True, slots=True)
class Policy:
    """An MTA-STS policy as published."""

    domain: str
    first: date
    last: date
    mode: str
    mx: tuple[str, ...]

    @property
    def place(self) -> str:
        return self.domain

    def covers(self, host: str) -> bool:
        return any(covers(pattern, host) for pattern in self.mx)


@dataclass(frozen=True, slots=True)
class Known:
    certificates: Mapping[str, tuple[Certificate, ...]]  # by host, oldest first
    pins: Mapping[str, tuple[Pin, ...]]
    policies: Mapping[str, tuple[Policy, ...]]

    def served(self, host: str, address: str, port: int, first: date, last: date) -> tuple[Certificate, ...]:
        """What `host` served in those days at a port, at one address or, without one, at all of them."""
        held = (one for one in self.certificates.get(host, ()) if one.port == port and address in {"", one.address})
        return in_force(held, first, last)

    def followed(self, certificate: Certificate) -> Certificate | None:
        """The next one at the same place."""
        later = [one for one in self.certificates[certificate.host] if one.first > certificate.first]
        return next((one for one in later if one.place == certificate.place), None)

    def pinned(self, host: str, port: int, first: date, last: date) -> tuple[Pin, ...]:
        return in_force((one for one in self.pins.get(host, ()) if one.port == port), first, last)

    def published(self, domain: str, first: date, last: date) -> tuple[Policy, ...]:
        return in_force(self.policies.get(domain, ()), first, last)

    def host_at(self, address: str) -> str:
        """Whose address it is; empty when nobody we looked at has it."""
        every = (one for held in self.certificates.values() for one in held)
        return next((one.host for one in every if one.address == address), "") if address else ""


def known(history: Iterable[Dated]) -> Known:
    certificates: dict[str, tuple[Certificate, ...]] = {}
    pins: dict[str, tuple[Pin, ...]] = {}
    policies: dict[str, tuple[Policy, ...]] = {}
    for one in sorted(history, key=lambda d: d.first_seen):
        host = one.at.host
        if one.what == "certificate":
            certificates[host] = (*certificates.get(host, ()), _certificate(one))
        elif one.what == "tlsa":
            pins[host] = (*pins.get(host, ()), _pin(one))
        elif one.what == "mta-sts-policy":
            policies[host] = (*policies.get(host, ()), _policy(one))
    return Known(certificates, pins, policies)


class _Held(Protocol):
    @property
    def first(self) -> date: ...
    @property
    def last(self) -> date: ...
    @property
    def place(self) -> object: ...


Held = TypeVar("Held", bound=_Held)


def in_force(held: Iterable[Held], first: date, last: date) -> tuple[Held, ...]:
    """Seen by then, and still there in those days as far as anybody looked: what was seen last counts on."""
    by_then = [one for one in held if one.first <= last]
    newest: dict[object, date] = {}
    for one in by_then:
        newest[one.place] = max(one.last, newest.get(one.place, one.last))
    return tuple(one for one in by_then if one.last >= min(first, newest[one.place]))


def _certificate(one: Dated) -> Certificate:
    told = _detail(one)
    return Certificate(
        one.at.host,
        values.address(told.get("address")),
        values.number(told.get("port")) or 0,
        one.first_seen.date(),
        one.last_seen.date(),
        _day(told.get("not_before"), date.min),
        _day(told.get("not_after"), date.max),
        tuple(values.name(name) for name in _texts(told.get("names"))),
        values.text(told.get("issuer")),
        trusted if isinstance(trusted := told.get("trusted"), bool) else None,
        one.value,
        values.text(told.get("spki_sha256")),
    )


def _pin(one: Dated) -> Pin:
    told = _detail(one)
    port, security = values.number(told.get("port")) or 0, values.text(told.get("security"))
    return Pin(one.at.host, port, one.first_seen.date(), one.last_seen.date(), one.value, security)


def _policy(one: Dated) -> Policy:
    told = _detail(one)
    patterns = tuple(values.name(pattern) for pattern in _texts(told.get("mx")))
    return Policy(one.at.host, one.first_seen.date(), one.last_seen.date(), values.text(told.get("mode")), patterns)


def _detail(one: Dated) -> Mapping[str, object]:
    try:
        told = json.loads(one.detail or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _texts(value: object) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _day(value: object, otherwise: date) -> date:
    try:
        return datetime.fromisoformat(value).astimezone(UTC).date() if isinstance(value, str) else otherwise
    except ValueError:
        return otherwise


def covers(pattern: str, host: str) -> bool:
    """A wildcard stands for exactly one label (RFC 8461 section 4.1, RFC 6125)."""
    pattern, host = pattern.lower().rstrip("."), host.lower().rstrip(".")
    if not pattern.startswith("*."):
        return pattern == host
    return "." in host and host.split(".", 1)[1] == pattern[2:]
