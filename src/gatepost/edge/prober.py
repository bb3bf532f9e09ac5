"""Runs errands: dials within the budget, hands connections to the survey, keeps whatever came back.

An endpoint that floods, drips, hangs or breaks costs its own budget and nothing else.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from gatepost.catalogue import Profile
from gatepost.catalogue.presumption import CONVERSED, presumed
from gatepost.certs.chain import Roots, inspect
from gatepost.edge.dialer import Budget, Dialer, HostGate
from gatepost.edge.net import Patience
from gatepost.errors import GatepostError
from gatepost.model.architecture import Endpoint, Service
from gatepost.model.errand import Errand
from gatepost.model.observation import (
    CertificateSeen,
    ChainSeen,
    Identified,
    Observation,
    Unobserved,
    Vantage,
)
from gatepost.model.words import Mode, Reason
from gatepost.wire.ask import Ask, lost
from gatepost.wire.survey import Depth, Plan, knock, survey

SWEEP = Patience(connect=3.0, answer=4.0, whole=20.0)
CONNECTIONS = {Depth.PORTS: 6, Depth.CERTIFICATES: 8, Depth.CONFORMANCE: 18, Depth.INVENTORY: 80}
INTRUSIVE = 12  # more connections for the relay matrix and the vulnerability probes, on the operator's own hosts
ENDPOINTS_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class Looking:
    """How to look. `mine` are names of hosts where intrusive probes are allowed."""

    profile: Profile
    roots: Roots
    now: datetime
    depth: Depth = Depth.CONFORMANCE
    mine: frozenset[str] = frozenset()
    recipient: str | None = None
    source: str | None = None
    rate: float | None = None
    label: str = ""
    me: str = "gatepost-audit.invalid"
    patience: Patience = field(default_factory=Patience)
    domains: Mapping[str, str] = field(default_factory=dict)  # a domain each host takes mail for


@dataclass(frozen=True, slots=True)
class Probed:
    """Everything seen, what each endpoint was held to be, and the connections it cost."""

    seen: tuple[Observation, ...]
    services: dict[Endpoint, Service]
    connections: dict[str, int]


async def probe(errands: Sequence[Errand], looking: Looking, progress: Callable[[int, int, str], None]) -> Probed:
    gates = {(errand.at.address, errand.sweep): HostGate() for errand in errands}  # silent ports hold up no others
    crowd = asyncio.Semaphore(ENDPOINTS_AT_ONCE)
    done = 0

    async def run(errand: Errand) -> _Result:
        nonlocal done
        async with crowd:
            result = await _run(errand, looking, gates[errand.at.address, errand.sweep])
        done += 1
        progress(done, len(errands), errand.at.host)
        return result

    progress(0, len(errands), errands[0].at.host if errands else "")
    results = await asyncio.gather(*(run(errand) for errand in errands))
    return Probed(
        _certificates_read([seen for result in results for seen in result.seen], looking),
        {errand.at: result.service for errand, result in zip(errands, results, strict=True)},
        {str(e.at): result.used for e, result in zip(errands, results, strict=True) if result.used},
    )


@dataclass(frozen=True, slots=True)
class _Result:
    seen: tuple[Observation, ...]
    service: Service
    used: int


async def _run(errand: Errand, looking: Looking, gate: HostGate) -> _Result:
    mine = errand.at.host in looking.mine
    budget = Budget(CONNECTIONS[looking.depth] + (INTRUSIVE if mine else 0), rate=looking.rate)
    if looking.depth is Depth.INVENTORY:
        budget = replace(budget, seconds=600.0)
    dialer = Dialer(errand.at, gate, budget, looking.patience, source=looking.source)
    seen: list[Observation] = []
    service = errand.service
    if errand.sweep:
        dialer.patience, dialer.first_answer = SWEEP, SWEEP.answer  # most swept ports are closed
        seen += [one async for one in knock(errand.at, dialer, _sni(errand.at.host))]
        dialer.patience = looking.patience
        found = next((one for one in reversed(seen) if isinstance(one, Identified)), None)
        if found is None or found.protocol not in CONVERSED:
            return _Result(_finish(seen, dialer, looking), presumed(errand.at.port, found), dialer.used)
        service = presumed(errand.at.port, found)
    ask = Ask(
        at=errand.at,
        protocol=service.protocol,
        mode=Mode.STARTTLS if service.mode is Mode.OPTIONAL else service.mode,
        role=service.role,
        name=_sni(errand.at.host),
        me=looking.me,
        mine=mine,
        domain=looking.domains.get(errand.at.host, ""),
        recipient=looking.recipient,
        elapsed=dialer.elapsed,
    )
    try:
        async for one in survey(ask, dialer, Plan(looking.depth, looking.profile), merge):
            seen.append(one)
    except GatepostError as error:  # a dialogue let one through: still an answer about this endpoint
        seen.append(lost(errand.at, "survey", error))
    except Exception as error:  # noqa: BLE001 - one broken endpoint must not take the audit down
        seen.append(Unobserved(errand.at, "survey", Reason.GARBLED, f"defect: {type(error).__name__}: {error}"))
    return _Result(_finish(seen, dialer, looking), service, dialer.used)


def _sni(host: str) -> str | None:
    """An address literal is never sent as SNI (RFC 6066 section 3)."""
    return None if ":" in host or host.replace(".", "").isdigit() else host


def _finish(seen: list[Observation], dialer: Dialer, looking: Looking) -> tuple[Observation, ...]:
    """Add where we looked from."""
    first = [Vantage(dialer.at, dialer.seen_source, looking.label)] if dialer.seen_source else []
    return (*first, *seen)


def _certificates_read(seen: Sequence[Observation], looking: Looking) -> tuple[Observation, ...]:
    """Read and verify every chain, knowing all certificates of the run: one port may send what another forgot.

    What was said twice is dropped.
    """
    known = tuple({der: None for o in seen if isinstance(o, ChainSeen) for der in o.chain})
    decoded = tuple(b64decode(der) for der in known)
    verified: dict[tuple[tuple[str, ...], str], CertificateSeen | Unobserved] = {}
    read: list[Observation] = []
    for one in seen:
        if not isinstance(one, ChainSeen):
            read.append(one)
            continue
        key = (one.chain, one.sni or one.at.host)
        if key not in verified:
            verified[key] = inspect(one, looking.roots, looking.now, decoded)
        first = verified[key]
        same = replace(first, at=one.at)
        read.append(replace(same, sni=one.sni, staple=one.staple) if isinstance(same, CertificateSeen) else same)
    return tuple(dict.fromkeys(read))


async def merge(streams: Sequence[AsyncIterator[Observation]]) -> AsyncIterator[Observation]:
    """Everything from all streams, as it comes; a stream that breaks does not stop the others."""
    queue: asyncio.Queue[Observation | None] = asyncio.Queue()

    async def drain(stream: AsyncIterator[Observation]) -> None:
        try:
            async for seen in stream:
                await queue.put(seen)
        finally:
            await queue.put(None)

    tasks = [asyncio.create_task(drain(stream)) for stream in streams]
    try:
        open_streams = len(tasks)
        while open_streams:
            seen = await queue.get()
            if seen is None:
                open_streams -= 1
            else:
                yield seen
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
