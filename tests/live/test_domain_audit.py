"""One audit from the command line over real domains: each fails what it is odd in, and nothing else about DNS."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from lab.domain import MailDomain
from lab.names import why_no_names
from lab.places import PROJECT, state_root
from lab.site import Site
from lab.zones import Net

NET = Net("127.0.24")
HOST = Site("mail.lab.test", NET.at(201))
# Of every host here: it is on loopback and knows no IPv6, and Postfix 3.7 knows no REQUIRETLS.
STANDING = frozenset({"GP-DNSID-010", "GP-DNST-009"})
NO_STS = "GP-DNST-001"
ODD = {
    "lab.test": set(),
    "insecure.test": {NO_STS, "GP-DNST-004", "GP-DNST-005"},
    "island.test": {NO_STS, "GP-DNST-004", "GP-DNST-005"},
    "nsec3.test": {NO_STS},
    "nullmx.test": set(),
    "rollover.test": {NO_STS},
    "stale.test": {NO_STS, "GP-DNST-005"},
    "unusable.test": {NO_STS, "GP-DNST-004", "GP-DNST-005"},
    "aged.test": {NO_STS, "GP-DNSID-001", "GP-DNSID-006", "GP-DNSID-007", "GP-DNST-003"},
    "wrong-mx.sts.test": {"GP-DNST-002"},
    "testing.sts.test": {NO_STS},
    **{f"{name}.sts.test": {NO_STS} for name in ("expired", "wrong-name", "unknown-ca", "redirect", "huge", "missing")},
}

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("lab"),
    pytest.mark.skipif(bool(why_no_names()), reason=why_no_names()),
]


@pytest.fixture(scope="module")
def domain() -> Iterator[MailDomain]:
    made = MailDomain(state_root() / "audited", NET, HOST)
    made.down()
    made.up()
    try:
        yield made
    finally:
        made.down()


@pytest.fixture(scope="module")
def audit(domain: MailDomain) -> dict[str, Any]:
    command = (
        sys.executable, "-m", "gatepost", "audit", "-c", str(domain.estate.declaration), "--ca", str(domain.estate.ca),
        "--ports", "25", "--quiet", "--format", "json", *ODD,
    )  # fmt: skip
    done = subprocess.run(command, cwd=PROJECT, env={"PYTHONPATH": "src"}, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("name", ODD)
def test_fails_what_it_is_odd_in(audit: dict[str, Any], name: str) -> None:
    failed = {
        finding["control"]: finding["because"]
        for finding in audit["findings"]
        if finding["outcome"] == "fail" and finding["control"].startswith("GP-DNS") and _domain(finding) == name
    }
    assert set(failed) - STANDING == ODD[name], failed


def _domain(finding: dict[str, Any]) -> str:
    """Whose host or domain a finding is about."""
    host = finding["subject"].partition(":")[0]
    return next((name for name in ODD if host == name or host.endswith(f".{name}")), "")


@pytest.mark.parametrize(("host", "outcome"), [("mail.lab.test", "pass"), ("mail.stale.test", "fail")])
def test_the_served_certificate_is_held_against_its_records(audit: dict[str, Any], host: str, outcome: str) -> None:
    told = {f["outcome"] for f in audit["findings"] if (f["control"], f["subject"]) == ("GP-DNST-005", f"{host}:25")}
    assert told == {outcome}
