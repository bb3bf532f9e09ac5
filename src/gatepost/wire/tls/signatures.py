"""Which signature schemes a server signs its TLS 1.3 handshakes with, asked one by one.

The signature is encrypted, but a server that cannot sign says so in clear instead of its ServerHello. It decides
so late that a HelloRetryRequest says nothing: these hellos carry a key. Nobody knows its secret half; it is
enough that it is a point of the group.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from gatepost.catalogue import tls
from gatepost.catalogue.tls import Authentication, Scheme
from gatepost.model.observation import Accepted, ChainSeen, Observation
from gatepost.wire.tls import extensions as ext
from gatepost.wire.tls.interview import Interview
from gatepost.wire.tls.modern import VERSION, Modern
from gatepost.wire.tls.offers import Offer, all_schemes, codes
from gatepost.wire.tls.rules import rows

# The base points (RFC 7748 section 4, SEC 2 sections 2.4.2 and 2.5.1).
POINTS = {
    "x25519": (9).to_bytes(32, "little"),
    "secp256r1": bytes.fromhex(
        "04"
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    ),
    "secp384r1": bytes.fromhex(
        "04"
        "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7"
        "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f"
    ),
    "x448": (5).to_bytes(56, "little"),
}

# How a SubjectPublicKeyInfo begins, up to the key (RFC 8410, RFC 5480, RFC 4055), and what such a key signs with.
_EC = bytes.fromhex("06072a8648ce3d0201")
_BY_KEY = {
    bytes.fromhex("300506032b6570032100"): ("ed25519",),
    bytes.fromhex("300506032b6571033a00"): ("ed448",),
    _EC + bytes.fromhex("06082a8648ce3d030107"): ("ecdsa_secp256r1_sha256",),
    _EC + bytes.fromhex("06052b81040022"): ("ecdsa_secp384r1_sha384",),
    _EC + bytes.fromhex("06052b81040023"): ("ecdsa_secp521r1_sha512",),
    _EC + bytes.fromhex("06092b2403030208010107"): ("ecdsa_brainpoolP256r1tls13_sha256",),
    _EC + bytes.fromhex("06092b240303020801010b"): ("ecdsa_brainpoolP384r1tls13_sha384",),
    _EC + bytes.fromhex("06092b240303020801010d"): ("ecdsa_brainpoolP512r1tls13_sha512",),
    bytes.fromhex("300d06092a864886f70d010101050003"): (
        "rsa_pss_rsae_sha256",
        "rsa_pss_rsae_sha384",
        "rsa_pss_rsae_sha512",
    ),
}
_BY_AUTHENTICATION = {Authentication.RSA: "rsa_pss_rsae_", Authentication.ECDSA: "ecdsa_secp"}


@dataclass(slots=True)
class Signatures:
    """Asked last, and only while hellos are left. `leaves` are the certificates seen so far."""

    interview: Interview
    sni: str | None
    leaves: list[bytes] = field(default_factory=list)

    def note(self, seen: Observation) -> None:
        if isinstance(seen, ChainSeen) and seen.sni == self.sni:
            self.leaves.append(b64decode(seen.chain[0]))

    async def run(self, modern: Modern, suites: Iterable[int]) -> AsyncIterator[Observation]:
        """Each scheme that fits a key, then all others at once, and those one by one if that is accepted.

        `suites` are those below TLS 1.3: they tell the kind of key where no certificate can be read.
        """
        if not modern.suites:
            return
        share = next(((c, key) for name, key in POINTS.items() if (c := _group(name)) in modern.groups), None)
        likely = self._likely(suites)
        others = tuple(s for s in usable() if s not in likely)
        found: list[str] = []
        asked = [*((s,) for s in likely), others]
        while asked and share is not None and self.interview.left:
            schemes = asked.pop(0)
            answer = await self.interview.put(self._offer(modern, schemes, share))
            for seen in self.interview.drain():
                yield seen
            if answer.missed is not None or answer.flight.retry:  # one that overlooks the key will do so again
                asked.append(schemes)
                break
            if answer.accepted and len(schemes) > 1:
                asked += [(scheme,) for scheme in schemes]
            elif answer.accepted:
                found.append(schemes[0].name)
        complete = not asked and bool(found)  # it has to sign with something
        yield Accepted(self.interview.at, "signatures", VERSION, tuple(found), complete=complete)

    def _offer(self, modern: Modern, schemes: tuple[Scheme, ...], share: tuple[int, bytes]) -> Offer:
        """Any scheme will do for the certificates themselves (RFC 8446 section 4.2.3)."""
        chain = ext.signature_algorithms_cert(all_schemes())
        return Offer(
            "tls1.3-signatures",
            tuple(modern.suites),
            VERSION,
            self.sni,
            (share[0],),
            codes(schemes),
            extras=(chain,),
            shares=(share,),
        )

    def _likely(self, suites: Iterable[int]) -> tuple[Scheme, ...]:
        """By the keys of the certificates; where those are unreadable, by the suites."""
        names = {n for leaf in self.leaves for key, signs in _BY_KEY.items() if key in leaf for n in signs}
        if names:
            return tuple(s for s in usable() if s.name in names)
        kinds = {s.authentication for s in rows(suites)}
        begins = tuple(word for kind, word in _BY_AUTHENTICATION.items() if kind in kinds)
        return tuple(s for s in usable() if begins and s.name.startswith(begins))


def usable() -> tuple[Scheme, ...]:
    """What may sign a handshake in TLS 1.3: no PKCS #1 v1.5, no SHA-1 or older (RFC 8446 section 4.2.3)."""
    return tuple(s for s in tls.schemes() if not s.weak and not s.name.startswith("rsa_pkcs1_"))


def _group(name: str) -> int:
    group = tls.group(name)
    return -1 if group is None else group.code
