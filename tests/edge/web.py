"""A web server on loopback over TLS, in a thread of its own: one fixed answer, whatever is asked."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.aside import Aside
from tests.authority import Issued


class Web(Aside):
    """`answers` are raw HTTP answers by host name; a host without one gets a 404. None: never answer."""

    def __init__(self, directory: Path, leaf: Issued, answers: dict[str, bytes | None]) -> None:
        super().__init__()
        self.answers = answers
        self.asked: list[str] = []
        pem = directory / "web.pem"
        pem.write_bytes(leaf.pem + leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pem)
        self._loop.set_exception_handler(lambda _loop, _context: None)  # failed handshakes are the point

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0, ssl=self.context)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.asked.append(request)
            host = request.partition("Host: ")[2].split("\r\n", 1)[0]
            answer = self.answers.get(host, b"HTTP/1.1 404 Not Found\r\n\r\n")
            if answer is None:
                await reader.read()
            else:
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort() if self._stop.is_set() else writer.close()
