"""Ways in, who takes them, and which peers mail goes to and comes from: what `gatepost usage` tells."""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.model.event import Cover


@dataclass(frozen=True, slots=True)
class Way:
    """`port` is None where neither the log nor the encryption tells it."""

    service: str
    port: int | None
    cover: Cover
    starttls: bool | None
    tls: str
    method: str


@dataclass(frozen=True, slots=True)
class Who:
    """One account in one way. Times are microseconds, UTC; `weeks` are sessions, the oldest week first."""

    user: str  # "" for connections without a login: relays, and attempts that failed
    client: str  # the newest address
    networks: int
    hint: str
    sessions: int
    failures: int
    messages: int
    first: int
    last: int
    weeks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WayUsed:
    """`legacy` says in words what is old about it; "" where nothing is."""

    way: Way
    accounts: tuple[Who, ...]  # with a login, the newest first
    strangers: tuple[Who, ...]  # without one: what was taken from relays, and what failed
    sessions: int
    first: int
    last: int
    weeks: tuple[int, ...]
    trend: str
    legacy: str


@dataclass(frozen=True, slots=True)
class Peer:
    """A domain we deliver to, or a server that gave us mail. `clear`, `covered`, `unknown` count messages."""

    direction: str  # in, out
    name: str
    server: str  # the newest
    clear: int
    covered: int
    unknown: int
    tls: tuple[str, ...]  # versions seen
    first: int
    last: int
    weeks: tuple[int, ...]  # messages in clear
    trend: str


@dataclass(frozen=True, slots=True)
class Used:
    """`unknown` are sentences: what these logs do not tell, and the setting that makes them."""

    since: int
    until: int
    ways: tuple[WayUsed, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Peers:
    since: int
    until: int
    peers: tuple[Peer, ...]
    unknown: tuple[str, ...]


def spoken(version: str) -> str:
    """A version as people say it: OpenSSL's TLSv1 is TLS 1.0."""
    name, _, number = version.partition("v")
    return f"{name} {'1.0' if number == '1' else number}".rstrip()
