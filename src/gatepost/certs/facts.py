"""DER in, `Certificate` out; whatever a peer sends as a certificate ends in one of the two answers."""

from __future__ import annotations

import base64
import hashlib
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from gatepost.errors import PeerGarbled
from gatepost.model.certificate import Certificate

MAX_DER = 131072  # octets; the largest honest mail certificates stay below 10 kB
MAX_NAMES = 1000  # names, addresses or URLs kept of one certificate
MAX_TEXT = 1000  # characters kept of a distinguished name

KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)
PURPOSES = {ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth", ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth"}
KEY_OIDS = {"1.2.840.113549.1.1.1": "rsa", "1.2.840.10045.2.1": "ecdsa", "1.2.840.10040.4.1": "dsa"}

Extension = TypeVar("Extension", bound=x509.ExtensionType)
Value = TypeVar("Value")


def certificate(der: bytes) -> Certificate:
    """Read one certificate. Raises PeerGarbled, with one sentence, for anything that is not quite one."""
    if len(der) > MAX_DER:
        raise PeerGarbled(f"a certificate of {len(der)} octets, more than {MAX_DER}")
    return guarded(lambda: _certificate(x509.load_der_x509_certificate(der), der))


def guarded(read: Callable[[], Value]) -> Value:
    """Turn what the X.509 library raises over a peer's bytes into the peer's fault."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # serial numbers below one and the like: judged elsewhere
            return read()
    except (
        ValueError,
        TypeError,
        OverflowError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    ) as error:
        raise PeerGarbled(f"a certificate that cannot be read: {printable(str(error))[:200]}") from None


def printable(text: str) -> str:
    """Control characters escaped: a name from a peer must not move the operator's cursor."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _certificate(seen: x509.Certificate, der: bytes) -> Certificate:
    spki = subject_public_key_info(seen.tbs_certificate_bytes)
    key_type, key_bits, curve = _key(seen)
    names = _names(seen)
    return Certificate(
        sha256=hashlib.sha256(der).hexdigest(),
        spki_sha256=hashlib.sha256(spki).hexdigest(),
        subject=printable(seen.subject.rfc4514_string())[:MAX_TEXT],
        issuer=printable(seen.issuer.rfc4514_string())[:MAX_TEXT],
        serial=format(seen.serial_number, "x"),
        not_before=seen.not_valid_before_utc,
        not_after=seen.not_valid_after_utc,
        dns_names=tuple(names.get_values_for_type(x509.DNSName))[:MAX_NAMES],
        ip_addresses=tuple(str(ip) for ip in names.get_values_for_type(x509.IPAddress))[:MAX_NAMES],
        common_name=_common_name(seen),
        key_type=key_type,
        key_bits=key_bits,
        curve=curve,
        signature_hash=_signature_hash(seen),
        signature_algorithm=_signature_name(seen),
        is_ca=_is_ca(seen),
        key_usage=_key_usage(seen),
        extended_key_usage=_purposes(seen),
        ocsp_urls=_authority_urls(seen, AuthorityInformationAccessOID.OCSP),
        crl_urls=_crl_urls(seen),
        ca_issuer_urls=_authority_urls(seen, AuthorityInformationAccessOID.CA_ISSUERS),
        sct_count=_sct_count(seen),
        must_staple=_must_staple(seen),
        self_issued=seen.issuer == seen.subject,
        der=base64.b64encode(der).decode("ascii"),
    )


def subject_public_key_info(tbs: bytes) -> bytes:
    """The SubjectPublicKeyInfo exactly as sent (RFC 5280 section 4.1), also for keys no library knows.

    Re-encoding a parsed key could give other bytes, and TLSA matches the bytes.
    """
    body = _content(tbs, 0)
    start = 0
    if body[:1] == b"\xa0":  # the version, absent in version 1
        start = _end(body, 0)
    for _ in ("serial", "signature", "issuer", "validity", "subject"):
        start = _end(body, start)
    return body[start : _end(body, start)]


def _content(data: bytes, at: int) -> bytes:
    head, length = _header(data, at)
    return data[head : head + length]


