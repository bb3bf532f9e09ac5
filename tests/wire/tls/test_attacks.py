"""Attacks are proved on servers that have the flaw, and not claimed of servers that have not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from gatepost.catalogue.tls import Suite
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import Feature, Observation, Unobserved, of
from gatepost.model.words import Reason
from gatepost.wire.tls import extensions as ext
from gatepost.wire.tls import server_hello as sh
from gatepost.wire.tls.attacks import HELLOS, attacks
from gatepost.wire.tls.client_hello import ClientHello
from gatepost.wire.tls.robot import SECRET, VARIANTS, padded
from tests.script import collect
from tests.wire.tls.servers import STRICT12, clean, postfix
from tests.wire.tls.simulated import Server, suites

AT = Endpoint("mx.example.org", "192.0.2.1", 25)


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mx.example.org")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key().public_key())
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    whole = builder.serial_number(1).not_valid_before(start).not_valid_after(end)
    return whole.sign(key(), hashes.SHA256()).public_bytes(Encoding.DER)


@dataclass
class Decrypting(Server):
    """Looks into the ClientKeyExchange and reacts as `reaction` says."""

    reaction: Callable[[bytes], bytes] = lambda _: sh.render_alert(20)

    def further(self, data: bytes) -> bytes | None:
        size = key().key_size // 8
        secret = int.from_bytes(data[11 : 11 + size], "big")
        numbers = key().private_numbers()
        block = pow(secret, numbers.d, numbers.public_numbers.n).to_bytes(size, "big")
        return self.reaction(block)


def decrypting(reaction: Callable[[bytes], bytes]) -> Decrypting:
    return Decrypting({"TLSv1.2": suites("TLS_RSA_WITH_AES")}, certificate=certificate(), reaction=reaction)


def look(server: Server) -> list[Observation]:
    return collect(attacks(AT, server.reach, name="mx.example.org"))


def told(server: Server) -> dict[str, bool | None]:
    return {f.name: f.present for f in of(Feature, look(server))}


def wellformed(block: bytes) -> bool:
    return block.startswith(b"\0\2") and block[-len(SECRET) - 1 :] == b"\0" + SECRET


@pytest.mark.parametrize(
    ("reaction", "oracle"),
    [
        (lambda _: sh.render_alert(20), False),
        (lambda _: b"", False),
        (lambda block: sh.render_alert(20 if wellformed(block) else 40), True),
        (lambda block: sh.render_alert(20) if block.startswith(b"\0\2") else b"", True),
        (lambda block: sh.render_alert(20) if b"\0" in block[2:] else sh.render_alert(51), True),
    ],
)
def test_an_oracle_is_a_difference_that_repeats(reaction: Callable[[bytes], bytes], oracle: bool) -> None:  # noqa: FBT001 - a column
    server = decrypting(reaction)
    assert told(server)["robot"] is oracle
    assert server.connections <= HELLOS


def test_a_server_with_moods_is_no_oracle() -> None:
    alerts = iter([20, 20, 40, 20, 20, 20, 20])
    assert told(decrypting(lambda _: sh.render_alert(next(alerts))))["robot"] is None


def test_without_rsa_key_transport_there_is_nothing_to_ask() -> None:
    server = clean()
    assert told(server)["robot"] is False
    assert server.connections == 2


def test_a_certificate_that_cannot_be_read_is_told() -> None:
    lost = of(Unobserved, look(postfix()))
    assert [(u.wanted, u.reason) for u in lost] == [("tls:robot", Reason.GARBLED)]


def test_the_messages_are_wrong_in_different_places() -> None:
    blocks = [padded(256, variant) for variant in range(VARIANTS)]
    assert len(set(blocks)) == VARIANTS
    assert all(len(block) == 256 for block in blocks)
    assert [wellformed(block) for block in blocks] == [True] + [False] * (VARIANTS - 1)
    assert b"\0" not in blocks[0][2:-49]
    assert b"\0" not in blocks[2][2:]


@dataclass
class Bleeding(Server):
    """Pads a short session id with memory when it resumes a ticket, which it does with any."""

    def _flight(self, hello: ClientHello, version: int, suite: Suite) -> bytes:
        echo = hello.session_id + bytes(range(32 - len(hello.session_id)))
        answered = ((ext.SESSION_TICKET, b""),)
        return sh.render_server_hello(sh.ServerHello(version, suite.code, answered, echo)) + b"\x14\x03\x03\0\1\1"


def test_ticketbleed() -> None:
    assert told(Bleeding({"TLSv1.2": STRICT12}))["ticketbleed"] is True
    assert told(clean())["ticketbleed"] is None
    assert told(clean(extensions=frozenset()))["ticketbleed"] is False


def test_a_limit_is_told() -> None:
    server = decrypting(lambda _: sh.render_alert(20))
    server.limit = 3
    assert {u.reason for u in of(Unobserved, look(server))} == {Reason.LIMITED}
