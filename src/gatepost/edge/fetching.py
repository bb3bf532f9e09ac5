"""Policies over HTTPS, from each address of their host in turn, as a sending mail server would fetch them."""

from __future__ import annotations

import asyncio

from gatepost import catalogue
from gatepost.certs.chain import Roots
from gatepost.edge.https import SECONDS, Ask, Document, document
from gatepost.edge.resolve import Resolver
from gatepost.errors import PeerError, PeerGarbled
from gatepost.model.reasons import reason
from gatepost.model.words import Reason
from gatepost.records.lookup import Fetched

MAX_POLICY = 65536  # octets, head included (RFC 8461 section 3.3 asks for a limit, and names 64 KiB)
MAX_ADDRESSES = 6
AT_ONCE = 16  # connections
TELLING = (Reason.REFUSED, Reason.GARBLED, Reason.CLOSED, Reason.RESET, Reason.TIMEOUT, Reason.FILTERED)


class Fetcher:
    """`records.lookup.Fetch` in earnest. `https` is another port than the usual one; `seconds` are for one document."""

    def __init__(self, resolver: Resolver, roots: Roots, *, https: int | None = None, seconds: float = SECONDS) -> None:
        self.resolver = resolver
        self.roots = roots
        self.port = https or catalogue.number("https")
        self.seconds = seconds
        self._run: tuple[asyncio.AbstractEventLoop, asyncio.Semaphore] | None = None

    async def __call__(self, host: str, path: str) -> Fetched:
        found = await self.resolver.find(host)
        if not found.addresses:
            return Fetched(ok=False, reason=reason(found.trouble[0]), why=str(found.trouble[0]))
        async with self._gate():
            return await self._first(host, path, found.addresses[:MAX_ADDRESSES])

    async def _first(self, host: str, path: str, addresses: tuple[str, ...]) -> Fetched:
        """The first address that gives the document; else what is wrong at each."""
        end = asyncio.get_running_loop().time() + self.seconds
        wrong: dict[str, PeerError] = {}
        for left, address in enumerate(addresses):
            share = (end - asyncio.get_running_loop().time()) / (len(addresses) - left)
            try:
                got = await self._get(Ask(host, address, self.port, path, accept="text/plain"), max(share, 0.01))
            except PeerError as error:
                wrong[address] = error
            else:
                return Fetched(ok=True, text=got.text, content_type=got.content_type)
        return _failed(host, wrong)

    async def _get(self, ask: Ask, seconds: float) -> Document:
        try:
            return await document(ask, self.roots, seconds=seconds, most=MAX_POLICY)
        except ValueError as error:  # a name that TLS cannot carry, a path that HTTP cannot
            raise PeerGarbled(f"{ask.host} cannot be asked for {ask.path!r}: {error}") from None

    def _gate(self) -> asyncio.Semaphore:
        """One event loop, one run."""
        loop = asyncio.get_running_loop()
        if self._run is None or self._run[0] is not loop:
            self._run = loop, asyncio.Semaphore(AT_ONCE)
        return self._run[1]


def _failed(host: str, wrong: dict[str, PeerError]) -> Fetched:
    """One sentence when all addresses fail alike, else the addresses beside what each does."""
    reasons = {address: reason(error) for address, error in wrong.items()}
    kinds = sorted(set(reasons.values()), key=lambda one: TELLING.index(one) if one in TELLING else len(TELLING))
    sentences = list(dict.fromkeys(str(error) for error in wrong.values()))
    if len(sentences) == 1:
        return Fetched(ok=False, reason=kinds[0], why=sentences[0])
    each = (f"{str(error).removeprefix(host).lstrip(': ')} at {address}" for address, error in wrong.items())
    return Fetched(ok=False, reason=kinds[0], why=f"{host}: {'; '.join(each)}")
