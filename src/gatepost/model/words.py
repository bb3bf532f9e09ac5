"""Closed sets that every part of gatepost shares."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """How encryption starts on a port."""

    IMPLICIT = "implicit"
    NONE = "none"
    OPTIONAL = "tls-optional"
    STARTTLS = "starttls"


class Role(StrEnum):
    """What a port is for; severity and TLS policy belong to it."""

    ACCESS = "access"
    BACKEND = "backend"
    DOMAIN = "domain"
    FILTER = "filter"
    HOST = "host"
    MX = "mx"
    ORG = "org"
    SIEVE = "sieve"
    SUBMISSION = "submission"
    WEB = "web"


class Outcome(StrEnum):
    """What a judge says. `UNKNOWN` (could not see) is neither a pass nor a failure."""

    FAIL = "fail"
    NOT_APPLICABLE = "not-applicable"
    PASS = "pass"  # noqa: S105 - a verdict, not a credential
    UNKNOWN = "unknown"


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"

    @property
    def rank(self) -> int:
        """0 for info up to 4 for critical."""
        return _RANK[self]


_RANK = {Severity.INFO: 0, Severity.LOW: 1, Severity.MEDIUM: 2, Severity.HIGH: 3, Severity.CRITICAL: 4}


class Reason(StrEnum):
    """Why something could not be seen."""

    BOGUS = "bogus"  # DNSSEC validation failed
    BUDGET = "budget"  # our own limit on connections or time
    CLOSED = "closed"  # the stream ended without an answer
    FILTERED = "filtered"  # no answer at all to the connection
    GARBLED = "garbled"  # not the protocol
    GREYLISTED = "greylisted"  # 450, 451: come back later
    LIMITED = "limited"  # 421, 454, BYE, too many connections
    NOT_ASKED = "not-asked"  # needs --mine or --inventory
    REFUSED = "refused"  # the peer said no before the question could be put
    RESET = "reset"
    TARPIT = "tarpit"  # answers arrive, but too slowly to finish
    TIMEOUT = "timeout"
    UNRESOLVED = "unresolved"  # the name has no address
    VANTAGE = "vantage"  # seen from here the answer would mislead
