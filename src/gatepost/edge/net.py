"""TCP and TLS: the `Wire` the dialogues are handed in earnest.

TLS runs through memory buffers, so that bytes which arrived in clear can never be read as protected ones
(asyncio's own `start_tls` was measured to do so). It accepts any certificate: the judging is done elsewhere.
pyOpenSSL rather than `ssl`, because only it shows the chain as sent on every supported Python, the OCSP staple
under TLS 1.3, the group, and lets a client ask for renegotiation; and because it is the same OpenSSL everywhere.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from dataclasses import dataclass, field
from functools import cache

from OpenSSL import SSL
from OpenSSL._util import lib

from gatepost.errors import PeerGarbled, PeerReset, PeerSilent, PeerTarpit, PeerUnreachable
from gatepost.wire.lines import TlsFacts
from gatepost.wire.tls.flight import Flight

CHUNK = 16384
VERSIONS = {"TLSv1.0": 0x0301, "TLSv1.1": 0x0302, "TLSv1.2": 0x0303, "TLSv1.3": 0x0304}
LEGACY_SERVER_CONNECT = 0x4  # SSL_OP_LEGACY_SERVER_CONNECT: look at servers without RFC 5746 as well


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: to connect, for the next bytes, and for one connection in all."""

    connect: float = 5.0
    answer: float = 10.0
    whole: float = 60.0


async def connect(address: str, port: int, patience: Patience, source: str | None = None) -> SocketWire:
    """One TCP connection. Raises PeerUnreachable or PeerReset."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        if source:
            sock.bind((source, 0))
        async with asyncio.timeout(patience.connect):
            await asyncio.get_running_loop().sock_connect(sock, (address, port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except TimeoutError:
        sock.close()
        raise PeerUnreachable(f"no answer within {patience.connect:g} s", refused=False) from None
    except OSError as error:
        sock.close()
        if error.errno == errno.ECONNRESET:
            raise PeerReset(_words(error)) from None
        raise PeerUnreachable(_words(error), refused=error.errno == errno.ECONNREFUSED) from None
    except BaseException:
        sock.close()
        raise
    return SocketWire(sock, patience, time.monotonic() + patience.whole)


def _words(error: OSError) -> str:
    known = {
        errno.ECONNREFUSED: "connection refused",
        errno.EHOSTUNREACH: "no route to host",
        errno.ENETUNREACH: "network unreachable",
        errno.EADDRNOTAVAIL: "address not available here",
        errno.ECONNRESET: "connection reset",
        errno.ETIMEDOUT: "no answer",
        errno.EACCES: "not permitted here",
        errno.EPERM: "not permitted here",
        errno.EMFILE: "too many open files here",
    }
    return known.get(error.errno or 0, error.strerror or str(error)).lower()


@dataclass(slots=True)
class SocketWire:
    """A connected socket, in clear until `start_tls`."""

    sock: socket.socket
    patience: Patience
    deadline: float
    tls: SSL.Connection | None = field(default=None)
    heard: bool = False  # anything at all

    @property
    def source(self) -> str:
        """Our own address on this connection."""
        try:
            return str(self.sock.getsockname()[0])
        except OSError:
            return ""

    def waiting(self) -> bool:
        """Bytes, or the end of the stream, are there and were not read yet."""
        try:
            self.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    async def read(self) -> bytes:
        if self.tls is None:
            return await self._receive()
        while True:
            try:
                return self.tls.recv(CHUNK)
            except SSL.WantReadError:
                await self._flush()
                if not await self._refill():
                    return b""
            except (SSL.ZeroReturnError, SSL.SysCallError):
                return b""
            except SSL.Error as error:
                raise PeerGarbled(f"TLS: {openssl_words(error)}") from None

    async def write(self, data: bytes) -> None:
        if self.tls is None:
            await self._send(data)
            return
        try:
            self.tls.sendall(data)
        except SSL.Error as error:
            raise PeerGarbled(f"TLS: {openssl_words(error)}") from None
        await self._flush()

    async def start_tls(self, name: str | None, *, highest: str = "") -> TlsFacts:
        staple: list[bytes] = []
        connection = SSL.Connection(_context(highest), None)
        connection.set_app_data(staple)
        connection.set_connect_state()
        if name is not None:
            connection.set_tlsext_host_name(name.encode("idna" if not name.isascii() else "ascii"))
        connection.request_ocsp()
        self.tls = connection
        first = Flight()
        try:
            await self._handshake(first)
        except SSL.Error as error:
            self.tls = None
            raise PeerGarbled(f"TLS handshake: {openssl_words(error)}") from None
        return _facts(connection, first, staple)

    async def renegotiate(self) -> bool:
        tls = self.tls
        if tls is None or tls.get_protocol_version_name() == "TLSv1.3":
            return False
        before = tls.total_renegotiations()
        try:
            if not tls.renegotiate():
                return False
            await self._handshake(None)
        except (SSL.Error, PeerReset, PeerSilent):
            return False
        return tls.total_renegotiations() > before and not tls.renegotiate_pending()

    def max_early_data(self) -> int | None:
        """Octets of early data that the newest TLS 1.3 ticket allows (RFC 8446 section 4.6.1).

        None without TLS 1.3. The number is not part of pyOpenSSL's public face; where it is missing we did not see.
        """
        if self.tls is None or self.tls.get_protocol_version_name() != "TLSv1.3":
            return None
        session = self.tls.get_session()
        ask = getattr(lib, "SSL_SESSION_get_max_early_data", None)
        inner = getattr(session, "_session", None)
        return int(ask(inner)) if ask is not None and inner is not None else None

    async def close(self) -> None:
        self.sock.close()

    async def _handshake(self, first: Flight | None) -> None:
        """Pump until done; the peer's first bytes also go to `first`, which reads the ServerHello."""
        assert self.tls is not None  # noqa: S101 - callers set it
        while True:
            try:
                self.tls.do_handshake()
            except SSL.WantReadError:
                await self._flush()
                data = await self._refill()
                if not data:
                    raise SSL.SysCallError(-1, "Unexpected EOF") from None
                if first is not None and not first.done:
                    _peek(first, data)
            except SSL.Error:
                await self._flush()  # our alert tells the peer why
                raise
            else:
                await self._flush()
                return

    async def _flush(self) -> None:
        assert self.tls is not None  # noqa: S101
        while True:
            try:
                data = self.tls.bio_read(CHUNK)
            except SSL.WantReadError:
                return
            try:
                await self._send(data)
            except PeerReset:
                return  # the next read tells it better

    async def _refill(self) -> bytes:
        assert self.tls is not None  # noqa: S101
        data = await self._receive()
        if data:
            self.tls.bio_write(data)
        else:
            self.tls.bio_shutdown()
        return data

    async def _receive(self) -> bytes:
        left = self.deadline - time.monotonic()
        if left <= 0:  # a peer that floods never lets a timeout fire
            raise PeerTarpit(f"still not done after {self.patience.whole:g} s")
        await asyncio.sleep(0)  # bytes that are there already never suspend us: others must get their turn
        try:
            async with asyncio.timeout(min(self.patience.answer, left)):
                data = await asyncio.get_running_loop().sock_recv(self.sock, CHUNK)
        except TimeoutError:
            if self.heard and left < self.patience.answer:
                raise PeerTarpit(f"still not done after {self.patience.whole:g} s") from None
            raise PeerSilent(f"no answer within {min(left, self.patience.answer):.0f} s") from None
        except OSError as error:
            raise PeerReset(_words(error)) from None
        self.heard = True
        return data

    async def _send(self, data: bytes) -> None:
        left = max(0.0, self.deadline - time.monotonic())
        try:
            async with asyncio.timeout(min(self.patience.answer, left)):
                await asyncio.get_running_loop().sock_sendall(self.sock, data)
        except TimeoutError:
            raise PeerSilent("the peer takes no more bytes") from None
        except OSError as error:
            raise PeerReset(_words(error)) from None


