"""How a small server behaves. The defaults are a server in order; each flaw is one field away from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Injection(StrEnum):
    """What a server does with bytes around the upgrade (RFC 3207 section 4.2)."""

    COMMAND = "command"  # runs commands inside TLS that came before it
    NONE = "none"
    RESPONSE = "response"  # sends bytes behind its go-ahead that a client reads as protected
    STATE = "state"  # keeps a transaction begun in clear


class Starttls(StrEnum):
    """How the upgrade is offered and what comes of asking for it."""

    ABSENT = "absent"
    MANGLED = "mangled"  # a device on the path wrote XXXXXXXA over it
    OFFERED = "offered"
    TEMPORARY = "temporary"  # 454: offered, then not available


class Relaying(StrEnum):
    """In which form a stranger's mail for elsewhere is accepted."""

    ALL = "all"
    BANG = "bang"
    LITERAL = "literal"
    NULL_SENDER = "null-sender"
    OWN_SENDER = "own-sender"
    PERCENT = "percent"
    QUOTED = "quoted"
    SOURCE_ROUTE = "source-route"


@dataclass(frozen=True, slots=True)
class Tls:
    """`lowest` and `highest` are version numbers on the wire (0x0303: TLS 1.2). `ciphers` is OpenSSL's list."""

    lowest: int = 0x0303
    highest: int = 0x0304
    ciphers: str = "ECDHE+AESGCM:ECDHE+CHACHA20"
    renegotiation: bool = False


@dataclass(frozen=True, slots=True)
class Fake:
    """TLS that no current library speaks, answered by `answerer` without computing a key.

    `suites` are IANA names taken at any of `versions` (numbers on the wire), in the client's order. `groups`,
    `dh_prime` and `scheme` are what the key exchange shows.
    """

    versions: frozenset[int] = frozenset({0x0303})
    suites: frozenset[str] = frozenset()
    groups: tuple[int, ...] = ()
    dh_prime: bytes = b""
    scheme: int = 0
    ssl2_kinds: frozenset[int] = frozenset()
    compression: bool = False
    plain_renegotiation: bool = False  # no RFC 5746
    heartbeat: bool = False
    bleeds: bool = False  # CVE-2014-0160
    obeys_early_change: bool = False  # CVE-2014-0224


@dataclass(frozen=True, slots=True)
class Habits:
    """One listener. `protocol` is smtp, lmtp, imap, pop3 or managesieve; `domain` is where it takes mail for.

    `submission` makes SMTP ask for a login before MAIL. Delays are seconds: before the greeting, and before
    every answer.
    """

    protocol: str
    name: str = "mail.demo.test"
    domain: str = "demo.test"
    implicit: bool = False
    submission: bool = False
    starttls: Starttls = Starttls.OFFERED
    requires_tls: bool = True  # nothing but the upgrade before TLS; smtp: for MAIL only, and only with submission
    login_in_clear: bool = False
    mechanisms: tuple[str, ...] = ("PLAIN",)
    takes_strangers: bool = False  # MAIL on a submission port without login
    relays: frozenset[Relaying] = frozenset()
    users: frozenset[str] = frozenset({"postmaster", "alice"})
    unknown_users: bool = False
    verifies: bool = False  # VRFY and EXPN answer
    bare_lf: bool = False
    smuggled_ends: frozenset[bytes] = frozenset()
    any_helo: bool = False
    hears_early: bool = False  # believes what came before its greeting
    suspicion: float = 0.1  # seconds an SMTP server waits to see who talks before it is greeted
    xclient: bool = False
    starttls_again: bool = False
    injection: Injection = Injection.NONE
    preauth: bool = False
    banner: str = ""
    greet_delay: float = 0.0
    answer_delay: float = 0.0
    limit: str = ""  # greets with this refusal
    connections: int = 0  # after so many connections, 421; 0 for no limit
    greylists: bool = False
    tls: Tls = field(default_factory=Tls)
    fake: Fake | None = None
