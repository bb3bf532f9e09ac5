"""ROBOT: whether the server tells a well-formed RSA-encrypted premaster secret from a malformed one.

Five ClientKeyExchange messages, one right and four wrong in different places (PKCS #1 v1.5 padding, RFC 8017
section 7.2.2), each followed by the same worthless Finished. RFC 5246 section 7.4.7.1 demands one reaction to all
of them. Differing reactions that repeat are the oracle and prove it. Equal reactions prove that these five do not
tell; an oracle in timing, or one that shows only to other messages, stays unseen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256

from gatepost.catalogue import tls
from gatepost.catalogue.tls import Authentication, Exchange
from gatepost.errors import GatepostError, PeerReset, PeerSilent
from gatepost.model.observation import Feature, Observation
from gatepost.wire.ask import lost
from gatepost.wire.lines import Wire
from gatepost.wire.tls.ask import Answer, ask
from gatepost.wire.tls.interview import Interview
from gatepost.wire.tls.octets import vector
from gatepost.wire.tls.offers import Offer, codes
from gatepost.wire.tls.record import Content, Records, render_record
from gatepost.wire.tls.rules import classic
from gatepost.wire.tls.server_hello import render_handshake

CLIENT_KEY_EXCHANGE = 16
VERSION = tls.VERSIONS["TLSv1.2"]
SECRET = VERSION.to_bytes(2, "big") + sha256(b"premaster").digest() + sha256(b"secret").digest()[:14]
WORTHLESS = sha256(b"finished").digest() * 2


async def robot(interview: Interview, name: str | None) -> AsyncIterator[Observation]:
    """One `Feature` named `robot`."""
    suites = codes(s for s in classic() if s.exchange is Exchange.RSA and s.authentication is Authentication.RSA)
    oracle = Oracle(interview, Offer("robot", suites, sni=name))
    try:
        present, detail = await oracle.verdict()
    except GatepostError as error:
        yield lost(interview.at, "tls:robot", error)
        return
    yield Feature(interview.at, "robot", present, detail)


class Oracle:
    """Puts each message on a connection of its own."""

    def __init__(self, interview: Interview, offer: Offer) -> None:
        self.interview = interview
        self.offer = offer

    async def verdict(self) -> tuple[bool | None, str]:
        first = await self.reaction(0)
        if first is None:
            return False, "no RSA key transport"
        reactions = [first] + [await self.reaction(variant) or "refused" for variant in range(1, VARIANTS)]
        odd = next((i for i, r in enumerate(reactions) if r != first), None)
        if odd is None:
            return False, f"the same reaction to {VARIANTS} messages: {first}"
        again = (await self.reaction(0), await self.reaction(odd))
        if again == (first, reactions[odd]):
            return True, f"{first} to a well-formed message, {reactions[odd]} to a malformed one, twice"
        return None, f"the reactions vary by themselves: {', '.join(dict.fromkeys(reactions))}"

    async def reaction(self, variant: int) -> str | None:
        """What the server says to one message; None when it takes no RSA key transport."""
        wire = await self.interview.connect()
        try:
            answer = await ask(wire, self.offer)
            if not answer.accepted or not answer.flight.chain:
                return None
            await wire.write(_messages(answer, variant))
            return await _reaction(wire)
        except PeerReset:
            return "closed"
        finally:
            await wire.close()


async def _reaction(wire: Wire) -> str:
    records = Records()
    try:
        while data := await wire.read():
            records.feed(data)
            while (record := records.next()) is not None:
                if record.content == Content.ALERT and len(record.data) > 1:
                    return f"alert {tls.alert_name(record.data[1])}"
                if record.content == Content.CHANGE_CIPHER_SPEC:
                    return "went on"
    except PeerSilent:
        return "silent"
    return "closed"


def _messages(answer: Answer, variant: int) -> bytes:
    version = tls.VERSIONS[answer.flight.version]
    modulus, exponent = _public_key(answer.flight.chain[0])
    size = (modulus.bit_length() + 7) // 8
    secret = pow(int.from_bytes(padded(size, variant), "big"), exponent, modulus).to_bytes(size, "big")
    return (
        render_handshake(CLIENT_KEY_EXCHANGE, vector(secret, 2), version)
        + render_record(Content.CHANGE_CIPHER_SPEC, version, b"\1")
        + render_record(Content.HANDSHAKE, version, WORTHLESS)
    )


VARIANTS = 5


def padded(size: int, variant: int) -> bytes:
    """The secret in an RSA block: right, wrong first octets, no separator, separator too early, wrong version."""
    filler = bytes(1 + i % 251 for i in range(size))
    right = b"\0\2" + filler[: size - 3 - len(SECRET)] + b"\0" + SECRET
    return (
        right,
        b"\x41\x17" + right[2:],
        right.replace(b"\0", b"\1").replace(b"\1\2", b"\0\2", 1),
        right[: size - 3] + b"\0" + right[size - 2 :],
        right[: -len(SECRET)] + b"\2\2" + SECRET[2:],
    )[variant]


def _public_key(der: bytes) -> tuple[int, int]:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from gatepost.errors import PeerGarbled

    try:
        key = x509.load_der_x509_certificate(der).public_key()
    except (ValueError, TypeError) as error:
        raise PeerGarbled(f"the certificate cannot be read: {error}") from None
    if not isinstance(key, RSAPublicKey):
        raise PeerGarbled("RSA key transport with a certificate that has no RSA key")
    numbers = key.public_numbers()
    return numbers.n, numbers.e
