"""A key that will be served, from a PEM file: only its public half is ever looked at."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509 import load_pem_x509_certificate, load_pem_x509_csr

from gatepost.errors import UsageError, because

MAX_FILE = 262144  # octets: a long chain


def public_digest(path: Path) -> str:
    """SHA-256 of the SubjectPublicKeyInfo. Of a certificate chain, the first certificate. Raises UsageError."""
    try:
        with path.open("rb") as file:
            pem = file.read(MAX_FILE + 1)
    except OSError as error:
        raise UsageError(f"{path}: {because(error)}") from None
    if len(pem) > MAX_FILE:
        raise UsageError(f"{path}: larger than any key file ({MAX_FILE} octets)")
    try:
        key = _public(pem)
    except TypeError:
        raise UsageError(f"{path}: the key is encrypted; its certificate or public half will do") from None
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError(f"{path}: no key or certificate in PEM form") from None
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _public(pem: bytes) -> PublicKeyTypes:
    if b"PRIVATE KEY-----" in pem:
        return load_pem_private_key(pem, None).public_key()
    if b"BEGIN CERTIFICATE REQUEST-----" in pem:
        return load_pem_x509_csr(pem).public_key()
    if b"BEGIN CERTIFICATE-----" in pem:
        return load_pem_x509_certificate(pem).public_key()
    return load_pem_public_key(pem)
