"""The record layer in clear: bytes in, fragments out, and the reverse (RFC 8446 section 5.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from gatepost.errors import PeerGarbled
from gatepost.wire.lines import printable
from gatepost.wire.tls.octets import vector

MAX_FRAGMENT = 2**14
MAX_RECORD = MAX_FRAGMENT + 2048  # RFC 5246 section 6.2.3: what an encrypted record may grow to
MAX_FLIGHT = 2**18  # octets we read of one peer before we call it a flood
MAX_GARBAGE = 80  # octets looked at to say what speaks in place of TLS


class Content(IntEnum):
    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23
    HEARTBEAT = 24


_CONTENTS = frozenset(int(content) for content in Content)


@dataclass(frozen=True, slots=True)
class Record:
    """`content` is the type octet, 0 for an SSL 2.0 record (which has none)."""

    content: int
    version: int
    data: bytes


def render_record(content: int, version: int, data: bytes, size: int = MAX_FRAGMENT) -> bytes:
    """`data` in as many records as it needs, none larger than `size`."""
    cuts = range(0, len(data), size) or range(1)
    return b"".join(
        bytes([content]) + version.to_bytes(2, "big") + vector(data[cut : cut + size], 2) for cut in cuts
    )  # fmt: skip


def render_ssl2_record(data: bytes) -> bytes:
    """The two-octet header of SSL 2.0: no padding, high bit set."""
    return (0x8000 | len(data)).to_bytes(2, "big") + data


@dataclass(slots=True)
class Records:
    """Records out of a stream, however it is cut."""

    _held: bytearray = field(default_factory=bytearray)
    _read: int = 0

    def feed(self, data: bytes) -> None:
        self._read += len(data)
        if self._read > MAX_FLIGHT:
            raise PeerGarbled(f"TLS: more than {MAX_FLIGHT} octets before the handshake got anywhere")
        self._held += data

    def next(self) -> Record | None:
        """The next record, None until it is complete. Raises PeerGarbled for what cannot be one."""
        held = self._held
        if self._is_garbage():
            self._garbage(final=False)
            return None
        if held and held[0] & 0x80:
            return self._ssl2()
        if len(held) < 5:
            return None
        length = int.from_bytes(held[3:5], "big")
        if length > MAX_RECORD:
            raise PeerGarbled(f"TLS: a record of {length} octets")
        if len(held) < 5 + length:
            return None
        record = Record(held[0], int.from_bytes(held[1:3], "big"), bytes(held[5 : 5 + length]))
        del held[: 5 + length]
        return record

    def end(self) -> None:
        """The stream ended: blame the peer when what is left is no TLS at all."""
        if self._is_garbage():
            self._garbage(final=True)

    def rest(self) -> bytes:
        """Whatever follows the last record taken."""
        return bytes(self._held)

    def _ssl2(self) -> Record | None:
        held = self._held
        if len(held) < 3:
            return None
        length = int.from_bytes(held[:2], "big") & 0x7FFF
        if len(held) < 2 + length:
            return None
        record = Record(0, 0x0002, bytes(held[2 : 2 + length]))
        del held[: 2 + length]
        return record

    def _is_garbage(self) -> bool:
        held = self._held
        if not held:
            return False
        if held[0] & 0x80:  # ERROR, CLIENT-HELLO, SERVER-HELLO: all that SSL 2.0 sends in clear
            return len(held) > 2 and held[2] not in {0, 1, 4}
        return held[0] not in _CONTENTS or (len(held) > 1 and held[1] != 3)

    def _garbage(self, *, final: bool) -> None:
        """Wait for a whole line, so that the words do not depend on how the stream was cut."""
        end = self._held.find(b"\n", 0, MAX_GARBAGE)
        if not final and end < 0 and len(self._held) < MAX_GARBAGE:
            return
        first = bytes(self._held[: end if end >= 0 else MAX_GARBAGE])
        raise PeerGarbled(f"not TLS but {spoken(first)}: {printable(first.decode('latin-1').rstrip())}")


_SPOKEN = (
    (b"SSH-", "SSH"),
    (b"HTTP/", "HTTP"),
    (b"<", "HTML or XML"),
    (b"+OK", "POP3"),
    (b"-ERR", "POP3"),
    (b"* ", "IMAP"),
    (b'"IMPL', "ManageSieve"),
    (b"OK", "ManageSieve"),
    (b"NO", "ManageSieve"),
    (b"BYE", "ManageSieve"),
)


def spoken(first: bytes) -> str:
    """What a line of clear text looks like: an SMTP reply, IMAP, HTTP and so on."""
    if first[:3].isdigit() and first[3:4] in {b" ", b"-", b"\r", b""} and first[:1] in b"2345":
        return "an SMTP reply"
    return next((name for start, name in _SPOKEN if first.startswith(start)), "something else")
