"""`gatepost probe` on loopback: what is tried, kept, shown again and complained about."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Gatepost


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.9", 0)) as listener:
        yield int(listener.getsockname()[1])


@pytest.fixture
def house(port: int) -> int:
    """A host on loopback, at another address than the one we come from, with one service for us."""
    Path("gatepost.toml").write_text(f"""\
version = 1
organization = "Example"

[zones]
here = ["127.0.0.1/32", "::1/128"]
office = ["198.51.100.0/24", "203.0.113.77/32"]

[hosts."mx.test"]
addresses = ["127.0.0.9"]
via = "local"
services = [{{ name = "mine", port = {port}, protocol = "imap", role = "access", mode = "starttls", from = ["here"] }}]
""")
    return port


def test_what_is_declared_for_us_is_reached(gatepost: Gatepost, house: int) -> None:
    said = gatepost("probe", "--from", "here", "--ports", str(house))
    assert (said.code, said.err) == (0, "")
    assert "✔" in said.out
    assert "Everything that was tried is as declared" in said.out


def test_what_is_declared_for_others_must_not_be(gatepost: Gatepost, house: int) -> None:
    text = Path("gatepost.toml").read_text()
    Path("gatepost.toml").write_text(text.replace('from = ["here"]', 'from = ["office"]'))
    said = gatepost("probe", "--from", "here", "--ports", str(house))
    assert said.code == 1
    assert f"here reaches what it must not: {house} mine" in said.out


def test_results_are_kept_and_shown_again(gatepost: Gatepost, house: int) -> None:
    first = gatepost("probe", "--from", "here", "--ports", str(house), "-o", "here.jsonl")
    assert (
        first.err
        == "gatepost: kept in here.jsonl: gatepost ports --reach here.jsonl shows it beside what the host says\n"
    )
    again = gatepost("probe", "--reach", "here.jsonl")
    assert (again.out, again.err) == (first.out, "")
    plain = json.loads(gatepost("probe", "--reach", "here.jsonl", "--format", "json").out)
    assert plain["schema"] == "gatepost/probe/1"
    assert [(r["port"], r["zone"], r["result"], r["way"]) for r in plain["results"]] == [
        (house, "here", "reached", "as-declared")
    ]


def test_the_agent_is_one_script_to_carry_away(gatepost: Gatepost, house: int) -> None:
    said = gatepost("probe", "--print-agent", "--from", "here", "--ports", str(house), "-o", "reach.py")
    assert (said.code, said.out) == (0, "")
    assert said.err == "gatepost: there: python3 reach.py -o here.jsonl   here: gatepost probe --reach here.jsonl\n"
    helped = subprocess.run([sys.executable, "reach.py", "-h"], check=False, capture_output=True, text=True)
    assert (helped.returncode, helped.stdout.split()[:3]) == (0, ["Try", "TCP", "connections"])
    done = subprocess.run([sys.executable, "reach.py", "-o", "back.jsonl"], check=False, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert gatepost("probe", "--reach", "back.jsonl").code == 0


def test_a_vantage_that_stands_elsewhere_is_doubted(gatepost: Gatepost, house: int) -> None:
    said = gatepost("probe", "--from", "office", "--ports", str(house))
    assert "office connected from 127.0.0.1, which is in here: it may not stand where it says" in said.err


def test_a_vantage_that_cannot_be_used_knows_nothing(gatepost: Gatepost, house: int) -> None:
    said = gatepost("probe", "--from", "office", "--via", "netns gp-none", "--ports", str(house), "-o", "lost.jsonl")
    assert said.code == 3
    assert "office could not tell of" in said.out
    assert "could not be seen.  Nothing was tried" in said.out
    assert "gp-none" in said.err
    assert gatepost("probe", "--reach", "lost.jsonl").code == 0


def test_a_declared_host_looks_outwards(gatepost: Gatepost, house: int) -> None:
    said = gatepost("probe", "--from", "mx.test", "--to", "127.0.0.8", "--ports", str(house))
    assert (said.code, "mx.test" in said.out) == (0, True)


def test_an_address_is_tried_beside_those_that_are_declared(gatepost: Gatepost, house: int) -> None:
    """Another address of the same machine, perhaps: what is open there is declared for nobody."""
    with socket.create_server(("127.0.0.1", house)):
        said = gatepost("probe", "--from", "here", "--to", "127.0.0.1", "--ports", str(house))
    assert said.code == 1
    assert f"here reaches what it must not: {house}" in said.out
    assert "127.0.0.9" in said.out


def test_what_the_declaration_is_silent_about_is_not_called_declared(gatepost: Gatepost, house: int) -> None:
    with socket.create_server(("127.0.0.8", house)):
        said = gatepost("probe", "--from", "here", "--to", "127.0.0.8", "--ports", str(house))
    assert said.code == 0
    assert "1 way open of which the declaration says nothing" in said.out
    assert "is as declared" not in said.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("probe",), "there is nothing to try: declare hosts with addresses"),
        (("probe", "mx.test"), "'mx.test' is no declared host (--to takes any address)"),
        (("probe", "--to", "mx.test"), "'mx.test' is not an IP address"),
        (("probe", "--to", "127.0.0.1", "--via", "rsh host"), "'rsh host' is no way to a host"),
        (("probe", "--reach", "none.jsonl"), "none.jsonl: no such file or directory"),
        (("probe", "--to", "127.0.0.1", "--ports", "x"), "no port is named 'x'"),
        (("probe", "--to", "127.0.0.1", "--ports", "1", "-o", "no/such.jsonl"), "no/such.jsonl: no such file"),
    ],
)
def test_one_sentence_for_what_is_wrong(gatepost: Gatepost, words: tuple[str, ...], said: str) -> None:
    done = gatepost(*words)
    assert (done.code, said in done.err) == (2, True), done.err
    assert "Traceback" not in done.err
