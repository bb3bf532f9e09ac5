"""A certificate authority made on the spot, and the certificates good and bad servers of a lab present."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SHA256_RSA = bytes.fromhex("06092a864886f70d01010b")  # DER of the two object identifiers: the same length
SHA1_RSA = bytes.fromhex("06092a864886f70d010105")


class Flaw(StrEnum):
    """What is wrong with a certificate."""

    EXPIRED = "expired"
    FUTURE = "future"
    NO_INTERMEDIATE = "no-intermediate"
    NONE = "none"
    OLDER = "older"  # in order, and issued before all the others
    RSA_1024 = "rsa-1024"
    SELF_SIGNED = "self-signed"
    SHA1 = "sha1"
    UNKNOWN_CA = "unknown-ca"
    WRONG_NAME = "wrong-name"


class KeyKind(StrEnum):
    P256 = "p256"
    RSA = "rsa"


@dataclass(frozen=True, slots=True)
class Papers:
    """What a server loads: its key and its chain, leaf first, both PEM."""

    key: bytes
    chain: bytes

    @property
    def together(self) -> bytes:
        """Key and chain in one file, the form Postfix prefers."""
        return self.key + self.chain


def make_key(kind: KeyKind, bits: int = 2048) -> Key:
    if kind is KeyKind.P256:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, bits)


@dataclass(frozen=True)
class Authority:
    """A root and one intermediate. `now` is when everything was issued."""

    now: datetime
    title: str = "gatepost lab"
    root_key: Key = field(default_factory=lambda: make_key(KeyKind.P256))
    issuing_key: Key = field(default_factory=lambda: make_key(KeyKind.RSA))

    @cached_property
    def root(self) -> x509.Certificate:
        name = _name(f"{self.title} root")
        return _ca(name, name, self.root_key, self.root_key, self.now)

    @cached_property
    def intermediate(self) -> x509.Certificate:
        return _ca(_name(f"{self.title} issuing"), self.root.subject, self.issuing_key, self.root_key, self.now)

    @property
    def pem(self) -> bytes:
        """The root: what a client trusts."""
        return _pem(self.root)

    def issue(self, names: tuple[str, ...], flaw: Flaw = Flaw.NONE, key: Key | None = None) -> Papers:
        """A server certificate for `names` (the first is its common name), with one thing wrong at most."""
        if flaw is Flaw.RSA_1024:
            key = make_key(KeyKind.RSA, 1024)
        key = key or make_key(KeyKind.P256)
        leaf = self._leaf(("wrong.example",) if flaw is Flaw.WRONG_NAME else names, flaw, key)
        alone = flaw in {Flaw.NO_INTERMEDIATE, Flaw.SELF_SIGNED}
        chain = _pem(leaf) if alone else _pem(leaf) + _pem(self.intermediate)
        return Papers(_key_pem(key), chain)

    def _leaf(self, names: tuple[str, ...], flaw: Flaw, key: Key) -> x509.Certificate:
        start, end = _dates(flaw, self.now)
        subject = _name(names[0])
        own = flaw is Flaw.SELF_SIGNED
        signer = key if own else self.issuing_key
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if own else self.intermediate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName([_general(n) for n in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(ca=False, rsa_key=isinstance(key, rsa.RSAPrivateKey)), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(_issued_by(signer), critical=False)
        )
        certificate = builder.sign(signer, hashes.SHA256())
        if flaw is Flaw.SHA1 and isinstance(signer, rsa.RSAPrivateKey):
            return _with_sha1(certificate, signer)
        return certificate


def _dates(flaw: Flaw, now: datetime) -> tuple[datetime, datetime]:
    if flaw is Flaw.EXPIRED:
        return now - 90 * DAY, now - 3 * DAY
    if flaw is Flaw.FUTURE:
        return now + 3 * DAY, now + 90 * DAY
    if flaw is Flaw.OLDER:
        return now - 20 * DAY, now + 70 * DAY
    return now - HOUR, now + 90 * DAY


def _ca(
    subject: x509.Name, issuer: x509.Name, key: Key, signer: Key, now: datetime
) -> x509.Certificate:  # fmt: skip
    own = key is signer
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 365 * DAY)
        .not_valid_after(now + (3650 if own else 1825) * DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1 if own else 0), critical=True)
        .add_extension(_usage(ca=True, rsa_key=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_issued_by(signer), critical=False)
        .sign(signer, hashes.SHA256())
    )


def _with_sha1(certificate: x509.Certificate, signer: rsa.RSAPrivateKey) -> x509.Certificate:
    """SHA-1 is no longer issued by the library: swap the algorithm in the DER and sign it again."""
    old = certificate.tbs_certificate_bytes
    tbs = old.replace(SHA256_RSA, SHA1_RSA, 1)
    der = certificate.public_bytes(serialization.Encoding.DER).replace(old, tbs)
    signature = signer.sign(tbs, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - a bad example on purpose
    der = der.replace(SHA256_RSA, SHA1_RSA).replace(certificate.signature, signature)
    return x509.load_der_x509_certificate(der)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _issued_by(signer: Key) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())


def _usage(*, ca: bool, rsa_key: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=rsa_key,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
