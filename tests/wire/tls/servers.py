"""Servers everybody meets, as policies for the simulation."""

from __future__ import annotations

from gatepost.catalogue import tls
from gatepost.catalogue.tls import Exchange, Weakness
from tests.wire.tls.simulated import Server, code, groups, suites

MODERN13 = tuple(
    code(f"TLS_{word}") for word in ("AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256", "AES_128_GCM_SHA256")
)
STRICT12 = tuple(
    s.code
    for s in tls.suites()
    if s.exchange is Exchange.ECDHE
    and s.aead
    and any(w in s.name for w in ("AES_128_GCM", "AES_256_GCM", "CHACHA20"))
    and "PSK" not in s.name
)
HYBRIDS = groups("X25519MLKEM768", "SecP256r1MLKEM768")


def clean(**changes: object) -> Server:
    """What every profile but the closed ones is content with."""
    server = Server({"TLSv1.2": STRICT12, "TLSv1.3": MODERN13}, groups13=HYBRIDS + groups("x25519", "secp256r1"))
    server.groups12 = groups("x25519", "secp256r1")
    server.schemes = tuple(s for s in server.schemes if tls.scheme_name(s) != "rsa_pkcs1_sha224")
    for name, value in changes.items():
        setattr(server, name, value)
    return server


def _stock(*, anonymous: bool) -> tuple[int, ...]:
    """The 56 suites of a Postfix with OpenSSL 3.0 and an RSA certificate."""
    ciphers = ("AES_128_CBC", "AES_256_CBC", "CAMELLIA", "ARIA", "AES_128_GCM", "AES_256_GCM", "CHACHA20", "CCM")
    rows = [
        s
        for s in tls.suites()
        if any(c in s.name for c in ciphers)
        and s.exchange in {Exchange.ECDHE, Exchange.DHE, Exchange.RSA}
        and s.authentication.value in {"rsa", "ecdsa", "anon"}
        and (anonymous or Weakness.ANON not in s.weaknesses)
        and not ("CAMELLIA" in s.name and "GCM" in s.name)
        and not ("ARIA" in s.name and "CBC" in s.name)
        and not ("ARIA" in s.name and s.authentication.value == "anon")
    ]
    return tuple(s.code for s in rows)


def postfix(*, below: bool = False) -> Server:
    """A stock Postfix: 25 (anonymous suites), or with `below` 587 (TLS 1.0 and 1.1 with 16 suites each)."""
    stock = _stock(anonymous=True)
    old = tuple(c for c in stock if (s := tls.suite_coded(c)) is not None and s.since in {"SSLv3", "TLSv1.0"})
    versions = {"TLSv1.2": stock, "TLSv1.3": MODERN13}
    return Server(versions | ({"TLSv1.0": old, "TLSv1.1": old} if below else {}))


def dovecot(*, dhe_broken: bool = False) -> Server:
    """Hangs up where others alert; without `ssl_dh` also on every finite-field suite it picks."""
    return Server(
        {"TLSv1.2": _stock(anonymous=False), "TLSv1.3": MODERN13}, silent=True, dhe_broken=dhe_broken
    )  # fmt: skip


def ruin() -> Server:
    """Everything wrong at once: the most that a survey can meet."""
    everything = suites("")
    old = tuple(c for c in everything if (s := tls.suite_coded(c)) is not None and s.since in {"SSLv3", "TLSv1.0"})
    return Server(
        {"SSLv3": old, "TLSv1.0": old, "TLSv1.1": old, "TLSv1.2": everything, "TLSv1.3": tuple(range(0x1301, 0x1306))},
        groups12=tuple(g.code for g in tls.groups() if g.tls12),
        groups13=tuple(g.code for g in tls.groups() if g.tls13),
        schemes=tuple(s.code for s in tls.schemes()),
        keys=frozenset({"rsa", "ecdsa"}),
        ssl2=tuple(tls.ssl2_kinds()),
        compression=True,
    )
