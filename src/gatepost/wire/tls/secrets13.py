"""The key schedule and record protection of TLS 1.3 (RFC 8446 sections 5 and 7), for the one handshake we finish."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import new as digest_of
from hmac import digest as hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from gatepost.errors import PeerGarbled
from gatepost.wire.tls.octets import vector
from gatepost.wire.tls.record import Content, Record
from gatepost.wire.tls.server_hello import TLS12

SUITES = {0x1301: ("sha256", 16), 0x1302: ("sha384", 32), 0x1303: ("sha256", 32)}
_CHACHA = 0x1303


@dataclass(frozen=True, slots=True)
class Schedule:
    """HKDF with the hash of the suite."""

    suite: int

    @property
    def hash(self) -> str:
        return SUITES[self.suite][0]

    @property
    def size(self) -> int:
        return digest_of(self.hash).digest_size

    def transcript(self, messages: bytes) -> bytes:
        return digest_of(self.hash, messages).digest()

    def extract(self, salt: bytes, secret: bytes) -> bytes:
        return hmac(salt or bytes(self.size), secret or bytes(self.size), self.hash)

    def expand(self, secret: bytes, label: str, context: bytes, size: int) -> bytes:
        """HKDF-Expand-Label; one block is enough for every key and secret."""
        info = size.to_bytes(2, "big") + vector(b"tls13 " + label.encode(), 1) + vector(context, 1)
        return hmac(secret, info + b"\1", self.hash)[:size]

    def derive(self, secret: bytes, label: str, messages: bytes) -> bytes:
        return self.expand(secret, label, self.transcript(messages), self.size)

    def handshake(self, shared: bytes) -> bytes:
        """The handshake secret, without a pre-shared key."""
        return self.extract(self.derive(self.extract(b"", b""), "derived", b""), shared)

    def master(self, handshake: bytes) -> bytes:
        return self.extract(self.derive(handshake, "derived", b""), b"")

    def finished(self, secret: bytes, messages: bytes) -> bytes:
        key = self.expand(secret, "finished", b"", self.size)
        return hmac(key, self.transcript(messages), self.hash)

    def protection(self, secret: bytes) -> Protection:
        key = self.expand(secret, "key", b"", SUITES[self.suite][1])
        cipher = ChaCha20Poly1305(key) if self.suite == _CHACHA else AESGCM(key)
        return Protection(cipher, self.expand(secret, "iv", b"", 12))


@dataclass(slots=True)
class Protection:
    """One direction under one key."""

    cipher: AESGCM | ChaCha20Poly1305
    iv: bytes
    count: int = field(default=0)

    def seal(self, content: int, data: bytes) -> bytes:
        inner = data + bytes([content])
        header = bytes([Content.APPLICATION_DATA]) + TLS12.to_bytes(2, "big") + (len(inner) + 16).to_bytes(2, "big")
        return header + self.cipher.encrypt(self._nonce(), inner, header)

    def open(self, record: Record) -> tuple[int, bytes]:
        """Content type and data. Raises PeerGarbled when it does not decrypt."""
        header = bytes([record.content]) + record.version.to_bytes(2, "big") + len(record.data).to_bytes(2, "big")
        try:
            inner = self.cipher.decrypt(self._nonce(), record.data, header).rstrip(b"\0")
        except (InvalidTag, ValueError):
            raise PeerGarbled("TLS: a record that does not decrypt") from None
        if not inner:
            raise PeerGarbled("TLS: an empty record")
        return inner[-1], inner[:-1]

    def _nonce(self) -> bytes:
        nonce = int.from_bytes(self.iv, "big") ^ self.count
        self.count += 1
        return nonce.to_bytes(12, "big")
