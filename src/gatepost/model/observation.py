"""What was seen. An observation never says good or bad; it says what, where and in which words.

The union is open: a new kind of fact is a new frozen class with `at` first, added to `Observation`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from gatepost.model.architecture import Endpoint
from gatepost.model.certificate import Certificate, Trust
from gatepost.model.dns import Answer
from gatepost.model.domain import DomainFact
from gatepost.model.host import HostFact
from gatepost.model.rules import FirewallFact
from gatepost.model.traffic import TrafficFact
from gatepost.model.words import Mode, Reason


@dataclass(frozen=True, slots=True)
class Vantage:
    """Where we looked from. `at` is the endpoint, `source` our own address on that connection."""

    at: Endpoint
    source: str
    label: str = ""

    @property
    def same_host(self) -> bool:
        """Source equals destination: Dovecot calls such a session secured, Postfix trusts mynetworks."""
        return bool(self.source) and self.source == self.at.address


@dataclass(frozen=True, slots=True)
class Listening:
    """Something accepted a TCP connection."""

    at: Endpoint


@dataclass(frozen=True, slots=True)
class Closed:
    """The connection was actively refused: nothing listens, or a firewall rejects."""

    at: Endpoint
    detail: str


@dataclass(frozen=True, slots=True)
class Identified:
    """What speaks on a port, by its dialogue.

    `protocol` is smtp, lmtp, imap, pop3, managesieve, http, ssh, tls (TLS with something unknown inside),
    other protocol words of the port catalogue, `silent` or `unknown`.
    """

    at: Endpoint
    protocol: str
    mode: Mode
    first: str  # its first words, shortened, control characters escaped
    software: str = ""  # Postfix, Dovecot, Exim 4.96 … when the dialogue gives it away


@dataclass(frozen=True, slots=True)
class Greeting:
    at: Endpoint
    text: str  # all lines joined by newline
    encrypted: bool
    seconds: float  # from connection to the end of the greeting
    software: str = ""
    version: str = ""
    host: str = ""  # the name it calls itself
    preauth: bool = False  # IMAP PREAUTH


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The answer to EHLO, LHLO, CAPABILITY, CAPA or the ManageSieve greeting, one word list per line.

    `words` keep the peer's order, upper-cased keyword first: `AUTH PLAIN LOGIN`, `AUTH=PLAIN`,
    `SASL PLAIN`, `STARTTLS`, `LOGINDISABLED`.
    """

    at: Endpoint
    words: tuple[str, ...]
    encrypted: bool

    def mechanisms(self) -> tuple[str, ...]:
        """SASL mechanisms on offer, upper-case, sorted, whatever the protocol calls them."""
        found: set[str] = set()
        for line in self.words:
            head, _, rest = line.partition(" ")
            if head in {"AUTH", "SASL"}:
                found.update(w.upper() for w in rest.replace('"', "").split())
            elif head.startswith("AUTH="):
                found.update(w.upper().removeprefix("AUTH=") for w in line.split())
        return tuple(sorted(found))

    def has(self, keyword: str) -> bool:
        return any(line.split(" ", 1)[0] == keyword for line in self.words)


@dataclass(frozen=True, slots=True)
class Upgrade:
    """STARTTLS or STLS: offered, and what came of asking for it.

    `mangled` is the keyword found in its place when a device on the path rewrote it (XXXXXXXA).
    """

    at: Endpoint
    offered: bool
    accepted: bool
    answer: str
    mangled: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """One command and the answer to it.

    `what` is a stable word: `auth-in-clear`, `login-in-clear`, `user-pass-in-clear`, `mail-before-tls`,
    `mail-before-auth`, `auth-anonymous`, `vrfy`, `expn`, `helo-invalid`, `early-talker`, `bare-lf`,
    `relay:<form>`, `smuggle:<form>`, `xclient`, `mail-after-tls`, `starttls-again`. `accepted` says whether
    the server took it; whether that is good is for a check to say.
    """

    at: Endpoint
    what: str
    accepted: bool
    encrypted: bool
    sent: str  # never contains a secret: credentials are shown as ***
    answer: str


