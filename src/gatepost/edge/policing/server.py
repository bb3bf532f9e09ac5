"""The sockets: HTTP for Dovecot, the policy protocol for Postfix, told apart by the first word."""

from __future__ import annotations

import asyncio
import errno
import hmac
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import h11

from gatepost.edge.policing.bench import Bench
from gatepost.errors import PeerGarbled, UsageError, because
from gatepost.policing import dovecot, postfix

READ = 1 << 16  # bytes at once
LARGEST_BODY = 1 << 16  # bytes; Dovecot sends a few hundred
IDLE = 600.0  # seconds without a request before a connection is closed; Postfix keeps one for 300
CONNECTIONS = 1000
METHODS = (b"POST ", b"GET ", b"HEAD ", b"PUT ")


@dataclass(slots=True)
class Server:
    """`secret` is what the `Authorization` header must say, where one is wanted."""

    bench: Bench
    secret: str = ""
    _open: dict[asyncio.StreamWriter, None] = field(default_factory=dict)  # who asked last is last

    async def serve(self, at: str, ready: Callable[[str], None], stop: asyncio.Event) -> None:
        """Answer on ADDRESS:PORT or a path until told to stop. Raises UsageError when that cannot be bound."""
        try:
            server = await _listening(at, self._admit)
        except OSError as error:
            raise UsageError(f"cannot listen on {at}: {because(error)}") from None
        async with server:
            ready(at)
            await stop.wait()

    async def _admit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= CONNECTIONS:  # who holds them and asks nothing must keep nobody from asking
            quiet = next(iter(self._open))
            del self._open[quiet]
            quiet.transport.abort()
        self._open[writer] = None
        try:
            await self._hear(reader, writer)
        except (ConnectionError, TimeoutError, PeerGarbled, h11.RemoteProtocolError) as error:
            if isinstance(error, PeerGarbled | h11.RemoteProtocolError):
                self.bench.complain(f"closed a connection: {error}")
        finally:
            self._open.pop(writer, None)
            with suppress(OSError):
                writer.close()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await _more(reader)
        speak = self._http if first.startswith(METHODS) else self._policy
        await speak(first, reader, writer)

    async def _policy(self, data: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests = postfix.Requests()
        while data:
            for request in requests.feed(data.replace(b"\r\n", b"\n")):
                writer.write(postfix.reply(self.bench.ask(postfix.attempt(request))))
                self._asked(writer)
            await writer.drain()
            data = await _more(reader)

    async def _http(self, data: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        spoken = h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST_BODY)
        while True:
            asked = await _request(spoken, data, reader)
            if asked is None:
                return
            head, body = asked
            status, reply = self._answer(head, body)
            headers = [("Content-Type", "application/json"), ("Content-Length", str(len(reply)))]
            parts = (h11.Response(status_code=status, headers=headers), h11.Data(data=reply), h11.EndOfMessage())
            writer.write(b"".join(spoken.send(part) or b"" for part in parts))
            self._asked(writer)
            await writer.drain()
            if spoken.our_state is not h11.DONE or spoken.their_state is not h11.DONE:
                return
            spoken.start_next_cycle()
            data = b""

    def _asked(self, writer: asyncio.StreamWriter) -> None:
        if writer in self._open:
            del self._open[writer]
            self._open[writer] = None

    def _answer(self, head: h11.Request, body: bytes) -> tuple[int, bytes]:
        """A request that is none is told so; Dovecot then lets the login go on."""
        if self.secret and not self._entitled(head):
            return 401, b'{"status":0,"msg":""}'
        try:
            match _command(head):
                case "allow":
                    return 200, dovecot.reply(self.bench.ask(dovecot.attempt(body)))
                case "report":
                    self.bench.told(dovecot.ended(body))
                    return 200, b'{"status":0,"msg":""}'
        except PeerGarbled as error:
            self.bench.complain(f"not a request of Dovecot's: {error}")
        return 400, b'{"status":0,"msg":""}'

    def _entitled(self, head: h11.Request) -> bool:
        given = next((value for name, value in head.headers if name == b"authorization"), b"")
        return hmac.compare_digest(given.strip(), self.secret.encode())


def _command(head: h11.Request) -> str:
    """Raises PeerGarbled."""
    try:
        asked = parse_qs(urlsplit(head.target.decode("ascii", "replace")).query)
    except ValueError as error:
        raise PeerGarbled(f"{head.target[:80]!r}: {error}") from None
    return asked.get("command", [""])[0]


async def _request(
    spoken: h11.Connection, data: bytes, reader: asyncio.StreamReader
) -> tuple[h11.Request, bytes] | None:
    """One request with its body; None when the peer is done."""
    head, body = None, b""
    if data:
        spoken.receive_data(data)
    while True:
        event = spoken.next_event()
        if event is h11.NEED_DATA:
            spoken.receive_data(await _more(reader))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > LARGEST_BODY:
                raise PeerGarbled(f"a body of more than {LARGEST_BODY} bytes")
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            return head, body
        else:
            return None


async def _more(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(IDLE):
        return await reader.read(READ)


async def _listening(
    at: str, admit: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
) -> asyncio.Server:
    address, _, port = at.rpartition(":")
    if "/" in at or not port.isdigit():
        return await asyncio.start_unix_server(admit, sock=_on_path(Path(at)))
    return await asyncio.start_server(admit, address.strip("[]") or "127.0.0.1", int(port))


def _on_path(path: Path) -> socket.socket:
    """A socket that nobody answers on any more is taken over; one that answers is somebody else's.

    Postfix and Dovecot run as users of their own, so everybody may write: the directory says who comes near.
    """
    if path.is_socket():
        with socket.socket(socket.AF_UNIX) as other:
            if other.connect_ex(str(path)) == 0:
                raise FileExistsError(errno.EADDRINUSE, "another program answers there")
        path.unlink()
    bound = socket.socket(socket.AF_UNIX)
    try:
        bound.bind(str(path))
        path.chmod(0o666)
    except BaseException:
        bound.close()
        raise
    return bound
