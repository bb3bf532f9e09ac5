"""Typos, unusable files and unreachable hosts: one clear line each, the right exit code, never a traceback."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.cli.conftest import Gatepost


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("audit",), "name a host or domain"),
        (("audit", "--profile", "nist", "mx.test", "--address", "127.0.0.1"), "no TLS profile named 'nist'"),
        (("audit", "--ports", "smpt", "mx.test", "--address", "127.0.0.1"), "no port is named 'smpt'"),
        (("audit", "--ports", "70000", "mx.test", "--address", "127.0.0.1"), "not between 1 and 65535"),
        (("audit", "--address", "localhost", "mx.test"), "'localhost' is not an IP address"),
        (("audit", "--only", "tsl", "mx.test"), "no area is named 'tsl'"),
        (("audit", "-c", "none.toml"), "none.toml: no such file or directory"),
        (("audit", "--ca", "none.pem", "mx.test", "--address", "127.0.0.1"), "none.pem"),
        (("audit", "--since", "none.json", "mx.test"), "--since: none.json: no such file or directory"),
        (("audit", "not a name"), "neither a host name, a domain nor an address"),
        (("explain", "GP-TLS-02"), "did you mean"),
        (("ports", "--resolver", "nowhere", "mx.test"), "nowhere"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(gatepost: Gatepost, words: tuple[str, ...], said: str) -> None:
    result = gatepost(*words)
    assert result.code == 2, result.err
    assert said in result.err
    assert len(result.err.splitlines()) == 1
    assert "Traceback" not in result.err
    assert result.out == ""


def test_every_problem_of_a_declaration_is_told_at_once_with_its_line(gatepost: Gatepost, tmp_path: Path) -> None:
    path = tmp_path / "gatepost.toml"
    path.write_text('version = 1\nprofil = "x"\n[hosts."mx.test"]\naddresses = ["300.1.1.1"]\nservices = ["smtps"]\n')
    result = gatepost("audit")
    assert result.code == 2
    lines = result.err.splitlines()
    assert len(lines) >= 3
    assert all(line.startswith("gatepost: gatepost.toml: line ") for line in lines)


def test_an_unknown_option_and_an_unknown_command_are_exit_2(gatepost: Gatepost) -> None:
    assert gatepost("audit", "--prots", "25").code == 2
    assert gatepost("adit").code == 2


def test_a_name_that_does_not_resolve_is_told_plainly(gatepost: Gatepost) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:  # a resolver that never answers
        deaf.bind(("127.0.0.1", 0))
        result = gatepost("audit", "--resolver", f"127.0.0.1#{deaf.getsockname()[1]}", "mx.test")
    assert result.code == 3
    assert len(result.err.splitlines()) == 1
    assert "does not answer" in result.err


def test_a_broken_saved_run_is_refused(gatepost: Gatepost, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"schema": "something else"}')
    result = gatepost("audit", "--compare", "run.json", "mx.test")
    assert result.code == 2
    assert "--compare: run.json" in result.err


def test_init_does_not_overwrite(gatepost: Gatepost, tmp_path: Path) -> None:
    (tmp_path / "gatepost.toml").write_text("version = 1\n")
    result = gatepost("init", "mx.test")
    assert result.code == 2
    assert "--force" in result.err
    assert (tmp_path / "gatepost.toml").read_text() == "version = 1\n"
