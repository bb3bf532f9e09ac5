"""`openssl s_server` with a known configuration, and every client question asked one by one: the truth."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.oracle.looking import NAME

EVERYTHING = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
CURVES = ("P-256", "P-384", "P-521", "X25519", "X448", "secp256k1", "P-224", "brainpoolP256r1", "brainpoolP512r1")
FINITE = ("ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192")
SCHEMES = (
    *(f"RSA+SHA{n}" for n in (1, 224, 256, 384, 512)),
    *(f"ECDSA+SHA{n}" for n in (1, 224, 256, 384, 512)),
    *(f"rsa_pss_rsae_sha{n}" for n in (256, 384, 512)),
    "ed25519",
)
_IANA = {"P-224": "secp224r1", "P-256": "secp256r1", "P-384": "secp384r1", "P-521": "secp521r1"}
_VERSIONS = {"TLSv1.0": ssl.TLSVersion.TLSv1, "TLSv1.1": ssl.TLSVersion.TLSv1_1, "TLSv1.2": ssl.TLSVersion.TLSv1_2}
_LEGACY_SERVER_CONNECT = 0x4
_STARTS = 200  # tenths of what a loaded machine needs to start a process


def why_not() -> str:
    """Why this machine has no such oracle; empty when it has."""
    program = shutil.which("openssl")
    if program is None:
        return "openssl is not installed"
    words = subprocess.run([program, "version"], capture_output=True, text=True, check=False).stdout
    return "" if re.match(r"OpenSSL [3-9]", words) else f"needs OpenSSL 3, found {words.strip()}"


def make_keys(folder: Path) -> dict[str, list[str]]:
    """`-cert` and `-key` options per kind of key, and `both` for a pair."""
    kinds = {
        "rsa": ["rsa:2048"],
        "ecdsa": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        "ed25519": ["ed25519"],
    }
    options = {kind: _key(folder, kind, how) for kind, how in kinds.items()}
    rsa, ecdsa = options["rsa"], options["ecdsa"]
    return options | {"both": [*rsa, "-dcert", ecdsa[1], "-dkey", ecdsa[3]]}


def _key(folder: Path, kind: str, how: list[str]) -> list[str]:
    certificate, key = str(folder / f"{kind}.crt"), str(folder / f"{kind}.key")
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-newkey", *how, "-keyout", key, "-out", certificate,
         "-days", "90", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"],
        capture_output=True, check=True,
    )  # fmt: skip
    return ["-cert", certificate, "-key", key]


@contextmanager
def server(folder: Path, *options: str) -> Iterator[int]:
    """The port of an `s_server` on loopback. What it prints goes to a file: a full pipe would stop it."""
    said = folder / "said"
    with said.open("wb") as sink:
        running = subprocess.Popen(
            ["openssl", "s_server", "-accept", "127.0.0.1:0", *options],
            stdin=subprocess.PIPE, stdout=sink, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            yield _port(running, said)
        finally:
            running.kill()
            running.communicate()


def _port(running: subprocess.Popen[bytes], said: Path) -> int:
    for _ in range(_STARTS):
        found = re.search(rb"ACCEPT \S+:(\d+)", said.read_bytes())
        if found:
            return int(found[1])
        if running.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError(f"s_server did not start: {said.read_text()[:300]}")


def suites(port: int, version: str) -> tuple[set[int], set[int]]:
    """Codes of suites that a handshake with only that one ends well with, and of all that could be tried."""
    tried = {code: _accepts(port, version, name) for code, name in every_suite()}
    return {c for c, worked in tried.items() if worked}, {c for c, worked in tried.items() if worked is not None}


@cache
def every_suite() -> tuple[tuple[int, str], ...]:
    """What this OpenSSL has below TLS 1.3, without those that need a shared secret."""
    listed = subprocess.run(["openssl", "ciphers", "-V", EVERYTHING], capture_output=True, text=True, check=True)
    rows = (line.split() for line in listed.stdout.splitlines())
    named = [(int(row[0].replace("0x", "").replace(",", ""), 16), row[2]) for row in rows]
    return tuple((c, n) for c, n in named if c >> 8 != 0x13 and not re.search("PSK|SRP", n))


def _accepts(port: int, version: str, name: str) -> bool | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.options |= _LEGACY_SERVER_CONNECT
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are the point
        context.minimum_version = context.maximum_version = _VERSIONS[version]
    try:
        context.set_ciphers(f"{name}:@SECLEVEL=0")
    except ssl.SSLError:
        return None
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as bare, context.wrap_socket(bare, server_hostname=NAME):
            return True
    except OSError:
        return False


def client(port: int, *options: str) -> str:
    """What `s_client` says about one handshake."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", NAME, *options],
        input=b"", capture_output=True, timeout=20, check=False,
    )  # fmt: skip
    return done.stdout.decode("latin-1")


def _works(port: int, *options: str) -> bool:
    said = client(port, *options)
    return "Cipher is" in said and "Cipher is (NONE)" not in said


def groups(port: int, version: str) -> set[str]:
    """Groups that work alone, by IANA name."""
    if version == "TLSv1.3":
        working = [g for g in (*CURVES, *FINITE) if _works(port, "-tls1_3", "-groups", g)]
    else:
        ciphers = "ECDHE:AECDH:@SECLEVEL=0"
        working = [g for g in CURVES if _works(port, "-tls1_2", "-groups", g, "-cipher", ciphers)]
    return {_IANA.get(g, g.lower() if g.startswith("X") else g) for g in working}


def schemes(port: int, version: str = "TLSv1.2") -> set[str]:
    """Signature schemes that work alone. In TLS 1.2 the curve is not part of an ECDSA scheme's meaning."""
    options = ["-tls1_3"] if version == "TLSv1.3" else ["-tls1_2", "-cipher", "ECDHE:DHE:@SECLEVEL=0"]
    working = {s for s in SCHEMES if _works(port, *options, "-sigalgs", s)}
    return {s.replace("ECDSA+", "ecdsa_").replace("RSA+", "rsa_pkcs1_").lower() for s in working}


def plain_scheme(name: str) -> str:
    """`ecdsa_secp256r1_sha256` is `ecdsa_sha256` in TLS 1.2."""
    return re.sub(r"ecdsa_secp\d+r1_", "ecdsa_", name)
