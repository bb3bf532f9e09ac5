"""policyd on real sockets: both protocols, and those who speak neither."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from gatepost.edge.policing import store
from gatepost.edge.policing.bench import RECORD, Bench
from gatepost.edge.policing.server import Server
from gatepost.errors import UsageError
from gatepost.policing.judging import Lock
from gatepost.policing.memory import Known

NOW = 1_800_000_000.0
QUESTION = {"login": "alice", "pwhash": "abc", "remote": "198.51.100.9", "protocol": "imap", "tls": True}
MAIL = b"request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=198.51.100.9\nsasl_username=alice\n\n"

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bytes]]


def bench(directory: Path, complaints: list[str] | None = None, *, log_only: bool = False) -> Bench:
    return Bench(
        directory, log_only=log_only, clock=lambda: NOW, complain=(complaints if complaints is not None else []).append
    )


def said(server: Server, path: Path, talk: Talk) -> bytes:
    """What `talk` heard from a server on this path."""

    async def scene() -> bytes:
        stop, ready = asyncio.Event(), asyncio.Event()
        serving = asyncio.create_task(server.serve(str(path), lambda _: ready.set(), stop))
        await asyncio.wait({serving, asyncio.create_task(ready.wait())}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
        reader, writer = await asyncio.open_unix_connection(path)
        async with asyncio.timeout(10):
            heard = await talk(reader, writer)
        writer.close()
        stop.set()
        await serving
        return heard

    return asyncio.run(scene())


def sending(*parts: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        heard = b""
        with suppress(ConnectionError):  # whoever sent garbage may be hung up on
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
            writer.write_eof()
            heard = await reader.read()
        return heard

    return talk


def posted(command: str, fields: dict[str, object], *headers: str) -> bytes:
    body = json.dumps(fields).encode()
    head = "\r\n".join((f"POST /?command={command} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers))
    return head.encode() + b"\r\n\r\n" + body


def lock(directory: Path) -> None:
    store.lock(directory, Lock("alice", NOW + 60, "phished", "root"))


def test_answers_dovecot_over_one_connection(tmp_path: Path) -> None:
    lock(tmp_path)
    other = QUESTION | {"login": "bob"}
    heard = said(Server(bench(tmp_path)), tmp_path / "s", sending(posted("allow", QUESTION) + posted("allow", other)))
    assert heard.count(b"HTTP/1.1 200") == 2
    assert [b'"status": -1' in heard, b'"status": 0' in heard] == [True, True]


def test_answers_postfix_however_the_stream_was_cut(tmp_path: Path) -> None:
    lock(tmp_path)
    cut = [MAIL[n : n + 1] for n in range(len(MAIL))]
    heard = said(Server(bench(tmp_path)), tmp_path / "s", sending(*cut, MAIL.replace(b"alice", b"bob")))
    assert heard.startswith(b"action=REJECT 5.7.1")
    assert heard.endswith(b"action=DUNNO\n\n")


def test_writes_down_what_was_asked_and_answered(tmp_path: Path) -> None:
    lock(tmp_path)
    ended = QUESTION | {"success": False, "policy_reject": True}
    said(Server(bench(tmp_path)), tmp_path / "s", sending(posted("allow", QUESTION), posted("report", ended)))
    lines = (tmp_path / RECORD).read_text().splitlines()
    rows = [json.loads(line.partition("]: ")[2]) for line in lines]
    assert [(row["user"], row.get("answer"), row.get("outcome")) for row in rows] == [
        ("alice", "deny", None),
        ("alice", None, "refused"),
    ]
    assert "abc" not in (tmp_path / RECORD).read_text()
    assert (tmp_path / RECORD).stat().st_mode & 0o777 == 0o600


def test_only_writes_down_when_asked_to(tmp_path: Path) -> None:
    lock(tmp_path)
    heard = said(Server(bench(tmp_path, log_only=True)), tmp_path / "s", sending(posted("allow", QUESTION)))
    assert b'"status": 0' in heard
    assert '"answer": "deny"' in (tmp_path / RECORD).read_text()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        b"POST /?command=allow HTTP/9.9\r\n\r\n",
        b"POST /?command=allow HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 200_000,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\n\n" * 1000,
        b"a" * 300_000,
        b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST //[?command=allow HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_garbage_costs_its_own_connection_and_nothing_else(
    tmp_path: Path, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(bench(tmp_path))
    said(server, tmp_path / "s", sending(garbage))
    assert not caplog.records
    assert b"DUNNO" in said(server, tmp_path / "s", sending(MAIL))


def test_who_holds_every_connection_keeps_nobody_from_asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatepost.edge.policing.server.CONNECTIONS", 3)

    async def talk(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> bytes:
        held = [await asyncio.open_unix_connection(tmp_path / "s") for _ in range(8)]
        for _, silent in held:
            silent.write(b"POST /?command=al")
        asking, asked = await asyncio.open_unix_connection(tmp_path / "s")
        asked.write(MAIL)
        heard = await asking.readuntil(b"\n\n")
        for _, one in [*held, (asking, asked)]:
            one.close()
            with suppress(ConnectionError):
                await one.wait_closed()
        return heard

    assert said(Server(bench(tmp_path)), tmp_path / "s", talk).startswith(b"action=DUNNO")


def test_a_wrong_secret_is_told_and_lets_the_login_go_on(tmp_path: Path) -> None:
    lock(tmp_path)
    server = Server(bench(tmp_path), secret="Basic right")
    wrong = said(server, tmp_path / "s", sending(posted("allow", QUESTION, "Authorization: Basic wrong")))
    right = said(server, tmp_path / "s", sending(posted("allow", QUESTION, "Authorization: Basic right")))
    assert (b" 401 " in wrong, b'"status": -1' in right) == (True, True)


def test_a_state_directory_that_breaks_keeps_nobody_out(tmp_path: Path) -> None:
    complaints: list[str] = []
    server = Server(bench(tmp_path, complaints))
    (tmp_path / "gatepost.db").write_bytes(b"no database" * 100)
    assert b'"status": 0' in said(server, tmp_path / "s", sending(posted("allow", QUESTION)))
    assert any("damaged" in one for one in complaints)


def test_known_networks_outlive_it(tmp_path: Path) -> None:
    first = bench(tmp_path)
    first.recall((Known("alice", "192.0.2.0/24", NOW - 9000, NOW - 8000), Known("old", "192.0.2.0/24", 1, 2)))
    first.save()
    first.save()
    again = bench(tmp_path)
    assert again.memory.acquaintances() == (Known("alice", "192.0.2.0/24", NOW - 9000, NOW - 8000),)


def test_takes_over_a_dead_socket_and_no_living_one(tmp_path: Path) -> None:
    server, path = Server(bench(tmp_path)), tmp_path / "s"
    said(server, path, sending(MAIL))
    assert path.is_socket()

    async def twice() -> None:
        stop, ready = asyncio.Event(), asyncio.Event()
        serving = asyncio.create_task(server.serve(str(path), lambda _: ready.set(), stop))
        await ready.wait()
        try:
            with pytest.raises(UsageError, match="another program answers"):
                await server.serve(str(path), lambda _: None, stop)
        finally:
            stop.set()
            await serving

    asyncio.run(twice())
