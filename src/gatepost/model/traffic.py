"""What the logs tell of a host: the facts of the logs witness, over some weeks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from gatepost.model.architecture import Endpoint


@dataclass(frozen=True, slots=True)
class LogsRead:
    """The lake holds logs of this host. `at` is the host as a whole; `names` are what its log lines call it."""

    at: Endpoint
    since: date
    until: date
    sessions: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UsedSeen:
    """Who used a port. `at` has no address: a log seldom tells it.

    `exact` is false where the log names the protocol only, so that the same sessions count for imap and imaps.
    `clear` are logins without TLS, `legacy` sessions with TLS below 1.2, `untold` those inside TLS whose version the
    log leaves out. `clear_accounts` are the latest few.
    """

    at: Endpoint
    service: str
    exact: bool
    since: date
    until: date
    sessions: int
    accounts: int
    last: datetime | None
    clear: int = 0
    clear_accounts: tuple[str, ...] = ()
    legacy: int = 0
    untold: int = 0
    inside: int = 0  # sessions inside TLS, as far as the log tells


@dataclass(frozen=True, slots=True)
class OneClient:
    """All sessions of a service come from one address: a gateway or proxy that hides the clients."""

    at: Endpoint
    service: str
    client: str
    sessions: int
    because: str


TrafficFact = LogsRead | UsedSeen | OneClient
