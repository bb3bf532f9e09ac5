"""One TLS 1.3 handshake carried to its end, for what comes only after it: session tickets.

A ticket says whether the server takes early data (RFC 8446 section 4.6.1), which no mail protocol defines a use
for, and no TLS library in reach shows. Nothing is verified and nothing is sent inside but the goodbye.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gatepost.catalogue.tls import VERSIONS, alert_name
from gatepost.errors import GatepostError, PeerClosed, PeerGarbled, PeerReset, PeerSilent
from gatepost.model.observation import Feature, Observation
from gatepost.wire.ask import lost
from gatepost.wire.lines import Wire
from gatepost.wire.tls import extensions as ext
from gatepost.wire.tls.client_hello import ClientHello, render_client_hello
from gatepost.wire.tls.interview import Interview
from gatepost.wire.tls.octets import Octets, vector
from gatepost.wire.tls.offers import all_schemes
from gatepost.wire.tls.record import Content, Record, Records, render_record
from gatepost.wire.tls.secrets13 import SUITES, Protection, Schedule
from gatepost.wire.tls.server_hello import (
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    SERVER_HELLO,
    ServerHello,
    read_server_hello,
)

X25519 = 29
CURVES: dict[int, ec.EllipticCurve] = {23: ec.SECP256R1(), 24: ec.SECP384R1()}
NEW_SESSION_TICKET = 4
FINISHED = 20
CLOSE_NOTIFY = b"\1\0"
MAX_MESSAGE = 2**17


@dataclass(frozen=True, slots=True)
class Ticket:
    """`lifetime` in seconds, `early` the octets of early data it allows."""

    lifetime: int
    early: int


async def early_data(interview: Interview, name: str | None) -> AsyncIterator[Observation]:
    """The `Feature` `early-data`, on one connection."""
    try:
        wire = await interview.connect()
        try:
            found = await tickets(wire, name)
        finally:
            await wire.close()
    except GatepostError as error:
        yield lost(interview.at, "tls:early-data", error)
        return
    most = max((ticket.early for ticket in found), default=0)
    detail = f"tickets allow {most} octets of early data" if most else "tickets allow none" if found else "no tickets"
    yield Feature(interview.at, "early-data", most > 0, detail)


async def tickets(wire: Wire, name: str | None) -> tuple[Ticket, ...]:
    """Shake hands, say goodbye, and return the tickets that came. Raises a PeerError."""
    dialogue = _Dialogue(wire)
    await dialogue.shake_hands(name)
    found = []
    try:
        while True:
            kind, body = await dialogue.message()
            if kind == NEW_SESSION_TICKET:
                found.append(read_ticket(body))
    except (_Ended, PeerReset, PeerSilent):
        return tuple(found)


def read_ticket(body: bytes) -> Ticket:
    octets = Octets(body, "the NewSessionTicket")
    lifetime, _ = octets.number(4), octets.number(4)
    octets.vector(1)
    octets.vector(2)
    extensions = ext.read_extensions(octets) or ()
    early = next((data for number, data in extensions if number == ext.EARLY_DATA), b"")
    return Ticket(lifetime, int.from_bytes(early[:4], "big"))


class _Ended(PeerClosed):
    """The peer said goodbye, or hung up, where we had nothing more to ask."""


class _Keys:
    """A share for each group that nearly every server has one of, so that none has to ask again."""

    def __init__(self) -> None:
        self.x25519 = X25519PrivateKey.generate()
        self.points = {group: ec.generate_private_key(curve) for group, curve in CURVES.items()}

    def shares(self) -> tuple[tuple[int, bytes], ...]:
        points = (
            (group, key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
            for group, key in self.points.items()
        )
        return ((X25519, self.x25519.public_key().public_bytes_raw()), *points)

    def agree(self, group: int, public: bytes) -> bytes:
        try:
            if group == X25519:
                return self.x25519.exchange(X25519PublicKey.from_public_bytes(public))
            point = ec.EllipticCurvePublicKey.from_encoded_point(CURVES[group], public)
            return self.points[group].exchange(ec.ECDH(), point)
        except ValueError:
            raise PeerGarbled("TLS: a key share that is no key") from None


@dataclass(slots=True)
class _Dialogue:
    wire: Wire
    records: Records = field(default_factory=Records)
    transcript: bytes = b""
    reading: Protection | None = None
    _held: bytearray = field(default_factory=bytearray)

    async def shake_hands(self, name: str | None) -> None:
        keys = _Keys()
        data = render_client_hello(_client_hello(name, keys))
        self.transcript = data[5:]
        await self.wire.write(data)
        kind, body = await self.message()
        if kind != SERVER_HELLO:
            raise PeerGarbled(f"TLS: handshake type {kind} where a ServerHello was due")
        hello = read_server_hello(body)
        shared = keys.agree(*_share(hello))
        schedule = Schedule(hello.suite)
        secret = schedule.handshake(shared)
        ours = schedule.derive(secret, "c hs traffic", self.transcript)
        self.reading = schedule.protection(schedule.derive(secret, "s hs traffic", self.transcript))
        asked = await self._until_finished()
        await self._finish(schedule, secret, ours, asked=asked)

    async def _until_finished(self) -> bool:
        """The server's encrypted flight; whether it asked for a certificate."""
        asked = False
        while True:
            kind, _ = await self.message()
            asked = asked or kind == CERTIFICATE_REQUEST
            if kind == FINISHED:
                return asked

    async def _finish(self, schedule: Schedule, secret: bytes, ours: bytes, *, asked: bool) -> None:
        """Our Finished, and at once the goodbye: the tickets are on their way before it is read."""
        master = schedule.master(secret)
        writing = schedule.protection(schedule.derive(master, "c ap traffic", self.transcript))
        self.reading = schedule.protection(schedule.derive(master, "s ap traffic", self.transcript))
        flight = _handshake(CERTIFICATE, b"\0" + vector(b"", 3)) if asked else b""
        flight += _handshake(FINISHED, schedule.finished(ours, self.transcript + flight))
        await self.wire.write(
            render_record(Content.CHANGE_CIPHER_SPEC, 0x0303, b"\1")
            + schedule.protection(ours).seal(Content.HANDSHAKE, flight)
            + writing.seal(Content.ALERT, CLOSE_NOTIFY)
        )

    async def message(self) -> tuple[int, bytes]:
        """The next handshake message, in clear or not; it joins the transcript."""
        held = self._held
        while len(held) < 4 or len(held) < 4 + int.from_bytes(held[1:4], "big"):
            if len(held) > MAX_MESSAGE:
                raise PeerGarbled("TLS: a handshake message without end")
            content, data = self._opened(await self._record())
            if content == Content.HANDSHAKE:
                held += data
            elif content == Content.ALERT:
                raise _Ended(f"TLS: alert {alert_name(data[1]) if len(data) > 1 else ''} in the handshake")
        size = 4 + int.from_bytes(held[1:4], "big")
        whole = bytes(held[:size])
        del held[:size]
        self.transcript += whole
        return whole[0], whole[4:]

    def _opened(self, record: Record) -> tuple[int, bytes]:
        if self.reading is not None and record.content == Content.APPLICATION_DATA:
            return self.reading.open(record)
        return record.content, record.data

    async def _record(self) -> Record:
        while (record := self.records.next()) is None:
            data = await self.wire.read()
            if not data:
                raise _Ended("TLS: the connection ended in the handshake")
            self.records.feed(data)
        return record


def _client_hello(name: str | None, keys: _Keys) -> ClientHello:
    extensions = (
        *(() if name is None else (ext.server_name(name),)),
        ext.supported_versions((VERSIONS["TLSv1.3"],)),
        ext.supported_groups((X25519, *CURVES)),
        ext.signature_algorithms(all_schemes()),
        ext.PSK_WITH_DHE,
        ext.key_share(keys.shares()),
    )
    return ClientHello(suites=tuple(SUITES), extensions=extensions, session_id=bytes(32))


def _share(hello: ServerHello) -> tuple[int, bytes]:
    """The server's key. Raises PeerGarbled for another group or suite than we can compute with."""
    body = hello.body(ext.KEY_SHARE)
    if hello.retry or hello.suite not in SUITES or body is None or hello.group not in {X25519, *CURVES}:
        raise PeerGarbled("TLS 1.3 only with a group or suite that we do not compute")
    octets = Octets(body, "key_share")
    return octets.number(2), octets.vector(2)


def _handshake(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + vector(body, 3)
