"""Files with DKIM keys: made so that only their owner can read them, and never shown."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from gatepost.errors import UsageError, because
from gatepost.records.dkim_public import GOOD_BITS, MOST_BITS, spelled

EXPONENT = 65537
MAX_FILE = 65536  # octets

PrivateKey = rsa.RSAPrivateKey | Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What a key file holds, as far as the world may know it. `exposed`: others on this machine can read it."""

    path: Path
    type: str
    bits: int
    p: str
    private: bool
    exposed: bool


def make(kind: str, bits: int = GOOD_BITS) -> PrivateKey:
    """Raises UsageError for a size that verifiers would refuse or that is weak."""
    if kind == "ed25519":
        return Ed25519PrivateKey.generate()
    if not GOOD_BITS <= bits <= MOST_BITS:
        why = f"{bits} are too weak for a new key" if bits < GOOD_BITS else "verifiers need not check larger keys"
        raise UsageError(f"--bits {bits}: an RSA key of {GOOD_BITS} to {MOST_BITS} bits is wanted; {why}")
    return rsa.generate_private_key(EXPONENT, bits)


def save(path: Path, key: PrivateKey, *, force: bool = False) -> KeyFile:
    """PKCS#8 in PEM, mode 0600, whole or not at all. Raises UsageError, also when the file exists without `force`."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        _write(path, pem, force=force)
    except FileExistsError:
        raise UsageError(f"{path} exists; a key is only replaced with --force, and lost then") from None
    except OSError as error:
        raise UsageError(f"{path}: {because(error)}") from None
    return read(path)


def read(path: Path) -> KeyFile:
    """A key pair or a public key in PEM. Raises UsageError."""
    try:
        with path.open("rb") as file:
            mode, pem = os.fstat(file.fileno()).st_mode, file.read(MAX_FILE + 1)
    except OSError as error:
        raise UsageError(f"{path}: {because(error)}") from None
    private = b"PRIVATE KEY-----" in pem
    public = _public(path, pem, private=private)
    kind, p = spelled(public)
    bits = public.key_size if isinstance(public, rsa.RSAPublicKey) else 256
    return KeyFile(path, kind, bits, p, private, private and bool(mode & (stat.S_IRWXG | stat.S_IRWXO)))


def _public(path: Path, pem: bytes, *, private: bool) -> rsa.RSAPublicKey | Ed25519PublicKey:
    if len(pem) > MAX_FILE:
        raise UsageError(f"{path}: larger than any key file ({MAX_FILE} octets)")
    try:
        key = load_pem_private_key(pem, None).public_key() if private else load_pem_public_key(pem)
    except TypeError:
        raise UsageError(f"{path}: the key is encrypted; signers need one without a passphrase") from None
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError(f"{path}: no key in PEM form") from None
    if isinstance(key, rsa.RSAPublicKey | Ed25519PublicKey):
        return key
    raise UsageError(f"{path}: a key of a type DKIM does not know; RSA or Ed25519 is wanted")


def _write(path: Path, content: bytes, *, force: bool) -> None:
    """Through a file beside it, which is created with mode 0600 whatever the umask; a link never replaces a file."""
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.", suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if force:
            Path(partial).replace(path)
        else:
            path.hardlink_to(partial)
        _settle(path.parent)
    finally:
        with suppress(FileNotFoundError):
            Path(partial).unlink()


def _settle(directory: Path) -> None:
    """The name survives a crash only when the directory is on disk as well."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
