from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema  # type: ignore[import-untyped] # it ships no types
import pytest
from hypothesis import HealthCheck, given, settings

from gatepost.model.audit import Audit
from gatepost.report.sarif import to_sarif
from tests.report.golden import DATA
from tests.report.sample import clean, sample
from tests.report.strategies import audits

SCHEMA = jsonschema.Draft7Validator(
    json.loads((DATA / "sarif-schema-2.1.0.json").read_text(encoding="utf-8")),
    format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER,
)


def run(audit: Audit) -> dict[str, Any]:
    log = json.loads(to_sarif(audit))
    SCHEMA.validate(log)
    (only,) = log["runs"]
    result: dict[str, Any] = only
    return result


def results() -> dict[str, dict[str, Any]]:
    return {r["properties"]["id"]: r for r in run(sample())["results"]}


@pytest.mark.parametrize("audit", [sample(), clean(), replace(sample(), findings=())])
def test_the_schema_of_oasis_agrees(audit: Audit) -> None:
    run(audit)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(audits())
def test_the_schema_agrees_whatever_was_found(audit: Audit) -> None:
    run(audit)


def test_the_schema_is_not_asleep() -> None:
    log = json.loads(to_sarif(sample()))
    log["runs"][0]["results"][0]["level"] = "dreadful"
    with pytest.raises(jsonschema.ValidationError):
        SCHEMA.validate(log)


def test_a_failure_has_a_level_and_an_unknown_is_open() -> None:
    found = results()
    assert found["GP-RELAY-001/strangers-are-refused@old.example.net:25"]["level"] == "error"
    assert found["GP-TLS-008/hybrid-group-offered@old.example.net: 25, 465, 993"]["level"] == "note"
    unknown = found["GP-TLS-002/old-versions-refused@old.example.net:587"]
    assert (unknown["kind"], unknown["level"]) == ("open", "none")


def test_every_result_names_the_rule_it_means() -> None:
    told = run(sample())
    rules = told["tool"]["driver"]["rules"]
    assert all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in told["results"])
    assert len({r["id"] for r in rules}) == len(rules)


def test_fingerprints_hold_between_runs_and_differ_between_findings() -> None:
    first, second = (
        {r["partialFingerprints"]["gatepostFinding/v1"] for r in run(audit)["results"]}
        for audit in (sample(), replace(sample(), generated_at=sample().run.started))
    )
    assert first == second
    assert len(first) == len(run(sample())["results"])


def test_a_waiver_is_a_suppression_with_owner_and_end() -> None:
    (waived,) = [r for r in results().values() if r.get("suppressions")]
    assert waived["ruleId"] == "GP-TLS-004"
    assert waived["suppressions"][0]["justification"] == (
        "partner X still sends TLS 1.0 (owner postmaster, until 2027-01-31)"
    )


def test_places_are_logical_and_the_declaration_is_the_file() -> None:
    location = results()["GP-PORT-003/mode-as-declared@mail.example.org:995"]["locations"][0]
    assert [p["name"] for p in location["logicalLocations"]] == ["mail.example.org:995"] * 2
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "gatepost.toml"},
        "region": {"startLine": 14},
    }


def test_what_could_not_be_seen_is_a_notification() -> None:
    notes = run(sample())["invocations"][0]["toolExecutionNotifications"]
    assert any("421 4.7.0 Too many connections" in n["message"]["text"] for n in notes)
