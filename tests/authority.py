"""Certificates of every shape, made on the spot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    NameOID,
    ObjectIdentifier,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOST = "mx1.example.org"


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its key, able to issue others."""

    cert: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes

    @property
    def der(self) -> bytes:
        return self.cert.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.cert.public_bytes(Encoding.PEM)


def issue(
    common_name: str,
    by: Issued | None = None,
    *,
    ca: bool = False,
    names: tuple[str, ...] = (),
    days: tuple[int, int] = (-30, 60),
    purpose: ObjectIdentifier | None = ExtendedKeyUsageOID.SERVER_AUTH,
    issuer_url: str = "",
    path_length: int | None = None,
    key: CertificateIssuerPrivateKeyTypes | None = None,
    extra: tuple[x509.ExtensionType, ...] = (),
) -> Issued:
    """`days` are counted from NOW. Without `by` it signs itself."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.cert.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca, path_length), critical=True)
        .add_extension(x509.KeyUsage(True, False, False, False, False, ca, ca, False, False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if by:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.cert.public_key())  # type: ignore[arg-type]  # never DH here
        builder = builder.add_extension(identifier, critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(n) for n in names]), critical=False)
    if purpose and not ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    if issuer_url:
        where = x509.UniformResourceIdentifier(issuer_url)
        access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, where)
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    for extension in extra:
        builder = builder.add_extension(extension, critical=False)
    signer = by.key if by else key
    hashed = None if type(signer).__name__.startswith(("_Ed", "Ed")) else hashes.SHA256()
    return Issued(builder.sign(signer, hashed), key)


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


@dataclass(frozen=True, slots=True)
class Family:
    """The usual three: a root, an intermediate, a server."""

    root: Issued
    middle: Issued
    leaf: Issued


def family() -> Family:
    root = issue("Test Root", ca=True, days=(-900, 3000))
    middle = issue("Test Intermediate", root, ca=True, days=(-300, 1500), path_length=0)
    return Family(root, middle, issue(HOST, middle, names=(HOST,)))
