"""What changed between two runs: new, worse, fixed, and what can no longer be seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from gatepost.model.audit import Audit
from gatepost.model.finding import Finding
from gatepost.model.words import Outcome

_SILENT = frozenset({Outcome.PASS, Outcome.NOT_APPLICABLE})


def since(audit: Audit, earlier: Audit) -> Audit:
    """Only what changed, each finding saying how; failures keep the day they were first seen.

    A finding of the earlier run that this run did not judge is not called fixed: it becomes not-applicable,
    with what it was.
    """
    before = {f.id: f for f in earlier.findings}
    now = {f.id for f in audit.findings}
    kept = [changed for f in audit.findings if (changed := _changed(f, before.get(f.id), earlier))]
    gone = _gone((f for f in earlier.findings if f.id not in now), audit)
    when = f"{earlier.generated_at:%Y-%m-%d %H:%M} UTC"
    vantage = earlier.run.vantage
    label = f"{when} from {vantage}" if vantage and vantage != audit.run.vantage else when
    return replace(audit, findings=(*kept, *gone), since=label)


def _changed(finding: Finding, old: Finding | None, earlier: Audit) -> Finding | None:
    """Words alone (`29 days left`, `28 days left`) are no change; outcome, severity, place and waiver are."""
    aged = replace(finding, first_seen=_first_seen(finding, old, earlier))
    if old is None:
        return None if finding.outcome in _SILENT else _saying(aged, "new")
    if finding.outcome is not old.outcome:
        quiet = finding.outcome in _SILENT and old.outcome in _SILENT
        return None if quiet else _saying(aged, _turned(finding, old))
    if finding.outcome is not Outcome.FAIL:
        return None
    if finding.severity is not old.severity:
        return _saying(aged, f"changed, was {old.severity.value}")
    if bool(finding.waiver) is not bool(old.waiver):
        return _saying(aged, "waiver began" if finding.waiver else "waiver ended")
    return _saying(aged, "changed places") if set(finding.places) != set(old.places) else None


def _turned(finding: Finding, old: Finding) -> str:
    if old.outcome is Outcome.FAIL and finding.outcome is Outcome.PASS:
        return "fixed"
    return {Outcome.FAIL: "new", Outcome.UNKNOWN: f"no longer seen, was {old.outcome.value}"}.get(
        finding.outcome, f"changed, was {old.outcome.value}"
    )


def _saying(finding: Finding, how: str) -> Finding:
    return replace(finding, because=f"{how}: {finding.because}" if finding.because else how)


def _first_seen(finding: Finding, old: Finding | None, earlier: Audit) -> datetime | None:
    if finding.outcome is not Outcome.FAIL or old is None or old.outcome is not Outcome.FAIL:
        return finding.first_seen
    return old.first_seen or earlier.generated_at


def _gone(findings: Iterable[Finding], audit: Audit) -> Iterable[Finding]:
    """Only those about hosts and domains that this run asked for too."""
    asked = {host for place in audit.run.seen for host in (place.at.host,)} | set(audit.targets)
    for finding in findings:
        host = finding.subject.partition(":")[0]
        if finding.outcome is Outcome.FAIL and host in asked:
            words = f"not judged this time, was: {finding.because}"
            yield replace(finding, outcome=Outcome.NOT_APPLICABLE, because=words, waiver=None)
