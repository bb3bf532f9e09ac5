"""Faults that no package still has, on small servers: old TLS, injections, relays, and peers that only annoy.

Rows read like those of `variants`. Where a peer keeps us from seeing, `reasons` holds the words for it of which
one must be said. They need no root.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gatepost.catalogue.tls import VERSIONS
from gatepost.demo import nuisances
from gatepost.demo.habits import Fake, Habits, Injection, Relaying, Starttls
from gatepost.demo.servers import Handler
from gatepost.demo.world import Place, Stall

DOMAIN = "small.test"
NUMBERS = {
    "smtp": 10025,
    "submission": 10587,
    "submissions": 10465,
    "imap": 10143,
    "imaps": 10993,
    "pop3": 10110,
    "pop3s": 10995,
    "managesieve": 14190,
}
BESIDE = {"submission": "submissions", "imap": "imaps", "pop3": "pop3s"}  # expected next to it, in order


@dataclass(frozen=True, slots=True)
class Hostile:
    """A host with one listener that is odd. `service` is its name in the catalogue."""

    name: str
    story: str
    fails: frozenset[str]
    service: str
    habits: Habits
    instead: Callable[[Handler], Handler] | None = None
    reasons: frozenset[str] = frozenset()

    @property
    def host(self) -> str:
        return f"{self.name}.{DOMAIN}"


def places(net: str = "127.0.26") -> tuple[Place, ...]:
    """Every row, each at an address of its own; the good host comes first."""
    made = [Place(f"good.{DOMAIN}", f"{net}.1", tuple(_good(s, f"good.{DOMAIN}") for s in NUMBERS))]
    for number, row in enumerate(TABLE, 2):
        odd = Stall(
            NUMBERS[row.service],
            row.service,
            replace(row.habits, name=row.habits.name or row.host, domain=row.host),
            legacy=row.service in {"imap", "pop3"},
            instead=row.instead,
        )
        companion = (_good(BESIDE[row.service], row.host),) if row.service in BESIDE else ()
        made.append(Place(row.host, f"{net}.{number}", (odd, *companion)))
    return tuple(made)


def _good(service: str, host: str) -> Stall:
    habits = replace(USUAL[service], name=host, domain=host)
    return Stall(NUMBERS[service], service, habits, legacy=service in {"imap", "pop3"})


SUSPICION = 0.5  # seconds: so many hosts at once keep the client busy
USUAL = {
    "smtp": Habits("smtp", name="", suspicion=SUSPICION),
    "submission": Habits("smtp", name="", submission=True, suspicion=SUSPICION),
    "submissions": Habits("smtp", name="", submission=True, implicit=True),
    "imap": Habits("imap", name=""),
    "imaps": Habits("imap", name="", implicit=True),
    "pop3": Habits("pop3", name=""),
    "pop3s": Habits("pop3", name="", implicit=True),
    "managesieve": Habits("managesieve", name=""),
}


def odd(name: str, story: str, service: str, *fails: str, reasons: tuple[str, ...] = (), **habits: object) -> Hostile:
    changed = replace(USUAL[service], **habits)  # type: ignore[arg-type]  # keywords checked by the dataclass
    return Hostile(name, story, frozenset(fails), service, changed, reasons=frozenset(reasons))


def peer(
    name: str,
    story: str,
    service: str,
    instead: Callable[[Handler], Handler],
    *fails: str,
    reasons: tuple[str, ...] = (),
) -> Hostile:
    return Hostile(name, story, frozenset(fails), service, USUAL[service], instead, frozenset(reasons))


def always(handler: Handler) -> Callable[[Handler], Handler]:
    return lambda _server: handler


INJECTIONS = (
    odd("smtp-injected", "SMTP runs commands sent before TLS inside it", "smtp", "GP-STLS-003",
        injection=Injection.COMMAND),
    odd("imap-injected", "so does IMAP", "imap", "GP-STLS-003", injection=Injection.COMMAND),
    odd("pop3-injected", "so does POP3", "pop3", "GP-STLS-003", injection=Injection.COMMAND),
    odd("sieve-injected", "so does ManageSieve", "managesieve", "GP-STLS-003", injection=Injection.COMMAND),
    odd("smtp-answers-early", "SMTP answers behind its go-ahead, before TLS", "smtp", "GP-STLS-003",
        injection=Injection.RESPONSE),
    odd("imap-answers-early", "so does IMAP", "imap", "GP-STLS-003", injection=Injection.RESPONSE),
    odd("state-kept", "a transaction begun in clear goes on inside TLS", "smtp", "GP-STLS-004",
        injection=Injection.STATE),
    odd("starttls-again", "STARTTLS is offered inside TLS", "smtp", "GP-STLS-004", starttls_again=True),
)  # fmt: skip

UPGRADES = (
    odd("mangled", "a device writes X over STARTTLS", "smtp", "GP-STLS-007", starttls=Starttls.MANGLED),
    odd("temporary", "STARTTLS is offered and never works", "smtp", "GP-STLS-001", starttls=Starttls.TEMPORARY),
    odd("imap-without-starttls", "IMAP has no STARTTLS", "imap", "GP-STLS-001", starttls=Starttls.ABSENT),
    odd("pop3-without-stls", "POP3 has no STLS", "pop3", "GP-STLS-001", starttls=Starttls.ABSENT),
    odd("sieve-without-starttls", "ManageSieve has no STARTTLS", "managesieve", "GP-STLS-001",
        starttls=Starttls.ABSENT),
    odd("imap-in-clear", "IMAP takes passwords in clear", "imap", "GP-STLS-002", login_in_clear=True),
    odd("pop3-in-clear", "POP3 takes passwords in clear", "pop3", "GP-STLS-002", login_in_clear=True),
    odd("sieve-in-clear", "ManageSieve takes passwords in clear", "managesieve", "GP-STLS-002", login_in_clear=True),
    odd("preauth", "IMAP greets strangers as logged in", "imap", "GP-STLS-008", preauth=True),
)  # fmt: skip

TLS10, TLS12, SSL3 = VERSIONS["TLSv1.0"], VERSIONS["TLSv1.2"], VERSIONS["SSLv3"]
LEGACY = frozenset({TLS10, TLS12})
BITS_512 = b"\xd3" + bytes(range(1, 63)) + b"\x0b"
OLD_TLS = (
    odd("ssl2", "SSL 2.0 is spoken", "imaps", "GP-TLS-001", fake=Fake(ssl2_kinds=frozenset({0x010080, 0x0700C0}))),
    odd("ssl3", "SSL 3.0 is spoken", "imaps", "GP-TLS-001",
        fake=Fake(versions=frozenset({SSL3}), suites=frozenset({"TLS_RSA_WITH_AES_128_CBC_SHA"}))),
    odd("rc4", "RC4", "imaps", "GP-TLS-006", fake=Fake(suites=frozenset({"TLS_ECDHE_RSA_WITH_RC4_128_SHA"}))),
    odd("triple-des", "3DES", "imaps", "GP-TLS-006",
        fake=Fake(suites=frozenset({"TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"}))),
    odd("export", "export suites", "imaps", "GP-TLS-006",
        fake=Fake(suites=frozenset({"TLS_RSA_EXPORT_WITH_RC4_40_MD5"}))),
    odd("dh-512", "Diffie-Hellman with 512 bits", "imaps", "GP-TLS-005", "GP-TLS-007",
        fake=Fake(suites=frozenset({"TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"}), dh_prime=BITS_512)),
    odd("tiny-curve", "a curve of 160 bits", "imaps", "GP-TLS-007",
        fake=Fake(suites=frozenset({"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}), groups=(0x0010,))),
    odd("sha1-signature", "handshakes signed with SHA-1", "imaps", "GP-TLS-009",
        fake=Fake(suites=frozenset({"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}), scheme=0x0201)),
    odd("compression", "compresses before it encrypts", "imaps", "GP-TLS-010", fake=Fake(compression=True)),
    odd("plain-renegotiation", "no secure renegotiation", "imaps", "GP-TLS-011", fake=Fake(plain_renegotiation=True)),
    odd("heartbleed", "gives its memory away", "imaps", "GP-PATCH-003", fake=Fake(heartbeat=True, bleeds=True)),
    odd("early-change", "obeys an early ChangeCipherSpec", "imaps", "GP-PATCH-003",
        fake=Fake(obeys_early_change=True)),
)  # fmt: skip

RELAYS = (
    *(
        odd(f"relay-{kind.value}", "relays in this form", "smtp", "GP-RELAY-001", relays=frozenset({kind}))
        for kind in Relaying
    ),
    odd("strangers-submit", "a submission port without login", "submission", "GP-AUTH-001", takes_strangers=True),
    odd("anonymous", "SASL ANONYMOUS gets anyone in", "imaps", "GP-AUTH-002", mechanisms=("PLAIN", "ANONYMOUS")),
    odd("bare-lf", "a bare LF ends a command", "smtp", "GP-RELAY-005", bare_lf=True),
    odd("hears-early", "believes what came before the greeting", "smtp", "GP-RELAY-005", hears_early=True,
        suspicion=2.0),  # time enough for a client that is busy elsewhere
    odd("xclient", "anyone may pose as another client", "smtp", "GP-RELAY-004", xclient=True),
    odd("vrfy", "VRFY and EXPN answer", "smtp", "GP-RELAY-006", verifies=True),
    odd("any-helo", "HELO is not looked at", "smtp", "GP-PORT-011", any_helo=True),
    odd("old-exim", "an Exim of 2019", "smtp", "GP-PATCH-002", banner="mx.example ESMTP Exim 4.92"),
    odd("greylisting", "a newcomer is told to come back", "smtp", reasons=("greylisted",), greylists=True),
)  # fmt: skip

MUTE = ("GP-PORT-003",)
PEERS = (
    odd("limited", "421 for everyone", "smtp", reasons=("limited",), limit="421 4.7.0 too many connections"),
    odd("few", "421 after four connections", "smtp", reasons=("limited",), connections=4),
    odd("slow-greeting", "the greeting takes three seconds", "smtp", greet_delay=3.0),
    peer("silent", "accepts and never says a word", "smtp", always(nuisances.silent), reasons=("timeout",)),
    peer("hangs-up", "accepts and closes", "smtp", always(nuisances.mute_then_gone), reasons=("closed",)),
    peer("resets", "accepts and resets", "smtp", always(nuisances.resets), reasons=("closed", "reset")),
    peer("floods", "greets for ever", "smtp", always(nuisances.floods), reasons=("garbled",)),
    peer("endless-line", "a line that does not end", "smtp", always(nuisances.endless_line), reasons=("garbled",)),
    peer("drips", "one octet every half second", "smtp", always(nuisances.drips(b"220-", 0.5)), reasons=("tarpit",)),
    peer("garbage", "no protocol at all", "smtp", always(nuisances.garbage), reasons=("garbled",)),
    peer("half-a-line", "stops within its greeting", "smtp", always(nuisances.says(b"220 mail")),
         reasons=("tarpit", "timeout")),
    peer("http", "a web server on port 25", "smtp", always(nuisances.http), *MUTE),
    peer("ssh", "SSH on port 25", "smtp", always(nuisances.says(b"SSH-2.0-OpenSSH_9.2\r\n")), *MUTE),
    peer("no-thanks", "554 and gone", "smtp", always(nuisances.says(b"554 no\r\n", then_closes=True)),
         reasons=("refused",)),
)  # fmt: skip

TABLE: tuple[Hostile, ...] = (*INJECTIONS, *UPGRADES, *OLD_TLS, *RELAYS, *PEERS)
