"""`gatepost collect` as a person runs it: on this machine, without any mail server of its own."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from gatepost.edge.host.bundles import load
from gatepost.edge.host.here import is_here
from tests.cli.conftest import Gatepost

DECLARED = """
version = 1
organization = "Example"

[zones]
internet = ["0.0.0.0/0", "::/0"]

[hosts."here.example.org"]
addresses = ["192.0.2.76"]
via = "local"
services = ["smtp"]

[hosts."there.example.org"]
addresses = ["192.0.2.77"]
services = ["smtp"]
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_this_machine(gatepost: Gatepost, place: Path) -> None:
    said = gatepost("collect", "--name", "mx1.example.org")
    assert said.code == 0
    path = place / "mx1.example.org.bundle.json"
    assert max(map(len, said.out.splitlines())) <= 100
    first, taken, inside, *_, following = said.out.splitlines()
    assert first.startswith("Written:   mx1.example.org.bundle.json (mx1.example.org, ")
    assert first.endswith(" kB), readable by you only")
    assert taken.startswith("Taken:     answers of ")
    assert inside.startswith("In it: ")
    assert "\nNot in it: private keys, mail, logs; passwords in settings are ***." in said.out
    assert following == "Next:      gatepost audit mx1.example.org --bundle mx1.example.org.bundle.json"
    assert path.stat().st_mode & 0o777 == 0o600
    (bundle,) = load(path)
    assert (bundle.host, bundle.via) == ("mx1.example.org", "this machine")
    assert bundle.command("id", "-u")


def test_to_stdout(gatepost: Gatepost, place: Path) -> None:
    said = gatepost("collect", "--name", "mx1.example.org", "-o", "-")
    assert json.loads(said.out)["bundles"][0]["host"] == "mx1.example.org"
    assert list(place.iterdir()) == []


def test_declared_hosts_that_can_be_reached(gatepost: Gatepost, place: Path) -> None:
    (place / "gatepost.toml").write_text(DECLARED)
    said = gatepost("collect", "-o", "all.json")
    assert said.code == 0
    assert [bundle.host for bundle in load(place / "all.json")] == ["here.example.org"]


def test_a_host_that_cannot_be_reached_spoils_nothing_else(gatepost: Gatepost, place: Path) -> None:
    nowhere = 'via = "netns gp-no-such-namespace"\nservices = ["smtp"]\n'
    (place / "gatepost.toml").write_text(DECLARED.removesuffix('services = ["smtp"]\n') + nowhere)
    said = gatepost("collect", "-o", "all.json")
    assert said.code == 3
    assert said.err.startswith("gatepost: there.example.org: namespace gp-no-such-namespace: ")
    assert [bundle.host for bundle in load(place / "all.json")] == ["here.example.org"]


@pytest.mark.parametrize(
    ("words", "declared", "told"),
    [
        (("mx9.example.org",), "", "mx9.example.org: it is not declared; say with --via how to get onto it"),
        (("there.example.org",), DECLARED,
         "there.example.org: it is not this machine and has no `via`; say with --via how to get onto it"),
        (("a", "b", "--via", "local"), "", "--via leads to one host: name one HOST"),
        (("a", "--name", "b"), "", "--name is for this machine; it goes with no HOST"),
        (("a", "--via", "telnet x"), "", "'telnet x' is no way to a host: "),
        (("a", "--via", "ssh -oProxyCommand=x"), "", "'ssh -oProxyCommand=x' is no way to a host: "),
        ((), DECLARED.replace('via = "local"\n', ""), "no declared host is this machine or has `via`: "),
        (("--name", "x y"), "", "'x y' is no name of a host"),
        (("--name", "a" * 300), "", "'aaaa"),
        (("../etc/x", "--via", "local"), "", "'../etc/x' is no name of a host"),
    ],
)  # fmt: skip
def test_what_cannot_be_done(gatepost: Gatepost, place: Path, words: tuple[str, ...], declared: str, told: str) -> None:
    if declared:
        (place / "gatepost.toml").write_text(declared)
    said = gatepost("collect", *words)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"gatepost: {told}")
    assert len(said.err.splitlines()) == 1


def test_a_place_that_cannot_be_written(gatepost: Gatepost) -> None:
    said = gatepost("collect", "--name", "mx1.example.org", "-o", "none/x.json")
    assert (said.code, said.err) == (2, "gatepost: none/x.json: no such file or directory\n")


def test_which_addresses_are_here() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way_out:
        way_out.connect(("192.0.2.77", 9))  # nothing is sent
        assert is_here(way_out.getsockname()[0])
    assert not any(
        map(is_here, ("127.0.0.1", "::1", "192.0.2.77", "2001:db8::77", "0.0.0.0", "::", "mx1", "", "\ud800"))
    )


def test_what_a_stranger_says_moves_no_cursor(gatepost: Gatepost, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last words of ssh may be the host's own; a name may be anybody's."""
    ssh = place / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text("#!/bin/sh\nprintf 'go \\033[2J\\007away\\n' >&2\nexit 255\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", str(ssh.parent), prepend=":")
    (place / "gatepost.toml").write_text(DECLARED)
    said = gatepost("collect", "there.example.org", "--via", "ssh mx1")
    assert (said.code, said.err) == (3, "gatepost: there.example.org: ssh mx1: go \\e[2J\\x07away\n")
    said = gatepost("audit", "there.example.org", "--bundle", "no\x1b[2Jthing")
    assert (said.code, said.err) == (2, "gatepost: no\\e[2Jthing: no such file or directory\n")
