"""What one hello asks for.

Offer names are stable words; they come back in `Hello.offer` and, behind `tls:`, in `Unobserved.wanted`. Below,
what each offers, and what its refusal means:

ssl2                     SSL 2.0, all its ciphers: no SSL 2.0 (but `ssl2:…` means that it is spoken)
tls1.1-and-below         at most TLS 1.1, every suite: no SSL 3.0, TLS 1.0 or 1.1, as a server picks its highest
tls1.1, tls1.0, ssl3     at most that version: it and all below are refused
allowed-rsa, -ecdsa      TLS 1.2, what the profile allows, by the certificate's key: nothing of it works
allowed-dhe              TLS 1.2, the finite-field suites a profile allows: none works
forbidden, forbidden-2 … TLS 1.2, every suite the profile forbids or phases out and every broken one, from the second
                         hello on without the classes already seen: nothing of it works, or no further class
forbidden-dhe, -2 …      finite-field suites before one that works, after a silent close: picked, then failed
…-without-dhe            the same offer after a silent close, without finite-field suites: as the first
behind-good              last of all, what met silence before a suite that works: silence was an answer
no-sni                   suites known to work, without a server name: the server insists on a name
weak-groups              TLS 1.2, only curves outside the profile: none works
weak-signatures          TLS 1.2, only MD5, SHA-1, DSA and what the profile forbids or phases out: none works
tls1.3                   TLS 1.3 only, hybrid groups first, then what the profile allows: no TLS 1.3
tls1.3-hybrid            post-quantum groups only, not asked when `tls1.3` chose a hybrid: none works
tls1.3-forbidden-groups, tls1.3-forbidden-suites     TLS 1.3, only what is outside the profile: none works
certificate-rsa, -ecdsa  at most TLS 1.2, any suite of that key: no such certificate
suites, groups, signatures, tls1.3-suites, sample    further steps of the inventory: the list is complete
tls1.3-signatures        TLS 1.3, some signature schemes and a key: the server cannot sign with any of them
fallback, grease, high-version, alpn, order, session-id     what works, with one oddity: the server does not bear it
ticketbleed, robot       see `attacks`

An accepted hello proves what its fields say, whatever its name; a refused one proves what is said above. An offer
that is empty under a profile, or that an earlier answer made pointless, is not made. A silent close (`closed`,
`reset`) or `alert:internal_error` is a refusal only where no finite-field suite was on offer (a Dovecot without
`ssl_dh` picks one and hangs up), and silence only where `behind-good` was accepted: else the server may have stopped
talking to us, or drop hellos of that length.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from gatepost.catalogue import tls
from gatepost.catalogue.tls import Group
from gatepost.wire.tls import extensions as ext
from gatepost.wire.tls.client_hello import ClientHello

USUAL_GROUPS = ("X25519MLKEM768", "x25519", "secp256r1", "x448", "secp521r1", "secp384r1")
_SMALLEST_PADDED, _LARGEST_PADDED = 256, 511  # RFC 7685: hello sizes that old load balancers hang on


@dataclass(frozen=True, slots=True)
class Offer:
    """One ClientHello in words. `version` is the highest on offer, and the only one for TLS 1.3.

    `session_id` and `extras` (further extensions) are for the oddities; `legacy` replaces the version field.
    Without `ticket` no session ticket is asked for: a server that gives one leaves the session id empty.
    `shares` are groups with keys; without them TLS 1.3 answers with a HelloRetryRequest.
    """

    name: str
    suites: tuple[int, ...]
    version: str = "TLSv1.2"
    sni: str | None = None
    groups: tuple[int, ...] = ()
    schemes: tuple[int, ...] = ()
    fallback: bool = False
    grease: bool = False
    session_id: bytes = b""
    extras: ext.Extensions = ()
    legacy: int | None = None
    ticket: bool = True
    shares: tuple[tuple[int, bytes], ...] = ()

    @property
    def hello(self) -> ClientHello:
        if self.version == "SSLv2":
            return ClientHello(0x0002, self.suites, None, b"", (), self._random[:16], 0, ssl2=True)
        return _padded(self._tls13() if self.version == "TLSv1.3" else self._classic())

    @property
    def _random(self) -> bytes:
        """No secret: nothing is ever encrypted with it. The same offer always gives the same hello."""
        return sha256(f"{self.name} {self.version} {self.sni}".encode()).digest()

    def _classic(self) -> ClientHello:
        version = tls.VERSIONS[self.version]
        suites = self.suites + ((tls.FALLBACK_SCSV,) if self.fallback else ())
        if self.version == "SSLv3":
            return ClientHello(version, (*suites, tls.RENEGOTIATION_SCSV), None, random=self._random, record=version)
        extensions = (
            *self._name(),
            ext.NEVER_NEGOTIATED,
            ext.supported_groups(self._groups()),
            ext.POINT_FORMATS,
            *((self._signatures(),) if self.version == "TLSv1.2" else ()),
            *self._ticket(),
            ext.STAPLE_WANTED,
            ext.EMS,
            ext.ETM,
            ext.HEARTBEAT_ALLOWED,
            ext.SCT_WANTED,
            *self._oddities(),
        )
        return ClientHello(
            self.legacy or version, self._suites(suites), extensions, self.session_id, (1, 0), self._random
        )

    def _tls13(self) -> ClientHello:
        extensions = (
            *self._name(),
            ext.supported_versions((tls.VERSIONS["TLSv1.3"],)),
            ext.supported_groups(self._groups()),
            self._signatures(),
            ext.PSK_WITH_DHE,
            *self._oddities(),
            ext.key_share(self.shares),
        )
        return ClientHello(
            suites=self._suites(self.suites), extensions=extensions, session_id=self._random, random=self._random
        )

    def _name(self) -> ext.Extensions:
        return () if self.sni is None else (ext.server_name(self.sni),)

    def _groups(self) -> tuple[int, ...]:
        tls13 = self.version == "TLSv1.3"
        return ((tls.GREASE[0],) if self.grease else ()) + (self.groups or all_groups(tls13=tls13))

    def _signatures(self) -> ext.Extension:
        return ext.signature_algorithms(self.schemes or all_schemes())

    def _suites(self, suites: tuple[int, ...]) -> tuple[int, ...]:
        return ((tls.GREASE[1],) if self.grease else ()) + suites

    def _ticket(self) -> ext.Extensions:
        brought = any(number == ext.SESSION_TICKET for number, _ in self.extras)
        return (ext.NO_TICKET_YET,) if self.ticket and not brought else ()

    def _oddities(self) -> ext.Extensions:
        return self.extras + (((tls.GREASE[2], b""),) if self.grease else ())


def _padded(hello: ClientHello) -> ClientHello:
    size = 4 + 2 + 32 + 1 + len(hello.session_id) + 2 + 2 * len(hello.suites) + 1 + len(hello.compressions)
    if hello.extensions is None:
        return hello
    size += len(ext.render_extensions(hello.extensions))
    if not _SMALLEST_PADDED <= size <= _LARGEST_PADDED:
        return hello
    filler = ext.padding(max(0, _LARGEST_PADDED + 1 - size - 4))
    return ClientHello(
        hello.version, hello.suites, (filler, *hello.extensions), hello.session_id, hello.compressions, hello.random
    )  # fmt: skip


def all_groups(*, tls13: bool) -> tuple[int, ...]:
    """Every group usable in a version, the usual ones first; hybrids lead in TLS 1.3.

    Below TLS 1.3 without finite-field groups: a server that knows RFC 7919 would use one of them for us, and its
    own weak one for everybody else.
    """
    usable = [g for g in tls.groups() if (g.tls13 if tls13 else g.tls12 and g.kind != "ffdhe")]
    usable.sort(key=lambda g: (g.kind != "hybrid-pq", _place(g), g.code))
    return codes(usable)


def _place(group: Group) -> int:
    return USUAL_GROUPS.index(group.name) if group.name in USUAL_GROUPS else len(USUAL_GROUPS)


def all_schemes() -> tuple[int, ...]:
    """Every signature scheme, the strong ones first."""
    rows = sorted(tls.schemes(), key=lambda s: (s.weak, s.hash == ""))
    return codes(rows)


class Coded(Protocol):
    @property
    def code(self) -> int: ...


def codes(rows: Iterable[Coded]) -> tuple[int, ...]:
    return tuple(row.code for row in rows)
