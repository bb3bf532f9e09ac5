"""What the operator wants of the logs: how long they are kept, who is never blocked, who is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where alerts go. `at` and above is a severity word; `to` and `via` may hold a password: never printed whole."""

    to: str  # mailto:…, https://… (webhook), syslog://host:port, or a URL that Apprise knows
    at: str = "high"
    via: str = ""  # smtp://[USER@]HOST[:PORT] or smtps://…: who takes the mail; empty: this machine's own server
    secret: str = ""  # file with the password of `via`, or with the key that signs what a webhook gets
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Watching:
    """The `[watch]` and `[logs]` tables. Without them: everything is kept 400 days, and nothing is blocked."""

    zone: str = ""  # IANA name for lines without a time zone; empty: the zone of the machine that reads
    keep_days: int = 400
    pseudonymise_days: int | None = None  # accounts and addresses older than this become keyed digests
    rules: tuple[str, ...] = ()  # files or directories of the operator's own Sigma rules
    off: tuple[str, ...] = ()  # rule ids that are switched off
    allow: tuple[str, ...] = ()  # zones, networks and hosts that are never blocked, beside management and proxies
    block: bool = False  # without it blocks are only told
    block_seconds: int = 3600  # the first time; doubled each time up to `block_longest`
    block_longest: int = 7 * 86400
    deliver: tuple[Delivery, ...] = ()
    metrics: str = ""  # address:port where Prometheus may ask
    syslog: tuple[str, ...] = ()  # udp:ADDR:PORT, tcp:ADDR:PORT, tls:ADDR:PORT to listen on
    policy: str = ""  # address:port or path of the socket that `policyd` answers on
    line: int | None = None
