"""The wire a dialogue is handed, and the line buffer that owns every unread byte.

Dialogues are async functions over `Wire`; a script drives them in tests without an event loop. TLS starts
only through `Talk.start_tls`, after the dialogue reported what the peer had already sent (RFC 3207 section 4.2:
such bytes must be discarded, and their presence is worth knowing).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from gatepost.errors import PeerClosed, PeerGarbled

MAX_LINE = 8192  # octets; RFC 5321 asks for 512, IMAP capability lines run longer
MAX_LINES = 200  # in one reply


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """What a completed handshake gave. Names are IANA's; `chain` is DER, leaf first as sent."""

    version: str
    suite: str
    group: str
    chain: tuple[bytes, ...]
    alpn: str = ""
    staple: bytes = b""
    client_certificate_requested: bool = False


class Wire(Protocol):
    """A connected byte stream. All methods raise a PeerError; none of them raises OSError."""

    async def read(self) -> bytes:
        """Some bytes, or b"" at the end of the stream. Raises PeerSilent when nothing comes in time."""

    async def write(self, data: bytes) -> None: ...

    async def start_tls(self, name: str | None, *, highest: str = "") -> TlsFacts:
        """Handshake with an ordinary TLS library that accepts any certificate.

        `name` is the SNI, None to send none. `highest` caps the version (`TLSv1.2`).
        Raises PeerGarbled with the library's words when the handshake fails.
        """

    async def renegotiate(self) -> bool:
        """Ask for a client-initiated renegotiation (TLS 1.2): whether the peer went along."""

    async def close(self) -> None: ...


class Dial(Protocol):
    """Opens one more connection to the endpoint a dialogue looks at.

    Raises PeerUnreachable, or BudgetSpent when no further connection is allowed.
    """

    async def __call__(self) -> Wire: ...


@dataclass(slots=True)
class Lines:
    """Bytes in, lines out; any cut of the input gives the same lines."""

    _held: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> None:
        self._held += data

    def line(self) -> str | None:
        """The next line without its ending, None when it is not complete yet. Octets map to Latin-1."""
        end = self._held.find(b"\n")
        if end < 0:
            if len(self._held) > MAX_LINE:
                raise PeerGarbled(f"a line longer than {MAX_LINE} octets")
            return None
        if end > MAX_LINE:
            raise PeerGarbled(f"a line longer than {MAX_LINE} octets")
        line = bytes(self._held[:end])
        del self._held[: end + 1]
        return line.removesuffix(b"\r").decode("latin-1")

    def take(self, count: int) -> bytes | None:
        """Exactly `count` octets (an IMAP literal), None when they have not all arrived."""
        if len(self._held) < count:
            return None
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken

    def rest(self) -> bytes:
        """Everything unread; the buffer is empty afterwards."""
        left = bytes(self._held)
        self._held.clear()
        return left


@dataclass(slots=True)
class Talk:
    """A wire with its line buffer and a transcript (`> sent`, `< received`) for evidence."""

    wire: Wire
    encrypted: bool = False
    lines: Lines = field(default_factory=Lines)
    transcript: list[str] = field(default_factory=list)

    async def line(self) -> str:
        """The next line of the peer. Raises PeerClosed at the end of the stream."""
        while (line := self.lines.line()) is None:
            data = await self.wire.read()
            if not data:
                raise PeerClosed("the connection ended where an answer was due")
            self.lines.feed(data)
        self.transcript.append(f"< {printable(line)}")
        return line

    async def octets(self, count: int) -> bytes:
        while (taken := self.lines.take(count)) is None:
            data = await self.wire.read()
            if not data:
                raise PeerClosed("the connection ended inside a literal")
            self.lines.feed(data)
        return taken

    async def send(self, line: str, *, shown: str | None = None) -> None:
        """One line with CRLF. `shown` replaces it in the transcript where it carries a credential."""
        self.transcript.append(f"> {printable(shown if shown is not None else line)}")
        await self.wire.write(line.encode("latin-1") + b"\r\n")

    async def start_tls(self, name: str | None, *, highest: str = "") -> TlsFacts:
        """Upgrade; the caller has looked at `lines.rest()` first."""
        facts = await self.wire.start_tls(name, highest=highest)
        self.encrypted = True
        self.transcript.append(f"* {facts.version} {facts.suite}")
        return facts


def printable(text: str, limit: int = 300) -> str:
    """Peer text made safe for a terminal and a report: control characters escaped, shortened."""
    safe = "".join(c if c.isprintable() and ord(c) < 0x7F else _escape(c) for c in text[: limit + 1])
    return safe if len(text) <= limit else safe[:limit] + "…"


def _escape(char: str) -> str:
    return {"\t": " ", "\n": "\\n", "\r": "\\r"}.get(char, f"\\x{ord(char):02x}")
