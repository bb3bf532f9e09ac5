"""The server's first flight, read as it arrives: from the records to what a hello is asked for.

Feed it bytes in any cut until `done`; its fields then say what the server chose. In TLS 1.3 everything after the
ServerHello is encrypted, so a ServerHello or a HelloRetryRequest ends it. `end` tells it that the stream ended.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gatepost.catalogue import tls
from gatepost.errors import PeerGarbled
from gatepost.wire.tls.octets import Octets
from gatepost.wire.tls.record import Content, Record, Records
from gatepost.wire.tls.server_hello import (
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    CERTIFICATE_STATUS,
    SERVER_HELLO,
    SERVER_HELLO_DONE,
    SERVER_KEY_EXCHANGE,
    SSL2_ERRORS,
    read_certificate,
    read_certificate_status,
    read_server_hello,
    read_server_key_exchange,
    read_ssl2_server_hello,
)

MAX_MESSAGES = 32
MAX_WARNINGS = 8
FATAL = 2
HELLO_REQUEST = 0


@dataclass(slots=True)
class Flight:
    """Names are IANA's; everything is empty until the server said it.

    `alert` is the name of a fatal alert, `warnings` of those it went on after. `early_change` is set when
    the server switches to encryption at once: it resumed a session.
    """

    version: str = ""
    suite: str = ""
    group: str = ""
    signature: str = ""
    dh_bits: int = 0
    dh_prime: str = ""
    compression: bool = False
    extensions: tuple[str, ...] = ()
    session_id: bytes = b""
    chain: tuple[bytes, ...] = ()
    staple: bytes = b""
    certificate_requested: bool = False
    retry: bool = False
    alert: str = ""
    warnings: tuple[str, ...] = ()
    ssl2_error: str = ""
    ssl2_kinds: tuple[str, ...] = ()
    early_change: bool = False
    done: bool = False
    _records: Records = field(default_factory=Records, repr=False)
    _message: bytearray = field(default_factory=bytearray, repr=False)
    _messages: int = 0
    _code: int = 0  # the version as negotiated

    @property
    def answered(self) -> bool:
        """A ServerHello came, whatever followed."""
        return bool(self.version)

    def feed(self, data: bytes) -> None:
        """Raises PeerGarbled for what is not TLS, and for a flood."""
        if not self.done:
            self._records.feed(data)
            self._read()

    def end(self) -> None:
        """The stream ended, or fell silent. Raises PeerGarbled when what came was no TLS."""
        if not self.done:
            self._records.end()

    def rest(self) -> bytes:
        """Bytes behind the flight, for a dialogue that goes on."""
        return self._records.rest()

    def _read(self) -> None:
        while not self.done and (record := self._records.next()) is not None:
            self._take(record)

    def _take(self, record: Record) -> None:
        if record.content == 0:
            self._ssl2(record.data)
        elif record.content == Content.HANDSHAKE:
            self._message += record.data
            self._handshakes()
        elif record.content == Content.ALERT:
            self._alert(record.data)
        elif record.content == Content.CHANGE_CIPHER_SPEC and self.answered:
            self.early_change = self.done = True
        else:
            raise PeerGarbled(f"TLS: content type {record.content} before the handshake")

    def _handshakes(self) -> None:
        held = self._message
        while len(held) >= 4 and not self.done:
            length = int.from_bytes(held[1:4], "big")
            if len(held) < 4 + length:
                return
            kind, body = held[0], bytes(held[4 : 4 + length])
            del held[: 4 + length]
            self._messages += 1
            if self._messages > MAX_MESSAGES:
                raise PeerGarbled(f"TLS: more than {MAX_MESSAGES} handshake messages in one flight")
            self._handshake(kind, body)

    def _handshake(self, kind: int, body: bytes) -> None:
        if kind == HELLO_REQUEST:
            return
        if not self.answered and kind != SERVER_HELLO:
            raise PeerGarbled(f"TLS: handshake type {kind} where a ServerHello was due")
        if kind == SERVER_HELLO:
            self._server_hello(body)
        elif kind == CERTIFICATE:
            self.chain = read_certificate(body)
        elif kind == CERTIFICATE_STATUS:
            self.staple = read_certificate_status(body)
        elif kind == SERVER_KEY_EXCHANGE:
            self._key_exchange(body)
        elif kind == CERTIFICATE_REQUEST:
            self.certificate_requested = True
        elif kind == SERVER_HELLO_DONE:
            self.done = True

    def _server_hello(self, body: bytes) -> None:
        if self.answered:
            raise PeerGarbled("TLS: a second ServerHello")
        hello = read_server_hello(body)
        self._code = hello.chosen
        self.version = tls.version_name(hello.chosen)
        self.suite = tls.suite_name(hello.suite)
        self.compression = hello.compression != 0
        self.session_id = hello.session_id
        self.extensions = tuple(tls.extension_name(number) for number, _ in hello.extensions or ())
        self.retry = hello.retry
        if hello.chosen >= tls.VERSIONS["TLSv1.3"]:
            self.group = tls.group_name(hello.group) if hello.group is not None else ""
            self.done = True

    def _key_exchange(self, body: bytes) -> None:
        suite = tls.suite(self.suite)
        if suite is None or suite.exchange not in {tls.Exchange.DHE, tls.Exchange.ECDHE}:
            return
        exchange = read_server_key_exchange(body, suite, self._code)
        if exchange.prime:
            prime = exchange.prime.lstrip(b"\0")
            self.dh_bits = int.from_bytes(prime, "big").bit_length()
            self.dh_prime = tls.dh_prime_name(prime)
            self.group = self.dh_prime if self.dh_prime.startswith("ffdhe") else ""
        elif exchange.group:
            self.group = tls.group_name(exchange.group)
        self.signature = tls.scheme_name(exchange.scheme) if exchange.scheme else ""

    def _alert(self, data: bytes) -> None:
        level, description = Octets(data, "an alert").take(2)
        if level == FATAL or description == 0:
            self.alert = tls.alert_name(description)
            self.done = True
            return
        self.warnings += (tls.alert_name(description),)
        if len(self.warnings) > MAX_WARNINGS:
            raise PeerGarbled(f"TLS: more than {MAX_WARNINGS} warnings instead of an answer")

    def _ssl2(self, data: bytes) -> None:
        octets = Octets(data, "an SSL 2.0 message")
        kind = octets.number(1)
        if self.answered or kind not in {0, 4}:
            raise PeerGarbled(f"TLS: SSL 2.0 message {kind} in a place where none is sent")
        self.done = True
        if kind == 0:
            code = octets.number(2)
            self.ssl2_error = SSL2_ERRORS.get(code, f"error {code}")
            return
        hello = read_ssl2_server_hello(data)
        self.version = tls.version_name(hello.version)
        self.ssl2_kinds = tuple(tls.ssl2_kind_name(kind) for kind in hello.kinds)
        self.suite = self.ssl2_kinds[0] if self.ssl2_kinds else ""
        self.chain = (hello.certificate,) if hello.certificate else ()
