"""Known attacks on the TLS stack that need more than a hello, only for targets the operator names as theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gatepost.model.architecture import Endpoint
from gatepost.model.observation import Observation
from gatepost.wire.tls.interview import Interview, Reach
from gatepost.wire.tls.robot import robot
from gatepost.wire.tls.ticketbleed import ticketbleed

HELLOS = 10


async def attacks(at: Endpoint, reach: Reach, *, name: str | None) -> AsyncIterator[Observation]:
    """`Feature`s `ticketbleed` and `robot`, about six connections. Never raises a GatepostError.

    Heartbleed and the early ChangeCipherSpec are not here: they ride on the hellos of the other depths.
    """
    interview = Interview(at, reach, HELLOS)
    async for seen in ticketbleed(interview, name):
        yield seen
    async for seen in robot(interview, name):
        yield seen
