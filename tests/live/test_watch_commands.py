"""`gatepost blocks add`, `blocks` and `unblock` on a host in a namespace, with packets as witnesses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.realm.ground import why_no_ground
from tests.live.barred import BAD, GOOD, OPEN, OURS, PUBLISHED, Ground, ground

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_no_ground()), reason=why_no_ground())]

DECLARED = """\
version = 1
[zones]
office = ["{good}/32"]
[hosts."mx1.example.org"]
addresses = ["{ours}", "{ours6}"]
via = "netns {host}"
management = ["office"]
services = ["smtp", {{ name = "imap", port = {published}, owner = "a", reason = "b", until = 2027-01-01 }}]
"""


@pytest.fixture(scope="module")
def field() -> Iterator[Ground]:
    with ground() as found:
        yield found


@pytest.fixture
def told(field: Ground, tmp_path: Path) -> Path:
    text = DECLARED.format(good=GOOD[4], ours=OURS[4], ours6=OURS[6], host=field.host, published=PUBLISHED)
    (tmp_path / "gatepost.toml").write_text(text)
    return tmp_path


def gatepost(directory: Path, *words: str) -> tuple[int, str]:
    argv = (sys.executable, "-m", "gatepost", *words)
    ran = subprocess.run(argv, cwd=directory, capture_output=True, text=True, timeout=60, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def test_shut_out_by_hand_and_let_in_again(field: Ground, told: Path) -> None:
    code, said = gatepost(told, "blocks", "add", BAD[4], "--for", "1h", "--why", "guesses")
    assert code == 0
    assert said.splitlines() == [
        f"{BAD[4]} is blocked for 1h on mx1.example.org.",
        "Proved: the running rules drop it at 2 addresses and ports (inet gatepost_watch, before translation).",
    ]
    assert [field.call(BAD[4], OURS[4], port) for port in (OPEN, PUBLISHED)] == ["silent", "silent"]
    assert field.call(GOOD[4], OURS[4], OPEN) == "reached"
    listed = json.loads(gatepost(told, "blocks", "--format", "json")[1])["blocks"]
    assert [(one["address"], one["state"], one["why"]) for one in listed] == [(BAD[4], "blocked", "guesses")]
    assert gatepost(told, "unblock", BAD[4], "--why", "ours") == (0, f"{BAD[4]} is let in again.\n")
    assert field.call(BAD[4], OURS[4], OPEN) == "reached"
    assert gatepost(told, "blocks")[1] == "Nobody is blocked.\n"
    assert "ended by  root ours" in gatepost(told, "blocks", "--history")[1]


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (GOOD[4], f"gatepost: {GOOD[4]} is not blocked: it is in zone office, which operates mx1.example.org\n"),
        (OURS[6], f"gatepost: {OURS[6]} is not blocked: it is an address of this host\n"),
        ("172.29.0.1", "gatepost: 172.29.0.1 is not blocked: it is an address of this host\n"),
        ("10.1.2.3", "gatepost: 10.1.2.3 is not blocked: it is private and in no declared zone: everybody behind a"),
        ("mx.example", "gatepost: 'mx.example' is no address, and no network like 192.0.2.0/24\n"),
        ("0.0.0.0/0", "gatepost: 0.0.0.0/0 is not blocked: it is"),
    ],
)
def test_never(told: Path, address: str, why: str) -> None:
    code, said = gatepost(told, "blocks", "add", address, "--why", "x")
    assert (code, said[: len(why)]) == (2, why)


def test_a_rehearsal_does_nothing(field: Ground, told: Path) -> None:
    code, said = gatepost(told, "blocks", "add", BAD[4], "--why", "x", "--dry-run")
    assert (code, said) == (0, f"{BAD[4]} would be blocked for 1h on mx1.example.org; nothing was done.\n")
    assert field.call(BAD[4], OURS[4], OPEN) == "reached"
