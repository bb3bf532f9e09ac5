"""The public half of a DKIM key, as it stands in p= (RFC 6376 section 3.6.1, RFC 8463 section 4)."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from math import gcd

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)
from cryptography.x509 import load_der_x509_certificate

LEAST_BITS = 1024  # RFC 8301 section 3.2: verifiers refuse less
GOOD_BITS = 2048  # M3AAWG 2017; RFC 8301 asks signers for it
MOST_BITS = 4096  # what RFC 8301 obliges verifiers to check
ED25519_OCTETS = 32
MOST_OCTETS = 8192

_FOLDS = re.compile(r"[ \t\r\n]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_SMALL_PRIMES = 3 * 5 * 7 * 11 * 13 * 17 * 19 * 23 * 29 * 31 * 37 * 41 * 43 * 47
_PRIVATE = re.compile(rb"0(?:[^\x80-\xff]|\x81.|\x82..)\x02\x01[\x00\x01][\x02\x04\x30]", re.DOTALL)
"""Every form of a private key is a sequence that begins with its version, 0 or 1."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`fingerprint` is the SHA-256 of the octets of p=. Without a key to be read, it is empty and `bits` is 0."""

    bits: int = 0
    fingerprint: str = ""
    problems: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()


def read(kind: str, value: str) -> PublicKey:
    """The key in a p= that is not empty. `kind` is that of k=."""
    octets = _octets(value)
    if isinstance(octets, str):
        return PublicKey(problems=(octets,))
    found = _ed25519(octets) if kind == "ed25519" else _rsa(octets)
    return replace(found, fingerprint=sha256(octets).hexdigest()) if found.bits else found


def spelled(key: RSAPublicKey | Ed25519PublicKey) -> tuple[str, str]:
    """k= and p= for a key of ours."""
    if isinstance(key, Ed25519PublicKey):
        return "ed25519", b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    return "rsa", b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def same(kind: str, one: str, other: str) -> bool:
    """Whether two p= hold one key, in whatever wrapping."""
    keys = [_key_of(kind, value) for value in (one, other)]
    return keys[0] is not None and keys[0] == keys[1]


def _key_of(kind: str, value: str) -> tuple[str, str] | None:
    octets = _octets(value)
    if isinstance(octets, str):
        return None
    if kind == "ed25519" and len(octets) == ED25519_OCTETS:
        return kind, b64encode(octets).decode()
    key = _loaded(octets)
    return spelled(key) if isinstance(key, RSAPublicKey | Ed25519PublicKey) else None


def _octets(value: str) -> bytes | str:
    """What p= stands for, or in one sentence why it stands for nothing."""
    plain = _FOLDS.sub("", value)
    if "-----" in plain:
        return "p= has the BEGIN and END lines of a PEM file: only the text between them belongs here"
    if "\\" in plain or '"' in plain:
        return "p= has quotation marks or backslashes of a zone file inside: they became part of the key"
    if not _BASE64.fullmatch(plain):
        return "p= is no base64: it has characters that do not belong"
    if len(plain) % 4:
        return f"p= is no base64: {len(plain)} characters, not a multiple of four; a part seems to be missing"
    octets = b64decode(plain)
    return octets if len(octets) <= MOST_OCTETS else f"p= has {len(octets)} octets, more than any key"


def _ed25519(octets: bytes) -> PublicKey:
    if len(octets) == ED25519_OCTETS:
        return PublicKey(256)
    key = _loaded(octets)
    if isinstance(key, Ed25519PublicKey):
        raw = b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
        return PublicKey(
            256, problems=(f"p= wraps the Ed25519 key as OpenSSL prints it; RFC 8463 wants its 32 octets: p={raw}",)
        )
    if isinstance(key, RSAPublicKey):
        return PublicKey(key.key_size, problems=("k= says ed25519, but p= has an RSA key",))
    return PublicKey(problems=(f"p= has {len(octets)} octets; an Ed25519 key has {ED25519_OCTETS}",))


def _rsa(octets: bytes) -> PublicKey:
    key = _loaded(octets)
    if isinstance(key, RSAPublicKey):
        return _judged(key, octets)
    if isinstance(key, str):
        return PublicKey(problems=(_instead(octets) or key,))
    if isinstance(key, Ed25519PublicKey):
        return PublicKey(256, problems=("p= has an Ed25519 key, but k= says rsa or is missing",))
    name = type(key).__name__.removesuffix("PublicKey").strip("_")
    return PublicKey(problems=(f"p= has a key of type {name}, which no DKIM verifier takes",))


def _judged(key: RSAPublicKey, octets: bytes) -> PublicKey:
    bits, numbers = key.key_size, key.public_numbers()
    problems, advice = [], []
    if bits < LEAST_BITS:
        problems.append(f"RSA of {bits} bits: verifiers refuse less than {LEAST_BITS} (RFC 8301 section 3.2)")
    elif bits < GOOD_BITS:
        advice.append(f"RSA of {bits} bits is weak: {GOOD_BITS} are usual")
    elif bits > MOST_BITS:
        advice.append(f"RSA of {bits} bits: verifiers need not check more than {MOST_BITS}, and some do not")
    if numbers.n % 2 == 0 or gcd(numbers.n, _SMALL_PRIMES) > 1:
        problems.append("the modulus has a small factor: anybody can find the private key")
    if numbers.e < 65537:
        advice.append(f"the exponent is {numbers.e}; 65537 is usual")
    elif numbers.e >= 2**32:
        advice.append("the exponent has more than 32 bits, which some verifiers refuse")
    if octets != key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo):
        advice.append("p= has a bare RSAPublicKey; some verifiers read only SubjectPublicKeyInfo")
    return PublicKey(bits, problems=tuple(problems), advice=tuple(advice))


def _loaded(octets: bytes) -> PublicKeyTypes | str:
    """The key, or why there is none."""
    if (needed := _der_length(octets)) > len(octets):
        return f"the key is cut short: {len(octets)} of {needed} octets are there; was only its first string published?"
    try:
        return load_der_public_key(octets)
    except UnsupportedAlgorithm:
        return "p= has a key of a type that no DKIM verifier takes"
    except ValueError as error:
        objection = str(error)
        return f"p= has no usable key: {objection[:80]}" if objection.startswith("e must") else "p= has no public key"


def _instead(octets: bytes) -> str:
    """What was pasted in place of a public key."""
    if _PRIVATE.match(octets) and _loads(
        lambda: load_der_private_key(octets, None, unsafe_skip_rsa_key_validation=True)
    ):
        return "p= has a PRIVATE key: anybody can sign in your name; withdraw it at once and make a new pair"
    if _loads(lambda: load_der_x509_certificate(octets)):
        return "p= has a whole certificate; only its public key belongs here"
    return ""


def _loads(load: Callable[[], object]) -> bool:
    try:
        load()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _der_length(octets: bytes) -> int:
    """Octets the outer DER value says it has; 0 where that cannot be told."""
    if len(octets) < 2 or octets[0] != 0x30:
        return 0
    if octets[1] < 0x80:
        return 2 + octets[1]
    size = octets[1] & 0x7F
    if not 0 < size <= 3 or len(octets) < 2 + size:
        return 0
    return 2 + size + int.from_bytes(octets[2 : 2 + size], "big")
