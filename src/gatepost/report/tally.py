"""An audit in numbers and in one sentence."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from gatepost.model.audit import Audit
from gatepost.model.finding import Finding
from gatepost.model.words import Outcome, Severity
from gatepost.report import standards

WORST_FIRST = tuple(sorted(Severity, key=lambda s: -s.rank))


@dataclass(frozen=True, slots=True)
class Tally:
    open: dict[Severity, int]  # worst first; only severities that occur
    waived: int
    passed: int
    unknown: int  # a judge looked for something and did not see it
    unjudged: int  # needs a witness that was not heard, or that gatepost cannot hear
    not_applicable: int

    @property
    def failures(self) -> int:
        return sum(self.open.values())


def tally(audit: Audit) -> Tally:
    outcomes = Counter(f.outcome for f in audit.findings)
    unknown = [f for f in audit.findings if f.outcome is Outcome.UNKNOWN]
    unjudged = sum(map(standards.unjudged, unknown))
    severities = Counter(f.severity for f in audit.findings if f.open)
    return Tally(
        {s: severities[s] for s in WORST_FIRST if severities[s]},
        sum(f.outcome is Outcome.FAIL and not f.open for f in audit.findings),
        outcomes[Outcome.PASS],
        len(unknown) - unjudged,
        unjudged,
        outcomes[Outcome.NOT_APPLICABLE],
    )


def open_findings(audit: Audit) -> tuple[Finding, ...]:
    """Failures no running waiver covers, worst first, else in the order judged."""
    return tuple(sorted((f for f in audit.findings if f.open), key=lambda f: -f.severity.rank))


def at_or_above(audit: Audit, severity: Severity) -> int:
    return sum(f.severity.rank >= severity.rank for f in audit.findings if f.open)


def exit_code(audit: Audit, fail_on: Severity | None) -> int:
    """0 in order, 1 findings at or above `fail_on`; None never fails."""
    return int(fail_on is not None and at_or_above(audit, fail_on) > 0)


def sentence(audit: Audit) -> str:
    """The verdict a reader takes away. What could not be seen is never left out of it."""
    counted = tally(audit)
    blind = f"{plural(counted.unknown, 'verdict')} could not be reached" if counted.unknown else ""
    if counted.failures:
        told = _failures(audit, counted)
    elif audit.since:
        told = "Nothing got worse"
    elif counted.passed:
        told = "Everything that could be seen is in order"
    else:
        told = "Nothing could be judged"
    return f"{told}; {blind}." if blind else f"{told}."


def _failures(audit: Audit, counted: Tally) -> str:
    listed = ", ".join(f"{number} {severity.value}" for severity, number in counted.open.items())
    first = open_findings(audit)[0]
    return f"{plural(counted.failures, 'open finding')}: {listed}. Start with {first.control} at {first.subject}"


def plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
