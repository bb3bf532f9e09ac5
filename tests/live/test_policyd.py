"""policyd asked by a real Dovecot and a real Postfix: slowed, refused, and not missed when it is gone."""

from __future__ import annotations

import imaplib
import json
import os
import poplib
import signal
import smtplib
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gatepost.policing.configuration import dovecot
from lab.estate import Estate
from lab.places import PROJECT, state_root, why_not
from lab.site import DOMAIN, Site

ADDRESS = "127.0.29.7"
AT = f"{ADDRESS}:4001"
SECRET = "Basic Z2F0ZXBvc3Q6dGVzdA=="
QUICK = """
auth_failure_delay = 0
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
"""  # Dovecot's own delays would hide ours
POLICY = {"smtpd_recipient_restrictions": f"check_policy_service {{ inet:{AT}, timeout=5s, default_action=DUNNO }}"}
SITE = Site(
    f"policed.{DOMAIN}", ADDRESS, postfix={587: POLICY}, dovecot=f"\n{dovecot(f'http://{AT}/', 'nonce', SECRET)}{QUICK}"
)

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("lab"),
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]


@dataclass(slots=True)
class Scene:
    estate: Estate
    state: Path
    policyd: subprocess.Popen[bytes] | None = None

    @property
    def password(self) -> str:
        return (self.estate.home / "password").read_text().strip()

    @property
    def tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.estate.ca))
        context.check_hostname = False
        return context

    def start(self) -> None:
        secret = self.state / "secret"
        secret.write_text(SECRET)
        self.policyd = subprocess.Popen(
            gatepost("policyd", "--listen", AT, "--state", str(self.state), "--secret-file", str(secret)),
            stderr=subprocess.PIPE,
            env=environment(),
        )
        assert self.policyd.stderr
        assert b"answering" in self.policyd.stderr.readline()

    def stop(self) -> None:
        if self.policyd:
            self.policyd.send_signal(signal.SIGTERM)
            self.policyd.communicate(timeout=10)
            self.policyd = None

    def imap(self, password: str) -> bool:
        client = imaplib.IMAP4_SSL(ADDRESS, 993, ssl_context=self.tls, timeout=30)
        try:
            client.login("alice", password)
        except imaplib.IMAP4.error:
            return False
        finally:
            client.shutdown()
        return True

    def pop(self, password: str) -> bool:
        client = poplib.POP3_SSL(ADDRESS, 995, context=self.tls, timeout=30)
        try:
            client.user("alice")
            client.pass_(password)
        except poplib.error_proto:
            return False
        finally:
            client.close()
        return True

    def submission(self) -> smtplib.SMTP:
        """Logged in."""
        client = smtplib.SMTP(ADDRESS, 587, local_hostname="pc.example.org", timeout=30)
        try:
            client.starttls(context=self.tls)
            client.login("alice", self.password)
        except smtplib.SMTPException:
            client.close()
            raise
        return client

    def records(self) -> list[dict[str, object]]:
        lines = (self.state / "policyd.log").read_text().splitlines()
        return [json.loads(line.partition("]: ")[2]) for line in lines]


def gatepost(*words: str) -> list[str]:
    return [sys.executable, "-m", "gatepost", *words]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(PROJECT / "src")}


def taken(act: Callable[[], object]) -> float:
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


@pytest.fixture(scope="module")
def estate() -> Iterator[Estate]:
    made = Estate(state_root() / "policed", (SITE,))
    made.down()
    made.up()
    yield made
    made.down()


@pytest.fixture
def scene(estate: Estate, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(estate, tmp_path)
    made.start()
    yield made
    made.stop()


def test_who_guesses_waits_and_an_old_telephone_does_not(scene: Scene) -> None:
    assert scene.imap(scene.password)
    assert not any(scene.imap("the old one") for _ in range(5))
    assert {row["answer"] for row in scene.records() if "answer" in row} == {"allow"}
    *_, last = [taken(lambda n=n: scene.imap(f"guess {n}")) for n in range(4)]  # type: ignore[misc]
    assert last > 1.9
    answers = [(row["answer"], row.get("seconds")) for row in scene.records() if "answer" in row]
    assert answers[-4:] == [("allow", None), ("allow", None), ("delay", 1), ("delay", 2)]
    assert {row["port"] for row in scene.records()} == {993}


def test_a_locked_account_gets_in_nowhere_and_sends_nothing_more(scene: Scene) -> None:
    assert scene.imap(scene.password)
    assert scene.pop(scene.password)
    open_before = scene.submission()
    lock = ("locks", "add", "alice", "--why", "phished", "--everybody", "--state", str(scene.state))
    subprocess.run(gatepost(*lock), check=True, env=environment(), capture_output=True)
    time.sleep(1.1)  # locks are believed for a second
    assert not scene.imap(scene.password)
    assert not scene.pop(scene.password)
    with pytest.raises(smtplib.SMTPAuthenticationError):
        scene.submission()
    open_before.mail("alice@lab.test")
    code, said = open_before.rcpt(f"alice@{DOMAIN}")
    assert (code, b"locked" in said) == (554, True)
    open_before.close()
    assert {row["port"] for row in scene.records() if row["stage"] == "RCPT"} == {587}


def test_nobody_is_kept_out_when_it_is_gone(scene: Scene) -> None:
    scene.stop()
    assert scene.imap(scene.password)
    client = scene.submission()
    client.mail("alice@lab.test")
    assert client.rcpt(f"alice@{DOMAIN}")[0] == 250
    client.close()
