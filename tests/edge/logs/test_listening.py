from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gatepost.edge.logs.listening import Certificate, Limits, listen, parts
from gatepost.errors import CannotLook, UsageError
from gatepost.model.log import Chunk, Position, Shape

PATIENCE = 10.0
SAID = b"<22>Nov 24 10:00:00 mx1 postfix/smtpd[7]: connect from unknown[192.0.2.1]"
QUICK = Limits(connections=8, one_peer=4, handshake=0.2, told=0.05)


def _free(kind: str, host: str) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM) as one:
        try:
            one.bind((host, 0))
        except OSError:
            pytest.skip(f"no {host} on this machine")
        return int(one.getsockname()[1])


class Taker:
    def __init__(self, chunks: Iterator[Chunk], stop: threading.Event) -> None:
        self.chunks: list[Chunk] = []
        self.stop = stop
        self.came = threading.Condition()
        self.may = threading.Event()
        self.may.set()
        self.thread = threading.Thread(target=self._run, args=(chunks,))
        self.thread.start()

    def _run(self, chunks: Iterator[Chunk]) -> None:
        for chunk in chunks:
            with self.came:
                self.chunks.append(chunk)
                self.came.notify_all()
            self.may.wait()

    def lines(self) -> list[bytes]:
        return b"".join(chunk.lines for chunk in self.chunks).splitlines()

    def notes(self) -> str:
        return "; ".join(chunk.note for chunk in self.chunks if chunk.note)

    def until(self, lines: int) -> list[bytes]:
        with self.came:
            self.came.wait_for(lambda: len(self.lines()) >= lines, PATIENCE)
        assert len(self.lines()) == lines
        return self.lines()

    def until_noted(self, what: str) -> None:
        with self.came:
            self.came.wait_for(lambda: what in self.notes(), PATIENCE)
        assert what in self.notes()


@contextmanager
def listening(
    kind: str,
    host: str = "127.0.0.1",
    certificate: Certificate | None = None,
    position: Position | None = None,
    limits: Limits = QUICK,
) -> Iterator[tuple[Taker, int]]:
    port, stop = _free(kind, host), threading.Event()
    where = f"[{host}]" if ":" in host else host
    chunks = listen(f"{kind}:{where}:{port}", position, stop=stop, certificate=certificate, limits=limits)
    taker = Taker(chunks, stop)
    try:
        yield taker, port
    finally:
        stop.set()
        taker.may.set()
        taker.thread.join(PATIENCE)


both = pytest.mark.parametrize("host", ["127.0.0.1", "::1"])


@both
def test_datagrams_are_lines(host: str) -> None:
    with listening("udp", host) as (taker, port):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            for message in (SAID, SAID + b"\n", b"", b"a\nforged\0"):
                sender.sendto(message, (host, port))
        assert taker.until(3) == [SAID, SAID, b"a#012forged"]
    assert taker.chunks[-1].after.offset == sum(len(chunk.lines) for chunk in taker.chunks)


@both
def test_both_framings_on_one_connection(host: str) -> None:
    with listening("tcp", host) as (taker, port), socket.create_connection((host, port), PATIENCE) as sender:
        sender.sendall(SAID + b"\n" + b"%d %s" % (len(SAID), SAID) + SAID)
        assert taker.until(2) == [SAID] * 2
        sender.close()
        assert taker.until(3) == [SAID] * 3


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "logs.example.org")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
    directory = tmp_path_factory.mktemp("certificate")
    chain, secret = directory / "chain.pem", directory / "key.pem"
    chain.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(chain), str(secret)


def test_over_tls(certificate: Certificate) -> None:
    context = ssl.create_default_context(cafile=certificate[0])
    context.check_hostname = False
    with listening("tls", certificate=certificate) as (taker, port):
        silent = socket.create_connection(("127.0.0.1", port), PATIENCE)
        plain = socket.create_connection(("127.0.0.1", port), PATIENCE)
        plain.sendall(SAID + b"\n")
        with context.wrap_socket(socket.create_connection(("127.0.0.1", port), PATIENCE)) as sender:
            sender.sendall(b"".join(b"%d %s" % (len(SAID), SAID) for _ in range(3000)))
            assert taker.until(3000) == [SAID] * 3000
        taker.until_noted("connections did not begin TLS")
        silent.close()
        plain.close()


