"""Errors and reasons: why a dialogue or a question ended is said once, and means the same everywhere."""

from __future__ import annotations

from gatepost.errors import (
    BudgetSpent,
    GatepostError,
    PeerBogus,
    PeerClosed,
    PeerError,
    PeerGarbled,
    PeerLimited,
    PeerRefused,
    PeerReset,
    PeerSilent,
    PeerTarpit,
    PeerUnreachable,
    PeerUnresolved,
)
from gatepost.model.words import Reason


def reason(error: GatepostError) -> Reason:
    """What an observation is filed under that did not come about."""
    if isinstance(error, PeerUnreachable) and error.refused:
        return Reason.REFUSED
    return next((filed for kind, filed in _FILED.items() if isinstance(error, kind)), Reason.GARBLED)


def failure(filed: Reason | None, words: str) -> PeerError:
    """The error of a question that failed for this reason. It is never that there is no such name."""
    return _FAILURES.get(filed or Reason.REFUSED, PeerRefused)(words)


_FILED: dict[type[GatepostError], Reason] = {  # the narrower kind first
    PeerTarpit: Reason.TARPIT,
    PeerSilent: Reason.TIMEOUT,
    PeerClosed: Reason.CLOSED,
    PeerReset: Reason.RESET,
    PeerLimited: Reason.LIMITED,
    PeerBogus: Reason.BOGUS,
    PeerRefused: Reason.REFUSED,
    PeerGarbled: Reason.GARBLED,
    PeerUnresolved: Reason.UNRESOLVED,
    PeerUnreachable: Reason.FILTERED,
    BudgetSpent: Reason.BUDGET,
}
_FAILURES = {
    filed: kind
    for kind, filed in _FILED.items()
    if issubclass(kind, PeerError) and not issubclass(kind, PeerUnreachable)
}
