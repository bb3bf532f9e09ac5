"""The wire in earnest: a real TLS server on loopback, and peers that behave badly."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatepost.demo.authority import Authority
from gatepost.edge.net import Patience, SocketWire, connect
from gatepost.errors import PeerGarbled, PeerReset, PeerSilent, PeerTarpit, PeerUnreachable

QUICK = Patience(connect=2.0, answer=0.2, whole=0.5)
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
def server_side(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    papers = Authority(datetime.now(UTC)).issue(("mx.test",))
    path: Path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(papers.together)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def against(
    serve: Serve,
    ask: Callable[[SocketWire], Awaitable[None]],
    patience: Patience = QUICK,
    tls: ssl.SSLContext | None = None,
) -> None:
    async def go() -> None:
        async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await serve(reader, writer)
            except (OSError, asyncio.CancelledError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(guarded, "127.0.0.1", 0, ssl=tls)
        wire = await connect("127.0.0.1", server.sockets[0].getsockname()[1], patience)
        try:
            await ask(wire)
        finally:
            await wire.close()
            server.close()

    asyncio.run(go())


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
        await writer.drain()


async def nothing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read(1)


def test_bytes_go_and_come() -> None:
    async def ask(wire: SocketWire) -> None:
        await wire.write(b"EHLO me\r\n")
        assert await wire.read() == b"EHLO me\r\n"
        assert wire.source == "127.0.0.1"

    against(echo, ask)


def test_silence_ends_within_its_time() -> None:
    async def ask(wire: SocketWire) -> None:
        with pytest.raises(PeerSilent, match="no answer within"):
            await wire.read()

    against(nothing, ask)


def test_a_slow_drip_is_a_tarpit_not_an_answer() -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"2")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def ask(wire: SocketWire) -> None:
        async def all_of_it() -> None:
            while True:
                await wire.read()

        with pytest.raises(PeerTarpit):
            await all_of_it()

    against(drip, ask)


def test_a_reset_is_named() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        writer.transport.abort()

    async def ask(wire: SocketWire) -> None:
        await wire.write(b"x")
        with pytest.raises(PeerReset, match="reset"):
            await wire.read()

    against(reset, ask)


@pytest.mark.parametrize(("highest", "version"), [("", "TLSv1.3"), ("TLSv1.2", "TLSv1.2")])
def test_a_handshake_shows_version_suite_group_and_the_chain_as_sent(
    server_side: ssl.SSLContext, highest: str, version: str
) -> None:
    async def ask(wire: SocketWire) -> None:
        facts = await wire.start_tls("mx.test", highest=highest)
        assert facts.version == version
        assert facts.suite.startswith("TLS_")
        assert facts.group
        assert len(facts.chain) == 2
        await wire.write(b"inside")
        assert await wire.read() == b"inside"

    against(echo, ask, Patience(), server_side)


def test_plain_text_where_tls_was_due_is_the_peers_fault_and_quick() -> None:
    async def banner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mx.test ESMTP\r\n")
        await writer.drain()
        await reader.read(1000)

    async def ask(wire: SocketWire) -> None:
        with pytest.raises(PeerGarbled, match="TLS handshake"):
            await wire.start_tls("mx.test")

    against(banner, ask, Patience())


def test_a_server_that_hangs_up_in_the_handshake_is_blamed_for_it() -> None:
    async def hang_up(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)

    async def ask(wire: SocketWire) -> None:
        with pytest.raises(PeerGarbled, match="ended during the handshake"):
            await wire.start_tls("mx.test")

    against(hang_up, ask, Patience())


def test_no_route_and_bad_source_are_one_clear_sentence() -> None:
    async def go() -> None:
        with pytest.raises(PeerUnreachable, match="not available here") as unreachable:
            await connect("127.0.0.1", 9, QUICK, source="192.0.2.77")
        assert not unreachable.value.refused

    asyncio.run(go())
