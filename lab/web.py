"""The lab's web server, one process for all its names, and beside it a name server that answers nobody.

`python -m lab.web FOLDER ADDRESS SILENT`: FOLDER has pages.json and a certificate per host. Ends when told to.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path

from lab.daemons import master
from lab.pages import Page, Pages, read
from lab.places import PROJECT, run

HTTPS, NAMES = 443, 53
MAX_REQUEST = 65536  # octets
NOT_FOUND = Page("nothing here\n", "404 Not Found")


def start(folder: Path, address: str, silent: str) -> None:
    """Returns when it serves. Raises SystemExit with its words when it does not."""
    path = f"PYTHONPATH={PROJECT / 'src'}{os.pathsep}{PROJECT}"
    run("env", path, sys.executable, "-m", "lab.web", str(folder), address, silent)


def running(folder: Path) -> int | None:
    return master(folder / "web.pid", b"lab.web")


def daemon(folder: Path, address: str, silent: str) -> None:
    """The caller's process ends as soon as its child serves, like the other daemons of the lab."""
    heard, said = os.pipe()
    if os.fork():
        os.close(said)
        sys.exit(0 if os.read(heard, 1) else "the web server did not start")
    os.setsid()
    (folder / "web.pid").write_text(str(os.getpid()))
    asyncio.run(serve(folder, address, silent, lambda: _tell(said)))


async def serve(folder: Path, address: str, silent: str, ready: Callable[[], None]) -> None:
    pages = read(folder / "pages.json")
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)  # clients hang up as they like
    with _bound(silent, socket.SOCK_DGRAM), _bound(silent, socket.SOCK_STREAM):
        server = await asyncio.start_server(
            lambda r, w: _talk(pages, r, w), address, HTTPS, ssl=_certificates(folder, pages), limit=MAX_REQUEST
        )
        ready()
        await stop.wait()
        server.close()


def _tell(said: int) -> None:
    os.write(said, b".")
    os.close(said)


def _bound(address: str, kind: socket.SocketKind) -> socket.socket:
    """Datagrams and connections wait in the kernel, and nobody comes for them."""
    made = socket.socket(socket.AF_INET, kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, NAMES))
    if kind is socket.SOCK_STREAM:
        made.listen()
    return made


def _certificates(folder: Path, pages: Pages) -> ssl.SSLContext:
    """One certificate per name; who names none, or another, gets the first."""
    contexts: dict[str, ssl.SSLContext] = {}
    for host in pages:
        contexts[host] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        contexts[host].load_cert_chain(folder / f"{host}.pem")
    first = next(iter(contexts.values()))

    def named(connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = contexts.get(name or "", first)

    first.sni_callback = named
    return first


async def _talk(pages: Pages, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        writer.write(_answer(pages, head))
        await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        pass
    finally:
        writer.close()


def _answer(pages: Pages, head: str) -> bytes:
    path = head.partition(" ")[2].partition(" ")[0].partition("?")[0]
    hosts = [line.partition(":")[2].strip().lower() for line in head.splitlines() if line.lower().startswith("host:")]
    page = pages.get(hosts[0] if hosts else "", {}).get(path, NOT_FOUND)
    body = page.body.encode() * page.times
    moved = f"Location: {page.location}\r\n" if page.location else ""
    told = f"HTTP/1.1 {page.status}\r\nContent-Type: {page.type}\r\nContent-Length: {len(body)}\r\n{moved}"
    return f"{told}Connection: close\r\n\r\n".encode() + body


if __name__ == "__main__":
    daemon(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
