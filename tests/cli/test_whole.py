"""Whole runs over real sockets: the demo's mail servers on loopback, through the program's own commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatepost.declare import read
from gatepost.demo.stage import Stage, running
from tests.cli.conftest import Gatepost
from tests.dns import Dns


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with running(tmp_path_factory.mktemp("stage")) as up:
        yield up


@pytest.fixture(scope="module")
def core(stage: Stage) -> dict[str, int]:
    """The port each service of the good host got: the usual ones may be taken by another run."""
    host = read(stage.declaration.read_text(), "gatepost.toml", today=datetime.now(UTC).date()).host("mail.good.test")
    assert host is not None
    return {service.name: service.port for service in host.services}


def listed(core: dict[str, int]) -> str:
    return ",".join(str(port) for port in core.values())


def look(stage: Stage, *more: str) -> tuple[str, ...]:
    return ("-c", str(stage.declaration), "--ca", str(stage.ca), *more)


def findings(path: Path) -> list[dict[str, object]]:
    loaded = json.loads(path.read_text(encoding="utf-8"))
    return [f for f in loaded["findings"] if f["outcome"] == "fail"]


def test_the_good_host_is_in_order_and_the_bad_one_is_not(gatepost: Gatepost, stage: Stage) -> None:
    good = gatepost("audit", "mail.good.test", *look(stage, "--ports", stage.ports))
    assert good.code == 0, good.out
    bad = gatepost("audit", "mail.bad.test", *look(stage, "--ports", stage.ports))
    assert bad.code == 1
    for control in ("GP-RELAY-001", "GP-CERT-003", "GP-STLS-002", "GP-AUTH-002", "GP-PORT-002"):
        assert control in bad.out
    assert gatepost("audit", "mail.bad.test", *look(stage, "--ports", stage.ports, "--fail-on", "never")).code == 0


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("run.csv", "outcome,severity,control,"),
        ("run.html", "<!doctype html>"),
        ("run.json", "{"),
        ("run.jsonl", "{"),
        ("run.prom", "# HELP"),
        ("run.sarif", "{"),
        ("run.xml", "<?xml"),
    ],
)
def test_the_ending_of_the_file_names_the_format(
    gatepost: Gatepost, stage: Stage, tmp_path: Path, name: str, begins: str
) -> None:
    target = tmp_path / name
    result = gatepost("audit", "mail.bad.test", *look(stage, "--ports", "smtp,pop3", "-o", str(target)))
    assert result.code == 1, result.err
    assert target.read_text(encoding="utf-8").lower().startswith(begins.lower())
    assert result.out == ""


def test_json_keeps_the_contract(gatepost: Gatepost, stage: Stage) -> None:
    result = gatepost("audit", "mail.bad.test", *look(stage, "--ports", "smtp", "--format", "json"))
    run = json.loads(result.out)
    assert {"schema", "generated_at", "vantage", "profile", "targets", "findings"} <= set(run)
    assert {"observations", "unobserved", "connections"} <= set(run)
    keys = {
        "id", "control", "subject", "role", "outcome", "severity", "because", "evidence", "remedy", "references",
        "first_seen", "waiver",
    }  # fmt: skip
    assert all(keys <= set(f) for f in run["findings"])
    assert {f["outcome"] for f in run["findings"]} >= {"pass", "fail", "unknown"}
    assert len({f["id"] for f in run["findings"]}) == len(run["findings"])


def test_nothing_changed_since_the_same_run(gatepost: Gatepost, stage: Stage, tmp_path: Path) -> None:
    before = tmp_path / "before.json"
    words = ("audit", "mail.bad.test", *look(stage, "--ports", "smtp,pop3"))
    gatepost(*words, "-o", str(before))
    assert findings(before)
    after = tmp_path / "after.json"
    assert gatepost(*words, "--since", str(before), "-o", str(after)).code == 1  # still open, though nothing is new
    assert findings(after) == []


def test_a_port_that_only_one_vantage_sees_is_a_finding(gatepost: Gatepost, stage: Stage, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    words = ("audit", "mail.good.test", *look(stage, "--ports", "submission,imaps"))
    assert gatepost(*words, "--vantage", "office", "-o", str(other)).code == 0
    run = json.loads(other.read_text())
    for seen in run["observations"]:
        if seen["kind"] == "Upgrade":
            seen.update(offered=False, accepted=False, answer="", mangled="XXXXXXXA")
        if seen["kind"] == "Capabilities" and not seen["encrypted"]:
            seen["words"] = ["XXXXXXXA" if word == "STARTTLS" else word for word in seen["words"]]
    other.write_text(json.dumps(run))
    result = gatepost(*words, "--vantage", "home", "--compare", str(other))
    assert result.code == 1
    assert "GP-STLS-007" in result.out
    assert "office" in result.out


def test_since_when_a_finding_is_open_is_remembered(gatepost: Gatepost, stage: Stage, tmp_path: Path) -> None:
    words = ("audit", "mail.bad.test", *look(stage, "--ports", "pop3", "--state", str(tmp_path / "state")))
    first = json.loads(gatepost(*words, "--format", "json").out)
    second = json.loads(gatepost(*words, "--format", "json").out)
    dated = {f["id"]: f["first_seen"] for f in first["findings"] if f["outcome"] == "fail"}
    assert dated
    assert dated == {f["id"]: f["first_seen"] for f in second["findings"] if f["outcome"] == "fail"}
    assert first["generated_at"] != second["generated_at"]


def test_a_domain_is_followed_through_mx(gatepost: Gatepost, stage: Stage, core: dict[str, int]) -> None:
    zone = {
        ("good.test", "MX"): ["10 mail.good.test."],
        ("mail.good.test", "A"): ["127.0.0.25"],
        ("_imaps._tcp.good.test", "SRV"): [f"0 1 {core['imaps']} mail.good.test."],
    }
    with Dns(zone) as dns:
        words = ("ports", "good.test", "--ca", str(stage.ca), "--resolver", dns.where, "--ports", listed(core))
        result = gatepost(*words)
        told = json.loads(gatepost(*words, "--format", "json").out)
    assert "mail.good.test" in result.out
    assert "starttls-enforced" in result.out
    row = next(r for r in told["ports"] if r["port"] == core["imaps"])
    assert "srv" in row["advertised"].lower()


def test_ports_and_certs_are_views_of_their_own(gatepost: Gatepost, stage: Stage) -> None:
    ports = gatepost("ports", "mail.bad.test", *look(stage, "--ports", stage.ports))
    assert ports.code == 1
    assert "undeclared" in ports.out
    certs = gatepost("certs", "mail.bad.test", *look(stage, "--ports", "imaps,pop3s", "--format", "json"))
    assert certs.code == 1
    assert json.loads(certs.out)


def test_init_writes_a_file_that_audits_clean_of_declaration_findings(
    gatepost: Gatepost, stage: Stage, core: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stage's MX stands on a filter's port, which init leaves to the reader."""
    monkeypatch.chdir(tmp_path)
    ports = listed({name: port for name, port in core.items() if name != "smtp"})
    zone = {("good.test", "MX"): ["10 mail.good.test."], ("mail.good.test", "A"): ["127.0.0.25"]}
    with Dns(zone) as dns:
        made = gatepost("init", "good.test", "--resolver", dns.where, "--ca", str(stage.ca), "--ports", ports)
        assert made.code == 0, made.err
        audited = gatepost(
            "audit",
            "--resolver",
            dns.where,
            "--ca",
            str(stage.ca),
            "--ports",
            ports,
            "--only",
            "ports",
            "--format",
            "json",
        )
    assert (tmp_path / "gatepost.toml").exists()
    wrong = [f["because"] for f in json.loads(audited.out)["findings"] if f["outcome"] == "fail"]
    assert wrong == []


def test_demo_shows_both_hosts_and_exits_in_order(gatepost: Gatepost) -> None:
    result = gatepost("demo")
    assert result.code == 0, result.err
    assert "mail.good.test" in result.out
    assert "mail.bad.test" in result.out
    assert "relays for strangers" in result.out
    domains, audit = result.out.split("$ gatepost audit good.test bad.test")
    assert domains.startswith("$ gatepost domains good.test bad.test")
    for told in ("not aligned: 203.0.113.66", "certificate expired on", "+all"):
        assert told in domains
        assert told in audit


def test_what_the_demo_keeps_can_be_tried(gatepost: Gatepost, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    assert json.loads(gatepost("demo", "--keep", str(folder), "--format", "json").out)["findings"]
    again = gatepost("reports", "import", str(folder / "reports"), "--state", str(folder / ".gatepost"))
    assert (again.code, "12 duplicates dropped" in again.out) == (0, True), again.out
    sources = gatepost("reports", "sources", "bad.test", "--state", str(folder / ".gatepost"))
    assert "2,856 messages from 3 sources" in sources.out
