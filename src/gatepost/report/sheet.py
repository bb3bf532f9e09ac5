"""Comma-separated values that a spreadsheet can open without running what a banner says."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from gatepost.model.audit import Audit
from gatepost.model.finding import Finding
from gatepost.report import standards
from gatepost.report.escape import printable
from gatepost.report.evidence import transcript
from gatepost.report.plain import to_plain

_COLUMNS = (
    "outcome", "severity", "control", "title", "subject", "role", "because", "remedy", "places", "evidence",
    "references", "first_seen", "waiver_owner", "waiver_reason", "waiver_expires", "id",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@")  # a spreadsheet reads a cell that starts so as a formula


def to_csv(audit: Audit) -> str:
    """One verdict a line, everything that was judged."""
    return sheet(_COLUMNS, (_cells(finding) for finding in audit.findings))


def sheet(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()


def cell(value: object) -> str:
    """Several lines stay several lines; control characters do not stay at all."""
    if value is None:
        return ""
    text = "\n".join(printable(line) for line in str(value).split("\n"))
    return f"'{text}" if text.startswith(_FORMULA) and not _number(text) else text


def _number(text: str) -> bool:
    return text.removeprefix("-").isdecimal()


def _cells(finding: Finding) -> tuple[object, ...]:
    waiver = finding.waiver
    references = "; ".join(standards.named(r) for r in standards.references(finding.control))
    return (
        finding.outcome.value, finding.severity.value, finding.control, standards.title(finding.control),
        finding.subject, finding.role.value, finding.because, finding.remedy, "; ".join(finding.places),
        "\n".join(transcript(finding.evidence)), references, to_plain(finding.first_seen),
        waiver and waiver.owner, waiver and waiver.reason, waiver and waiver.expires, finding.id,
    )  # fmt: skip
