"""One small HTTPS request to one known address, bounded in time and size; no redirects, no plain HTTP.

Only documents that clients would trust are fetched: the certificate is verified for the name.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from gatepost.certs.chain import Roots
from gatepost.errors import PeerClosed, PeerGarbled, PeerRefused, PeerReset, PeerSilent, PeerUnreachable, because

SECONDS = 8.0  # for the whole exchange
MAX_ANSWER = 300_000  # octets, head and body
MAX_FIELDS = 100  # of a head
UNTRUSTED = {
    18: "the certificate is self-signed",
    19: "the certificate leads to an authority that is not trusted",
    20: "the certificate's issuer is not trusted, or an intermediate certificate is missing",
    21: "the certificate's issuer is not trusted, or an intermediate certificate is missing",
}  # X509_V_ERR codes whose own words help only who knows OpenSSL


@dataclass(frozen=True, slots=True)
class Ask:
    host: str
    address: str
    port: int
    path: str
    body: bytes = b""  # with one the request is a POST of XML
    accept: str = "text/xml"


@dataclass(frozen=True, slots=True)
class Document:
    text: str
    content_type: str = ""


async def fetch(ask: Ask, roots: Roots, *, seconds: float = SECONDS) -> str:
    """The body of a 200 answer. Raises a PeerError for everything else."""
    return (await document(ask, roots, seconds=seconds)).text


async def document(ask: Ask, roots: Roots, *, seconds: float = SECONDS, most: int = MAX_ANSWER) -> Document:
    """A 200 answer of at most `most` octets, head included. Raises a PeerError for everything else."""
    try:
        async with asyncio.timeout(seconds):
            return await _exchange(ask, _context(roots), most)
    except TimeoutError:
        raise PeerSilent(f"{ask.host} did not answer within {seconds:.2g} s") from None
    except ssl.SSLCertVerificationError as error:
        raise PeerRefused(f"{ask.host}: {_untrusted(error)}") from None
    except ssl.SSLError as error:
        raise PeerGarbled(f"{ask.host}: TLS: {(error.reason or str(error)).lower().replace('_', ' ')}") from None
    except ConnectionRefusedError:
        raise PeerUnreachable(f"{ask.host}: connection refused", refused=True) from None
    except ConnectionError:
        raise PeerReset(f"{ask.host}: connection reset") from None
    except OSError as error:
        raise PeerUnreachable(f"{ask.host}: {because(error)}", refused=False) from None


async def _exchange(ask: Ask, context: ssl.SSLContext, most: int) -> Document:
    reader, writer = await asyncio.open_connection(
        ask.address, ask.port, ssl=context, server_hostname=ask.host, limit=MAX_ANSWER
    )
    try:
        writer.write(_request(ask))
        await writer.drain()
        return read(await _all(reader, ask.host, most), ask.host)
    finally:
        writer.transport.abort()


def _untrusted(error: ssl.SSLCertVerificationError) -> str:
    return UNTRUSTED.get(error.verify_code, error.verify_message.lower().rstrip("."))


def _request(ask: Ask) -> bytes:
    """HTTP/1.0 keeps chunked transfer away."""
    method = "POST" if ask.body else "GET"
    lines = [f"{method} {ask.path} HTTP/1.0", f"Host: {ask.host}", "User-Agent: gatepost", f"Accept: {ask.accept}"]
    if ask.body:
        lines += ["Content-Type: text/xml; charset=utf-8", f"Content-Length: {len(ask.body)}"]
    return "\r\n".join((*lines, "", "")).encode("ascii") + ask.body


async def _all(reader: asyncio.StreamReader, host: str, most: int) -> bytes:
    """Until the end, or as far as the head says: some servers keep the connection open whatever they are asked."""
    data = b""
    whole: Callable[[bytes], bool] | None = None
    while chunk := await reader.read(16384):
        data += chunk
        if len(data) > most:
            raise PeerGarbled(f"{host}: an answer of more than {most} octets")
        if whole is None and b"\r\n\r\n" in data:
            whole = _measure(data)
        if whole is not None and whole(data):
            break
    return data


def _measure(data: bytes) -> Callable[[bytes], bool]:
    """How to see that an answer with this head is complete."""
    head, _, _ = data.partition(b"\r\n\r\n")
    known = _fields(head)
    start = len(head) + 4
    if _chunked(known):
        return lambda so_far: _ended(so_far[start:])
    length = known.get("content-length", "")
    if length.isascii() and length.isdecimal():
        return lambda so_far: len(so_far) - start >= int(length[:9])
    return lambda _: False


def read(data: bytes, host: str) -> Document:
    """A redirect is not followed: it could lead out of the encrypted world."""
    head, found, body = data.partition(b"\r\n\r\n")
    if not data:
        raise PeerClosed(f"{host} closed without an answer")
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    if not found or not words[0].startswith("HTTP/") or len(words) < 2:
        raise PeerGarbled(f"{host} does not speak HTTP")
    known = _fields(head)
    if words[1] != "200":
        raise PeerRefused(f"{host} answers {_plain(' '.join(words[1:]), 60)}{_elsewhere(words[1], known)}")
    if _chunked(known):
        body = _joined(body, host)
    elif (length := known.get("content-length", "")).isdecimal() and length.isascii():
        if len(body) < int(length[:9]):
            raise PeerClosed(f"{host} closed in the middle of the document")
        body = body[: int(length[:9])]
    return Document(body.decode("utf-8", "replace").removeprefix("\ufeff"), _plain(known.get("content-type", ""), 100))


def _fields(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1 : MAX_FIELDS + 1]
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _chunked(known: dict[str, str]) -> bool:
    """Asked in HTTP/1.0 nobody should (RFC 9112 section 6.1), but some do."""
    return known.get("transfer-encoding", "").lower() == "chunked"


def _joined(body: bytes, host: str) -> bytes:
    """RFC 9112 section 7.1."""
    parts: list[bytes] = []
    while True:
        line, found, body = body.partition(b"\r\n")
        try:
            size = int(line.split(b";", 1)[0].strip()[:8], 16)
        except ValueError:
            raise PeerGarbled(f"{host} sends a chunk without a size") from None
        if not found or size < 0 or len(body) < size:
            raise PeerClosed(f"{host} closed in the middle of the document")
        if size == 0:
            return b"".join(parts)
        parts.append(body[:size])
        body = body[size:].removeprefix(b"\r\n")


def _ended(body: bytes) -> bool:
    try:
        _joined(body, "")
    except PeerClosed:
        return False
    except PeerGarbled:
        return True  # more of it makes it no better
    return True


def _elsewhere(code: str, known: dict[str, str]) -> str:
    if code[:1] != "3":
        return ""
    to = _plain(known.get("location", ""), 100)
    return f", a redirect{f' to {to}' if to else ''}: it is not followed"


def _plain(text: str, most: int) -> str:
    return "".join(c for c in text if c.isprintable())[:most]


@lru_cache(maxsize=4)
def _context(roots: Roots) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if roots.certificates:
        context.load_verify_locations(cadata=b"".join(roots.certificates))
    return context
