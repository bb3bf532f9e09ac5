"""Servers of a pure Python library, for what no packaged OpenSSL serves any more."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from gatepost.demo.authority import Authority, Flaw, KeyKind, make_key
from gatepost.wire.tls.client_hello import read_client_hello
from tests.oracle.looking import NAME, Look, conformance, listing

tlslite = pytest.importorskip("tlslite.api", reason="tlslite-ng is not installed")

pytestmark = pytest.mark.live

# RFC 2409 section 6.2, the second Oakley group: 1024 bits.
OAKLEY_2 = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF",
    16,
)
SSL3, TLS12 = (3, 0), (3, 3)


@contextmanager
def server(*, most: int = 0xFFFF, connections: int = 0xFFFF, **settings: Any) -> Iterator[int]:
    """`most`: hang up on hellos with more suites. `connections`: hang up on every further one, without a word.

    Devices on the path do the one, limits on connections the other.
    """
    left = count(connections, -1)
    wanted = tlslite.HandshakeSettings()
    for name, value in settings.items():
        setattr(wanted, name, value)
    papers = Authority(datetime.now(UTC)).issue((NAME,), Flaw.NONE, make_key(KeyKind.RSA))
    pem = papers.together.decode()
    chain, key = tlslite.X509CertChain(), tlslite.parsePEMKey(pem, private=True)
    chain.parsePemList(pem)

    def serve(peer: socket.socket) -> None:
        peer.settimeout(5)
        with suppress(Exception), peer:
            if next(left) <= 0:
                return
            hello = read_client_hello(peer.recv(65536, socket.MSG_PEEK))
            if hello is not None and len(hello.suites) > most:
                return
            tlslite.TLSConnection(peer).handshakeServer(certChain=chain, privateKey=key, settings=wanted)

    def accept(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def test_ssl3_with_rc4_and_3des() -> None:
    old: dict[str, Any] = {"cipherNames": ["3des", "rc4"], "macNames": ["sha", "md5"], "keyExchangeNames": ["rsa"]}
    with server(minVersion=SSL3, maxVersion=SSL3, **old) as port:
        deep, shallow = listing(port), conformance(port)
    assert set(deep.listed("suites", "SSLv3").names) == {
        "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        "TLS_RSA_WITH_RC4_128_MD5",
        "TLS_RSA_WITH_RC4_128_SHA",
    }
    for look in (deep, shallow):
        assert look.verdicts()["GP-TLS-001", "ssl-refused"] == "fail"
        assert look.verdicts()["GP-TLS-006", "no-broken-suite"] == "fail"


def test_rc4_behind_modern_suites() -> None:
    ciphers: dict[str, Any] = {"cipherNames": ["aes256gcm", "chacha20-poly1305", "rc4"], "macNames": ["sha", "aead"]}
    with server(maxVersion=TLS12, **ciphers) as port:
        assert conformance(port).verdicts()["GP-TLS-006", "no-broken-suite"] == "fail"


def test_no_extended_master_secret() -> None:
    with server(maxVersion=TLS12, useExtendedMasterSecret=False) as port:
        assert conformance(port).verdicts()["GP-TLS-011", "extended-master-secret"] == "fail"


@pytest.mark.parametrize("look", [conformance, listing], ids=["conformance", "inventory"])
def test_a_small_group_behind_rfc7919(look: Callable[[int], Look]) -> None:
    """GnuTLS (Exim) and tlslite use a group of the client's when it names some, and their own for all others."""
    with server(maxVersion=TLS12, keyExchangeNames=["dhe_rsa"], dhParams=(2, OAKLEY_2)) as port:
        seen = look(port)
    assert 1024 in {hello.dh_bits for hello in seen.hellos()}
    assert seen.verdicts()["GP-TLS-007", "finite-field-strong"] == "fail"


OLD: dict[str, Any] = {"cipherNames": ["aes128gcm", "aes128", "rc4", "3des"], "macNames": ["sha", "aead"]}


@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize("look", [conformance, listing], ids=["conformance", "inventory"])
def test_a_limit_on_connections_hides_nothing(look: Callable[[int], Look], connections: int) -> None:
    with server(connections=connections, maxVersion=TLS12, **OLD) as port:
        seen = look(port)
    verdicts = seen.verdicts()
    assert "pass" not in {
        verdicts["GP-TLS-002", "old-tls-refused"],
        verdicts["GP-TLS-006", "no-broken-suite"],
        verdicts["GP-TLS-009", "handshake-signatures-strong"],
    }
    assert not seen.listed("suites", "TLSv1.2").names or not seen.listed("suites", "TLSv1.2").complete


@pytest.mark.parametrize(
    ("look", "most"),
    [(conformance, 64), (conformance, 128), (listing, 64)],
    ids=["conformance-64", "conformance-128", "inventory-64"],
)
def test_a_device_that_drops_long_hellos_hides_nothing(look: Callable[[int], Look], most: int) -> None:
    """Old TLS, RC4 and 3DES are all there; unknown would be honest, a pass is not."""
    with server(most=most, maxVersion=TLS12, **OLD) as port:
        verdicts = look(port).verdicts()
    assert verdicts["GP-TLS-002", "old-tls-refused"] != "pass"
    assert verdicts["GP-TLS-006", "no-broken-suite"] != "pass"
