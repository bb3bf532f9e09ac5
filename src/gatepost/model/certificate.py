"""What a certificate says, as plain values; the reading of DER is in `certs`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Certificate:
    """One X.509 certificate. Times are aware UTC. `der` is base64 so that a saved run can be read back."""

    sha256: str  # fingerprint of the DER, lower-case hex
    spki_sha256: str  # of the SubjectPublicKeyInfo: the same key in two certificates
    subject: str
    issuer: str
    serial: str  # lower-case hex
    not_before: datetime
    not_after: datetime
    dns_names: tuple[str, ...]
    ip_addresses: tuple[str, ...]
    common_name: str | None
    key_type: str  # rsa, ecdsa, ed25519, ed448, dsa, other
    key_bits: int
    curve: str | None  # TLS group name (secp256r1), for ecdsa
    signature_hash: str | None  # sha256, sha1, md5; None for EdDSA
    signature_algorithm: str  # sha256WithRSAEncryption and so on
    is_ca: bool
    key_usage: tuple[str, ...]  # digital_signature, key_encipherment and so on; empty: no extension
    extended_key_usage: tuple[str, ...]  # serverAuth, clientAuth, dotted OID otherwise
    ocsp_urls: tuple[str, ...]
    crl_urls: tuple[str, ...]
    ca_issuer_urls: tuple[str, ...]
    sct_count: int
    must_staple: bool
    self_issued: bool  # issuer equals subject
    der: str


@dataclass(frozen=True, slots=True)
class Trust:
    """The answer of a verifier. `why` is empty when `valid`."""

    valid: bool
    why: str = ""
    path: tuple[str, ...] = ()  # sha256 of each certificate from leaf to root, when valid
    missing_intermediate: bool = False  # invalid as sent, but would be valid with a certificate not sent
    web_profile: str = ""  # what a strict web verifier objects to; empty when it agrees or was not asked
