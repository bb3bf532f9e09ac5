"""Metrics in the text exposition format, for the node exporter's textfile collector.

A finding is 1 while it is open and 0 when it passed or is waived; a verdict that could not be reached is in
`gatepost_unknown` and nowhere else, so that an alert on it cannot be missed or mistaken for a pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from gatepost.model.audit import Audit
from gatepost.model.finding import Finding
from gatepost.model.observation import CertificateSeen, Unobserved, of
from gatepost.model.words import Outcome, Severity
from gatepost.report.escape import printable
from gatepost.report.truth import rows

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Metric:
    name: str  # without the prefix gatepost_
    kind: str  # gauge or counter
    about: str
    samples: Mapping[Labels, float]


def to_prometheus(audit: Audit) -> str:
    return "".join(_exposed(metric) for metric in _metrics(audit))


def _metrics(audit: Audit) -> tuple[Metric, ...]:
    findings = audit.findings
    judged = {_labels(f): float(f.open) for f in findings if f.outcome in {Outcome.FAIL, Outcome.PASS}}
    unknown = {_labels(f): 1.0 for f in findings if f.outcome is Outcome.UNKNOWN}
    waived = {_labels(f): 1.0 for f in findings if f.outcome is Outcome.FAIL and not f.open}
    spent: dict[Labels, float] = {(("endpoint", place),): float(n) for place, n in audit.run.connections.items()}
    when: dict[Labels, float] = {
        (("profile", audit.profile), ("vantage", audit.run.vantage)): audit.generated_at.timestamp()
    }
    return (
        Metric("finding", "gauge", "1 while the control fails at the subject, 0 when it holds or is waived.", judged),
        Metric("unknown", "gauge", "1 for a verdict that could not be reached.", unknown),
        Metric("waived", "gauge", "1 for a failure that a running waiver covers.", waived),
        Metric("findings_open", "gauge", "Open findings by severity.", _by_severity(audit)),
        Metric("port", "gauge", "1 for the verdict of the port truth table.", _ports(audit)),
        Metric("cert_not_after_seconds", "gauge", "End of the certificate served, Unix time.", _certificates(audit)),
        Metric("unobserved", "gauge", "Things that could not be seen, by reason.", _unobserved(audit)),
        Metric("connections_total", "counter", "TCP connections of the last run to an endpoint.", spent),
        Metric("last_run_timestamp_seconds", "gauge", "When the last run was judged, Unix time.", when),
    )


def _labels(finding: Finding) -> Labels:
    return (
        ("control", finding.control), ("check", finding.check), ("subject", finding.subject),
        ("role", finding.role.value), ("severity", finding.severity.value),
    )  # fmt: skip


def _by_severity(audit: Audit) -> dict[Labels, float]:
    """All severities, also those at zero: an alert needs the series to exist."""
    counts = Counter(f.severity for f in audit.findings if f.open)
    return {(("severity", severity.value),): float(counts[severity]) for severity in Severity}


def _ports(audit: Audit) -> dict[Labels, float]:
    return {
        (
            ("host", row.host), ("address", row.address), ("port", str(row.port)), ("service", row.service),
            ("verdict", row.verdict.value),
        ): 1.0
        for row in rows(audit)
    }  # fmt: skip


def _certificates(audit: Audit) -> dict[Labels, float]:
    """The earliest end where a port serves two certificates (RSA and ECDSA) for one name."""
    ends: dict[Labels, float] = {}
    for one in of(CertificateSeen, audit.run.seen):
        if one.chain:
            at, end = one.at, one.chain[0].not_after.timestamp()
            labels = (("host", at.host), ("port", str(at.port)), ("address", at.address), ("sni", one.sni or ""))
            ends[labels] = min(end, ends.get(labels, end))
    return ends


def _unobserved(audit: Audit) -> dict[Labels, float]:
    counts = Counter(u.reason.value for u in of(Unobserved, audit.run.seen))
    return {(("reason", reason),): float(number) for reason, number in counts.items()}


def _exposed(metric: Metric) -> str:
    name = f"gatepost_{metric.name}"
    head = f"# HELP {name} {metric.about}\n# TYPE {name} {metric.kind}\n"
    series = {f"{name}{{{_pairs(labels)}}}": value for labels, value in metric.samples.items()}
    return head + "".join(f"{one} {_number(value)}\n" for one, value in sorted(series.items()))


def _pairs(labels: Labels) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)


def _escaped(value: str) -> str:
    return printable(value).replace("\\", "\\\\").replace('"', '\\"')


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
