"""The TLS registries: names for numbers, numbers for names, and what a name says about its suite.

Data: `data/tls_registry.json`. Nothing is read before it is asked for. A code point without a name is written
`0x1234`, so that no answer of a peer is ever lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from hashlib import sha256

from gatepost.catalogue import document

VERSIONS: Mapping[str, int] = {
    "SSLv2": 0x0002,
    "SSLv3": 0x0300,
    "TLSv1.0": 0x0301,
    "TLSv1.1": 0x0302,
    "TLSv1.2": 0x0303,
    "TLSv1.3": 0x0304,
}

RENEGOTIATION_SCSV = 0x00FF  # RFC 5746 section 3.3
FALLBACK_SCSV = 0x5600  # RFC 7507
GREASE = tuple(0x0A0A + 0x1010 * i for i in range(16))  # RFC 8701: values no server may choke on


class Exchange(StrEnum):
    """How the secret comes about. Anonymous suites exchange like DHE or ECDHE and authenticate nobody."""

    ANY = "any"  # TLS 1.3: chosen apart from the suite, always ephemeral
    DH = "dh"
    DHE = "dhe"
    ECCPWD = "eccpwd"
    ECDH = "ecdh"
    ECDHE = "ecdhe"
    GOST = "gost"
    KRB5 = "krb5"
    PSK = "psk"
    RSA = "rsa"
    SRP = "srp"


class Authentication(StrEnum):
    ANON = "anon"
    ANY = "any"  # TLS 1.3
    DSS = "dss"
    ECDSA = "ecdsa"
    KRB5 = "krb5"
    NONE = "none"
    OTHER = "other"
    PSK = "psk"
    RSA = "rsa"


class Weakness(StrEnum):
    """Why a suite counts as broken, whatever a profile says."""

    ANON = "anon"
    DES = "des"
    EXPORT = "export"
    NULL = "null"
    RC2 = "rc2"
    RC4 = "rc4"
    TRIPLE_DES = "3des"


@dataclass(frozen=True, slots=True)
class Suite:
    """One cipher suite. `since` is the lowest version it is defined for."""

    code: int
    name: str
    exchange: Exchange
    authentication: Authentication
    weaknesses: frozenset[Weakness]
    aead: bool
    since: str

    @property
    def broken(self) -> bool:
        return bool(self.weaknesses)

    @property
    def forward_secret(self) -> bool:
        return self.exchange in {Exchange.ANY, Exchange.DHE, Exchange.ECDHE, Exchange.ECCPWD}

    @property
    def tls13(self) -> bool:
        return self.since == "TLSv1.3"


@dataclass(frozen=True, slots=True)
class Group:
    """One key-exchange group. `kind` is ecdhe, ffdhe, hybrid-pq or pq; `bits` is 0 where one number misleads."""

    code: int
    name: str
    kind: str
    bits: int
    tls12: bool
    tls13: bool


@dataclass(frozen=True, slots=True)
class Scheme:
    """One signature scheme; below TLS 1.3 the two octets are a hash and a key type. `hash` is empty for EdDSA."""

    code: int
    name: str
    hash: str
    key: str

    @property
    def weak(self) -> bool:
        """MD5, SHA-1, SHA-224, or a DSA key."""
        return self.hash in {"md5", "sha1", "sha224"} or self.key == "dsa"


@cache
def suites() -> tuple[Suite, ...]:
    """Every suite that can be negotiated, by code; signalling values are not among them."""
    table = _table("suites")
    return tuple(_suite(code, name) for code, name in table.items() if not name.endswith("_SCSV") and code)


@cache
def groups() -> tuple[Group, ...]:
    return tuple(_group(code, name) for code, name in _table("groups").items())


@cache
def schemes() -> tuple[Scheme, ...]:
    return tuple(_scheme(code, name) for code, name in _table("signatures").items())


def suite(name: str) -> Suite | None:
    return _by_name().get(name)


def suite_coded(code: int) -> Suite | None:
    return _by_code().get(code)


def suite_name(code: int) -> str:
    return _table("suites").get(code) or _unnamed(code)


def ssl2_kinds() -> Mapping[int, str]:
    """SSL 2.0 cipher kinds: three octets each."""
    return _table("ssl2_kinds")


def ssl2_kind_name(code: int) -> str:
    return _table("ssl2_kinds").get(code) or f"0x{code:06x}"


def group_name(code: int) -> str:
    return _table("groups").get(code) or _unnamed(code)


def group(name: str) -> Group | None:
    return next((g for g in groups() if g.name == name), None)


def scheme_name(code: int) -> str:
    return _table("signatures").get(code) or _unnamed(code)


def scheme(name: str) -> Scheme | None:
    return next((s for s in schemes() if s.name == name), None)


def version_name(code: int) -> str:
    return next((name for name, value in VERSIONS.items() if value == code), _unnamed(code))


def alert_name(code: int) -> str:
    return str(document("tls_registry")["alerts"].get(str(code), code))


def extension_name(code: int) -> str:
    return str(document("tls_registry")["extensions"].get(str(code)) or _unnamed(code))


def dh_prime_name(prime: bytes) -> str:
    """Where a Diffie-Hellman prime (big-endian) is known from, `unknown` otherwise."""
    digest = sha256(prime.lstrip(b"\0")).hexdigest()
    return str(document("tls_registry")["dh_primes"].get(digest, "unknown"))


def _unnamed(code: int) -> str:
    return f"0x{code:04x}"


@cache
def _table(name: str) -> Mapping[int, str]:
    return {int(code, 16): str(text) for code, text in document("tls_registry")[name].items()}


@cache
def _by_name() -> Mapping[str, Suite]:
    return {s.name: s for s in suites()}


@cache
def _by_code() -> Mapping[int, Suite]:
    return {s.code: s for s in suites()}


_MARKS = (
    (Weakness.ANON, re.compile(r"_anon_")),
    (Weakness.DES, re.compile(r"_DES(40)?_")),
    (Weakness.EXPORT, re.compile(r"_EXPORT")),
    (Weakness.NULL, re.compile(r"_WITH_NULL|^TLS_SHA\d+_SHA\d+$")),  # RFC 9150: integrity only
    (Weakness.RC2, re.compile(r"_RC2_")),
    (Weakness.RC4, re.compile(r"_RC4_")),
    (Weakness.TRIPLE_DES, re.compile(r"_3DES_")),
)
_AEAD = re.compile(r"_(GCM|CCM|MGM|OCB)(_|$)|_POLY1305_|_AEGIS_")
_NEWER_MAC = re.compile(r"_SHA(256|384)$")
_ONLY_13 = re.compile(r"^TLS_(AES|AEGIS|CHACHA20|SM4|SHA\d+)_|_MGM_")


def _suite(code: int, name: str) -> Suite:
    head = name.removeprefix("TLS_").partition("_WITH_")[0]
    tls13 = bool(_ONLY_13.search(name))
    exchange, authentication = (
        (Exchange.ANY, Authentication.ANY) if tls13 else _exchange(re.sub(r"_EXPORT(1024)?$", "", head))
    )
    aead = bool(_AEAD.search(name))
    return Suite(
        code,
        name,
        exchange,
        authentication,
        frozenset(weakness for weakness, mark in _MARKS if mark.search(name)),
        aead,
        "TLSv1.3" if tls13 else _since(name, exchange, aead=aead),
    )


def _since(name: str, exchange: Exchange, *, aead: bool) -> str:
    if aead or _NEWER_MAC.search(name):
        return "TLSv1.2"
    return "TLSv1.0" if exchange in {Exchange.ECDH, Exchange.ECDHE} else "SSLv3"  # RFC 8422: no curves in SSL 3.0


def _exchange(head: str) -> tuple[Exchange, Authentication]:
    """`DHE_RSA`, `ECDH_anon`, `PSK_DHE`, `SRP_SHA_DSS`: the part of a name before `_WITH_`."""
    words = head.split("_")
    if "PSK" in words:
        rest = next((w for w in words if w != "PSK"), "PSK")
        return Exchange(rest.lower()), Authentication.PSK
    if words[0] == "RSA":
        return Exchange.RSA, Authentication.RSA
    if words[-1] == "anon":
        return (Exchange.DHE if words[0] == "DH" else Exchange.ECDHE), Authentication.ANON
    if words[0] == "KRB5":
        return Exchange.KRB5, Authentication.KRB5
    if words[0].startswith("GOST"):
        return Exchange.GOST, Authentication.OTHER
    if words[0] == "SRP":
        return Exchange.SRP, Authentication(words[2].lower()) if len(words) > 2 else Authentication.NONE
    if words[0] == "ECCPWD":
        return Exchange.ECCPWD, Authentication.NONE
    return Exchange(words[0].lower()), Authentication(words[1].lower())


_TLS13_GROUPS = frozenset({
    "secp256r1", "secp384r1", "secp521r1", "x25519", "x448", "curveSM2",
    "GC256A", "GC256B", "GC256C", "GC256D", "GC512A", "GC512B", "GC512C",
})  # fmt: skip


def _group(code: int, name: str) -> Group:
    number = re.search(r"\d{3,}", name)
    if "MLKEM" in name or "Kyber" in name:
        kind = "pq" if name.startswith("MLKEM") else "hybrid-pq"
        return Group(code, name, kind, 0, tls12=False, tls13=True)
    if name.startswith("ffdhe"):
        return Group(code, name, "ffdhe", int(name[5:]), tls12=True, tls13=True)
    bits = {"x25519": 253, "curveSM2": 256}.get(name, int(number[0]) if number else 0)
    only13 = name.endswith("tls13")
    return Group(code, name, "ecdhe", bits, tls12=not only13, tls13=only13 or name in _TLS13_GROUPS)


def _scheme(code: int, name: str) -> Scheme:
    found = re.search(r"md5|sha\d+|sm3|gostr34102012", name)
    key = re.match(r"rsa|dsa|ecdsa|ed25519|ed448|mldsa|sm2|gost|eccsi|iso", name)
    return Scheme(code, name, found[0] if found else "", key[0] if key else "other")
