"""`gatepost apply` and `gatepost rollback` as typed, on a host with real servers."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gatepost.edge.host import journal
from gatepost.model.plan import Act, Ending, Plan, Step
from gatepost.report.plan import to_json
from tests.edge.host.bench import NOW, until
from tests.live.test_apply import HOST, Host, host, pytestmark

__all__ = ["host", "pytestmark"]  # a fixture, and when to skip

TOML = f"""\
version = 1
[zones]
internet = ["0.0.0.0/0"]
[hosts."{HOST}"]
addresses = ["127.0.0.1"]
via = "netns %s"
postfix = ["%s"]
dovecot = ["%s"]
services = ["smtp", {{ name = "imap", owner = "helpdesk", until = %s, reason = "a test" }}]
"""


@dataclass(slots=True)
class Desk:
    """Where an operator sits: with a declaration, on the host itself."""

    host: Host
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def state(self) -> Path:
        return self.host.root / "state"

    def words(self, *words: str) -> list[str]:
        inside = ["ip", "netns", "exec", self.host.namespace, sys.executable, "-m", "gatepost", *words]
        return [*inside, "--state", str(self.state)]

    def planned(self, *steps: Step) -> list[str]:
        path = self.host.root / "plan.json"
        path.write_text(to_json(Plan("p", NOW, "gatepost.toml", steps)))
        toml, soon = self.host.root / "gatepost.toml", datetime.now(UTC).date() + timedelta(days=90)
        toml.write_text(TOML % (self.host.namespace, self.host.postfix, self.host.dovecot, soon))
        backups = ["--backups", str(self.host.root / "lib")]
        return [
            "apply",
            "-c",
            str(toml),
            "--plan",
            str(path),
            "--resolver",
            "127.0.0.1#1",
            "--ports",
            "25,143",
            *backups,
        ]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.words(*words), capture_output=True, text=True, check=False, timeout=110, env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def start(self, *words: str, terminal: int | None = None) -> subprocess.Popen[str]:
        stdin = subprocess.DEVNULL if terminal is None else terminal
        started = subprocess.Popen(
            self.words(*words), stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=ENVIRONMENT,
        )  # fmt: skip
        self.running.append(started)
        return started

    def asked(self) -> bool:
        return journal.asked(self.state, "p")

    def ending(self) -> Ending:
        return journal.records(self.state)[-1].ending


ENVIRONMENT = {**os.environ, "PYTHONPATH": "src:.", "COLUMNS": "100"}


@pytest.fixture
def desk(host: Host) -> Iterator[Desk]:
    made = Desk(host)
    yield made
    for one in made.running:
        one.kill()
        one.communicate()


def test_kept_and_taken_back(desk: Desk) -> None:
    before = desk.host.snapshot()
    value = "mail.example.org ESMTP"
    holds = Act(("grep", "-qx", f"smtpd_banner = {value}", f"{desk.host.postfix}/main.cf"))
    banner = replace(desk.host.setting("smtpd_banner", value), already=(holds,))
    words = desk.planned(banner, desk.host.include("login_greeting = Welcome\n"))
    refused = desk.run(*words)
    assert (refused.returncode, refused.stderr.splitlines()[-1]) == (
        2, "gatepost: nobody is there to be asked: look at the plan, then pass --yes",
    )  # fmt: skip
    assert desk.host.snapshot() == before
    said = desk.run(*words, "--yes")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "\n✔ kept   2 steps on mx1.example.org in " in said.stdout
    assert f"  to take it back: gatepost rollback p --state {desk.state}\n" in said.stdout
    assert [line[:9] for line in said.stderr.splitlines() if "/2" in line] == [" ✔ 1/2   ", " ✔ 2/2   "]
    assert "Welcome" in desk.host.greeting(143)
    again = json.loads(desk.run(*words, "--yes", "--format", "json").stdout)
    assert [(one["ending"], one["steps"]) for one in again["applies"]] == [("kept", [])]
    other = desk.host.root / "other.toml"
    other.write_text('version = 1\n[hosts."mx9.example.org"]\naddresses = ["192.0.2.9"]\nservices = ["smtp"]\n')
    wrong = desk.run("rollback", "--yes", "-c", str(other))
    assert (wrong.returncode, "in force on a host of this declaration" in wrong.stderr) == (2, True), wrong.stderr
    back = desk.run("rollback", "--yes", "-c", str(desk.host.root / "gatepost.toml"))
    assert (back.returncode, back.stdout.splitlines()[-1].split()[:4]) == (0, ["✔", "p", "taken", "back"])
    assert desk.host.snapshot() == before


def test_what_breaks_the_host_is_taken_back(desk: Desk) -> None:
    """The daemon takes it, its own check too; only looking again shows that nobody can read mail any more."""
    before = desk.host.snapshot()
    said = desk.run(
        *desk.planned(desk.host.include("service imap-login {\n  inet_listener imap {\n    port = 0\n  }\n}\n")), "-y"
    )
    assert said.returncode == 1, said.stdout + said.stderr
    told = " ".join(said.stdout.split())
    assert "rolled back mx1.example.org:143 (imap) answered before, and does not now; not there before: GP-PORT" in told
    assert told.endswith("everything is as before")
    assert desk.host.snapshot() == before
    until(lambda: "Hello" in desk.host.greeting(143), "Dovecot")


def test_kept_by_a_second_session(desk: Desk) -> None:
    first = desk.start(*desk.planned(desk.host.include("login_greeting = Welcome\n")), "--yes", "--confirm", "100")
    until(lambda: desk.asked() or first.poll() is not None, "the question")
    assert desk.asked(), first.communicate()[0]
    second = desk.run("apply", "--keep")
    assert (second.returncode, second.stdout.splitlines()[0][:6]) == (0, "✔ kept")
    assert first.wait(60) == 0
    assert desk.ending() is Ending.KEPT


def test_asked_at_a_terminal(desk: Desk) -> None:
    words = desk.planned(desk.host.include("login_greeting = Welcome\n"))
    before = desk.host.snapshot()
    for answers, code in ((["n"], 1), (["y", "keep"], 0)):
        ours, theirs = pty.openpty()
        try:
            started = desk.start(*words, "--confirm", "100", terminal=theirs)
            os.write(ours, f"{answers[0]}\n".encode())
            if answers[1:]:
                until(lambda: desk.asked() or started.poll() is not None, "the question")  # noqa: B023 - within the loop
                os.write(ours, f"{answers[1]}\n".encode())
            said, _ = started.communicate(timeout=60)
        finally:
            os.close(ours)
            os.close(theirs)
        assert started.returncode == code, said
        if code:
            assert said.endswith("nothing was changed\n")
            assert desk.host.snapshot() == before
    assert desk.ending() is Ending.KEPT


def test_an_apply_that_was_cut_off_is_told_first(desk: Desk) -> None:
    """What it was in the middle of comes to its end before it is taken back."""
    before, go = desk.host.snapshot(), desk.host.root / "go"
    waits = Act(("sh", "-c", 'until [ -e "$1" ]; do sleep 0.1; done', "sh", str(go)))
    started = desk.start(
        *desk.planned(replace(desk.host.include("login_greeting = Welcome\n"), acts=(waits,))), "--yes"
    )
    until(lambda: (desk.host.root / "local.conf").exists() or started.poll() is not None, "the first change")
    assert started.poll() is None, started.communicate()[0]
    started.kill()
    started.wait()
    back = desk.start("rollback", "--yes")
    until(lambda: any(desk.host.root.glob("lib/*/*/decision")) or back.poll() is not None, "the decision to undo")
    assert back.poll() is None, back.communicate()[0]
    go.touch()
    said, _ = back.communicate(timeout=60)
    assert back.returncode == 0, said
    assert "✖ an earlier apply p   rolled back: gatepost was cut off; everything was taken back" in said
    assert desk.host.snapshot() == before
    assert desk.run("rollback").returncode == 2, "nothing is left to take back"
