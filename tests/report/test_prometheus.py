from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from gatepost.model.audit import Audit
from gatepost.model.observation import CertificateSeen, Run, Seen
from gatepost.report.prometheus import to_prometheus
from tests.report.golden import golden
from tests.report.sample import AUTHORITY, GOOD, GOOD_CERTIFICATE, NOW, TRUSTED, certificate, clean, good, sample
from tests.report.strategies import audits

LABEL = r'[a-z_]+="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
SAMPLE = re.compile(rf"(gatepost_[a-z_]+)\{{((?:{LABEL}(?:,{LABEL})*)?)\}} (-?[0-9.e+]+)")


def series(text: str) -> dict[str, str]:
    """Every sample line read with the grammar of the format; a second sample of one series is an error."""
    found: dict[str, str] = {}
    for line in text.split("\n")[:-1]:
        if line.startswith("#"):
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        key = f"{match[1]}{{{match[2]}}}"
        assert key not in found, key
        found[key] = match[3]
    return found


def test_the_file_is_as_it_was_read_and_liked() -> None:
    made = to_prometheus(sample())
    assert made == golden("audit.prom", made)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(audits())
def test_every_line_fits_the_format_whatever_was_found(audit: Audit) -> None:
    text = to_prometheus(audit)
    text.encode()
    series(text)


@pytest.mark.parametrize("audit", [sample(), clean(), replace(sample(), findings=())])
def test_each_metric_is_introduced_once_before_its_samples(audit: Audit) -> None:
    lines = to_prometheus(audit).splitlines()
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    assert names == [line.split()[2] for line in lines if line.startswith("# HELP")]
    current = ""
    for line in lines:
        if line.startswith("# TYPE"):
            current = line.split()[2]
        elif not line.startswith("#"):
            assert line.startswith(f"{current}{{")


def test_an_unknown_is_no_finding_with_a_zero() -> None:
    found = series(to_prometheus(sample()))
    subject = 'subject="old.example.net:587"'
    assert [k for k in found if subject in k and k.startswith("gatepost_unknown{")]
    assert not [k for k in found if subject in k and k.startswith("gatepost_finding{")]


def test_of_two_certificates_at_one_place_the_earlier_end_counts() -> None:
    soon = certificate(GOOD, days=5)
    at = good(993, "192.0.2.25")
    seen = Seen(tuple(CertificateSeen(at, GOOD, (c, AUTHORITY), TRUSTED) for c in (GOOD_CERTIFICATE, soon)))
    found = series(to_prometheus(replace(sample(), run=Run(seen, NOW))))
    ends = [v for k, v in found.items() if k.startswith("gatepost_cert_not_after_seconds")]
    assert ends == [str(int(soon.not_after.timestamp()))]
