"""Attempts to log in from a zone, right and wrong, by port; and a connection that stays for as long as it may."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lab.places import PROJECT, program, run
from lab.realm import ground
from lab.realm.guesser import Asked, Told
from lab.realm.host import Realm

READY = 10.0  # seconds
UNPUNISHED = """\
auth_failure_delay = 0
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
"""
# What is spoken on a port, and how TLS begins where it does.
SPOKEN = {
    25: ("smtp", "clear"),
    110: ("pop3", "clear"),
    143: ("imap", "starttls"),
    465: ("smtp", "tls"),
    587: ("smtp", "starttls"),
    993: ("imap", "tls"),
    995: ("pop3", "tls"),
    4190: ("sieve", "starttls"),
}


@dataclass(frozen=True, slots=True)
class Guest:
    """One process in a zone, so that attempts follow each other as fast as the host answers."""

    process: subprocess.Popen[str]
    family: int

    def login(self, port: int, user: str, password: str) -> str:
        """in, refused, silent, unreached, or how it ended."""
        return self._ask("login", port, user, password)["said"]

    def stay(self, port: int) -> None:
        self._ask("stay", port)

    def left(self) -> Told:
        """How the connection that stayed ended, and when it was last answered."""
        return self._ask("left", 0)

    def _ask(self, what: str, port: int, user: str = "", password: str = "") -> Told:
        speaks, tls = SPOKEN.get(port, ("", ""))
        address = ground.PUBLIC[self.family == 6]
        asked: Asked = {
            "what": what,
            "address": address,
            "port": port,
            "speaks": speaks,
            "tls": tls,
            "user": user,
            "password": password,
        }
        if self.process.stdin is None or self.process.stdout is None:
            raise SystemExit("lab: a guest without pipes")
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        told: Told = json.loads(self.process.stdout.readline())
        return told


def from_afar(realm: Realm) -> str:
    """Strangers come from behind the router at the realm's edge, and no longer from the router itself; their address.

    A gateway may stand for everybody behind it, and is never blocked.
    """
    name, address = realm.ground.namespace("internet"), "192.0.2.7"
    run(program("ip"), "-n", name, "route", "replace", f"{ground.PUBLIC[0]}/32", "dev", "eth0", "src", address)
    return address


def unpunished(realm: Realm) -> None:
    """Dovecot no longer lets an address wait that failed before: its own delays would hide ours."""
    penalty = realm.home / "dovecot" / "run" / "anvil-auth-penalty"
    (realm.home / "dovecot" / "local.conf").write_text(UNPUNISHED)
    run(*realm.inside(ground.HOST, program("doveadm"), "-c", str(realm.dovecot_conf), "reload"))
    deadline = time.monotonic() + READY
    while penalty.exists():
        if time.monotonic() > deadline:
            raise SystemExit("lab: Dovecot did not read its configuration again")
        time.sleep(0.02)


@contextmanager
def guest(realm: Realm, zone: str, family: int = 4) -> Iterator[Guest]:
    argv = realm.inside(zone, sys.executable, "-m", "lab.realm.guesser")
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True, cwd=PROJECT) as process:
        try:
            yield Guest(process, family)
        finally:
            process.kill()
            process.communicate()
