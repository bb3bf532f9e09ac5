"""What the firewall's running rules admit: the facts of the firewall witness, and what vantages could reach."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gatepost.model.architecture import Endpoint


@dataclass(frozen=True, slots=True)
class RuleRef:
    """A rule as the kernel has it. `handle` is None for the policy of a chain."""

    table: str  # inet filter
    chain: str
    handle: int | None
    text: str  # what it does, in nft's words as far as they are readable
    comment: str = ""

    def __str__(self) -> str:
        where = "policy" if self.handle is None else f"rule {self.handle}"
        return f"{self.table} {self.chain} {where}"


@dataclass(frozen=True, slots=True)
class FirewallSeen:
    """The rule set of a host was read. `assumed` and `blind` are sentences that go with every answer from it."""

    at: Endpoint
    tables: tuple[str, ...]
    rules: int
    digest: str  # SHA-256 of the rules without counters and handles
    ours: str = ""  # digest of our own table, empty without one
    assumed: tuple[str, ...] = ()  # below the rate limit, reverse path valid …
    blind: tuple[str, ...] = ()  # XDP, cloud groups, legacy tables …
    volatile: bool = False  # sets with timeouts: true for this moment


@dataclass(frozen=True, slots=True)
class AdmissionSeen:
    """Who can open a TCP connection to this address and port, proved from the rules.

    Prefixes in CIDR form, the widest first; `accepted` and `undecided` are disjoint, everybody else is kept out. Where
    they would be thousands, small gaps are closed and counted in `holes` (addresses inside that are kept out), and
    `more` says how many prefixes are not listed.
    """

    at: Endpoint
    accepted: tuple[str, ...]
    undecided: tuple[str, ...] = ()
    path: str = "input"  # input, forward after dnat 172.17.0.2:25 …
    rules: tuple[RuleRef, ...] = ()  # that decide for the first accepted prefix, in order
    reasons: tuple[str, ...] = ()  # constructs that prevent a decision
    holes: int = 0
    more: int = 0


class Drift(StrEnum):
    """How the rules differ from the declaration."""

    CANNOT_TELL = "cannot-tell"
    CLOSED = "declared-but-closed"
    WIDER = "wider-than-declared"


@dataclass(frozen=True, slots=True)
class DeviationSeen:
    """Rules and declaration differ for these sources. `at.port` is the first of `ports` (an inclusive range).

    `direction` is input, output (this host as a client) or forward (this host as a router).
    """

    at: Endpoint
    drift: Drift
    ports: tuple[int, int]
    sources: tuple[str, ...]
    witness: str  # one source address that proves it
    direction: str = "input"
    path: str = "input"
    rules: tuple[RuleRef, ...] = ()
    reasons: tuple[str, ...] = ()
    target: str = ""  # output and forward: where to
    because: str = ""  # docker published 143 past ufw: chain DOCKER rule 7


@dataclass(frozen=True, slots=True)
class LifeSupportSeen:
    """Something a mail host cannot live without, and whether the rules leave it alive.

    `what`: loopback, replies, neighbour-discovery, path-mtu, management.
    """

    at: Endpoint
    what: str
    family: int
    alive: bool | None  # None: cannot tell
    rules: tuple[RuleRef, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class BanSeen:
    """An address that a set or rule means to keep out, and the mail ports where it gets in all the same."""

    at: Endpoint
    source: str
    where: str  # inet f2b-table addr-set-postfix
    passes: tuple[int, ...] = ()
    rules: tuple[RuleRef, ...] = ()  # that let it in
    path: str = ""


class Reach(StrEnum):
    """What became of a connection attempt."""

    NO_ROUTE = "no-route"
    REACHED = "reached"
    REFUSED = "refused"  # nothing listens now; the way is open
    REJECTED = "rejected"  # a firewall says no (ICMP)
    SILENT = "silent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ReachSeen:
    """One connection attempt from a named vantage. `zone` is the declared zone the vantage stands in."""

    at: Endpoint
    vantage: str
    zone: str
    source: str
    result: Reach
    detail: str = ""
    taken_at: datetime | None = None


FirewallFact = FirewallSeen | AdmissionSeen | DeviationSeen | LifeSupportSeen | BanSeen | ReachSeen
