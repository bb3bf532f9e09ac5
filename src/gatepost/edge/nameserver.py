"""One resolver: a question goes out over UDP, over TCP where that does not do, and its own reply comes back.

Each datagram has a socket of its own, connected, on a port that the kernel picks at random: that costs little, and a
forger has to guess the port as well as the number (RFC 5452). What answers another question is nobody's answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from dataclasses import dataclass, field

from gatepost.edge.query import Query
from gatepost.edge.reply import Reply, mine, read
from gatepost.errors import PeerGarbled, PeerReset, PeerSilent, because

FIRST_TRY = 3  # the first datagram waits for a third of the time
MAX_STRANGE = 32  # datagrams that answer nothing, before TCP is asked instead
BIGGEST = 65535  # octets of a message


@dataclass(slots=True)
class Nameserver:
    """`where` names it for messages. `trusted`: its AD bit counts, as nobody is in between or the operator says so.

    The rest is what it showed so far: whether it was ever heard, how often in a row it was silent, whether strangers
    answer in its place, whether it needs questions without EDNS, whether it hands signatures on, and below which
    top-level names it validates (`""`: everywhere).
    """

    address: str
    port: int
    where: str
    trusted: bool = False
    heard: bool = False
    silences: int = 0
    strange: int = 0
    plain: bool = False
    signed: bool = False
    proven: set[str] = field(default_factory=set)

    async def ask(self, asked: Query, seconds: float, *, unchecked: bool = False) -> Reply:
        """Raises PeerSilent, PeerReset or PeerGarbled, in a sentence that names the resolver and the question."""
        try:
            async with asyncio.timeout(seconds):
                reply = await self._either(asked, seconds, unchecked=unchecked)
        except TimeoutError:
            self.silences += 1
            raise PeerSilent(f"{self.where} does not answer for {asked.name} within {seconds:.2g} s") from None
        except PeerGarbled as error:
            self.heard = True
            raise PeerGarbled(f"{self.where} answers nonsense for {asked.name}: {error}") from None
        except OSError as error:
            raise PeerReset(f"{self.where} cannot be asked for {asked.name}: {because(error)}") from None
        self.heard, self.silences = True, 0
        return reply

    async def _either(self, asked: Query, seconds: float, *, unchecked: bool) -> Reply:
        reply = None
        with contextlib.suppress(TimeoutError, ConnectionError):  # datagrams get lost
            async with asyncio.timeout(seconds / FIRST_TRY):
                reply = await self._datagram(asked, unchecked=unchecked)
        if reply is None and not self.strange:
            reply = await self._datagram(asked, unchecked=unchecked)
        if reply is None or reply.truncated:
            reply = await self._stream(asked, unchecked=unchecked)
        return reply

    async def _datagram(self, asked: Query, *, unchecked: bool) -> Reply | None:
        """None when what comes cannot be read, or when strangers flood us."""
        loop = asyncio.get_running_loop()
        number = secrets.randbits(16)
        with socket.socket(self._family, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.connect((self.address, self.port))
            sock.send(asked.message(number, unchecked=unchecked, plain=self.plain))
            for _ in range(MAX_STRANGE):
                data = await loop.sock_recv(sock, BIGGEST)
                if mine(data, asked, number):
                    with contextlib.suppress(PeerGarbled):
                        return read(data, asked)
                    return None
                self.strange += 1
        return None

    async def _stream(self, asked: Query, *, unchecked: bool) -> Reply:
        loop = asyncio.get_running_loop()
        number = secrets.randbits(16)
        message = asked.message(number, unchecked=unchecked, plain=self.plain)
        with socket.socket(self._family, socket.SOCK_STREAM) as sock:
            sock.setblocking(False)
            try:
                await loop.sock_connect(sock, (self.address, self.port))
                await loop.sock_sendall(sock, len(message).to_bytes(2, "big") + message)
                size = int.from_bytes(await _exactly(sock, 2), "big")
                data = await _exactly(sock, size)
            except ConnectionError as error:
                raise PeerReset(f"{self.where} cannot be asked for {asked.name} over TCP: {because(error)}") from None
        if not mine(data, asked, number):
            raise PeerGarbled("over TCP it answers another question")
        reply = read(data, asked)
        if reply.truncated:  # nothing was read of it, and that is not to say that there is nothing
            raise PeerGarbled("even over TCP the answer is cut off")
        return reply

    @property
    def _family(self) -> int:
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET


async def _exactly(sock: socket.socket, size: int) -> bytes:
    loop = asyncio.get_running_loop()
    data = b""
    while len(data) < size:
        chunk = await loop.sock_recv(sock, size - len(data))
        if not chunk:
            raise PeerGarbled("over TCP it hangs up in the middle")
        data += chunk
    return data
