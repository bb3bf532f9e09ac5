"""What a server answers with, both ways; the renderers let a fake server answer any version and suite.

A server of the demo or of a test, TLS 1.2 and below (no key is ever computed, `version` is the record's):

    data = (
        render_server_hello(ServerHello(version, suite, extensions=(...)))
        + render_certificate(chain, version)                              # DER, leaf first
        + render_server_key_exchange(Ephemeral(group=29, public=key, scheme=0x0804), version)   # or prime=, generator=
        + render_server_hello_done(version)
    )

TLS 1.3: `render_server_hello(hello_retry_request(suite, group, session_id=hello.session_id))`. A refusal:
`render_alert(40, version)`. SSL 2.0: `render_ssl2_server_hello(...)`, `render_ssl2_error(...)`.
Each renderer returns whole records; `size` splits one message over several.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from gatepost.catalogue.tls import VERSIONS, Authentication, Exchange, Suite
from gatepost.wire.tls import extensions as ext
from gatepost.wire.tls.octets import Octets, numbers, read_vectors, vector
from gatepost.wire.tls.record import MAX_FRAGMENT, Content, render_record, render_ssl2_record

SERVER_HELLO = 2
CERTIFICATE = 11
SERVER_KEY_EXCHANGE = 12
CERTIFICATE_REQUEST = 13
SERVER_HELLO_DONE = 14
CERTIFICATE_STATUS = 22

RETRY = sha256(b"HelloRetryRequest").digest()  # RFC 8446 section 4.1.3: the random that marks one
TLS12 = VERSIONS["TLSv1.2"]
NAMED_CURVE = 3
EXPLICIT_CURVES = {1: 0xFF01, 2: 0xFF02}  # RFC 4492 section 5.4, told as the group of that name
SSL2_ERRORS = {1: "no cipher", 2: "no certificate", 4: "bad certificate", 6: "unsupported certificate"}


@dataclass(frozen=True, slots=True)
class ServerHello:
    """`version` is the legacy field; `extensions` is None when there is no extension block."""

    version: int
    suite: int
    extensions: ext.Extensions | None = None
    session_id: bytes = b""
    compression: int = 0
    random: bytes = bytes(range(32))

    @property
    def retry(self) -> bool:
        return self.random == RETRY

    @property
    def chosen(self) -> int:
        """The version that was negotiated."""
        body = self.body(ext.SUPPORTED_VERSIONS)
        return self.version if body is None else Octets(body, "supported_versions").number(2)

    @property
    def group(self) -> int | None:
        """The group of key_share: the first two octets, of a retry request as of a ServerHello."""
        body = self.body(ext.KEY_SHARE)
        return None if body is None else Octets(body, "key_share").number(2)

    def body(self, extension: int) -> bytes | None:
        return next((body for number, body in self.extensions or () if number == extension), None)


@dataclass(frozen=True, slots=True)
class Ephemeral:
    """ServerKeyExchange: a named `group`, or finite-field `prime` and `generator`; `public` is the key.

    `scheme` is the signature scheme, None without a signature (anonymous) and 0 for a signature that does
    not name its scheme (below TLS 1.2). `hint` is the PSK identity hint, None where the suite has none.
    """

    group: int = 0
    prime: bytes = b""
    generator: bytes = b""
    public: bytes = b""
    scheme: int | None = None
    signature: bytes = b""
    hint: bytes | None = None


@dataclass(frozen=True, slots=True)
class Ssl2ServerHello:
    kinds: tuple[int, ...]
    certificate: bytes = b""
    version: int = 0x0002
    connection_id: bytes = bytes(16)


def hello_retry_request(suite: int, group: int, *, session_id: bytes = b"") -> ServerHello:
    """TLS 1.3 asking for another key share: names suite and group, costs the server nothing."""
    versions = (ext.SUPPORTED_VERSIONS, VERSIONS["TLSv1.3"].to_bytes(2, "big"))
    return ServerHello(
        TLS12, suite, (versions, (ext.KEY_SHARE, group.to_bytes(2, "big"))), session_id, random=RETRY
    )  # fmt: skip


def render_handshake(kind: int, body: bytes, version: int, size: int = MAX_FRAGMENT) -> bytes:
    return render_record(Content.HANDSHAKE, version, bytes([kind]) + vector(body, 3), size)


def render_server_hello(hello: ServerHello, size: int = MAX_FRAGMENT) -> bytes:
    body = (
        hello.version.to_bytes(2, "big")
        + hello.random
        + vector(hello.session_id, 1)
        + numbers((hello.suite,))
        + bytes([hello.compression])
        + (b"" if hello.extensions is None else ext.render_extensions(hello.extensions))
    )
    return render_handshake(SERVER_HELLO, body, hello.version, size)


def read_server_hello(body: bytes) -> ServerHello:
    octets = Octets(body, "the ServerHello")
    version, random, session_id = octets.number(2), octets.take(32), octets.vector(1)
    suite, compression = octets.number(2), octets.number(1)
    extensions = ext.read_extensions(octets)
    octets.end()
    return ServerHello(version, suite, extensions, session_id, compression, random)


def render_certificate(chain: Iterable[bytes], version: int = TLS12, size: int = MAX_FRAGMENT) -> bytes:
    certificates = b"".join(vector(der, 3) for der in chain)
    return render_handshake(CERTIFICATE, vector(certificates, 3), version, size)


def read_certificate(body: bytes) -> tuple[bytes, ...]:
    octets = Octets(body, "the Certificate message")
    chain = read_vectors(octets.vector(3), "the certificate list", 3)
    octets.end()
    return chain


def render_certificate_status(staple: bytes, version: int = TLS12) -> bytes:
    """An OCSP response (RFC 6066 section 8); needs status_request in the ServerHello."""
    return render_handshake(CERTIFICATE_STATUS, b"\1" + vector(staple, 3), version)


def read_certificate_status(body: bytes) -> bytes:
    octets = Octets(body, "the CertificateStatus")
    octets.number(1)
    return octets.vector(3)


def render_server_key_exchange(exchange: Ephemeral, version: int = TLS12, size: int = MAX_FRAGMENT) -> bytes:
    body = b"" if exchange.hint is None else vector(exchange.hint, 2)
    if exchange.prime:
        body += vector(exchange.prime, 2) + vector(exchange.generator, 2) + vector(exchange.public, 2)
    else:
        body += bytes([NAMED_CURVE]) + numbers((exchange.group,)) + vector(exchange.public, 1)
    if exchange.scheme is not None:
        body += (numbers((exchange.scheme,)) if version >= TLS12 else b"") + vector(exchange.signature, 2)
    return render_handshake(SERVER_KEY_EXCHANGE, body, version, size)


def read_server_key_exchange(body: bytes, suite: Suite, version: int) -> Ephemeral:
    """For suites that exchange by DHE or ECDHE; the others have nothing in it that we report."""
    octets = Octets(body, "the ServerKeyExchange")
    hint = octets.vector(2) if suite.authentication is Authentication.PSK else None
    group, prime, generator = 0, b"", b""
    if suite.exchange is Exchange.DHE:
        prime, generator, public = octets.vector(2), octets.vector(2), octets.vector(2)
    else:
        kind = octets.number(1)
        if kind != NAMED_CURVE:
            return Ephemeral(EXPLICIT_CURVES.get(kind, 0), hint=hint)
        group, public = octets.number(2), octets.vector(1)
    if suite.authentication in {Authentication.ANON, Authentication.PSK}:
        return Ephemeral(group, prime, generator, public, hint=hint)
    scheme = octets.number(2) if version >= TLS12 else 0
    return Ephemeral(group, prime, generator, public, scheme, octets.vector(2), hint)


def render_certificate_request(version: int = TLS12) -> bytes:
    """Any RSA or ECDSA certificate, signed with SHA-256, of any authority."""
    schemes = vector(numbers((0x0401, 0x0403)), 2) if version >= TLS12 else b""
    return render_handshake(CERTIFICATE_REQUEST, b"\2\1\x40" + schemes + b"\0\0", version)


def render_server_hello_done(version: int = TLS12) -> bytes:
    return render_handshake(SERVER_HELLO_DONE, b"", version)


def render_alert(description: int, version: int = TLS12, *, fatal: bool = True) -> bytes:
    return render_record(Content.ALERT, version, bytes([2 if fatal else 1, description]))


def render_ssl2_server_hello(hello: Ssl2ServerHello) -> bytes:
    kinds = numbers(hello.kinds, 3)
    lengths = numbers((hello.version, len(hello.certificate), len(kinds), len(hello.connection_id)))
    body = bytes([4, 0, 1]) + lengths + hello.certificate + kinds + hello.connection_id
    return render_ssl2_record(body)


def read_ssl2_server_hello(body: bytes) -> Ssl2ServerHello:
    octets = Octets(body, "the SSL 2.0 SERVER-HELLO")
    octets.take(3)  # type, session-id-hit, certificate type
    version, size, kinds, ident = (octets.number(2) for _ in range(4))
    certificate, listed = octets.take(size), octets.take(kinds)
    codes = tuple(int.from_bytes(listed[i : i + 3], "big") for i in range(0, kinds - kinds % 3, 3))
    return Ssl2ServerHello(codes, certificate, version, octets.take(ident))


def render_ssl2_error(code: int) -> bytes:
    return render_ssl2_record(b"\0" + code.to_bytes(2, "big"))