@dataclass(frozen=True, slots=True)
class Injected:
    """Plaintext around the upgrade.

    `way` is `command` (we sent bytes behind STARTTLS: did the server execute them inside TLS?) or
    `response` (the server sent bytes behind its go-ahead that a client would read as protected).
    """

    at: Endpoint
    way: str
    happened: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Hello:
    """The answer to one hand-made ClientHello.

    `offer` names what was asked (see `wire.tls.offers`). `refused` is empty when a ServerHello came, else
    `alert:<name>`, `closed` (no alert: refused, or picked and failed), `reset` or `ssl2:<text>`.
    Codes are IANA names; an unknown code is `0x1234`.
    """

    at: Endpoint
    offer: str
    sni: str | None
    refused: str = ""
    version: str = ""  # SSLv2, SSLv3, TLSv1.0 … TLSv1.3
    suite: str = ""
    group: str = ""  # from ServerKeyExchange, key_share or HelloRetryRequest
    signature: str = ""  # scheme of the ServerKeyExchange
    dh_bits: int = 0
    dh_prime: str = ""  # name of a known prime, `unknown` otherwise; empty without DHE
    compression: bool = False
    extensions: tuple[str, ...] = ()  # IANA names of what the server answered with
    session_id: bool = False
    chain: tuple[str, ...] = ()  # sha256 fingerprints as sent; see CertificateSeen for the contents
    staple: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """A whole list found by enumeration: `kind` is suites, groups, signatures; `names` in the server's order.

    `complete` is false when a limit cut it short. `inferred` are names not asked one by one (the same suite
    was accepted at a higher version and samples agreed).
    """

    at: Endpoint
    kind: str
    version: str
    names: tuple[str, ...]
    order: str = ""  # server, client or empty when not asked
    complete: bool = True
    inferred: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Handshake:
    """A completed handshake of an ordinary TLS library."""

    at: Endpoint
    sni: str | None
    version: str
    suite: str
    group: str = ""
    alpn: str = ""
    chain: tuple[str, ...] = ()
    staple: bool = False
    client_certificate_requested: bool = False
    error: str = ""  # the handshake failed, in OpenSSL's words


@dataclass(frozen=True, slots=True)
class ChainSeen:
    """A chain as it came off the wire, unread: DER in base64, leaf first."""

    at: Endpoint
    sni: str | None
    chain: tuple[str, ...]
    staple: bool = False


@dataclass(frozen=True, slots=True)
class CertificateSeen:
    """The chain a port serves, leaf first as sent, with the verdict of a verifier."""

    at: Endpoint
    sni: str | None
    chain: tuple[Certificate, ...]
    trust: Trust
    staple: bool = False


@dataclass(frozen=True, slots=True)
class Feature:
    """A property of the TLS stack proved by a dialogue of its own.

    `name`: client-renegotiation, resumption-ticket, resumption-id, fallback-scsv, heartbleed, ccs-injection,
    ticketbleed, robot, grease-tolerant, version-tolerant, server-order, alpn-strict, early-data.
    `present` is None when the dialogue ended without an answer; `detail` says what was seen.
    """

    at: Endpoint
    name: str
    present: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class Advertised:
    """What DNS or a configuration file tells the world. `at.host` is the domain, port 0.

    `via`: mx, srv, autoconfig, autodiscover. `service`: catalogue id (`imaps`) where it has one.
    """

    at: Endpoint
    via: str
    service: str
    target: str
    port: int
    mode: Mode
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Unobserved:
    """Something we wanted to see and could not."""

    at: Endpoint
    wanted: str
    reason: Reason
    detail: str


Observation = (
    Vantage | Listening | Closed | Identified | Greeting | Capabilities | Upgrade | Tried | Injected | Hello
    | Accepted | Handshake | ChainSeen | CertificateSeen | Feature | Advertised | Unobserved
    | Answer | DomainFact | HostFact | FirewallFact | TrafficFact
)  # fmt: skip

Fact = TypeVar("Fact", bound=Observation)


@dataclass(frozen=True, slots=True)
class Seen:
    """All observations of a run, with quick look-up by kind and endpoint."""

    all: tuple[Observation, ...] = ()
    _index: dict[tuple[type, Endpoint], list[Observation]] = field(
        init=False, repr=False, compare=False, default_factory=lambda: defaultdict(list)
    )
    _kinds: dict[type, list[Observation]] = field(
        init=False, repr=False, compare=False, default_factory=lambda: defaultdict(list)
    )

    def __post_init__(self) -> None:
        for one in self.all:
            self._index[type(one), one.at].append(one)
            self._kinds[type(one)].append(one)

    def __iter__(self) -> Iterator[Observation]:
        return iter(self.all)

    def endpoints(self) -> tuple[Endpoint, ...]:
        return tuple(sorted({o.at for o in self.all if o.at.port}))

    def kind(self, kind: type[Fact]) -> list[Fact]:
        return [o for o in self._kinds.get(kind, ()) if isinstance(o, kind)]

    def at(self, kind: type[Fact], at: Endpoint) -> list[Fact]:
        return [o for o in self._index.get((kind, at), ()) if isinstance(o, kind)]


def of(kind: type[Fact], seen: Seen | Iterable[Observation], at: Endpoint | None = None) -> list[Fact]:
    """Every observation of one kind, in the order seen; at one endpoint when given."""
    if isinstance(seen, Seen):
        return seen.kind(kind) if at is None else seen.at(kind, at)
    return [o for o in seen if isinstance(o, kind) and (at is None or o.at == at)]


@dataclass(frozen=True, slots=True)
class Run:
    """Everything one audit gathered. `connections` counts TCP connections per endpoint, as strings."""

    seen: Seen
    started: datetime
    vantage: str = ""
    connections: dict[str, int] = field(default_factory=dict)
