from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.catalogue import tls
from gatepost.errors import PeerGarbled
from gatepost.wire.tls import extensions as ext
from gatepost.wire.tls.flight import Flight
from gatepost.wire.tls.record import MAX_FLIGHT, render_record, spoken
from gatepost.wire.tls.server_hello import (
    Ephemeral,
    ServerHello,
    Ssl2ServerHello,
    hello_retry_request,
    read_server_hello,
    read_server_key_exchange,
    render_alert,
    render_certificate,
    render_certificate_request,
    render_certificate_status,
    render_server_hello,
    render_server_hello_done,
    render_server_key_exchange,
    render_ssl2_error,
    render_ssl2_server_hello,
)

ECDHE_RSA = 0xC02F
DHE_RSA = 0x009E
EXTENSIONS: ext.Extensions = ((ext.RENEGOTIATION_INFO, b"\0"), ext.EMS, (ext.HEARTBEAT, b"\1"))
FLIGHT = (
    render_alert(112, fatal=False)
    + render_server_hello(ServerHello(0x0303, ECDHE_RSA, EXTENSIONS, b"s" * 32), size=11)
    + render_certificate((b"leaf" * 100, b"issuer"), size=100)
    + render_certificate_status(b"ocsp")
    + render_server_key_exchange(Ephemeral(29, public=b"k" * 32, scheme=0x0804, signature=b"s" * 256))
    + render_certificate_request()
    + render_server_hello_done()
)


