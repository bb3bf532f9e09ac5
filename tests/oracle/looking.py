"""The wire witness pointed at a server of another project: what it lists, and how that is judged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from gatepost import catalogue
from gatepost.audit import conclude
from gatepost.catalogue.presumption import presumed
from gatepost.catalogue.tls import suite
from gatepost.edge.net import Patience, SocketWire, connect
from gatepost.edge.prober import merge
from gatepost.model.architecture import Architecture, Endpoint
from gatepost.model.observation import Accepted, Feature, Hello, Listening, Observation, Run, Seen, Vantage, of
from gatepost.model.words import Role
from gatepost.wire.tls.conform import conform
from gatepost.wire.tls.inventory import inventory

NAME = "mail.lab.test"
SUBMISSIONS = 465
AT_ONCE = 4
QUICK = Patience(connect=2.0, answer=3.0, whole=10.0)
RUN_AT = datetime(2026, 11, 24, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Look:
    """What one depth saw at a port, and how many connections it took."""

    seen: tuple[Observation, ...]
    connections: int

    def listed(self, kind: str, version: str) -> Accepted:
        """The list of one kind; an empty one when there is none."""
        found = [a for a in of(Accepted, self.seen) if a.kind == kind and a.version == version]
        return found[0] if found else Accepted(Endpoint(NAME), kind, version, ())

    def suites(self, version: str) -> set[int]:
        return {s.code for n in self.listed("suites", version).names if (s := suite(n)) is not None}

    def feature(self, name: str) -> bool | None:
        return next((f.present for f in of(Feature, self.seen) if f.name == name), None)

    def hellos(self) -> list[Hello]:
        return of(Hello, self.seen)

    def verdicts(self, profile: str = "rfc9325") -> dict[tuple[str, str], str]:
        """Control and check to outcome, as if the port were 465."""
        at = Endpoint(NAME, "192.0.2.1", SUBMISSIONS)
        seen = Seen((Vantage(at, "192.0.2.2"), Listening(at), *self.seen))
        audit = conclude(
            Run(seen, RUN_AT),
            Architecture(),
            catalogue.profile(profile),
            {at: presumed(SUBMISSIONS)},
            (NAME,),
            now=RUN_AT,
            mine=False,
        )
        return {(f.control, f.check): f.outcome.value for f in audit.findings if f.control.startswith("GP-TLS-")}


def listing(port: int, *, patience: Patience = QUICK) -> Look:
    return asyncio.run(_look(inventory, port, patience))


def conformance(port: int, *, patience: Patience = QUICK) -> Look:
    return asyncio.run(_look(conform, port, patience))


async def _look(depth: Callable[..., object], port: int, patience: Patience) -> Look:
    gate, opened = asyncio.Semaphore(AT_ONCE), 0

    async def reach() -> Held:
        nonlocal opened
        await gate.acquire()
        opened += 1
        try:
            return Held(await connect("127.0.0.1", port, patience), gate.release)
        except BaseException:
            gate.release()
            raise

    at = Endpoint(NAME, "192.0.2.1", SUBMISSIONS)
    stream = depth(at, reach, catalogue.profile("rfc9325"), role=Role.SUBMISSION, name=NAME, merge=merge)
    return Look(tuple([seen async for seen in stream]), opened)  # type: ignore[attr-defined]  # both are generators


@dataclass(frozen=True, slots=True)
class Held:
    """A connection that gives its place back when closed: `s_server` serves one at a time."""

    inner: SocketWire
    release: Callable[[], None]

    async def read(self) -> bytes:
        return await self.inner.read()

    async def write(self, data: bytes) -> None:
        await self.inner.write(data)

    async def close(self) -> None:
        await self.inner.close()
        self.release()
