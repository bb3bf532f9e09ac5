"""Wrong passwords on five ports of real servers: one alert, one block, and nobody else notices."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lab.places import PROJECT
from lab.realm.followed import Growth
from lab.realm.guesser import Told
from lab.realm.guesses import from_afar, guest, unpunished
from lab.realm.host import Realm, State, why_no_realm

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_no_realm()), reason=why_no_realm())]

FIVE, SIXTH = (587, 465, 993, 995, 4190), 143
EVERY = (*FIVE, SIXTH)
BLOCK = "192.0.2.7 blocked for 3600 s"


@dataclass(slots=True)
class Story:
    """What happened, in order; tests read it."""

    realm: Realm
    desk: Path
    attacker: str
    process: subprocess.Popen[str] | None = None
    said: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    sixth: str = ""
    stayed: Told | None = None
    office: list[list[str]] = field(default_factory=list)
    ended: int = -1
    events: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    blocks: list[dict[str, Any]] = field(default_factory=list)
    at_once: int = 0
    late: float = -1.0  # seconds from the line that decided to the last answer the attacker got

    @property
    def logs(self) -> tuple[Path, Path]:
        return self.realm.home / "postfix" / "mail.log", self.realm.home / "dovecot" / "dovecot.log"

    def gatepost(self, *words: str) -> str:
        """On the mail host, as its administrator types it."""
        ran = subprocess.run(
            self.typed(*words), cwd=self.desk, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60
        )
        return ran.stdout + ran.stderr

    def told(self, *words: str) -> Any:
        return json.loads(self.gatepost(*words, "--format", "json"))

    def typed(self, *words: str) -> tuple[str, ...]:
        return self.realm.inside("mx", sys.executable, "-u", "-m", "gatepost", *words)

    def watch(self) -> None:
        self.process = subprocess.Popen(
            self.typed("watch", "--block"),
            cwd=self.desk, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.until("watching; blocks are carried out")

    def until(self, words: str) -> None:
        assert self.process
        assert self.process.stdout
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            if words in line:
                return
        pytest.fail("\n".join((f"never said {words!r}", *self.said)))

    def end(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        self.said += self.process.communicate(timeout=30)[0].splitlines()
        self.ended = self.process.returncode

    def gone(self) -> None:
        if self.process:
            self.process.kill()
            self.process.communicate()

    def known(self) -> int:
        (row,) = self.told("query", "SELECT count(*) AS n FROM events")
        return int(row["n"])


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(PROJECT / "src"), "COLUMNS": "100"}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    realm = Realm(f"w{os.getpid()}", State.SOUND)
    realm.down()
    try:
        realm.up()
        unpunished(realm)
        told = Story(realm, tmp_path_factory.mktemp("desk"), from_afar(realm))
        declared(told)
        yield happened(told)
    finally:
        realm.down()


def declared(story: Story) -> None:
    mail, dovecot = story.logs
    before = 'management = ["admin"]\n'
    text = story.realm.declaration.read_text().replace(before, f'{before}logs = ["{mail}", "{dovecot}"]\n')
    (story.desk / "gatepost.toml").write_text(text)


def happened(story: Story) -> Story:
    realm = story.realm
    with ExitStack() as stack:
        office = stack.enter_context(guest(realm, "office"))
        strangers = [stack.enter_context(guest(realm, "internet")) for _ in EVERY]
        growth = stack.enter_context(Growth(story.logs))
        story.office.append([office.login(port, "alice", realm.password) for port in EVERY])
        stack.callback(story.gone)
        story.watch()
        strangers[0].stay(SIXTH)
        office.login(993, "alice", "mistyped")
        with ThreadPoolExecutor() as pool:
            trying = [
                pool.submit(one.login, port, f"guess{n}", "wrong")
                for n, (one, port) in enumerate(zip(strangers[1:], FIVE, strict=True))
            ]
            story.tried = [one.result() for one in trying]
        story.until(BLOCK)
        story.sixth = strangers[1].login(SIXTH, "guess6", "wrong")
        story.stayed = strangers[0].left()
        story.office.append([office.login(port, "alice", realm.password) for port in EVERY])
        story.at_once = shown_soon(story)
        story.end()
        story.blocks = story.told("blocks")["blocks"]
        story.late = story.stayed["at"] - decided(story, growth)
    story.alerts = story.told("alerts")["alerts"]
    counted(story)
    story.gatepost("watch", "--once", "--block")
    counted(story)
    return story


def shown_soon(story: Story) -> int:
    """Alerts that are shown while it still watches."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        said = story.gatepost("alerts", "--format", "json")
        if said.startswith("{") and (found := json.loads(said)["alerts"]):
            return len(found)
    return 0


def counted(story: Story) -> None:
    story.events.append(story.known())
    story.lines.append(sum(file.read_bytes().count(b"\n") for file in story.logs))


def decided(story: Story, growth: Growth) -> float:
    """When the last line was written that the block rests on."""
    (block,) = story.blocks
    places = [evidence.rpartition(":") for evidence in block["evidence"]]
    return max(growth.written(Path(file), int(offset)) for file, _, offset in places)


def test_five_ports_are_one_alert(story: Story) -> None:
    assert set(story.tried) <= {"refused", "silent", "ended: ConnectionResetError", "ended: SMTPServerDisconnected"}
    assert [(one["clients"], one["response"]) for one in story.alerts] == [([story.attacker], "block")]
    assert len(story.alerts[0]["services"]) >= 3


def test_an_alert_shows_its_lines(story: Story) -> None:
    assert story.at_once == 1
    (found,) = story.alerts
    shown = story.gatepost("alerts", found["id"])
    assert story.attacker in shown
    assert f"{story.realm.home}" in shown


def test_one_block_and_its_proof(story: Story) -> None:
    (block,) = story.blocks
    assert (block["address"], block["by"]) == (story.attacker, "watch")
    assert block["proved"].startswith("proved: the running rules drop it at")
    assert sum("blocked for" in line for line in story.said) == 1


def test_the_sixth_port_does_not_answer_and_the_standing_connection_is_dead(story: Story) -> None:
    assert story.sixth == "silent"
    assert story.stayed
    assert story.stayed["said"] in {"reset", "silent", "closed"}


def test_in_less_than_a_second(story: Story) -> None:
    assert story.late < 1, f"{story.late * 1000:.0f} ms from the line that decided to the last answer"


def test_the_office_works_on(story: Story) -> None:
    assert story.office == [["in"] * len(EVERY)] * 2


def test_told_to_end_it_ends_and_the_next_run_takes_the_rest_once(story: Story) -> None:
    """What was written in the moment it ended is still in the file, and the position with what was taken."""
    assert story.ended == 0
    assert story.events[0] <= story.lines[0]
    assert story.events[1] == story.lines[1]
    assert story.gatepost("logs", "verify").startswith("✓ whole")


def test_let_in_again_by_hand_and_by_time(story: Story) -> None:
    with guest(story.realm, "internet") as stranger:
        assert stranger.login(SIXTH, "guess7", "wrong") == "silent"
        story.gatepost("unblock", story.attacker)
        assert stranger.login(SIXTH, "guess7", "wrong") == "refused"
        story.gatepost("blocks", "add", story.attacker, "--for", "3s", "--why", "a look at the end")
        assert stranger.login(SIXTH, "guess8", "wrong") in {"silent", "refused"}
        deadline = time.monotonic() + 20
        while stranger.login(SIXTH, "guess9", "wrong") != "refused":
            assert time.monotonic() < deadline
