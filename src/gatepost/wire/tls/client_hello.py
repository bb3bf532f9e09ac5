"""The ClientHello, both ways: what we send, and what a server of the demo or of a test reads.

A server needs two calls:

    hello = parse_client_hello(data)               # PeerGarbled when it is none, or not whole yet
    found = read_client_hello(data)                # the same for a stream: None while bytes are missing

    hello.suites, hello.versions, hello.sni, hello.groups, hello.signatures, hello.alpn, hello.has(SESSION_TICKET)

and answers with the renderers of `server_hello`.
"""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.catalogue.tls import VERSIONS
from gatepost.errors import PeerGarbled
from gatepost.wire.tls import extensions as ext
from gatepost.wire.tls.octets import Octets, numbers, read_numbers, vector
from gatepost.wire.tls.record import Content, Records, render_record, render_ssl2_record

CLIENT_HELLO = 1
_TLS12, _TLS10 = VERSIONS["TLSv1.2"], VERSIONS["TLSv1.0"]


@dataclass(frozen=True, slots=True)
class ClientHello:
    """A ClientHello, or with `ssl2` the CLIENT-HELLO of SSL 2.0, whose suites have three octets.

    `version` is the legacy field; TLS 1.3 is asked for in an extension. `extensions` is None when the
    message ends before the extension block. `record` is the version in the record header.
    """

    version: int = _TLS12
    suites: tuple[int, ...] = ()
    extensions: ext.Extensions | None = ()
    session_id: bytes = b""
    compressions: tuple[int, ...] = (0,)
    random: bytes = bytes(32)
    record: int = _TLS10
    ssl2: bool = False

    @property
    def versions(self) -> tuple[int, ...]:
        """Versions on offer, highest first; below TLS 1.3 everything up to `version`."""
        body = self.body(ext.SUPPORTED_VERSIONS)
        if body is not None:
            return tuple(sorted(ext.read_list(body, "supported_versions", width=1), reverse=True))
        known = (code for code in VERSIONS.values() if code != VERSIONS["TLSv1.3"])
        return tuple(sorted((c for c in known if c <= self.version and (self.ssl2 or c > 2)), reverse=True))

    @property
    def sni(self) -> str | None:
        body = self.body(ext.SERVER_NAME)
        return ext.read_server_name(body) if body else None

    @property
    def groups(self) -> tuple[int, ...]:
        return self._list(ext.SUPPORTED_GROUPS, "supported_groups")

    @property
    def signatures(self) -> tuple[int, ...]:
        return self._list(ext.SIGNATURE_ALGORITHMS, "signature_algorithms")

    @property
    def alpn(self) -> tuple[str, ...]:
        body = self.body(ext.ALPN)
        return ext.read_alpn(body) if body else ()

    @property
    def shares(self) -> tuple[int, ...]:
        """Groups with a key; an empty list in TLS 1.3 asks for a HelloRetryRequest."""
        body = self.body(ext.KEY_SHARE)
        return ext.read_shares(body) if body else ()

    def has(self, extension: int) -> bool:
        return self.body(extension) is not None

    def body(self, extension: int) -> bytes | None:
        return next((body for number, body in self.extensions or () if number == extension), None)

    def _list(self, number: int, what: str) -> tuple[int, ...]:
        body = self.body(number)
        return ext.read_list(body, what) if body else ()


def render_client_hello(hello: ClientHello) -> bytes:
    """The whole record. RFC 8446 section 4.1.2, RFC 6101 appendix E for SSL 2.0."""
    if hello.ssl2:
        return _render_ssl2(hello)
    body = (
        hello.version.to_bytes(2, "big")
        + hello.random
        + vector(hello.session_id, 1)
        + vector(numbers(hello.suites), 2)
        + vector(bytes(hello.compressions), 1)
        + (b"" if hello.extensions is None else ext.render_extensions(hello.extensions))
    )
    return render_record(Content.HANDSHAKE, hello.record, bytes([CLIENT_HELLO]) + vector(body, 3))


def _render_ssl2(hello: ClientHello) -> bytes:
    kinds = numbers(hello.suites, 3)
    head = numbers((hello.version, len(kinds), len(hello.session_id), len(hello.random)))
    return render_ssl2_record(bytes([CLIENT_HELLO]) + head + kinds + hello.session_id + hello.random)


def parse_client_hello(data: bytes) -> ClientHello:
    """Exactly one ClientHello. Raises PeerGarbled, also for an incomplete one."""
    found = read_client_hello(data)
    if found is None:
        raise PeerGarbled("TLS: the ClientHello is not whole")
    return found


def read_client_hello(data: bytes) -> ClientHello | None:
    """The ClientHello at the start of a stream, None while bytes are missing.

    It may span several records; whatever follows it is ignored.
    """
    records = Records()
    records.feed(data)
    message, version = b"", None
    while (record := records.next()) is not None:
        if record.content == 0 and version is None:
            return _read_ssl2(record.data)
        if record.content != Content.HANDSHAKE:
            raise PeerGarbled(f"TLS: content type {record.content} where a ClientHello was due")
        version = record.version if version is None else version
        message += record.data
        if message and message[0] != CLIENT_HELLO:
            raise PeerGarbled(f"TLS: handshake type {message[0]} where a ClientHello was due")
        if len(message) >= 4 and len(message) >= 4 + int.from_bytes(message[1:4], "big"):
            return _read_body(Octets(message[1:], "the ClientHello").vector(3), version)
    records.end()
    return None


def _read_body(body: bytes, record: int) -> ClientHello:
    octets = Octets(body, "the ClientHello")
    version, random = octets.number(2), octets.take(32)
    session_id = octets.vector(1)
    suites = read_numbers(octets.vector(2), "the list of suites")
    compressions = tuple(octets.vector(1))
    extensions = ext.read_extensions(octets)
    octets.end()
    return ClientHello(version, suites, extensions, session_id, compressions, random, record)


def _read_ssl2(data: bytes) -> ClientHello:
    octets = Octets(data, "the SSL 2.0 CLIENT-HELLO")
    if octets.number(1) != CLIENT_HELLO:
        raise PeerGarbled("TLS: an SSL 2.0 record that is no CLIENT-HELLO")
    version, kinds, session, challenge = (octets.number(2) for _ in range(4))
    suites = read_numbers(octets.take(kinds), "the list of SSL 2.0 cipher kinds", 3)
    session_id, random = octets.take(session), octets.take(challenge)
    octets.end()
    return ClientHello(version, suites, None, session_id, (), random, 0, ssl2=True)
