"""What speaks on a port, by its dialogue (signatures first, bodies to follow)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gatepost.model.architecture import Endpoint
from gatepost.model.observation import Observation
from gatepost.wire.lines import Dial, Wire


async def identify(wire: Wire, at: Endpoint, redial: Dial) -> AsyncIterator[Observation]:
    """Yields Identified (and Greeting where it is mail); dials again only when the peer waits for us."""
    raise NotImplementedError
    yield
