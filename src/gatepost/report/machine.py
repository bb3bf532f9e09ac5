"""The saved form of an audit: JSON that reads back, and one finding per line.

The keys are a contract (schema `gatepost/audit/1`): keys may be added, none is renamed or removed.
The declaration is not part of it: a saved run is what was seen and judged, not what was intended.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from gatepost.errors import UsageError
from gatepost.model.architecture import Architecture
from gatepost.model.audit import Audit
from gatepost.model.finding import Finding
from gatepost.model.observation import Observation, Run, Seen, Unobserved
from gatepost.report import standards
from gatepost.report.plain import NotPlain, Plain, from_plain, loaded, to_plain, word

SCHEMA = "gatepost/audit/1"
LINES_SCHEMA = "gatepost/findings/1"
LARGEST_RUN = 256 * 1024 * 1024  # characters; 200 hosts with every certificate take about a quarter of it


def to_json(audit: Audit) -> str:
    """The same audit gives the same bytes: observations are in the order of their endpoints."""
    return "".join(json_parts(audit))


def json_parts(audit: Audit) -> Iterator[str]:
    """`to_json` piece by piece: a run over many hosts is larger than what it was made from. One item a line."""
    yield "{\n"
    for key, value in _head(audit).items():
        yield f"{_line(key)}: {_line(value)},\n"
    seen = sorted(audit.run.seen, key=lambda o: o.at)
    yield from _list("findings", (finding_plain(one) for one in audit.findings))
    yield from _list("observations", (to_plain(o) for o in seen if not isinstance(o, Unobserved)))
    yield from _list("unobserved", (to_plain(o) for o in seen if isinstance(o, Unobserved)))
    yield f'"connections": {_line(to_plain(audit.run.connections))}\n}}\n'


def _list(key: str, items: Iterable[Plain]) -> Iterator[str]:
    yield f"{_line(key)}: ["
    between = "\n"
    for item in items:
        yield f"{between}{_line(item)}"
        between = ",\n"
    yield "\n],\n"


def _line(plain: Plain) -> str:
    return json.dumps(plain, separators=(",", ":"))


def to_jsonl(audit: Audit) -> str:
    """First line: the run. Then one finding a line, for `grep` and log shippers."""
    head = _head(audit) | {"schema": LINES_SCHEMA, "findings": len(audit.findings)}
    lines = (head, *(finding_plain(one) for one in audit.findings))
    return "".join(f"{_line(line)}\n" for line in lines)


def _head(audit: Audit) -> dict[str, Plain]:
    return {
        "schema": SCHEMA,
        "generated_at": to_plain(audit.generated_at),
        "vantage": audit.run.vantage,
        "profile": audit.profile,
        "targets": to_plain(audit.targets),
    }


def finding_plain(finding: Finding) -> dict[str, Plain]:
    return {
        "id": finding.id,
        "control": finding.control,
        "check": finding.check,
        "title": standards.title(finding.control),
        "subject": finding.subject,
        "places": to_plain(finding.places),
        "role": finding.role.value,
        "outcome": finding.outcome.value,
        "severity": finding.severity.value,
        "because": finding.because,
        "evidence": to_plain(finding.evidence),
        "remedy": finding.remedy,
        "references": [standards.named(r) for r in standards.references(finding.control)],
        "first_seen": to_plain(finding.first_seen),
        "waiver": to_plain(finding.waiver),
    }


def read_json(text: str, name: str = "") -> Audit:
    """A run saved by `to_json`, for `--compare` and `--since`. `name` is the file, for the message.

    Raises UsageError, one line, for anything else.
    """
    try:
        return _read(loaded(text, "saved run", LARGEST_RUN))
    except NotPlain as error:
        raise UsageError(f"{name}: {error}" if name else str(error)) from None


@dataclass(frozen=True, slots=True)
class Saved:
    """The keys of a saved run, as they are read back."""

    generated_at: datetime
    vantage: str
    profile: str
    targets: tuple[str, ...]
    findings: tuple[Finding, ...]
    observations: tuple[Observation, ...]
    unobserved: tuple[Observation, ...]
    connections: dict[str, int]


def _read(told: Plain) -> Audit:
    if not isinstance(told, dict) or "schema" not in told:
        raise NotPlain("", "not a saved gatepost run (no schema); save one with: gatepost audit --format json")
    if (schema := told["schema"]) != SCHEMA:
        raise NotPlain("schema", f"expected {SCHEMA!r}, got {word(schema)}")
    saved = from_plain(Saved, told)
    seen = Seen((*saved.observations, *saved.unobserved))
    run = Run(seen, saved.generated_at, saved.vantage, saved.connections)
    architecture = Architecture(profile=saved.profile)
    return Audit(saved.generated_at, saved.profile, saved.targets, saved.findings, run, architecture)
