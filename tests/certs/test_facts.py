"""Any certificate is read, or the peer is to blame."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, ObjectIdentifier
from hypothesis import given
from hypothesis import strategies as st

from gatepost.certs.facts import MAX_DER, certificate, printable
from gatepost.errors import PeerGarbled
from gatepost.model.certificate import Certificate
from tests.authority import HOST, NOW, Issued, family, issue

LEAF = family().leaf.der


def test_usual_certificate() -> None:
    made = family().leaf
    seen = certificate(made.der)
    assert seen.subject == f"CN={HOST}"
    assert seen.issuer == "CN=Test Intermediate"
    assert seen.common_name == HOST
    assert seen.dns_names == (HOST,)
    assert seen.serial == format(made.cert.serial_number, "x")
    assert (NOW - seen.not_before).days == 30
    assert (seen.not_after - NOW).days == 60
    assert (seen.key_type, seen.key_bits, seen.curve) == ("ecdsa", 256, "secp256r1")
    assert (seen.signature_hash, seen.signature_algorithm) == ("sha256", "ecdsa-with-SHA256")
    assert seen.key_usage == ("digital_signature",)
    assert seen.extended_key_usage == ("serverAuth",)
    assert not seen.is_ca
    assert not seen.self_issued
    assert seen.sha256 == hashlib.sha256(made.der).hexdigest()
    assert base64.b64decode(seen.der) == made.der


def test_authority() -> None:
    root = certificate(family().root.der)
    assert root.is_ca
    assert root.self_issued
    assert root.key_usage == ("digital_signature", "key_cert_sign", "crl_sign")


def test_extensions() -> None:
    ocsp = x509.AccessDescription(
        AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://ocsp.example")
    )
    point = x509.DistributionPoint([x509.UniformResourceIdentifier("http://crl.example/a")], None, None, None)
    seen = certificate(
        issue(
            "",
            names=("*.example.org", "192.0.2.25", "2001:db8::25"),
            purpose=ObjectIdentifier("1.2.3.4"),
            extra=(
                x509.AuthorityInformationAccess([ocsp]),
                x509.CRLDistributionPoints([point]),
                x509.TLSFeature([x509.TLSFeatureType.status_request]),
            ),
        ).der
    )
    assert seen.common_name is None
    assert seen.dns_names == ("*.example.org",)
    assert seen.ip_addresses == ("192.0.2.25", "2001:db8::25")
    assert seen.ocsp_urls == ("http://ocsp.example",)
    assert seen.crl_urls == ("http://crl.example/a",)
    assert seen.must_staple
    assert seen.extended_key_usage == ("1.2.3.4",)
    assert seen.sct_count == 0


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (rsa.generate_private_key(65537, 2048), ("rsa", 2048, None)),
        (ec.generate_private_key(ec.SECP521R1()), ("ecdsa", 521, "secp521r1")),
        (ed25519.Ed25519PrivateKey.generate(), ("ed25519", 256, None)),
        (ed448.Ed448PrivateKey.generate(), ("ed448", 456, None)),
    ],
)
def test_keys(key: rsa.RSAPrivateKey, told: tuple[str, int, str | None]) -> None:
    seen = certificate(issue(HOST, key=key).der)
    assert (seen.key_type, seen.key_bits, seen.curve) == told
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert seen.spki_sha256 == hashlib.sha256(spki).hexdigest()
    assert (seen.signature_hash is None) == (seen.key_type in {"ed25519", "ed448"})


def test_unknown_key_and_signature() -> None:
    """An OID nobody knows in the place of the key's and the signature's is still a readable certificate."""
    changed = LEAF.replace(bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06072a8648ce3d0209"))
    changed = changed.replace(bytes.fromhex("06082a8648ce3d040302"), bytes.fromhex("06082a8648ce3d04037f"))
    seen = certificate(changed)
    assert (seen.key_type, seen.key_bits) == ("other", 0)
    assert seen.signature_hash == "unknown"
    assert seen.signature_algorithm == "1.2.840.10045.4.3.127"


def test_serial_below_one_is_read() -> None:
    """Allowed by nobody, met in the wild; the library only warns."""
    at = LEAF.index(bytes.fromhex("a003020102")) + 5
    assert LEAF[at] == 2
    negative = bytearray(LEAF)
    negative[at + 2] |= 0x80
    assert certificate(bytes(negative)).serial.startswith("-")


@pytest.mark.parametrize(
    ("der", "words"),
    [
        (b"", "cannot be read"),
        (b"\x30\x80", "cannot be read"),
        (LEAF[:-1], "cannot be read"),
        (LEAF + b"\x00", "cannot be read"),
        (b"-----BEGIN CERTIFICATE-----", "cannot be read"),
        (b"\x00" * (MAX_DER + 1), "octets, more than"),
    ],
)
def test_no_certificate(der: bytes, words: str) -> None:
    with pytest.raises(PeerGarbled, match=words):
        certificate(der)


def test_names_cannot_move_the_cursor() -> None:
    seen = certificate(issue("a\x1b[2Jb\nc").der)
    assert seen.common_name == "a\\x1b[2Jb\\nc"
    assert "\x1b" not in seen.subject
    assert printable("é\u202e") == "é\\u202e"


def readable(der: bytes) -> Certificate | None:
    try:
        return certificate(der)
    except PeerGarbled as error:
        said = str(error)
    assert said.isprintable()
    return None


@given(st.binary(max_size=200))
def test_any_bytes(der: bytes) -> None:
    readable(der)


@given(st.lists(st.tuples(st.integers(0, len(LEAF) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_changed_certificate(changes: list[tuple[int, int]]) -> None:
    der = bytearray(LEAF)
    for at, value in changes:
        der[at] = value
    seen = readable(bytes(der))
    assert seen is None or seen.sha256 == hashlib.sha256(der).hexdigest()


def test_purpose_names() -> None:
    made: Issued = issue(HOST, purpose=ExtendedKeyUsageOID.CLIENT_AUTH)
    assert certificate(made.der).extended_key_usage == ("clientAuth",)
