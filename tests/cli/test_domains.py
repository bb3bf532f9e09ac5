"""`gatepost domains`, and `gatepost audit DOMAIN` for what DNS says: transcripts, formats, exit codes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.demo.stage import Stage, running
from tests.cli.conftest import Gatepost
from tests.dns import Dns

SIGNED = (".", "example.org")
PARKED = {
    ("example.org", "MX"): ["0 ."],
    ("example.org", "TXT"): ['"v=spf1 -all"'],
    ("_dmarc.example.org", "TXT"): ['"v=DMARC1; p=reject"'],
}
OPEN = {**PARKED, ("example.org", "TXT"): ['"v=spf1 +all"']}
DEAD = "127.0.0.1#1"  # nobody listens there: the system says so at once


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with running(tmp_path_factory.mktemp("stage")) as up:
        yield up


def test_a_parked_domain_in_order(gatepost: Gatepost) -> None:
    with Dns(PARKED, secure=SIGNED) as dns:
        result = gatepost("domains", "example.org", "--resolver", dns.where)
    assert (result.code, result.err) == (0, ""), result.out
    lines = result.out.splitlines()
    for line in (
        "example.org",
        "  ✔ MX        accepts no mail (null MX)",
        "  ✔ SPF       -all, 0 of 10 look-ups",
        "  ✔ DMARC     reject; subdomains reject, invented names reject",
        "  · MTA-STS   not published",
        "  · TLS-RPT   not published",
        "  ✔ DNSSEC    signed and valid",
        "✔ 1 domain: everything as it should be.",
    ):
        assert line in lines


def test_a_fault_is_exit_1_as_far_as_it_is_grave(gatepost: Gatepost) -> None:
    with Dns(OPEN, secure=SIGNED) as dns:
        words = ("domains", "example.org", "--resolver", dns.where)
        result = gatepost(*words)
        assert gatepost(*words, "--fail-on", "critical").code == 0
        assert gatepost(*words, "--fail-on", "never").code == 0
        audited = gatepost("audit", "example.org", "--resolver", dns.where)
    assert result.code == 1
    assert "  ✖ SPF       +all, 0 of 10 look-ups" in result.out.splitlines()
    assert audited.code == 1
    assert "GP-DNSID-001" in audited.out


@pytest.mark.parametrize("command", ["audit", "domains"])
def test_bogus_is_a_finding_and_no_lack_of_records(gatepost: Gatepost, command: str) -> None:
    below = ("", "_dmarc.", "_mta-sts.", "_smtp._tls.", "default._domainkey.")
    trouble = {f"{label}example.org": "bogus:7:ended yesterday" for label in below}
    with Dns({("www.example.org", "A"): ["192.0.2.80"]}, trouble, secure=SIGNED) as dns:
        result = gatepost(command, "example.org", "--resolver", dns.where)
    assert result.code == 1
    assert "signature expired (EDE 7)" in result.out
    for lack in ("no SPF record", "no DMARC record at", "no TLS-RPT record:"):
        assert lack not in result.out


@pytest.mark.parametrize("command", ["audit", "domains"])
@pytest.mark.parametrize(
    ("name", "resolver", "code", "said"),
    [
        ("example.org", DEAD, 3, "the resolver 127.0.0.1#1 cannot be asked for example.org: connection refused"),
        ("example.org", "nonsense", 2, "--resolver: 'nonsense' is not an IP address"),
        ("a..example.org", DEAD, 2, "'a..example.org' is no host name"),
    ],
)
def test_what_cannot_be_looked_at_is_one_line(
    gatepost: Gatepost, command: str, name: str, resolver: str, code: int, said: str
) -> None:
    result = gatepost(command, name, "--resolver", resolver)
    assert (result.code, result.out) == (code, "")
    assert len(result.err.splitlines()) == 1
    assert said in result.err


def test_a_name_that_does_not_exist_is_bad_input(gatepost: Gatepost) -> None:
    with Dns(PARKED) as dns:
        result = gatepost("domains", "nowhere.example.org", "--resolver", dns.where)
    assert (result.code, result.out, result.err) == (2, "", "gatepost: nowhere.example.org does not exist\n")


def test_nothing_to_look_at_is_bad_input(gatepost: Gatepost) -> None:
    result = gatepost("domains")
    assert (result.code, result.out) == (2, "")
    assert "name a host or domain" in result.err


def test_the_declared_resolver_is_asked(gatepost: Gatepost) -> None:
    with Dns(PARKED, secure=SIGNED) as dns:
        Path("gatepost.toml").write_text(
            f'version = 1\norganization = "Example"\n[dns]\nresolver = "{dns.where}"\n'
            '[domains."example.org"]\nmx = []\nsends = false\n',
            encoding="utf-8",
        )
        assert gatepost("domains", "example.org").code == 0
        declared = gatepost("domains")
        assert gatepost("spf", "example.org").code == 0
        Path("gatepost.toml").rename("other.toml")
        named = gatepost("spf", "example.org", "-c", "other.toml")
    assert declared.code == 0, declared.err
    assert "example.org" in declared.out.splitlines()
    assert named.code == 0, named.out


def test_without_proof_of_validation_dnssec_stays_unknown(gatepost: Gatepost) -> None:
    with Dns(PARKED) as dns:
        words = ("domains", "example.org", "--resolver", dns.where, "--format", "json")
        told = [json.loads(gatepost(*words, *more).out) for more in ((), ("--trust-resolver",))]
    for one in told:
        (dnssec,) = (line for card in one["cards"] for line in card["lines"] if line["label"] == "DNSSEC")
        assert dnssec["standing"] == "unknown"


def test_formats(gatepost: Gatepost) -> None:
    with Dns(OPEN, secure=SIGNED) as dns:
        words = ("domains", "example.org", "--resolver", dns.where)
        text = gatepost(*words, "--format", "json").out
        lines = gatepost(*words, "--format", "jsonl").out.splitlines()
        table = list(csv.DictReader(io.StringIO(gatepost(*words, "--format", "csv").out)))
        page = gatepost(*words, "-o", "domains.html")
    told = json.loads(text)
    assert told["schema"] == "gatepost/domains/1"
    assert [card["name"] for card in told["cards"]] == ["example.org"]
    assert [json.loads(line) for line in lines] == told["cards"]
    assert {row["standard"] for row in table} >= {"MX", "SPF", "DKIM", "DMARC", "MTA-STS", "TLS-RPT", "DNSSEC"}
    assert next(row["standing"] for row in table if row["standard"] == "SPF") == "bad"
    assert (page.code, page.out) == (1, "")
    html = Path("domains.html").read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>")
    assert "+all, 0 of 10 look-ups" in html


def test_hosts_behind_a_domain_are_looked_at(gatepost: Gatepost, stage: Stage) -> None:
    words = ("-c", str(stage.declaration), "--ca", str(stage.ca), "--state", str(stage.state))
    result = gatepost("domains", "bad.test", "good.test", *words)
    assert result.code == 1
    good, bad = result.out.partition("\nmail.good.test   mail host\n")[2], result.out.partition("bad.test\n")[2]
    assert "✔ DANE" in good
    assert "✔ CAA       ca.good.test (at good.test)" in good
    assert "✖ SPF       permerror: +all, 13 of 10 look-ups, 1 void" in bad
    assert "certificate expired on" in bad
    assert "203.0.113.66" in bad


def test_a_state_that_cannot_be_used_is_told_before_anything_is_looked_at(gatepost: Gatepost, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    result = gatepost("domains", "example.org", "--resolver", "127.0.0.1#9", "--state", str(blocked))
    assert (result.code, result.out) == (2, "")
    assert result.err == f"gatepost: --state {blocked}: file exists\n"
