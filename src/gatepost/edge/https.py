"""One small HTTPS request to one known address, bounded in time and size; no redirects, no plain HTTP.

Only documents that clients would trust are fetched: the certificate is verified for the name.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from functools import lru_cache

from gatepost.certs.chain import Roots
from gatepost.errors import PeerClosed, PeerGarbled, PeerRefused, PeerReset, PeerSilent, PeerUnreachable

SECONDS = 8.0  # for the whole exchange
MAX_ANSWER = 300_000  # octets, head and body


@dataclass(frozen=True, slots=True)
class Ask:
    host: str
    address: str
    port: int
    path: str
    body: bytes = b""  # with one the request is a POST of XML


async def fetch(ask: Ask, roots: Roots, *, seconds: float = SECONDS) -> str:
    """The body of a 200 answer. Raises a PeerError for everything else."""
    try:
        async with asyncio.timeout(seconds):
            return await _exchange(ask, _context(roots))
    except TimeoutError:
        raise PeerSilent(f"{ask.host} did not answer within {seconds:g} s") from None
    except ssl.SSLCertVerificationError as error:
        raise PeerRefused(f"{ask.host}: {error.verify_message.lower()}") from None
    except ssl.SSLError as error:
        raise PeerGarbled(f"{ask.host}: TLS: {(error.reason or str(error)).lower().replace('_', ' ')}") from None
    except ConnectionRefusedError:
        raise PeerUnreachable(f"{ask.host}: connection refused", refused=True) from None
    except ConnectionError:
        raise PeerReset(f"{ask.host}: connection reset") from None
    except OSError as error:
        raise PeerUnreachable(f"{ask.host}: {(error.strerror or str(error)).lower()}", refused=False) from None


async def _exchange(ask: Ask, context: ssl.SSLContext) -> str:
    reader, writer = await asyncio.open_connection(
        ask.address, ask.port, ssl=context, server_hostname=ask.host, limit=MAX_ANSWER
    )
    try:
        writer.write(_request(ask))
        await writer.drain()
        return answer(await _all(reader), ask.host)
    finally:
        writer.transport.abort()


def _request(ask: Ask) -> bytes:
    """HTTP/1.0 keeps chunked transfer away."""
    method = "POST" if ask.body else "GET"
    lines = [f"{method} {ask.path} HTTP/1.0", f"Host: {ask.host}", "User-Agent: gatepost", "Accept: text/xml"]
    if ask.body:
        lines += ["Content-Type: text/xml; charset=utf-8", f"Content-Length: {len(ask.body)}"]
    return "\r\n".join((*lines, "", "")).encode("ascii") + ask.body


async def _all(reader: asyncio.StreamReader) -> bytes:
    data = b""
    while chunk := await reader.read(16384):
        data += chunk
        if len(data) > MAX_ANSWER:
            raise PeerGarbled(f"an answer of more than {MAX_ANSWER} octets")
    return data


def answer(data: bytes, host: str) -> str:
    """The body as text. A redirect is not followed: it could lead out of the encrypted world."""
    head, found, body = data.partition(b"\r\n\r\n")
    if not data:
        raise PeerClosed(f"{host} closed without an answer")
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    if not found or not words[0].startswith("HTTP/") or len(words) < 2:
        raise PeerGarbled(f"{host} does not speak HTTP")
    if words[1] != "200":
        status = "".join(c for c in " ".join(words[1:]) if c.isprintable())[:60]
        raise PeerRefused(f"{host} answers {status}")
    return body.decode("utf-8", "replace").removeprefix("\ufeff")


@lru_cache(maxsize=4)
def _context(roots: Roots) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if roots.certificates:
        context.load_verify_locations(cadata=b"".join(roots.certificates))
    return context