def _peek(first: Flight, data: bytes) -> None:
    try:
        first.feed(data)
    except PeerGarbled:
        return  # OpenSSL says it in its own words


@cache
def _context(highest: str) -> SSL.Context:
    """A client that takes whatever it can still speak. Cached: building one costs milliseconds."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(VERSIONS["TLSv1.0"])
    if highest:
        context.set_max_proto_version(VERSIONS[highest])
    context.set_cipher_list(b"ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    context.set_options(LEGACY_SERVER_CONNECT)
    context.set_ocsp_client_callback(_keep_staple)
    return context


def _keep_staple(connection: SSL.Connection, staple: bytes, _data: object) -> bool:
    if staple:
        connection.get_app_data().append(staple)
    return True


def _facts(connection: SSL.Connection, first: Flight, staple: list[bytes]) -> TlsFacts:
    from cryptography.hazmat.primitives.serialization import Encoding

    version = connection.get_protocol_version_name()
    chain = connection.get_peer_cert_chain(as_cryptography=True) or []
    return TlsFacts(
        version={"TLSv1": "TLSv1.0"}.get(version, version),
        suite=first.suite or connection.get_cipher_name() or "",
        group=first.group or connection.get_group_name() or "",
        chain=tuple(certificate.public_bytes(Encoding.DER) for certificate in chain),
        alpn=connection.get_alpn_proto_negotiated().decode("latin-1"),
        staple=staple[0] if staple else b"",
        client_certificate_requested=first.certificate_requested or bool(connection.get_client_ca_list()),
    )


def openssl_words(error: SSL.Error) -> str:
    """The reason OpenSSL gives, in lower case and without its library names."""
    if isinstance(error, SSL.SysCallError):
        return "the connection ended during the handshake"
    parts = error.args[0] if error.args and isinstance(error.args[0], list) else []
    reasons = [str(part[-1]) for part in parts if part and part[-1]]
    return "; ".join(dict.fromkeys(reasons)).lower() or type(error).__name__
