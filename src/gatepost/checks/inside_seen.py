"""What was seen of a host from inside, in the words judges use: was anybody there, what listens, what is admitted."""

from __future__ import annotations

from gatepost.checks.case import Case, unknown
from gatepost.model.architecture import Endpoint
from gatepost.model.finding import Verdict
from gatepost.model.host import BundleRead, SocketSeen
from gatepost.model.observation import Unobserved, of
from gatepost.model.rules import FirewallSeen

NOT_LOOKED = "the host was not looked at from inside"
"""A judge that says only this on every host says nothing: the control is then listed with the witness it needs."""


WHOLE = "host"  # of Unobserved.wanted: the way onto the host itself failed


def here(case: Case) -> Endpoint:
    """What facts about the host as a whole are at."""
    return Endpoint(case.at.host)


def looked_inside(case: Case) -> bool:
    at = here(case)
    return bool(of(BundleRead, case.seen, at) or of(SocketSeen, case.seen, at) or of(FirewallSeen, case.seen, at))


def not_seen_inside(case: Case, wanted: str) -> Verdict:
    """`unknown`: nobody looked, it could not be read (with the reason), or it was not there to be read."""
    for one in of(Unobserved, case.seen, here(case)):
        if one.wanted.startswith(wanted) or one.wanted == WHOLE:
            return unknown(f"{one.reason.value}: {one.detail}", one)
    return unknown(f"not seen: {wanted}" if looked_inside(case) else NOT_LOOKED)
