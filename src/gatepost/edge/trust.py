"""Which authorities to trust: the system's, and those of `--ca FILE` as well.

Both, because operators with an authority of their own still serve public certificates on the MX.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import ssl
from pathlib import Path

from gatepost.certs.chain import Roots
from gatepost.certs.facts import certificate
from gatepost.errors import PeerGarbled, UsageError, because

MAX_FILE = 16 * 1024 * 1024  # octets; a system bundle has about 230,000
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, RHEL
    "/etc/pki/tls/certs/ca-bundle.crt",  # older RHEL
    "/var/lib/ca-certificates/ca-bundle.pem",  # openSUSE
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",  # macOS, BSD, Alpine
    "/usr/local/share/certs/ca-root-nss.crt",  # FreeBSD
    "/opt/homebrew/etc/ca-certificates/cert.pem",
    "/usr/local/etc/ca-certificates/cert.pem",
)
BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
CERTIFICATE = frozenset({b"CERTIFICATE", b"X509 CERTIFICATE"})


def roots(ca_file: Path | None = None, *, system: bool = True) -> Roots:
    """The trust store of this machine and the certificates of `ca_file`. Raises UsageError for a bad file.

    A machine without a store gives none: every public chain is then untrusted, and `origin` says why.
    """
    own = _own(ca_file) if ca_file else ()
    found = _system() if system else None
    public = _readable(found.read_bytes()) if found else ()
    origin = str(found) if found else "no system trust store"
    return Roots(
        tuple(dict.fromkeys((*public, *own))),
        f"{origin} and {ca_file}" if ca_file else origin,
    )


def _system() -> Path | None:
    """SSL_CERT_FILE first, as OpenSSL has it, then what Python was built with, then the usual places."""
    usual = ssl.get_default_verify_paths()
    candidates = (os.environ.get(usual.openssl_cafile_env), usual.cafile, usual.openssl_cafile, *BUNDLES)
    return next((path for path in map(Path, filter(None, candidates)) if _usable(path)), None)


def _usable(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size > 0 and os.access(path, os.R_OK)
    except OSError:
        return False


def _own(path: Path) -> tuple[bytes, ...]:
    data = _read(path)
    found: list[bytes] = []
    for n, der in enumerate(_blocks(data, path), 1):
        try:
            certificate(der)
        except PeerGarbled as error:
            raise UsageError(f"{path}: certificate {n}: {error}") from None
        found.append(der)
    if not found:
        raise UsageError(f"{path}: {_instead(data)}")
    return tuple(found)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE:
            raise UsageError(f"{path}: larger than {MAX_FILE} octets, not a file of CA certificates")
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {because(error)}") from None


def _blocks(data: bytes, path: Path) -> list[bytes]:
    try:
        return [base64.b64decode(body) for kind, body in BLOCK.findall(data) if kind in CERTIFICATE]
    except (binascii.Error, ValueError):
        raise UsageError(f"{path}: a CERTIFICATE block is not base64") from None


def _readable(data: bytes) -> tuple[bytes, ...]:
    """The certificates of a system bundle; one that nobody can read is no reason to trust none."""
    found: list[bytes] = []
    for kind, body in BLOCK.findall(data):
        if kind not in CERTIFICATE:
            continue
        try:
            der = base64.b64decode(body)
            certificate(der)
        except (binascii.Error, ValueError, PeerGarbled):
            continue
        found.append(der)
    return tuple(found)


def _instead(data: bytes) -> str:
    """Why nothing was found, in the words of whoever picked the wrong file."""
    if not data.strip():
        return "the file is empty"
    if kinds := [kind.decode() for kind, _ in BLOCK.findall(data)]:
        return f"holds no certificate, only {kinds[0]}"
    if data[:1] == b"\x30":
        return "not PEM but DER: convert it with `openssl x509 -inform der`"
    return "holds no PEM certificate (-----BEGIN CERTIFICATE-----)"