def read(data: bytes, cut: int = 0) -> Flight:
    flight = Flight()
    for at in range(0, len(data), cut or len(data) or 1):
        flight.feed(data[at : at + (cut or len(data))])
    flight.end()
    return flight


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 7])
def test_a_whole_flight_in_any_cut(cut: int) -> None:
    flight = read(FLIGHT, cut)
    assert flight.done
    assert (flight.version, flight.suite) == ("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
    assert (flight.group, flight.signature) == ("x25519", "rsa_pss_rsae_sha256")
    assert flight.extensions == ("renegotiation_info", "extended_master_secret", "heartbeat")
    assert flight.chain == (b"leaf" * 100, b"issuer")
    assert (flight.staple, flight.certificate_requested, flight.session_id) == (b"ocsp", True, b"s" * 32)
    assert (flight.warnings, flight.alert, flight.compression) == (("unrecognized_name",), "", False)


def test_size_and_name_of_a_known_prime() -> None:
    prime = bytes.fromhex("883f00affc0c8ab835cde5c20f55df063f1607bfce1335e41c1e03f3ab17f6635063673e10d73eb4"
                          "eb468c4050e691a56e0145dec9b11f6454fad9ab4f70ba5b")  # fmt: skip
    exchange = Ephemeral(prime=prime, generator=b"\2", public=b"y", scheme=0, signature=b"s")
    hello = ServerHello(0x0301, DHE_RSA, compression=1)
    flight = read(render_server_hello(hello) + render_server_key_exchange(exchange, 0x0301))
    assert (flight.dh_bits, flight.dh_prime) == (512, "Postfix built-in, 512 bit")
    assert (flight.signature, flight.compression, flight.done) == ("", True, False)


def test_a_retry_request_names_suite_and_group() -> None:
    flight = read(
        render_server_hello(hello_retry_request(0x1302, 0x11EC, session_id=b"i" * 32)) + b"\x14\x03\x03\0\1\1"
    )
    assert flight.done
    assert flight.retry
    assert (flight.version, flight.suite, flight.group) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384", "X25519MLKEM768")
    assert flight.rest() == b"\x14\x03\x03\0\1\1"


def test_refusals() -> None:
    assert read(render_alert(40)).alert == "handshake_failure"
    picked = read(render_server_hello(ServerHello(0x0303, DHE_RSA)) + render_alert(80))
    assert (picked.suite, picked.alert) == ("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "internal_error")
    assert not read(b"").done


def test_ssl2() -> None:
    flight = read(render_ssl2_server_hello(Ssl2ServerHello((0x010080, 0x0700C0), b"cert")))
    assert flight.done
    assert (flight.version, flight.suite) == ("SSLv2", "SSL_CK_RC4_128_WITH_MD5")
    assert flight.ssl2_kinds == ("SSL_CK_RC4_128_WITH_MD5", "SSL_CK_DES_192_EDE3_CBC_WITH_MD5")
    assert flight.chain == (b"cert",)
    assert read(render_ssl2_error(1)).ssl2_error == "no cipher"


@pytest.mark.parametrize(
    ("first", "what"),
    [
        ("220 mx.example.org ESMTP\r\n", "an SMTP reply: 220 mx.example.org ESMTP"),
        ("* OK IMAP4rev1\r\n", r"IMAP: \* OK"),
        ("+OK ready\r\n", r"POP3: \+OK"),
        ('"IMPLEMENTATION" "x"\r\n', "ManageSieve"),
        ("HTTP/1.1 400 Bad Request\r\n", "HTTP"),
        ("SSH-2.0-x\r\n", "SSH"),
        ("502", "an SMTP reply: 502"),
        ("\x80\x05what", "something else"),
        ("\x16\x02\0\0\0", "something else"),
    ],
)
@pytest.mark.parametrize("cut", [0, 1, 2, 3, 7])
def test_clear_text_is_named_for_what_it_is(first: str, what: str, cut: int) -> None:
    with pytest.raises(PeerGarbled, match=f"not TLS but {what}"):
        read(first.encode("latin-1"), cut)


def test_a_flood_ends() -> None:
    with pytest.raises(PeerGarbled, match="more than"):
        read(render_record(22, 0x0303, b"") * MAX_FLIGHT, 1000)
    with pytest.raises(PeerGarbled, match="warnings"):
        read(render_alert(112, fatal=False) * 20)
    with pytest.raises(PeerGarbled, match="handshake messages"):
        read(render_record(22, 0x0303, bytes(4) * 100))


MUTATED = st.builds(
    lambda at, byte, size: (FLIGHT[:at] + bytes([byte]) + FLIGHT[at + 1 :])[:size],
    st.integers(0, len(FLIGHT) - 1),
    st.integers(0, 255),
    st.integers(0, len(FLIGHT)),
)


@given(st.binary(max_size=200) | MUTATED, st.sampled_from([1, 2, 3, 7]))
def test_any_bytes_parse_or_blame_the_peer_whatever_the_cut(data: bytes, cut: int) -> None:
    def outcome(size: int) -> object:
        try:
            flight = read(data, size)
        except PeerGarbled as error:
            return str(error)
        return (flight.done, flight.version, flight.suite, flight.group, flight.alert, flight.chain, flight.extensions)

    assert outcome(cut) == outcome(0)


BODY = st.binary(max_size=30)
CODE = st.integers(0, 0xFFFF)


@given(
    st.builds(
        ServerHello,
        version=CODE,
        suite=CODE,
        extensions=st.none() | st.lists(st.tuples(CODE, BODY), max_size=8).map(tuple),
        session_id=st.binary(max_size=32),
        compression=st.integers(0, 255),
        random=st.binary(min_size=32, max_size=32),
    )
)
def test_a_server_hello_is_read_as_rendered(hello: ServerHello) -> None:
    assert read_server_hello(render_server_hello(hello)[9:]) == hello


NAMED = st.builds(Ephemeral, group=CODE, public=st.binary(max_size=255), scheme=CODE, signature=BODY)
PRIME = st.builds(
    Ephemeral, prime=st.binary(min_size=1, max_size=90), generator=BODY, public=BODY, scheme=CODE, signature=BODY
)


@given(NAMED | PRIME)
def test_a_key_exchange_is_read_as_rendered(exchange: Ephemeral) -> None:
    suite = tls.suite_coded(DHE_RSA if exchange.prime else ECDHE_RSA)
    assert suite is not None
    assert read_server_key_exchange(render_server_key_exchange(exchange)[9:], suite, 0x0303) == exchange


def test_digits_alone_are_no_smtp_reply() -> None:
    assert spoken(b"999 x") == "something else"
    assert [spoken(a) != spoken(b) for a, b in pairwise((b"220 x", b"* OK", b"SSH-2"))] == [True, True]
