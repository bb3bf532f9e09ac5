"""What DNS answered: the values in words, how far they can be believed, and why when there are none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gatepost.model.architecture import Endpoint
from gatepost.model.words import Reason


class Security(StrEnum):
    """DNSSEC state of an answer (RFC 4033 section 5). `UNKNOWN`: nobody we trust validated it."""

    BOGUS = "bogus"
    INSECURE = "insecure"
    SECURE = "secure"
    UNKNOWN = "unknown"


def weakest(states: Iterable[Security]) -> Security:
    """How far several answers can be believed together; without any, not at all."""
    order = (Security.BOGUS, Security.UNKNOWN, Security.INSECURE, Security.SECURE)
    return min(states, key=order.index, default=Security.UNKNOWN)


class Presence(StrEnum):
    ABSENT = "absent"  # the name does not exist (NXDOMAIN), or can be no DNS name
    EMPTY = "empty"  # the name exists, without records of this kind
    FAILED = "failed"  # no answer: never to be read as absent
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question. `at.host` is the name as asked: lower case, no final dot, port 0.

    `values` are in a fixed spelling by `kind`, names lower case without the final dot:

        A AAAA           192.0.2.25
        CNAME NS PTR     mail.example.org
        MX               10 mx1.example.org     (`0 .` for the null MX)
        TXT              the strings joined, octets as Latin-1; `pieces` has the number of strings of each
        SRV              0 1 993 mail.example.org
        TLSA             3 1 1 hexadecimal
        CAA              0 issue ca.example.net; policy=ev
        SOA DS DNSKEY    presentation form
    """

    at: Endpoint
    kind: str
    presence: Presence
    values: tuple[str, ...] = ()
    security: Security = Security.UNKNOWN
    ttl: int = 0  # seconds, the smallest on the way
    aliases: tuple[str, ...] = ()  # names a CNAME led to, in order; the last one holds the values
    pieces: tuple[int, ...] = ()
    reason: Reason | None = None  # of a failure
    why: str = ""  # of a failure or a bogus answer, in one sentence

    @property
    def name(self) -> str:
        return self.at.host

    @property
    def failed(self) -> bool:
        return self.presence is Presence.FAILED


@dataclass(frozen=True, slots=True)
class Tlsa:
    """RFC 6698 section 2.1. `data` is lower-case hexadecimal."""

    usage: int
    selector: int
    matching: int
    data: str

    def __str__(self) -> str:
        return f"{self.usage} {self.selector} {self.matching} {self.data}"


@dataclass(frozen=True, slots=True)
class Caa:
    """RFC 8659 section 4.1. `value` without the quotes."""

    flags: int
    tag: str
    value: str

    @property
    def critical(self) -> bool:
        return bool(self.flags & 128)

    def __str__(self) -> str:
        return f'{self.flags} {self.tag} "{self.value}"'