def _end(data: bytes, at: int) -> int:
    head, length = _header(data, at)
    return head + length


def _header(data: bytes, at: int) -> tuple[int, int]:
    """Where the content of the element at `at` begins, and its length."""
    if at + 2 > len(data):
        raise ValueError("an element is cut short")
    first = data[at + 1]
    octets = first & 0x7F if first & 0x80 else 0
    if octets > 4:
        raise ValueError("an element is too long")
    head = at + 2 + octets
    length = int.from_bytes(data[at + 2 : head], "big") if octets else first
    if head + length > len(data):
        raise ValueError("an element is cut short")
    return head, length


def _key(seen: x509.Certificate) -> tuple[str, int, str | None]:
    """Type, size in bits and group. A key the library cannot hold has 0 bits."""
    try:
        key = seen.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return KEY_OIDS.get(seen.public_key_algorithm_oid.dotted_string, "other"), 0, None
    match key:
        case rsa.RSAPublicKey():
            return "rsa", key.key_size, None
        case ec.EllipticCurvePublicKey():
            return "ecdsa", key.key_size, key.curve.name
        case ed25519.Ed25519PublicKey():
            return "ed25519", 256, None
        case ed448.Ed448PublicKey():
            return "ed448", 456, None
        case dsa.DSAPublicKey():
            return "dsa", key.key_size, None
        case _:
            return "other", 0, None


def _extension(seen: x509.Certificate, kind: type[Extension]) -> Extension | None:
    try:
        return seen.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _names(seen: x509.Certificate) -> x509.SubjectAlternativeName:
    return _extension(seen, x509.SubjectAlternativeName) or x509.SubjectAlternativeName([])


def _common_name(seen: x509.Certificate) -> str | None:
    found = seen.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    value = found[-1].value if found else None
    return printable(value)[:MAX_TEXT] if isinstance(value, str) else None


def _signature_hash(seen: x509.Certificate) -> str | None:
    """`unknown` for an algorithm nobody implements: None would say it needs no hash."""
    try:
        used = seen.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return "unknown"
    return used.name if used else None


def _signature_name(seen: x509.Certificate) -> str:
    oid = seen.signature_algorithm_oid
    name = str(getattr(oid, "_name", ""))
    return name if name and name != "Unknown OID" else oid.dotted_string


def _is_ca(seen: x509.Certificate) -> bool:
    found = _extension(seen, x509.BasicConstraints)
    return bool(found and found.ca)


def _key_usage(seen: x509.Certificate) -> tuple[str, ...]:
    found = _extension(seen, x509.KeyUsage)
    return tuple(usage for usage in KEY_USAGES if getattr(found, usage)) if found else ()


def _purposes(seen: x509.Certificate) -> tuple[str, ...]:
    found = _extension(seen, x509.ExtendedKeyUsage)
    return tuple(PURPOSES.get(oid, oid.dotted_string) for oid in found or ())[:MAX_NAMES]


def _authority_urls(seen: x509.Certificate, method: x509.ObjectIdentifier) -> tuple[str, ...]:
    found = _extension(seen, x509.AuthorityInformationAccess)
    return tuple(
        printable(one.access_location.value)
        for one in found or ()
        if one.access_method == method and isinstance(one.access_location, x509.UniformResourceIdentifier)
    )[:MAX_NAMES]


def _crl_urls(seen: x509.Certificate) -> tuple[str, ...]:
    found = _extension(seen, x509.CRLDistributionPoints)
    return tuple(
        printable(name.value)
        for point in found or ()
        for name in point.full_name or ()
        if isinstance(name, x509.UniformResourceIdentifier)
    )[:MAX_NAMES]


def _sct_count(seen: x509.Certificate) -> int:
    with suppress(UnsupportedAlgorithm):
        return len(tuple(_extension(seen, x509.PrecertificateSignedCertificateTimestamps) or ()))
    return 0


def _must_staple(seen: x509.Certificate) -> bool:
    found = _extension(seen, x509.TLSFeature)
    return bool(found and x509.TLSFeatureType.status_request in found)
