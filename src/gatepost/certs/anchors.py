"""Trust anchors named by TLSA records: which certificate or key a record is of, and what leads down from it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from OpenSSL import crypto

from gatepost.certs.chain import EXPIRED, NOT_YET, SERVER_PURPOSES
from gatepost.certs.facts import certificate, guarded, subject_public_key_info
from gatepost.errors import PeerGarbled
from gatepost.model.certificate import Certificate
from gatepost.model.dns import Tlsa


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a usage 2 record vouches for. `above` when only a key is known, that signed `certificate`."""

    certificate: Certificate
    above: bool = False

    @property
    def name(self) -> str:
        return f"the issuer of {self.certificate.subject}" if self.above else self.certificate.subject


def associated(cert: Certificate, like: Tlsa) -> str:
    """The data a record of the same selector and matching type has for a certificate (RFC 6698 section 2.1.4)."""
    if like.matching == 1:
        return cert.spki_sha256 if like.selector else cert.sha256
    der = base64.b64decode(cert.der)
    part = guarded(lambda: _spki(der)) if like.selector else der
    return hashlib.sha512(part).hexdigest() if like.matching == 2 else part.hex()


def find(row: Tlsa, chain: tuple[Certificate, ...]) -> tuple[Anchor, ...]:
    """Authorities of the chain that fit a usage 2 record; never the server's own certificate.

    A record with a whole certificate or key needs no authority to be sent (RFC 7671 section 5.2.2). Raises
    PeerGarbled where such a record has neither in it.
    """
    sent = tuple(Anchor(one) for one in chain[1:] if associated(one, row) == row.data)
    if sent or row.matching:
        return sent
    data = bytes.fromhex(row.data)
    if row.selector == 0:
        return (Anchor(certificate(data)),)
    key = _key(data)
    return tuple(Anchor(one, above=True) for one in chain if _signed(one, key))


def objection(chain: tuple[Certificate, ...], anchor: Anchor, now: datetime) -> str:
    """Why the server's certificate does not follow from the anchor at `now`; empty when it does.

    OpenSSL is asked, with the anchor as the only thing it trusts; it need not be a root. That it has expired
    counts (RFC 7671 section 5.2), though OpenSSL in a client that allows no partial chains overlooks it.
    """
    store = crypto.X509Store()
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
    store.set_time(now.astimezone(UTC).replace(tzinfo=None))
    try:
        store.add_cert(_loaded(anchor.certificate))
        leaf, *rest = [_loaded(one) for one in chain]
        found = crypto.X509StoreContext(store, leaf, rest).get_verified_chain()
    except crypto.X509StoreContextError as error:
        return _why(error, anchor)
    except crypto.Error:
        return "a certificate that OpenSSL cannot read"
    return _purpose_objection([_facts(one) for one in found], anchor)


def _purpose_objection(path: list[Certificate], anchor: Anchor) -> str:
    below = path if anchor.above else path[:-1] or path
    for one in below:
        if one.extended_key_usage and not SERVER_PURPOSES & set(one.extended_key_usage):
            return f"{one.subject} is not for servers, only for {', '.join(one.extended_key_usage)}"
    return ""


def _why(error: crypto.X509StoreContextError, anchor: Anchor) -> str:
    code, _, words = error.errors
    at = _facts(error.certificate)
    who = at.subject or "the certificate"
    if code == EXPIRED:
        return f"{who} expired on {at.not_after:%Y-%m-%d}"
    if code == NOT_YET:
        return f"{who} is not valid before {at.not_before:%Y-%m-%d}"
    return f"does not lead to {anchor.name}: {words} ({who})"


def _loaded(one: Certificate) -> crypto.X509:
    return crypto.load_certificate(crypto.FILETYPE_ASN1, base64.b64decode(one.der))


def _facts(one: crypto.X509) -> Certificate:
    return certificate(crypto.dump_certificate(crypto.FILETYPE_ASN1, one))


def _spki(der: bytes) -> bytes:
    return subject_public_key_info(x509.load_der_x509_certificate(der).tbs_certificate_bytes)


Key = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey


def _key(data: bytes) -> Key:
    try:
        key = load_der_public_key(data)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise PeerGarbled("its data is no public key") from None
    if isinstance(key, Key):
        return key
    raise PeerGarbled("its data is a key that signs no certificates")


def _signed(cert: Certificate, key: Key) -> bool:
    one = x509.load_der_x509_certificate(base64.b64decode(cert.der))
    try:
        _verify(one, key)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _verify(one: x509.Certificate, key: Key) -> None:
    how, hashed = one.signature_algorithm_parameters, one.signature_hash_algorithm
    if isinstance(key, rsa.RSAPublicKey):
        if not isinstance(how, padding.PKCS1v15 | padding.PSS) or hashed is None:
            raise InvalidSignature
        key.verify(one.signature, one.tbs_certificate_bytes, how, hashed)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        if not isinstance(how, ec.ECDSA):
            raise InvalidSignature
        key.verify(one.signature, one.tbs_certificate_bytes, how)
    else:
        key.verify(one.signature, one.tbs_certificate_bytes)
