"""A syslog listener: UDP (RFC 5426), TCP (RFC 6587) and TLS (RFC 5425), for machines that send their logs here.

What exactly-once means here: syslog has no acknowledgement, so no sender knows what arrived, and none sends again.
Nothing is taken twice. What the kernel had taken from the network and the lake had not committed when the machine or
we went down is lost; so is what was sent meanwhile over UDP. `Position.generation` names the run of the listener, and
the first chunk of each later run says that there is a gap before it. While it runs, TCP and TLS lose nothing: who is
slow to take chunks lets the sockets fill, and the senders wait. UDP cannot wait: what the kernel dropped is counted.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import secrets
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gatepost.edge.logs.cutting import LONGEST
from gatepost.edge.logs.framing import Frames, one_line
from gatepost.errors import CannotLook, UsageError, because
from gatepost.model.log import Chunk, Position, Shape

Certificate = tuple[str, str]  # files: the chain, and its key
POLL = 0.05
BLOCK = 65536
DATAGRAMS = 4096  # taken in one turn
BUFFER = 8 * 1024 * 1024  # bytes that the kernel is asked to hold for UDP; it may allow less
BACKLOG = 128


@dataclass(frozen=True, slots=True)
class Limits:
    """`connections` times twice the longest line is what all peers together can make us hold."""

    connections: int = 256
    one_peer: int = 64  # connections from one address
    handshake: float = 10.0  # seconds for TLS to begin
    idle: float = 300.0  # seconds after which a silent connection makes room for another
    told: float = 1.0  # seconds between notes


def listen(
    address: str,
    position: Position | None = None,
    *,
    stop: threading.Event,
    certificate: Certificate | None = None,
    limits: Limits | None = None,
) -> Iterator[Chunk]:
    """Lines that come to `udp:ADDR:PORT`, `tcp:ADDR:PORT` or `tls:ADDR:PORT`, until `stop`.

    Raises UsageError for another form, CannotLook where the port cannot be opened.
    """
    kind, host, port = parts(address)
    tls = _context(address, certificate) if kind == "tls" else None
    server = _opened(kind, host, port, address)
    listener = _Listener(address, server, tls, stop, limits or Limits())
    if position:
        listener.notes.append(f"{address} was not open before: what was sent meanwhile is missing")
    return listener.chunks()


def parts(address: str) -> tuple[str, str, int]:
    """Raises UsageError."""
    kind, _, where = address.partition(":")
    host, _, port = where.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(bare)
        number = int(port)
    except ValueError:
        number = -1
    if kind not in {"udp", "tcp", "tls"} or not 0 <= number <= 65535:
        raise UsageError(f"{address!r} is no listener: expected udp:ADDR:PORT, tcp:ADDR:PORT or tls:ADDR:PORT")
    return kind, bare, number


@dataclass(slots=True)
class _Peer:
    sock: socket.socket
    address: str
    heard: float
    frames: Frames = field(default_factory=Frames)
    shaking: bool = False  # hands, for TLS


@dataclass(slots=True)
class _Listener:
    name: str
    server: socket.socket
    tls: ssl.SSLContext | None
    stop: threading.Event
    limits: Limits
    notes: list[str] = field(default_factory=list)
    peers: dict[int, _Peer] = field(default_factory=dict)
    ready: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    generation: str = field(default_factory=lambda: secrets.token_hex(8))
    left: list[bytes] = field(default_factory=list)  # by connections that made room
    offset: int = 0
    refused: int = 0
    cut: int = 0
    broken: int = 0
    unshaken: int = 0
    dropped: int = 0
    dropped_told: int = 0
    told: float = 0.0

    def chunks(self) -> Iterator[Chunk]:
        with self.server, self.ready:
            self.ready.register(self.server, selectors.EVENT_READ)
            try:
                while not self.stop.is_set():
                    lines = self._turn()
                    if chunk := self._chunk(lines):
                        yield chunk
            finally:
                for peer in list(self.peers.values()):
                    self._close(peer)

    def _turn(self) -> list[bytes]:
        lines, self.left = self.left, []
        for key, _ in self.ready.select(POLL):
            if key.fileobj is not self.server:
                peer = self.peers.get(key.fd)  # it may have made room for another a moment ago
                lines += self._heard(peer) if peer else []
            elif self.server.type == socket.SOCK_DGRAM:
                lines += self._datagrams()
            else:
                self._accept()
        self._late()
        return lines

    def _chunk(self, lines: list[bytes]) -> Chunk | None:
        note = self._note()
        if not lines and not note:
            return None
        text = b"".join(lines)
        before, self.offset = self.offset, self.offset + len(text)
        return Chunk(text, before, Position(self.name, Shape.SYSLOG, self.generation, self.offset), note)

    def _note(self) -> str:
        """What went wrong since the last note; at most one in a while, so that a flood makes few."""
        now = time.monotonic()
        if now - self.told < self.limits.told:
            return ""
        self.told = now
        if self.server.type == socket.SOCK_DGRAM:
            self.dropped = _drops(self.server)
        counted = (
            (self.dropped - self.dropped_told, "datagrams were lost: they came faster than they were taken"),
            (self.refused, "connections were refused: too many are open"),
            (self.cut, f"messages were cut at {LONGEST} bytes"),
            (self.broken, "connections ended in the middle of a message"),
            (self.unshaken, "connections did not begin TLS"),
        )
        said = [*self.notes, *(f"{self.name}: {number} {what}" for number, what in counted if number > 0)]
        self.dropped_told = self.dropped
        self.refused = self.cut = self.broken = self.unshaken = 0
        self.notes = []
        return "; ".join(said)

    def _datagrams(self) -> list[bytes]:
        lines = []
        for _ in range(DATAGRAMS):
            try:
                message = self.server.recv(BLOCK)
            except OSError:  # nothing more, or the word of a peer's machine about an earlier packet
                break
            line = one_line(message)
            if line != b"\n":
                lines.append(line)
        return lines

    def _accept(self) -> None:
        try:
            sock, where = self.server.accept()
        except OSError as error:
            if error.errno in {errno.EMFILE, errno.ENFILE}:
                self.refused += 1
                self.stop.wait(POLL)
            return
        now = time.monotonic()
        address = str(where[0])
        if not self._room(address, now):
            self.refused += 1
            sock.close()
            return
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        peer = _Peer(sock, address, now)
        if self.tls:
            try:
                sock.getpeername()
                peer.sock = self.tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            except OSError:  # it is gone again already
                self.unshaken += 1
                sock.close()
                return
            peer.shaking = True
        self.peers[peer.sock.fileno()] = peer
        self.ready.register(peer.sock, selectors.EVENT_READ)

    def _room(self, address: str, now: float) -> bool:
        if sum(one.address == address for one in self.peers.values()) >= self.limits.one_peer:
            return False
        if len(self.peers) < self.limits.connections:
            return True
        quiet = min(self.peers.values(), key=lambda one: one.heard)
        if now - quiet.heard < self.limits.idle:
            return False
        self.left += self._close(quiet)
        return True

    def _late(self) -> None:
        now = time.monotonic()
        for peer in [one for one in self.peers.values() if one.shaking]:
            if now - peer.heard > self.limits.handshake:
                self.unshaken += 1
                self._close(peer)

    def _heard(self, peer: _Peer) -> list[bytes]:
        lines: list[bytes] = []
        try:
            if peer.shaking and isinstance(peer.sock, ssl.SSLSocket):
                peer.sock.do_handshake()
                peer.shaking = False
            lines += self._read(peer)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            pass
        except OSError:  # reset, or no TLS
            self.unshaken += peer.shaking
            lines += self._close(peer)
        self.cut += peer.frames.cut
        peer.frames.cut = 0
        return lines

    def _read(self, peer: _Peer) -> list[bytes]:
        """One block, and with it all that TLS has already unpacked: nobody would tell us of that again."""
        lines: list[bytes] = []
        while True:
            block = peer.sock.recv(BLOCK)
            if not block:
                return lines + self._close(peer)
            peer.heard = time.monotonic()
            lines += peer.frames.feed(block)
            if not isinstance(peer.sock, ssl.SSLSocket) or not peer.sock.pending():
                return lines

    def _close(self, peer: _Peer) -> list[bytes]:
        with contextlib.suppress(KeyError, ValueError):
            self.ready.unregister(peer.sock)
        self.peers.pop(peer.sock.fileno(), None)
        peer.sock.close()
        lines, broken = peer.frames.close()
        self.broken += broken
        return lines


def _opened(kind: str, host: str, port: int, address: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    try:
        if kind == "udp":
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        else:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((host, port))
        if kind != "udp":
            server.listen(BACKLOG)
        server.setblocking(False)
    except OSError as error:
        server.close()
        raise CannotLook(f"{address} cannot be opened: {because(error)}") from error
    return server


def _context(address: str, certificate: Certificate | None) -> ssl.SSLContext:
    if not certificate:
        raise UsageError(f"{address} needs a certificate and its key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(*certificate)
    except (OSError, ValueError) as error:
        raise UsageError(f"{address}: the certificate and key in {certificate[0]} cannot be used: {error}") from error
    return context


def _drops(server: socket.socket) -> int:
    """Datagrams that the kernel threw away for want of room: the last column of its table of sockets."""
    table = Path("/proc/net/udp6" if server.family == socket.AF_INET6 else "/proc/net/udp")
    inode = str(os.fstat(server.fileno()).st_ino)
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in table.read_text().splitlines()[1:]:
            words = line.split()
            if words[9] == inode:
                return int(words[-1])
    return 0
