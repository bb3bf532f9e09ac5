"""Port 110 retired on a real host: who uses it in clear, a trial, the end, and who did not come back."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lab.places import PROJECT
from lab.realm.guesses import Guest, from_afar, guest, unpunished
from lab.realm.host import Realm, State, why_no_realm

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_no_realm()), reason=why_no_realm())]

CLEAR, OTHER = 110, 995
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(PROJECT / "src"), "COLUMNS": "100"}
DATED = re.compile(r"(?m)^\w{3} [ \d]\d ")


@dataclass(frozen=True, slots=True)
class Desk:
    """In the office, where the administrator sits; the log lies beside the declaration."""

    realm: Realm
    directory: Path
    said: dict[str, str] = field(default_factory=dict)

    def gatepost(self, *words: str) -> str:
        ran = subprocess.run(
            self.realm.inside("office", sys.executable, "-m", "gatepost", *words),
            cwd=self.directory, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=110,
        )  # fmt: skip
        return ran.stdout + ran.stderr

    def told(self, *words: str) -> Any:
        return json.loads(self.gatepost(*words, "--format", "json"))

    def copied(self, name: str, days: int) -> None:
        """The log as it is now, as if it were from some days ago."""
        day = datetime.now() - timedelta(days=days)  # noqa: DTZ005 - as the log is written
        text = (self.realm.home / "dovecot" / "dovecot.log").read_text()
        data = DATED.sub(f"{day:%b} {day.day:2d} ", text).encode()
        path = self.directory / name
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        os.utime(path, (day.timestamp() + 60,) * 2)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    realm = Realm(f"t{os.getpid()}", State.UNFIT)
    realm.down()
    try:
        realm.up()
        unpunished(realm)
        from_afar(realm)
        users = realm.home / "users"
        users.write_text(users.read_text() + "".join(f"{name}:{{PLAIN}}{name}\n" for name in ("bob", "carol", "dave")))
        made = Desk(realm, tmp_path_factory.mktemp("desk"))
        before = '  { name = "pop3s"'
        soon = date.today() + timedelta(days=100)  # noqa: DTZ011 - of the machine
        line = f'  {{ name = "pop3", owner = "helpdesk", until = {soon}, reason = "old programs" }},\n'
        (made.directory / "gatepost.toml").write_text(realm.declaration.read_text().replace(before, line + before))
        yield made
    finally:
        realm.down()


@pytest.fixture(scope="module")
def story(desk: Desk) -> Desk:
    with ExitStack() as stack:
        stranger, office = (stack.enter_context(guest(desk.realm, zone)) for zone in ("internet", "office"))
        used(desk, stranger, office)
        desk.said["import"] = desk.gatepost("logs", "import", "mail.log.2.gz", "mail.log.1", "mail.log")
        desk.said["usage"] = desk.gatepost("usage", "--service", "110", "--legacy")
        desk.said["retire"] = desk.gatepost("retire", "110", "--format", "json")
        desk.said["notices"] = desk.gatepost("retire", "110", "--notices", "drafts")
        desk.said["announce"] = desk.gatepost("retire", "110", "--announce")
        tried(desk, stranger)
        ended(desk, stranger, office)
    return desk


def used(desk: Desk, stranger: Guest, office: Guest) -> None:
    """The same on three days: bob and carol in clear; dave and bob inside TLS; somebody guesses at dave's."""
    visits = [stranger.login(CLEAR, name, name) for name in ("bob", "carol")]
    visits += [stranger.login(993, "bob", "bob"), office.login(993, "dave", "dave"), office.login(143, "dave", "dave")]
    assert visits == ["in"] * 5
    assert stranger.login(CLEAR, "dave", "wrong") == "refused"
    for name, days in (("mail.log.2.gz", 14), ("mail.log.1", 7), ("mail.log", 0)):
        desk.copied(name, days)