def test_who_is_gone_before_tls_begins_ends_nothing(certificate: Certificate) -> None:
    stop, port = threading.Event(), _free("tcp", "127.0.0.1")
    chunks = listen(f"tls:127.0.0.1:{port}", stop=stop, certificate=certificate, limits=QUICK)
    for said in (b"", SAID):
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as one:
            one.sendall(said)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # leaves with a reset
    taker = Taker(chunks, stop)
    try:
        taker.until_noted("connections did not begin TLS")
    finally:
        stop.set()
        taker.thread.join(PATIENCE)


def test_connections_beyond_the_limit_are_refused_and_counted() -> None:
    with listening("tcp") as (taker, port):
        senders = [socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(60)]
        taker.until_noted("connections were refused: too many are open")
        senders[0].sendall(SAID + b"\n")
        assert taker.until(1) == [SAID]
        for one in senders:
            one.close()


def test_a_slow_taker_makes_senders_wait_and_nothing_is_lost() -> None:
    total = 60_000
    with listening("tcp") as (taker, port), socket.create_connection(("127.0.0.1", port), PATIENCE) as sender:
        taker.may.clear()
        sent = threading.Thread(target=sender.sendall, args=((SAID + b"\n") * total,))
        sent.start()
        sent.join(0.5)
        waited = sent.is_alive()
        taker.may.set()
        assert len(taker.until(total)) == total
        sent.join(PATIENCE)
        assert waited


def test_lost_datagrams_are_counted() -> None:
    if not Path("/proc/net/udp").exists():
        pytest.skip("this kernel has no table of sockets")
    with listening("udp") as (taker, port), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        taker.may.clear()
        sender.sendto(SAID, ("127.0.0.1", port))
        taker.until(1)
        for _ in range(3000):
            sender.sendto(SAID + b"x" * 8000, ("127.0.0.1", port))
        taker.may.set()
        taker.until_noted("datagrams were lost")
        lost = sum(int(w) for w in taker.notes().replace(";", "").split() if w.isdigit())
        with taker.came:
            taker.came.wait_for(lambda: len(taker.lines()) + lost == 3001, 5)
        assert len(taker.lines()) + lost == 3001


def test_a_gap_between_two_runs_is_said() -> None:
    with listening("tcp", position=Position("x", Shape.SYSLOG, "earlier", 7)) as (taker, port):
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as sender:
            sender.sendall(SAID + b"\n")
            taker.until(1)
        taker.until_noted("was not open before")
        assert taker.chunks[0].after.generation != "earlier"


@pytest.mark.parametrize(
    "text", ["", "udp", "udp:1", "udp:host:514", "http:127.0.0.1:1", "tcp:127.0.0.1:99999", "tcp:::x"]
)
def test_what_is_no_listener_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="is no listener"):
        parts(text)


def test_a_port_that_cannot_be_opened_is_said(certificate: Certificate) -> None:
    with listening("tcp") as (_, port), pytest.raises(CannotLook, match="cannot be opened"):
        listen(f"tcp:127.0.0.1:{port}", stop=threading.Event())
    with pytest.raises(UsageError, match="needs a certificate"):
        listen("tls:127.0.0.1:0", stop=threading.Event())
    with pytest.raises(UsageError, match="cannot be used"):
        listen("tls:127.0.0.1:0", stop=threading.Event(), certificate=(certificate[0], certificate[0]))


def test_a_silent_connection_makes_room() -> None:
    limits = Limits(connections=2, one_peer=10, idle=0.0, told=0.05)
    with listening("tcp", limits=limits) as (taker, port):
        for n in range(10):
            with socket.create_connection(("127.0.0.1", port), PATIENCE) as sender:
                sender.sendall(SAID + b"\n")
                taker.until(n + 1)
