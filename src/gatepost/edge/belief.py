"""How far an answer can be believed (RFC 4033 section 5).

    secure     AD from a resolver that is trusted, or validated here
    insecure   no AD from a trusted resolver that was seen to validate in that part of the tree, or proven here
    unknown    everything else

What was only not seen as secure is unknown: checks build on `insecure` as on a fact.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from gatepost.edge.nameserver import Nameserver
from gatepost.edge.query import Query, query
from gatepost.edge.reply import Reply, read
from gatepost.errors import PeerBogus, PeerError, PeerGarbled
from gatepost.model.dns import Security

ROOT = "."


@dataclass(frozen=True, slots=True)
class Validated:
    """What validation on this machine gave. `packet` is the reply that was validated, when there is one."""

    security: Security
    packet: bytes = b""
    why: str = ""


class Validator(Protocol):
    """Validates from trust anchors down, through resolvers that need not be trusted. Never raises."""

    @property
    def anchors(self) -> tuple[str, ...]:
        """Names of the zones whose keys are known, `.` for the root."""

    async def __call__(self, asked: Query, seconds: float) -> Validated: ...

    def close(self) -> None: ...


Put = Callable[[Nameserver, Query], Awaitable[Reply]]


@dataclass(slots=True)
class Belief:
    """Of one run: what was proven once is not asked again. `doubt` says why answers stay unknown."""

    put: Put
    seconds: float
    validator: Validator | None = None
    doubt: str = ""
    proofs: dict[tuple[str, str], asyncio.Task[None]] = field(default_factory=dict)

    async def of(self, server: Nameserver, asked: Query, reply: Reply) -> tuple[Security, Reply]:
        """The state of a reply, and the reply to go by. Raises PeerBogus when validation here fails."""
        if server.trusted and reply.authentic:
            server.proven.add(top(asked.name))
            return Security.SECURE, reply
        names = (asked.name, *reply.find(asked).aliases)
        if server.trusted and reply.edns and await self._validates(server, names):
            return Security.INSECURE, reply
        if self.validator is not None:
            return await self._validated(self.validator, server, asked, reply)
        self._note(server)
        return Security.UNKNOWN, reply

    async def cause(self, server: Nameserver, asked: Query) -> str:
        """Why a name is bogus, where the resolver only says that it is; empty when nobody here knows better."""
        if self.validator is None or not await self._passes(self.validator, server):
            return ""
        told = await self.validator(asked, self.seconds)
        return told.why if told.security is Security.BOGUS else ""

    async def _validates(self, server: Nameserver, names: Iterable[str]) -> bool:
        """Whether AD was seen at the root, or else in the top-level domain of each name."""
        await self.prove(server, ROOT)
        if "" in server.proven:
            return True
        for zone in {top(name) for name in names} - server.proven:
            await self.prove(server, zone)
        return {top(name) for name in names} <= server.proven

    async def prove(self, server: Nameserver, zone: str) -> None:
        """Asks once for the keys of a zone: a reply with AD proves validation, one with signatures their passage."""
        key = f"{server.address}#{server.port}", zone
        if key not in self.proofs:
            self.proofs[key] = asyncio.get_running_loop().create_task(self._prove(server, zone))
        await asyncio.shield(self.proofs[key])

    async def _prove(self, server: Nameserver, zone: str) -> None:
        asked = query(zone, "DNSKEY")
        if asked is None:
            return
        try:
            reply = await self.put(server, asked)
        except PeerError:
            return
        if reply.answers and reply.signed:
            server.signed = True
        if reply.answers and reply.authentic and server.trusted:
            server.proven.add(top(zone))

    async def _validated(
        self, validator: Validator, server: Nameserver, asked: Query, reply: Reply
    ) -> tuple[Security, Reply]:
        if not await self._passes(validator, server):
            self.doubt = f"{server.where} does not pass DNSSEC records on"
            return Security.UNKNOWN, reply
        told = await validator(asked, self.seconds)
        if told.security is Security.BOGUS:
            raise PeerBogus(told.why)
        if told.security is Security.UNKNOWN:
            self.doubt = told.why
        if told.security is Security.SECURE:  # the reply that was validated, not the one that may be forged
            try:
                validated = read(told.packet, asked)
            except PeerGarbled:
                return Security.UNKNOWN, reply
            return (Security.UNKNOWN, reply) if validated.truncated else (Security.SECURE, validated)
        return told.security, reply

    async def _passes(self, validator: Validator, server: Nameserver) -> bool:
        """Whether signatures get through: without them everything would look bogus."""
        for zone in validator.anchors:
            await self.prove(server, zone)
        return server.signed

    def _note(self, server: Nameserver) -> None:
        missing = "was not seen to validate" if server.trusted else "is not trusted to validate"
        self.doubt = f"{server.where} {missing}, and nothing on this machine does"


def top(name: str) -> str:
    """The top-level label of a name, empty for the root."""
    return "" if name == ROOT else name.rpartition(".")[2]
