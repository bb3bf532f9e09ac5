from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatepost.errors import UsageError
from gatepost.model.audit import Audit
from gatepost.report import machine
from gatepost.report.machine import read_json, to_json, to_jsonl
from tests.report.sample import sample
from tests.report.strategies import audits

KEYS = [
    "schema", "generated_at", "vantage", "profile", "targets", "findings", "observations", "unobserved", "connections",
]  # fmt: skip
FINDING_KEYS = [
    "id", "control", "check", "title", "subject", "places", "role", "outcome", "severity", "because", "evidence",
    "remedy", "references", "first_seen", "waiver",
]  # fmt: skip


def saved() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(to_json(sample()))
    return loaded


def test_the_keys_are_the_contract() -> None:
    run = saved()
    assert list(run) == KEYS
    assert {tuple(f) for f in run["findings"]} == {tuple(FINDING_KEYS)}


def test_every_verdict_is_there_not_only_failures() -> None:
    assert {f["outcome"] for f in saved()["findings"]} == {"fail", "pass", "unknown", "not-applicable"}


def test_evidence_says_what_kind_it_is() -> None:
    kinds = {e["kind"] for f in saved()["findings"] for e in f["evidence"]}
    assert {"Tried", "Capabilities", "CertificateSeen", "Unobserved"} <= kinds


def test_what_was_not_seen_stands_apart() -> None:
    run = saved()
    assert {o["kind"] for o in run["unobserved"]} == {"Unobserved"}
    assert "Unobserved" not in {o["kind"] for o in run["observations"]}


def test_only_checked_references_are_shown() -> None:
    found = next(f for f in saved()["findings"] if f["control"] == "GP-TLS-002")
    assert any(r.startswith("RFC ") for r in found["references"])
    assert not any(r.startswith("nist-800-177r1") for r in found["references"])


def test_order_of_arrival_does_not_change_the_bytes() -> None:
    audit = sample()
    by_port = sorted(audit.run.seen, key=lambda o: -o.at.port)
    connections = dict(reversed(list(audit.run.connections.items())))
    other = replace(audit, run=replace(audit.run, seen=type(audit.run.seen)(tuple(by_port)), connections=connections))
    assert to_json(other) == to_json(audit)


def test_the_sample_reads_back() -> None:
    audit = read_json(to_json(sample()))
    assert audit.findings == sample().findings
    assert set(audit.run.seen) == set(sample().run.seen)
    assert to_json(audit) == to_json(sample())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(audits())
def test_what_was_written_reads_back(audit: Audit) -> None:
    assert read_json(to_json(audit)) == audit


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    with pytest.raises(UsageError, match=r"^other\.json: "):
        read_json(text, "other.json")


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
PATHS = (
    ("generated_at",), ("vantage",), ("targets",), ("targets", 0), ("findings",), ("findings", 0),
    ("findings", 0, "evidence"), ("findings", 0, "evidence", 0), ("findings", 0, "evidence", 0, "at"),
    ("findings", 0, "evidence", 0, "at", "port"), ("findings", 0, "evidence", 0, "kind"), ("findings", 0, "waiver"),
    ("findings", 0, "severity"), ("findings", 0, "first_seen"), ("observations",), ("observations", 3),
    ("unobserved", 0, "reason"), ("connections",), ("connections", "x"),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PATHS), PLAIN)
def test_any_value_anywhere_is_read_or_refused_in_words(path: tuple[str | int, ...], value: object) -> None:
    run = _RUN.copy() | {"findings": [json.loads(json.dumps(_RUN["findings"][0]))]}
    run = json.loads(json.dumps(run))
    at: Any = run
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    try:
        read_json(json.dumps(run), "other.json")
    except UsageError as error:
        assert str(error).startswith("other.json: ")  # noqa: PT017 - either way is right, a traceback is not


_RUN = saved()
_RUN = _RUN | {"observations": _RUN["observations"][:5]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "gatepost/audit/9"}, "x: schema: expected 'gatepost/audit/1', got 'gatepost/audit/9'"),
        ({"generated_at": "yesterday"}, "x: generated_at: expected a time like 2026-01-31T12:00:00Z, got 'yesterday'"),
        ({"targets": "one"}, "x: targets: expected a list, got 'one'"),
        ({"connections": {"a:25": "many"}}, "x: connections.a:25: expected a whole number, got 'many'"),
        ({"unobserved": [{"kind": "Unobserved"}]}, "x: unobserved[0].at: missing"),
        ({"observations": [{"kind": 7}]}, "x: observations[0].kind: expected text, got 7"),
        ({"findings": [{}]}, "x: findings[0].control: missing"),
    ],
)
def test_what_is_wrong_is_named_with_its_path(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_json(json.dumps(_RUN | change), "x")
    assert str(caught.value) == message


def test_a_wrong_word_lists_the_right_ones() -> None:
    run = json.loads(json.dumps(_RUN))
    run["findings"][0]["severity"] = "dire"
    with pytest.raises(UsageError, match=r"findings\[0\]\.severity: expected one of critical, high, .* got 'dire'"):
        read_json(json.dumps(run))


def test_additions_of_a_newer_version_are_passed_over() -> None:
    run = json.loads(json.dumps(_RUN))
    run["mood"] = "calm"
    run["findings"][0]["weight"] = 3
    run["observations"].append({"kind": "Overheard", "at": {}})
    assert json.loads(to_json(read_json(json.dumps(run)))) == _RUN


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '{"schema": NaN}', "9" * 5000, "\ufeff{}"])
def test_hostile_json_ends_in_one_line(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_json(text)
    assert "\n" not in str(caught.value)


def test_a_huge_file_is_not_even_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LARGEST_RUN", 10)
    with pytest.raises(UsageError, match="larger than 10 characters"):
        read_json(to_json(sample()))


def test_lines_start_with_the_run_and_hold_one_finding_each() -> None:
    lines = [json.loads(line) for line in to_jsonl(sample()).splitlines()]
    assert lines[0]["schema"] == "gatepost/findings/1"
    assert lines[0]["findings"] == len(lines) - 1 == len(sample().findings)
    assert [line["id"] for line in lines[1:]] == [f.id for f in sample().findings]
