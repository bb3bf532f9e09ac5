"""A small HTTPS server for policy documents, by host and path."""

from __future__ import annotations

from collections.abc import Mapping

from gatepost.demo.authority import Papers
from gatepost.demo.habits import Tls
from gatepost.demo.security import context
from gatepost.demo.servers import Handler
from gatepost.demo.stream import Gone, Stream

MAX_LINES = 100


def documents(texts: Mapping[str, str], papers: Papers) -> Handler:
    """`texts` by `host/path`; everything else is 404."""
    tls = context(papers, Tls())

    async def handle(stream: Stream) -> None:
        await stream.start_tls(tls)
        path = (await stream.line()).decode("latin-1").split(" ")[1:2]
        host = await _host(stream)
        text = texts.get(f"{host}{path[0]}") if path else None
        status = "200 OK" if text is not None else "404 Not Found"
        body = (text or "").encode()
        head = (f"HTTP/1.1 {status}", "Content-Type: text/plain", f"Content-Length: {len(body)}", "Connection: close")
        await stream.say(*head, "")
        await stream.send(body)

    return handle


async def _host(stream: Stream) -> str:
    """The Host header, after reading all of them."""
    host = ""
    for _ in range(MAX_LINES):
        line = (await stream.line()).decode("latin-1")
        if not line:
            return host
        name, _, value = line.partition(":")
        if name.lower() == "host":
            host = value.strip().partition(":")[0].lower()
    raise Gone
