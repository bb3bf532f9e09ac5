from __future__ import annotations

from collections import Counter
from dataclasses import replace
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import HealthCheck, given, settings

from gatepost.model.audit import Audit
from gatepost.report.junit import to_junit
from tests.report.golden import DATA, golden
from tests.report.sample import clean, sample
from tests.report.strategies import audits


def parsed(audit: Audit) -> Element:
    return fromstring(to_junit(audit))  # noqa: S314 - our own output


def test_the_file_is_as_it_was_read_and_liked() -> None:
    made = to_junit(sample())
    assert made == golden("audit.junit.xml", made)


@pytest.mark.parametrize("audit", [sample(), clean(), replace(sample(), findings=())])
def test_the_schema_of_jenkins_agrees(audit: Audit) -> None:
    xmlschema = pytest.importorskip("xmlschema", reason="the XSD validator is not installed")
    xmlschema.XMLSchema(str(DATA / "junit-10.xsd")).validate(to_junit(audit))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(audits())
def test_it_is_well_formed_whatever_was_found(audit: Audit) -> None:
    to_junit(audit).encode()
    assert parsed(audit).tag == "testsuites"


def test_the_counts_are_those_of_the_cases() -> None:
    for suite in parsed(sample()):
        cases = suite.findall("testcase")
        found = Counter(child.tag for case in cases for child in case)
        assert int(suite.attrib["tests"]) == len(cases)
        assert int(suite.attrib["failures"]) == found["failure"]
        assert int(suite.attrib["skipped"]) == found["skipped"]


def test_a_suite_has_what_the_strictest_reader_wants_in_its_order() -> None:
    for suite in parsed(sample()):
        tags = list(dict.fromkeys(child.tag for child in suite))
        assert tags == ["properties", "testcase", "system-out", "system-err"]
        assert {"name", "timestamp", "hostname", "tests", "failures", "errors", "time", "package", "id"} <= set(
            suite.attrib
        )
        assert all(len(case) <= 1 for case in suite.findall("testcase"))


def test_unknown_is_skipped_with_its_reason_and_never_a_bare_pass() -> None:
    cases = {c.attrib["name"]: c for c in parsed(sample()).iter("testcase")}
    skipped = cases["GP-TLS-002 old-versions-refused at old.example.net:587"].find("skipped")
    assert skipped is not None
    assert skipped.attrib["message"] == "unknown: limited: 421 4.7.0 Too many connections from you"


def test_a_waived_failure_does_not_break_the_build_but_says_why() -> None:
    cases = {c.attrib["name"]: c for c in parsed(sample()).iter("testcase")}
    skipped = cases["GP-TLS-004 tls13-offered at old.example.net:25"].find("skipped")
    assert skipped is not None
    assert skipped.attrib["message"].startswith("waived until 2027-01-31 by postmaster")
