"""A realm: a real mail host with the zones around it, fit or unfit, in network namespaces of its own."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from gatepost.demo.authority import Authority, KeyKind, make_key
from lab import daemons
from lab.estate import OPENSSL
from lab.places import PROJECT, program, run, state_root, why_not
from lab.realm import dovecot, judging, postfix
from lab.realm.ground import HOST, PUBLIC, ZONES, Ground, why_no_ground

READY = 10.0  # seconds

# What else listens, by namespace: a name and its ports.
BESIDE = {
    HOST: {"mysqld": (3306,), "rspamd": (11334,), "sshd": (22,)},  # and the filter, see `lab.realm.judging`
    "office": {"smbd": (445,), "xrdp": (3389,)},
    "store": {"mysqld": (3306,)},
}

# Of somebody who left: not ours to touch, and it closes little.
FOREIGN = """\
table inet filter {
  set trusted {
    type ipv4_addr
    flags interval
    elements = { 10.0.0.0/8, 203.0.113.0/24 }
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iif "lo" accept
    ct state established,related accept
    ct state invalid drop
    ip saddr @trusted accept
    tcp dport { 23, 137-139 } drop
    iifname "internet" tcp dport 3306 reject with tcp reset
  }
}
"""


class State(StrEnum):
    """`SOUND`: everything as the house wants. `UNFIT`: every mistake of `lab.realm.mistakes` made."""

    SOUND = "sound"
    UNFIT = "unfit"


def why_no_realm() -> str:
    """Why a realm cannot stand here; empty when it can."""
    return why_not() or why_no_ground()


@dataclass(frozen=True, slots=True)
class Realm:
    """`tag` tells realms of one machine apart."""

    tag: str = "lab"
    state: State = State.SOUND

    @property
    def home(self) -> Path:
        return state_root() / f"realm-{self.tag}"

    @property
    def ground(self) -> Ground:
        return Ground(self.tag)

    @property
    def declaration(self) -> Path:
        return self.home / "gatepost.toml"

    @property
    def ca(self) -> Path:
        return self.home / "ca.pem"

    @property
    def via(self) -> str:
        return f"netns {self.ground.namespace(HOST)}"

    @property
    def main_cf(self) -> Path:
        return self.home / "postfix" / "config" / "main.cf"

    @property
    def dovecot_conf(self) -> Path:
        return self.home / "dovecot" / "dovecot.conf"

    @property
    def password(self) -> str:
        """Of alice."""
        return (self.home / "password").read_text().strip()

    @property
    def secret(self) -> str:
        """Of Dovecot's administration port."""
        return (self.home / "secret").read_text().strip()

    @property
    def sink(self) -> Path:
        """Where the rest of the world keeps the mail it gets, a file a message."""
        return self.home / "sink"

    @property
    def running(self) -> bool:
        return None not in self._masters()

    def inside(self, zone: str, *command: str) -> tuple[str, ...]:
        return self.ground.inside(zone, *command)

    def run(
        self, zone: str, *command: str, stdin: str = "", patience: float = 30.0
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command inside a zone, or on the host (`mx`), in the project's directory."""
        return subprocess.run(
            self.inside(zone, *command),
            input=stdin, capture_output=True, text=True, check=False, timeout=patience, cwd=PROJECT,
        )  # fmt: skip

    def up(self) -> None:
        """Idempotent: a running realm is left as it is."""
        if reason := why_no_realm():
            raise SystemExit(f"lab: {reason}")
        if self.running:
            return
        self.down()
        try:
            self._build()
        except BaseException:
            self.down()
            raise

    def down(self) -> None:
        """Stops everything inside and removes namespaces and files."""
        daemons.stop(pid for pid in self._masters() if pid is not None)
        self.ground.down()
        if self.home.exists():
            shutil.rmtree(self.home)

    def _masters(self) -> tuple[int | None, int | None]:
        return postfix.running(self.home / "postfix"), dovecot.running(self.home / "dovecot")

    def _build(self) -> None:
        self.home.mkdir(parents=True)
        self.home.chmod(0o755)
        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(job) for job in (self._lay, self._write)]:
                done.result()
            starting: list[Callable[[], None]] = [self._serve, self._accept, self._stand_beside, self._judge]
            for done in [pool.submit(job) for job in starting]:
                done.result()

    def _lay(self) -> None:
        """Namespaces, and the rules somebody left on the host."""
        self.ground.up()
        done = self.run(HOST, program("nft"), "-f", "-", stdin=FOREIGN)
        if done.returncode:
            raise SystemExit(f"lab: nft: {done.stderr.strip()}")

    def _write(self) -> None:
        sound = self.state is State.SOUND
        openssl = self.home / "openssl.cnf"
        openssl.write_text(OPENSSL)
        papers = self._issue(mode=0o600 if sound else 0o644)
        users = self._accounts()
        postfix.write(self.home / "postfix", papers, openssl, sound=sound)
        places = {
            "papers": papers,
            "queue": self.home / "postfix" / "queue",
            "users": users,
            "openssl": openssl,
            "secret": self.secret,
        }
        dovecot.write(self.home / "dovecot", places, sound=sound)
        self.declaration.write_text(declaration(self, datetime.now(UTC).date()))

    def _issue(self, mode: int) -> Path:
        authority = Authority(datetime.now(UTC))
        self.ca.write_bytes(authority.pem)
        papers = self.home / "papers"
        papers.mkdir()
        issued = authority.issue((postfix.NAME,), key=make_key(KeyKind.RSA))
        (papers / "chain.pem").write_bytes(issued.chain)
        key = papers / "key.pem"
        key.touch(mode=0o600)
        key.write_bytes(issued.key)
        key.chmod(mode)
        return papers

    def _accounts(self) -> Path:
        """One mailbox, with a password made for this run, and a secret for the administration port."""
        for name in ("password", "secret"):
            (self.home / name).touch(mode=0o600)
            (self.home / name).write_text(secrets.token_urlsafe(12) + "\n")
        hashed = subprocess.run(
            [program("doveadm"), "-c", "/dev/null", "pw", "-s", "SHA512-CRYPT", "-p", self.password],
            capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
        users = self.home / "users"
        users.write_text(f"alice:{hashed}\n")
        shutil.chown(users, "root", "dovecot")
        users.chmod(0o640)
        return users

    def _serve(self) -> None:
        """Dovecot first: its sockets are in Postfix's queue directory."""
        dovecot.start(self.home / "dovecot", self.inside(HOST))
        postfix.start(self.home / "postfix", self.inside(HOST))

    def _accept(self) -> None:
        """Whoever is out there takes mail, and keeps it."""
        self.sink.mkdir()
        shutil.chown(self.sink, "postfix")
        sink = (program("smtp-sink"), "-u", "postfix", "-d", f"{self.sink}/%s.", f"inet:{postfix.RELAY}:25", "64")
        run(*self.inside("internet", program("setsid"), "--fork", *sink))
        deadline = time.monotonic() + READY
        while not self.run("internet", program("ss"), "-Hltn").stdout:
            if time.monotonic() > deadline:
                raise SystemExit(f"lab: nothing listens at {postfix.RELAY}")
            time.sleep(0.05)

    def _stand_beside(self) -> None:
        for zone, listeners in BESIDE.items():
            for name, ports in listeners.items():
                words = (sys.executable, "-m", "lab.realm.beside", name, *map(str, ports))
                run(*self.inside(zone, program("env"), f"PYTHONPATH={PROJECT}", *words))

    def _judge(self) -> None:
        """The filter for incoming mail, as rspamd stands beside Postfix."""
        words = (sys.executable, "-m", "lab.realm.judging", "rspamd", *map(str, judging.AT), postfix.NAME)
        run(*self.inside(HOST, program("env"), f"PYTHONPATH={PROJECT}", *words))


def declaration(realm: Realm, today: date) -> str:
    """What the house intends, the same for a fit and an unfit host."""
    zones = {"internet": '["0.0.0.0/0", "::/0"]'}
    zones |= {z.name: f'["{z.networks[0]}", "{z.networks[1]}"]' for z in ZONES if z.name != "internet"}
    listed = "".join(f"{name} = {networks}\n" for name, networks in zones.items())
    end = today + timedelta(days=180)
    return f"""\
version = 1
organization = "Realm"

[zones]
{listed}
[hosts."{postfix.NAME}"]
addresses = ["{PUBLIC[0]}", "{PUBLIC[1]}"]
via = "{realm.via}"
postfix = ["{realm.main_cf.parent}"]
dovecot = ["{realm.dovecot_conf}"]
management = ["admin"]
relay_clients = ["203.0.113.20/32"]
services = [
  "smtp",
  {{ name = "submissions", from = ["internet"] }},
  {{ name = "submission", from = ["office"] }},
  {{ name = "imaps", from = ["internet"] }},
  {{ name = "pop3s", from = ["office"] }},
  {{ name = "imap", from = ["office"], owner = "helpdesk", until = {end}, reason = "scanners that know no TLS port" }},
  {{ name = "managesieve", from = ["office"] }},
  {{ name = "mysql", from = ["store"] }},
  {{ name = "rspamd-controller", from = ["admin"] }},
]

[[waivers]]
control = "GP-TLS-008"
subject = "{postfix.NAME}"
owner = "postmaster"
reason = "the OpenSSL of this release knows no hybrid group: comes with the next one"
expires = {end}

[[waivers]]
control = "GP-SEG-005"
subject = "{postfix.NAME}"
owner = "postmaster"
reason = "the store reads the database in clear until the tunnel between the two stands"
expires = {end}
"""
