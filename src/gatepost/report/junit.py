"""JUnit XML for a build server: a suite per host, a case per verdict.

A failure no waiver covers fails the case. What could not be seen is skipped with its reason: it is no pass,
and it must not break a build that changed nothing. The shape is the strictest of the schemas in use.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from gatepost.model.audit import Audit
from gatepost.model.finding import Finding
from gatepost.model.words import Outcome
from gatepost.report import standards
from gatepost.report.escape import printable
from gatepost.report.evidence import transcript

_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 section 2.2


def to_junit(audit: Audit) -> str:
    suites = Element("testsuites")
    for number, (host, findings) in enumerate(_by_host(audit.findings).items()):
        suites.append(_suite(audit, number, host, findings))
    indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suites, encoding="unicode") + "\n"


def _by_host(findings: Iterable[Finding]) -> Mapping[str, list[Finding]]:
    hosts: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        hosts[finding.subject.split(":", 1)[0] or "-"].append(finding)
    return hosts


def _suite(audit: Audit, number: int, host: str, findings: list[Finding]) -> Element:
    suite = Element("testsuite", {
        "name": _attribute(host),
        "package": "gatepost",
        "id": str(number),
        "hostname": _attribute(host),
        "timestamp": f"{audit.generated_at:%Y-%m-%dT%H:%M:%S}",  # the schema allows no zone; it is UTC
        "tests": str(len(findings)),
        "failures": str(sum(f.open for f in findings)),
        "errors": "0",
        "skipped": str(sum(_skipped(f) for f in findings)),
        "time": "0",
    })  # fmt: skip
    properties = SubElement(suite, "properties")
    for name, value in (("profile", audit.profile), ("vantage", audit.run.vantage)):
        SubElement(properties, "property", {"name": name, "value": _attribute(value)})
    for finding in findings:
        suite.append(_case(finding))
    SubElement(suite, "system-out")
    SubElement(suite, "system-err")
    return suite


def _skipped(finding: Finding) -> bool:
    return not finding.open and finding.outcome is not Outcome.PASS


def _case(finding: Finding) -> Element:
    name = f"{finding.control} {finding.check} at {finding.subject}"
    area = f"gatepost.{standards.area(finding.control)}"
    case = Element("testcase", {"name": _attribute(name), "classname": _attribute(area), "time": "0"})
    if finding.open:
        failure = SubElement(case, "failure", {"type": finding.severity.value, "message": _attribute(finding.because)})
        failure.text = _body(finding)
    elif _skipped(finding):
        SubElement(case, "skipped", {"message": _attribute(_why(finding))})
    return case


def _why(finding: Finding) -> str:
    if finding.waiver and finding.outcome is Outcome.FAIL:
        waiver = finding.waiver
        return f"waived until {waiver.expires} by {waiver.owner} ({waiver.reason}): {finding.because}"
    return f"{finding.outcome.value}: {finding.because}"


def _body(finding: Finding) -> str:
    references = "; ".join(standards.named(r) for r in standards.references(finding.control))
    parts = (
        ("expected", standards.title(finding.control)),
        ("where", "; ".join(finding.places)),
        ("seen", "\n          ".join(transcript(finding.evidence))),
        ("fix", finding.remedy.replace("\n", "\n          ")),
        ("asked by", references),
    )
    return _writable("\n" + "".join(f"{label:9} {words}\n" for label, words in parts if words))


def _attribute(words: str) -> str:
    """One line, single spaces: the schema's names are tokens."""
    return _writable(" ".join(printable(words).split()))


def _writable(words: str) -> str:
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", words)
