"""SARIF 2.1.0 (OASIS) for code scanning: a rule per control, a result per failure and per unknown.

A failure has kind `fail` and a level, a verdict that could not be reached has kind `open` (section 3.27.9), a
waiver is a suppression. Places are logical locations; where a declaration exists its line is the physical one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from urllib.parse import quote

from gatepost import __version__
from gatepost.model.audit import Audit
from gatepost.model.finding import Finding
from gatepost.model.observation import Unobserved, of
from gatepost.model.words import Outcome, Severity
from gatepost.report import standards
from gatepost.report.evidence import transcript
from gatepost.report.plain import Plain, to_plain

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note",
    Severity.INFO: "note",
}  # fmt: skip
_SCORES = {  # code scanning sorts by this property of a rule, a number like a CVSS score
    Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "3.0", Severity.INFO: "0.0",
}  # fmt: skip
Object = dict[str, Plain]


def to_sarif(audit: Audit) -> str:
    told = [f for f in audit.findings if f.outcome in {Outcome.FAIL, Outcome.UNKNOWN}]
    controls = sorted({f.control for f in told})
    run: Object = {
        "tool": {"driver": _driver(controls)},
        "automationDetails": {"id": f"gatepost/{audit.run.vantage or 'here'}/"},
        "invocations": [_invocation(audit)],
        "results": [_result(f, controls.index(f.control), audit) for f in told],
        "columnKind": "unicodeCodePoints",
        "properties": {
            "profile": audit.profile,
            "targets": to_plain(audit.targets),
            "vantage": audit.run.vantage,
            "notes": to_plain(audit.notes),
        },
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _driver(controls: Iterable[str]) -> Object:
    return {
        "name": "gatepost",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(control) for control in controls],
    }


def _rule(control: str) -> Object:
    entry = standards.entry(control)
    if entry is None:
        return {"id": control}
    severity = entry.severity
    asked = [standards.named(r) for r in standards.references(control)]
    return {
        "id": control,
        "name": "".join(part.capitalize() for part in control.split("-")),
        "shortDescription": {"text": entry.title},
        "fullDescription": {"text": entry.rationale},
        "help": {"text": f"{entry.rationale}\n\nAsked for by: {'; '.join(asked) or 'nothing that was checked'}"},
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {
            "tags": ["security", "mail", entry.area],
            "security-severity": _SCORES[severity],
            "references": to_plain(asked),
        },
    }


def _result(finding: Finding, index: int, audit: Audit) -> Object:
    failed = finding.outcome is Outcome.FAIL
    result: Object = {
        "ruleId": finding.control,
        "ruleIndex": index,
        "kind": "fail" if failed else "open",
        "level": _LEVELS[finding.severity] if failed else "none",
        "message": {"text": _message(finding)},
        "locations": [*_locations(finding, audit)],
        "partialFingerprints": {"gatepostFinding/v1": hashlib.sha256(_bytes(finding.id)).hexdigest()},
        "properties": {
            "id": finding.id,
            "severity": finding.severity.value,
            "role": finding.role.value,
            "evidence": to_plain(transcript(finding.evidence)),
            "remedy": finding.remedy,
        },
    }
    if finding.first_seen:
        result["provenance"] = {"firstDetectionTimeUtc": to_plain(finding.first_seen)}
    if failed:
        result["suppressions"] = [*_suppressions(finding)]
    return result


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _message(finding: Finding) -> str:
    words = f"{finding.subject}: {finding.because or standards.title(finding.control)}"
    return f"{words}\n\nFix: {finding.remedy}" if finding.remedy else words


def _suppressions(finding: Finding) -> Iterable[Plain]:
    if waiver := finding.waiver:
        why = f"{waiver.reason} (owner {waiver.owner}, until {waiver.expires})"
        yield {"kind": "external", "status": "accepted", "justification": why}


def _locations(finding: Finding, audit: Audit) -> Iterable[Plain]:
    """One location with all places; without a declaration there is no file to point at."""
    places = dict.fromkeys(finding.places or (finding.subject,))
    location: Object = {
        "logicalLocations": [
            {"fullyQualifiedName": place, "name": place.split(" ")[0], "kind": "endpoint"} for place in places
        ]
    }
    if physical := _declared(finding, audit):
        location["physicalLocation"] = physical
    yield location


def _declared(finding: Finding, audit: Audit) -> Object | None:
    architecture = audit.architecture
    host_name, _, ports = finding.subject.partition(":")
    host = architecture.host(host_name)
    if host is None or not architecture.source:
        return None
    first = ports.split(",")[0].strip()
    service = host.service(int(first)) if first.isdecimal() and len(first) < 6 else None
    line = service.line if service and service.line else host.line
    found: Object = {"artifactLocation": {"uri": quote(architecture.source.replace("\\", "/"), errors="replace")}}
    return found | {"region": {"startLine": line}} if line else found


def _invocation(audit: Audit) -> Object:
    return {
        "executionSuccessful": True,
        "startTimeUtc": to_plain(audit.run.started),
        "endTimeUtc": to_plain(audit.generated_at),
        "toolExecutionNotifications": [
            {
                "descriptor": {"id": f"unobserved/{one.reason.value}"},
                "level": "note",
                "message": {"text": f"{one.at}: {one.wanted}: {one.detail}"},
            }
            for one in of(Unobserved, audit.run.seen)
        ],
    }