def tried(desk: Desk, stranger: Guest) -> None:
    desk.said["rehearse"] = desk.gatepost("retire", "110", "--rehearse", "--for", "4s")
    begun = time.monotonic()
    desk.said["on trial"] = f"{stranger.login(CLEAR, 'bob', 'bob')} {stranger.login(993, 'bob', 'bob')}"
    while stranger.login(CLEAR, "bob", "bob") != "in":
        assert time.monotonic() < begun + 20
    desk.said["open again"] = f"{time.monotonic() - begun:.1f}"


def ended(desk: Desk, stranger: Guest, office: Guest) -> None:
    words = ("--yes", "--backups", str(desk.realm.home / "backups"), "--ca", str(desk.realm.ca))
    desk.said["close"] = desk.gatepost("retire", "110", "--close", *words)
    desk.said["closed"] = " ".join((stranger.login(CLEAR, "bob", "bob"), office.login(CLEAR, "dave", "dave")))
    time.sleep(1.1)  # the log tells whole seconds
    assert [stranger.login(993, "bob", "bob"), stranger.login(993, "carol", "forgotten")] == ["in", "refused"]
    desk.copied("mail.log", 0)
    desk.gatepost("logs", "import", "mail.log")


def test_names_exactly_those_in_clear(story: Desk) -> None:
    found = json.loads(story.said["retire"])
    assert sorted(one["user"] for one in found["accounts"] if one["certain"]) == ["bob", "carol"]
    assert {one["user"]: one["elsewhere"] for one in found["accounts"] if one["certain"]} == {
        "bob": True,
        "carol": False,
    }
    assert {one["sessions"] for one in found["accounts"] if one["certain"]} == {3}
    assert "dave" not in [one["user"] for one in found["accounts"]]
    assert min(found["weeks"][-3:]) >= 2, "and somebody who guesses"
    named = {line.split()[0] for line in story.said["usage"].splitlines() if "192.0.2.7" in line}
    assert named == {"bob", "carol"}


def test_notices_are_drafted_and_the_day_is_recorded(story: Desk) -> None:
    assert sorted(path.name for path in (story.directory / "drafts").iterdir()) == ["bob.eml", "carol.eml"]
    assert "port to 995" in (story.directory / "drafts" / "bob.eml").read_text()
    assert story.said["announce"].startswith("port 110 (pop3) ends on")


def test_a_trial_turns_away_and_ends_by_itself(story: Desk) -> None:
    assert "port 110 (pop3) is shut, and opens by itself at" in story.said["rehearse"]
    assert story.said["on trial"] == "unreached in"
    assert 1 < float(story.said["open again"]) < 15


def test_the_end(story: Desk) -> None:
    assert '-  { name = "pop3", owner' in story.said["close"]
    assert "port 110 (pop3) is closed." in story.said["close"], story.said["close"]
    assert '"pop3"' not in (story.directory / "gatepost.toml").read_text()
    assert set(story.said["closed"].split()) <= {"silent", "unreached"}
    dovecot = story.realm.dovecot_conf.parent / "conf.d" / "zz-gatepost.conf"
    assert "port = 0" in dovecot.read_text()
    assert "ssl" not in dovecot.read_text(), "closing a port changes nothing else of the server"


def test_who_came_back(story: Desk) -> None:
    lost = story.told("retire", "110")["fallout"]
    assert (lost["moved"], lost["failing"], lost["silent"], lost["knocking"]) == (["bob"], ["carol"], [], 0)
    shown = story.gatepost("retire", "110")
    assert "port 110 (pop3): closed; 2 accounts used it before" in shown
    assert "closed by" in shown


def test_ports_shows_it_closed_with_its_use(story: Desk) -> None:
    said = story.told("ports", "--ca", str(story.realm.ca), "--ports", "110,993")
    rows = {row["port"]: row for row in said["ports"]}
    assert rows[993]["used"].startswith("≤ 2 accounts")
    assert (rows[110]["listening"], rows[110]["standing"]) == ("no", "quiet"), rows[110]
    assert rows[110]["used"].startswith("≤ 2 accounts"), "sessions inside TLS may have been on either port"
