"""What the firewall and the vantages told of a host, in the words judges use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gatepost.checks.case import Case, passed, unknown
from gatepost.checks.inside_seen import here, not_seen_inside
from gatepost.checks.ports import NOTHING_DECLARED
from gatepost.firewall.drift import told
from gatepost.firewall.vantages import Way, named, way
from gatepost.model.finding import Verdict
from gatepost.model.observation import Observation, of
from gatepost.model.rules import AdmissionSeen, DeviationSeen, Drift, FirewallSeen, Reach, ReachSeen

NO_VANTAGE = "not tried from any vantage (gatepost probe)"
MOST = 40  # facts that one verdict carries


def read(case: Case) -> list[FirewallSeen]:
    return of(FirewallSeen, case.seen, here(case))


def unread(case: Case) -> Verdict | None:
    """Why the rules tell nothing here: nobody read them, or there is nothing to hold them against."""
    if not read(case):
        return not_seen_inside(case, "firewall")
    return None if case.host else unknown(NOTHING_DECLARED, *read(case))


def drifts(case: Case, drift: Drift, *directions: str) -> list[DeviationSeen]:
    """Of this host, the widest first."""
    wanted = directions or ("input",)
    found = [d for d in of(DeviationSeen, case.seen) if d.at.host == case.at.host and d.drift is drift]
    return sorted((d for d in found if d.direction in wanted), key=lambda d: d.ports[0] - d.ports[1])


def single(one: DeviationSeen) -> bool:
    return one.ports[0] == one.ports[1]


def covers(one: DeviationSeen, port: int) -> bool:
    return one.ports[0] <= port <= one.ports[1]


def admissions(case: Case) -> list[AdmissionSeen]:
    return [a for a in of(AdmissionSeen, case.seen) if a.at.host == case.at.host]


def said(found: Sequence[DeviationSeen], case: Case) -> str:
    """The first in full, and how many there are beside it. Addresses of a host that deviate alike count once."""
    sentences = list(dict.fromkeys(told(one, case.architecture) for one in found))
    more = len(sentences) - 1
    return sentences[0] + (f" (and {more} more)" if more else "")


def evidence(*facts: Iterable[Observation]) -> tuple[Observation, ...]:
    return tuple(one for listed in facts for one in listed)[:MOST]


def tried(case: Case, *ways: Way) -> list[ReachSeen]:
    """Attempts on this host that ended so; all of them when no way is named."""
    found = [r for r in of(ReachSeen, case.seen) if r.at.host == case.at.host and r.vantage != case.at.host]
    return [r for r in found if not ways or way(r, case.architecture) in ways]


def vantages(found: Iterable[ReachSeen], case: Case) -> str:
    """`office`, `office and store`."""
    names = sorted({named(r, case.architecture) for r in found})
    return f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else "".join(names)


def seen_enough(found: Sequence[ReachSeen], case: Case) -> Verdict:
    """Passed, unless no vantage could tell."""
    seen = [r for r in found if r.result is not Reach.UNKNOWN]
    if not seen:
        return unknown(found[0].detail or "the vantage could not tell", *evidence(found[:1]))
    return passed(*evidence(seen), because=f"tried from {vantages(seen, case)}")
