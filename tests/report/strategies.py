"""Hypothesis strategies for the nouns that reports are made from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from gatepost.model.architecture import Architecture, Endpoint
from gatepost.model.audit import Audit
from gatepost.model.finding import Finding
from gatepost.model.observation import Observation, Run, Seen, Unobserved

TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds
WORDS = st.text(max_size=30)
NUMBERS = st.integers(0, 2**31)

st.register_type_strategy(datetime, TIMES)
st.register_type_strategy(str, WORDS)
st.register_type_strategy(int, NUMBERS)
st.register_type_strategy(float, st.floats(0, 1e6))

ENDPOINTS = st.builds(Endpoint)
OBSERVATIONS: st.SearchStrategy[Observation] = st.from_type(Observation)  # type: ignore[arg-type] # a union is a type to hypothesis
FINDINGS = st.builds(Finding, evidence=st.lists(OBSERVATIONS, max_size=2).map(tuple))
CONNECTIONS = st.dictionaries(WORDS, NUMBERS, max_size=3)


@st.composite
def audits(draw: st.DrawFn) -> Audit:
    """In the order a saved run has: sorted by endpoint, what was not seen last."""
    when, profile = draw(TIMES), draw(WORDS)
    seen = sorted(draw(st.lists(OBSERVATIONS, max_size=4)), key=lambda o: o.at)
    seen.sort(key=lambda o: isinstance(o, Unobserved))
    findings = tuple(draw(st.lists(FINDINGS, max_size=3, unique_by=lambda f: f.id)))
    targets = tuple(draw(st.lists(WORDS, max_size=2)))
    run = Run(Seen(tuple(seen)), when, draw(WORDS), draw(CONNECTIONS))
    return Audit(when, profile, targets, findings, run, Architecture(profile=profile))


def with_findings(audit: Audit, *findings: Finding) -> Audit:
    return replace(audit, findings=findings)
