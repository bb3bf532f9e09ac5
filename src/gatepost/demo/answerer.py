"""TLS that no current library speaks: hellos answered by policy, without any key being computed.

It stands in front of a real TLS server. A hello the real one would answer well is left to it, so that ordinary
clients notice nothing; only what it would refuse, and only where the policy says so, is answered here. The
connection ends when the client wants more than a first flight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates

from gatepost.catalogue import tls
from gatepost.catalogue.tls import Authentication, Exchange, Suite
from gatepost.demo.authority import Papers
from gatepost.demo.habits import Fake
from gatepost.wire.tls import extensions as ext
from gatepost.wire.tls.client_hello import ClientHello
from gatepost.wire.tls.record import Content, Records, render_record
from gatepost.wire.tls.server_hello import (
    Ephemeral,
    ServerHello,
    Ssl2ServerHello,
    hello_retry_request,
    render_alert,
    render_certificate,
    render_server_hello,
    render_server_hello_done,
    render_server_key_exchange,
    render_ssl2_server_hello,
)

TLS12, TLS13 = tls.VERSIONS["TLSv1.2"], tls.VERSIONS["TLSv1.3"]
GOOD_GROUPS = frozenset({0x17, 0x18, 0x19, 0x1D, 0x1E})
GOOD_SUITES = frozenset({0xC02B, 0xC02C, 0xC02F, 0xC030, 0xCCA8, 0xCCA9})  # ECDHE with AES-GCM or ChaCha20
GOOD_SCHEMES = frozenset({0x0401, 0x0501, 0x0601, 0x0403, 0x0503, 0x0804, 0x0805, 0x0806})
UNEXPECTED_MESSAGE, BAD_RECORD_MAC = 10, 20
MEMORY = b"octets behind the request, 32 all"


class Line(Protocol):
    async def send(self, data: bytes) -> None: ...
    async def raw(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Answerer:
    fake: Fake
    chain: tuple[bytes, ...]
    rsa: bool

    @classmethod
    def holding(cls, fake: Fake, papers: Papers) -> Answerer:
        chain = load_pem_x509_certificates(papers.chain)
        kind = chain[0].public_key_algorithm_oid.dotted_string
        return cls(fake, tuple(c.public_bytes(Encoding.DER) for c in chain), rsa=kind == "1.2.840.113549.1.1.1")

    def answer(self, hello: ClientHello) -> bytes | None:
        """The first flight, or None: this hello is for the real server."""
        if hello.ssl2:
            return self._ssl2(hello)
        if (always := self._for_any(hello)) is not None:
            return always
        if _modern(hello):
            return None
        return self._retry(hello) or self._first(hello)

    def _for_any(self, hello: ClientHello) -> bytes | None:
        """Faults that show in any answer below TLS 1.3, whatever else was on offer."""
        fake = self.fake
        asks = hello.versions[:1] == (TLS12,) and (
            (fake.compression and 1 in hello.compressions)
            or (fake.heartbeat and hello.has(ext.HEARTBEAT))
            or (fake.obeys_early_change and hello.has(ext.HEARTBEAT))
            or fake.plain_renegotiation
        )
        suite = next((s for s in _suites(hello) if s.code in GOOD_SUITES and self._fits(s)), None)
        return self._flight(hello, suite, TLS12) if asks and suite else None

    def _ssl2(self, hello: ClientHello) -> bytes | None:
        kinds = tuple(kind for kind in hello.suites if kind in self.fake.ssl2_kinds)
        return render_ssl2_server_hello(Ssl2ServerHello(kinds, self.chain[0])) if kinds else None

    def _retry(self, hello: ClientHello) -> bytes | None:
        group = next((g for g in hello.groups if g in self.fake.groups), None)
        suite = next((code for code in hello.suites if code >> 8 == 0x13), None)
        if TLS13 not in hello.versions or group is None or suite is None or tls.group_name(group).startswith("secp1"):
            return None
        return render_server_hello(hello_retry_request(suite, group, session_id=hello.session_id))

    def _first(self, hello: ClientHello) -> bytes | None:
        fake = self.fake
        version = next((v for v in hello.versions if v in fake.versions), None)
        if version is None:
            return None
        return next(
            (
                self._flight(hello, suite, version)
                for suite in _suites(hello)
                if suite.name in fake.suites and self._fits(suite) and self._exchanges(hello, suite, version)
            ),
            None,
        )

    def _fits(self, suite: Suite) -> bool:
        """Whether our certificate goes with it."""
        kind = Authentication.RSA if self.rsa else Authentication.ECDSA
        return suite.authentication in {kind, Authentication.ANON}

    def _exchanges(self, hello: ClientHello, suite: Suite, version: int) -> bool:
        fake = self.fake
        if suite.exchange is Exchange.ECDHE and not (set(fake.groups) or GOOD_GROUPS) & set(hello.groups):
            return False
        if suite.exchange is Exchange.DHE and not fake.dh_prime:
            return False
        return not fake.scheme or version < TLS12 or fake.scheme in hello.signatures

    def _flight(self, hello: ClientHello, suite: Suite, version: int) -> bytes:
        fake = self.fake
        compression = 1 if fake.compression and 1 in hello.compressions else 0
        answer = ServerHello(version, suite.code, self._extensions(hello, version), compression=compression)
        parts = [render_server_hello(answer)]
        if suite.authentication is not Authentication.ANON:
            parts.append(render_certificate(self.chain, version))
        if suite.exchange in {Exchange.DHE, Exchange.ECDHE}:
            parts.append(render_server_key_exchange(self._ephemeral(hello, suite, version), version))
        return b"".join((*parts, render_server_hello_done(version)))

    def _extensions(self, hello: ClientHello, version: int) -> ext.Extensions | None:
        if version < tls.VERSIONS["TLSv1.0"]:
            return None
        fake = self.fake
        secure = not fake.plain_renegotiation
        wanted = [(ext.RENEGOTIATION_INFO, b"\0")] if secure else []
        if hello.has(ext.EXTENDED_MASTER_SECRET):
            wanted.append((ext.EXTENDED_MASTER_SECRET, b""))
        if fake.heartbeat and hello.has(ext.HEARTBEAT):
            wanted.append((ext.HEARTBEAT, b"\1"))
        return tuple(wanted)

    def _ephemeral(self, hello: ClientHello, suite: Suite, version: int) -> Ephemeral:
        fake = self.fake
        usual = (0x0401, 0x0804) if self.rsa else (0x0403,)
        known = fake.scheme or next((s for s in usual if s in hello.signatures), usual[0])
        scheme = None if suite.authentication is Authentication.ANON else known if version >= TLS12 else 0
        if suite.exchange is Exchange.DHE:
            size = len(fake.dh_prime)
            return Ephemeral(
                prime=fake.dh_prime, generator=b"\2", public=bytes([7]) * size, scheme=scheme, signature=bytes(256)
            )
        liked = set(fake.groups) or GOOD_GROUPS
        group = next((g for g in hello.groups if g in liked), 0x17)
        return Ephemeral(group=group, public=b"\4" + bytes(64), scheme=scheme, signature=bytes(256))

    async def rest(self, line: Line) -> None:
        """What a client may still try on the unfinished handshake, until it is turned away."""
        records, change_seen = Records(), False
        while data := await line.raw():
            records.feed(data)
            while (record := records.next()) is not None:
                if record.content == Content.HEARTBEAT:
                    await line.send(self._heartbeat())
                elif record.content == Content.CHANGE_CIPHER_SPEC and self.fake.obeys_early_change and not change_seen:
                    change_seen = True
                else:
                    await line.send(render_alert(BAD_RECORD_MAC if change_seen else UNEXPECTED_MESSAGE, TLS12))
                    return

    def _heartbeat(self) -> bytes:
        """Nothing, or 32 octets that nobody sent us (RFC 6520 section 4)."""
        return render_record(Content.HEARTBEAT, TLS12, b"\2\0\x20" + MEMORY + bytes(16)) if self.fake.bleeds else b""


def _suites(hello: ClientHello) -> list[Suite]:
    return [s for code in hello.suites if (s := tls.suite_coded(code)) is not None]


def _modern(hello: ClientHello) -> bool:
    """Whether a server in order would answer this hello."""
    groups = GOOD_GROUPS & set(hello.groups)
    if TLS13 in hello.versions and any(code in range(0x1301, 0x1304) for code in hello.suites) and groups:
        return True
    signed = not hello.signatures or GOOD_SCHEMES & set(hello.signatures)
    modern = GOOD_SUITES & set(hello.suites)
    return TLS12 in hello.versions and bool(modern and groups and signed)
