from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.errors import PeerGarbled
from gatepost.wire.tls import extensions as ext
from gatepost.wire.tls.client_hello import (
    ClientHello,
    parse_client_hello,
    read_client_hello,
    render_client_hello,
)
from gatepost.wire.tls.record import Content, render_record

CODES = st.integers(0, 0xFFFF)
BODIES = st.binary(max_size=40)
HELLOS = st.builds(
    ClientHello,
    version=CODES,
    suites=st.lists(CODES, max_size=400).map(tuple),
    extensions=st.none() | st.lists(st.tuples(CODES, BODIES), max_size=12).map(tuple),
    session_id=st.binary(max_size=255),
    compressions=st.lists(st.integers(0, 255), max_size=255).map(tuple),
    random=st.binary(min_size=32, max_size=32),
    record=st.integers(0x0300, 0x03FF),
)
SSL2 = st.builds(
    ClientHello,
    version=CODES,
    suites=st.lists(st.integers(0, 0xFFFFFF), max_size=40).map(tuple),
    extensions=st.none(),
    session_id=st.binary(max_size=16),
    compressions=st.just(()),
    random=st.binary(max_size=32),
    record=st.just(0),
    ssl2=st.just(True),
)


@given(HELLOS | SSL2)
def test_reading_what_was_rendered_gives_the_same(hello: ClientHello) -> None:
    assert parse_client_hello(render_client_hello(hello)) == hello


@given(HELLOS | SSL2, st.integers(1, 400))
def test_a_part_is_not_enough_and_never_wrong(hello: ClientHello, cut: int) -> None:
    data = render_client_hello(hello)
    assert read_client_hello(data[: max(0, len(data) - cut)]) is None
    assert read_client_hello(data + b"more") == hello


@given(st.binary(max_size=300) | st.builds(lambda b: b"\x16\x03\x01" + b, st.binary(max_size=300)))
def test_any_bytes_parse_or_blame_the_peer(data: bytes) -> None:
    try:
        hello = read_client_hello(data)
    except PeerGarbled:
        return
    if hello is not None:
        for look in ("versions", "sni", "groups", "signatures", "alpn", "shares"):
            try:
                getattr(hello, look)
            except PeerGarbled:
                continue


@given(HELLOS, st.integers(1, 50))
def test_a_hello_may_span_records(hello: ClientHello, size: int) -> None:
    whole = render_client_hello(hello)[5:] if len(render_client_hello(hello)) <= 2**14 else b""
    if whole:
        assert parse_client_hello(render_record(Content.HANDSHAKE, hello.record, whole, size)) == hello


def test_a_server_sees_what_it_needs() -> None:
    hello = ClientHello(
        suites=(0x1301,),
        extensions=(
            ext.server_name("mx.example.org"),
            ext.supported_groups((29, 0x11EC)),
            ext.signature_algorithms((0x0804,)),
            ext.supported_versions((0x0303, 0x0304)),
            ext.key_share(((29, b"k" * 32),)),
            ext.alpn("smtp", "imap"),
            ext.padding(3),
        ),
    )
    read = parse_client_hello(render_client_hello(hello))
    assert read.sni == "mx.example.org"
    assert read.groups == (29, 0x11EC)
    assert read.signatures == (0x0804,)
    assert read.versions == (0x0304, 0x0303)
    assert read.shares == (29,)
    assert read.alpn == ("smtp", "imap")
    assert read.has(ext.PADDING)
    assert not read.has(ext.HEARTBEAT)


def test_versions_without_the_extension_follow_the_field() -> None:
    assert ClientHello(0x0302).versions == (0x0302, 0x0301, 0x0300)
    assert ClientHello(0x0300, ssl2=True).versions == (0x0300, 0x0002)


def test_names_beyond_ascii_go_as_idna() -> None:
    assert ext.read_server_name(ext.server_name("pöst.example")[1]) == "xn--pst-sna.example"
    assert ext.server_name("ö" * 70)[1].endswith("ö".encode())


def test_clear_text_is_named() -> None:
    with pytest.raises(PeerGarbled, match="not TLS but something else: EHLO"):
        read_client_hello(b"EHLO there\r\n")
