"""The published suite of RFC 7208, read from the data folder beside the project; it is never copied here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gatepost.model.domain import SpfResult
from gatepost.records.spf import check
from tests.zone import SERVFAIL, TIMEOUT, Zone

SUITE = Path(__file__).parents[4] / "shared" / "corpora" / "spf" / "rfc7208.json"
CASES = 203


def cases() -> list[tuple[str, Zone, Mapping[str, Any]]]:
    if not SUITE.exists():
        return []
    scenarios = json.loads(SUITE.read_text(encoding="utf-8"))["scenarios"]
    return [(one["description"], _zone(one["zone"]), test) for one in scenarios for test in one["tests"]]


def _zone(rows: list[Mapping[str, Any]]) -> Zone:
    """The suite's silent servers answer only what the zone spells out; a chain that ends in itself is an error."""
    records: dict[str, list[str]] = {}
    trouble = {}
    for row in rows:
        if row["rdata"] == "TIMEOUT":
            trouble[_name(row["name"])] = TIMEOUT
        elif row["type"] != "SPF":
            records.setdefault(f"{_name(row['name'])} {row['type']}", []).append(_value(row))
    for where, (to, *_) in records.items():
        if where.endswith(" CNAME") and f"{to.lower()} CNAME" == where.lower():
            trouble[where.partition(" ")[0]] = SERVFAIL
    answered = {where for where in records if where.partition(" ")[0] in trouble}
    silent = {f"{name} {kind}": what for name, what in trouble.items() for kind in ("A", "AAAA", "MX", "PTR", "TXT")}
    return Zone(records, {where: what for where, what in silent.items() if where not in answered})


def _name(name: str) -> str:
    return name.replace(" ", "\\032").lower()


def _value(row: Mapping[str, Any]) -> str:
    match row["type"], row["rdata"]:
        case "MX", (preference, host):
            return f"{preference} {host.lower() or '.'}"
        case "TXT", pieces:
            return "".join([pieces] if isinstance(pieces, str) else pieces)
        case "A" | "AAAA", address:
            return str(address).lower()
        case _, name:
            return str(name).lower().removesuffix(".")


def asked(zone: Zone, test: Mapping[str, Any]) -> SpfResult:
    domain = test["mailfrom"].rpartition("@")[2] or test["helo"]
    sender = test["mailfrom"] or f"postmaster@{domain}"
    return asyncio.run(check(test["ip"], domain, zone, sender=sender, helo=test["helo"], receiver="receiver.test"))


def misses() -> Iterator[str]:
    for scenario, zone, test in cases():
        got = asked(zone, test)
        wanted = test.get("explanation") or ""
        text = "" if wanted == "DEFAULT" else wanted
        if got.result not in test["result"] or (wanted and got.explanation != text):
            yield f"{scenario}: {test['id']}: {test['result']} {wanted!r}, got {got}"


@pytest.mark.skipif(not SUITE.exists(), reason=f"{SUITE} is not there")
def test_every_case_of_the_published_suite(record_property: Any) -> None:
    wrong = list(misses())
    record_property("score", f"{CASES - len(wrong)} of {CASES}")
    assert len(cases()) == CASES
    assert not wrong, f"{CASES - len(wrong)} of {CASES}\n" + "\n".join(wrong)
