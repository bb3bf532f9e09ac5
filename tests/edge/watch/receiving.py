"""Receivers on loopback, real ones: a mail server that may ask for TLS and a password, a webhook, a syslog socket."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl

from tests.aside import Aside


class MailServer(Aside):
    """ESMTP as far as a client needs it. `refuse` is what it answers to RCPT instead of 250."""

    def __init__(self, context: ssl.SSLContext | None = None, *, implicit: bool = False, refuse: str = "") -> None:
        super().__init__()
        self.context, self.implicit, self.refuse = context, implicit, refuse
        self.messages: list[str] = []
        self.logins: list[str] = []
        self._loop.set_exception_handler(lambda _loop, _context: None)  # failed handshakes are the point

    async def _serve(self) -> None:
        inner = self.context if self.implicit else None
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=inner)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        encrypted = self.implicit
        writer.write(b"220 here ESMTP\r\n")
        while line := (await reader.readline()).decode().strip():
            match line.split()[0].upper():
                case "EHLO":
                    offered = "AUTH PLAIN" if encrypted else "STARTTLS" if self.context else "8BITMIME"
                    writer.write(f"250-here\r\n250 {offered}\r\n".encode())
                case "STARTTLS":
                    writer.write(b"220 go\r\n")
                    await writer.drain()
                    assert self.context
                    await writer.start_tls(self.context)
                    encrypted = True
                case "AUTH":
                    self.logins.append(base64.b64decode(line.split()[2]).decode())
                    writer.write(b"235 welcome\r\n")
                case "RCPT":
                    writer.write(f"{self.refuse or '250 ok'}\r\n".encode())
                case "DATA":
                    writer.write(b"354 go on\r\n")
                    self.messages.append((await reader.readuntil(b"\r\n.\r\n")).decode())
                    writer.write(b"250 taken\r\n")
                case "QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                case _:
                    writer.write(b"250 ok\r\n")
            await writer.drain()
        writer.close()


class Hook(Aside):
    """A webhook over TLS. `answers` are statuses, one for each request, the last one for all further."""

    def __init__(self, context: ssl.SSLContext, *answers: int) -> None:
        super().__init__()
        self.context, self.answers = context, list(answers)
        self.got: list[tuple[str, dict[str, str], bytes]] = []

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0, ssl=self.context)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
        self.got.append((head, fields, await reader.readexactly(int(fields["content-length"]))))
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        writer.write(f"HTTP/1.1 {status} Fine\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


def datagrams() -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    found.bind(("127.0.0.1", 0))
    found.settimeout(10)
    return found
