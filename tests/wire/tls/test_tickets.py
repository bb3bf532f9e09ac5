"""A whole TLS 1.3 handshake against a real library, in memory, and the tickets behind it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from gatepost.errors import PeerError, PeerGarbled, PeerSilent
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import Feature, Observation, Unobserved
from gatepost.model.words import Reason
from gatepost.wire.lines import TlsFacts, Wire
from gatepost.wire.tls.interview import Interview
from gatepost.wire.tls.tickets import Ticket, early_data, read_ticket, tickets
from tests.script import collect, run
from tests.wire.tls.keys import certificate, key
from tests.wire.tls.servers import clean
from tests.wire.tls.simulated import Server

AT = Endpoint("mx.example.org", "192.0.2.1", 25)


@dataclass
class Real:
    """The server side of Python's own TLS."""

    context: ssl.SSLContext
    incoming: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)
    outgoing: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)
    done: bool = False

    def __post_init__(self) -> None:
        self.tls = self.context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    async def write(self, data: bytes) -> None:
        self.incoming.write(data)
        try:
            if not self.done:
                self.tls.do_handshake()
                self.done = True
            self.tls.read()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError:
            self.done = True

    async def read(self) -> bytes:
        return self.outgoing.read()

    async def start_tls(self, name: str | None, *, highest: str = "") -> TlsFacts:
        raise PeerGarbled(f"no handshake with {name} {highest}")

    async def renegotiate(self) -> bool:
        return False

    async def close(self) -> None:
        return


@pytest.fixture(name="context")
def _context(tmp_path: Path) -> ssl.SSLContext:
    pem = tmp_path / "server.pem"
    secret = key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(secret + ssl.DER_cert_to_PEM_cert(certificate()).encode())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@pytest.mark.parametrize("number", [0, 1, 2, 4])
def test_as_many_tickets_as_the_server_gives(context: ssl.SSLContext, number: int) -> None:
    context.num_tickets = number
    found = run(tickets(Real(context), "mx.example.org"))
    assert len(found) == number
    assert all(ticket == Ticket(7200, 0) for ticket in found)


def test_a_server_that_asks_for_a_certificate(context: ssl.SSLContext) -> None:
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(cadata=ssl.DER_cert_to_PEM_cert(certificate()))
    assert len(run(tickets(Real(context), None))) == 2


@pytest.mark.parametrize("curve", ["prime256v1", "secp384r1"])
def test_other_curves(context: ssl.SSLContext, curve: str) -> None:
    context.set_ecdh_curve(curve)
    assert len(run(tickets(Real(context), None))) == 2


def told(wire: Wire | Server) -> list[Observation]:
    async def reach() -> Wire:
        return await wire.reach() if isinstance(wire, Server) else wire

    return collect(early_data(Interview(AT, reach, 1), "mx.example.org"))


def test_what_is_told(context: ssl.SSLContext) -> None:
    assert told(Real(context)) == [Feature(AT, "early-data", present=False, detail="tickets allow none")]
    context.num_tickets = 0
    assert told(Real(context)) == [Feature(AT, "early-data", present=False, detail="no tickets")]
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    detail = "TLS: alert protocol_version in the handshake"
    assert told(Real(context)) == [Unobserved(AT, "tls:early-data", Reason.CLOSED, detail)]
    assert [type(o) for o in told(clean())] == [Unobserved]


def test_early_data_is_read_off_a_ticket() -> None:
    body = bytes.fromhex("00001c200102030401000003aabbcc0008002a000400003e80")
    assert read_ticket(body) == Ticket(7200, 16000)


@given(st.binary(max_size=60))
def test_any_ticket_parses_or_blames_the_peer(body: bytes) -> None:
    try:
        assert read_ticket(body).lifetime >= 0
    except PeerGarbled:
        return


@dataclass
class Bent(Real):
    """Flips one octet of what the server sends."""

    at: int = 0
    sent: int = 0

    async def read(self) -> bytes:
        data = bytearray(self.outgoing.read())
        if not data:
            raise PeerSilent("no answer within 10 s")
        if self.sent <= self.at < self.sent + len(data):
            data[self.at - self.sent] ^= 0x55
        self.sent += len(data)
        return bytes(data)


@pytest.mark.parametrize("at", [0, 1, 5, 6, 43, 44, 76, 80, 100, 120, 130, 200, 900])
def test_a_bent_octet_never_passes_unnoticed(context: ssl.SSLContext, at: int) -> None:
    with pytest.raises(PeerError):
        run(tickets(Bent(context, at=at), None))
