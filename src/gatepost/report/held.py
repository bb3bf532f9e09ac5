"""Where a control holds as a whole: every judge of it that looked there was content."""

from __future__ import annotations

from collections import defaultdict

from gatepost.model.audit import Audit
from gatepost.model.finding import Finding
from gatepost.model.words import Outcome


def held(audit: Audit) -> dict[str, tuple[str, ...]]:
    """Controls with the places where they hold, `mx.test:25` or a bare name.

    One judge's pass is not enough: a place drops out when another judge of the same control failed there or
    could not see, on any address, or said so of the whole host.
    """
    content: dict[str, set[str]] = defaultdict(set)
    doubtful: dict[str, set[str]] = defaultdict(set)
    for finding in audit.findings:
        if finding.outcome is Outcome.PASS:
            content[finding.control].update(_places(finding))
        elif finding.outcome is not Outcome.NOT_APPLICABLE:
            doubtful[finding.control].update(_places(finding))
    kept = {control: places - _shadow(places, doubtful[control]) for control, places in content.items()}
    return {control: tuple(sorted(kept[control])) for control in sorted(kept) if kept[control]}


def _places(finding: Finding) -> set[str]:
    return {place.partition(" ")[0] for place in finding.places or (finding.subject,)}


def _shadow(places: set[str], doubtful: set[str]) -> set[str]:
    return {place for place in places if place in doubtful or place.partition(":")[0] in doubtful}
