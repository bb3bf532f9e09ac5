"""Applying to real daemons and a real packet filter: kept, refused, dead, locked out; whole every time."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gatepost.edge.host.applying import Moment, Terms, apply
from gatepost.edge.host.backup import CHECK_ONLY as CHECK
from gatepost.edge.host.backup import LIST_TABLE, LOAD, revived
from gatepost.edge.host.journal import records
from gatepost.edge.host.mending import roll_back, settled
from gatepost.edge.host.runner import Prefixed
from gatepost.firewall.matrix import matrix
from gatepost.firewall.render import transaction
from gatepost.model.plan import Act, Applied, Ending, Kind, Plan, Step, Written
from lab.daemons import master, stop
from lab.postfix import DAEMONS
from tests.edge.host.bench import NOW, killed_at, until
from tests.firewall.estate import estate

HOST = "mx1.example.org"
NEEDED = ("ip", "nft", "postfix", "postconf", "dovecot", "doveadm", "unshare")
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        not all(map(shutil.which, NEEDED)) or os.geteuid() != 0, reason=f"needs root and {', '.join(NEEDED)}"
    ),
]

FOREIGN = (
    "add table ip other\nadd chain ip other c { type filter hook input priority 5; }\nadd rule ip other c counter\n"
)
GREETS = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=float(sys.argv[3])) as s:
    s.settimeout(float(sys.argv[3]))
    print(s.recv(200).decode())
"""


@dataclass(frozen=True, slots=True)
class Host:
    """A namespace with Postfix on 25, Dovecot on 143 and a packet filter of somebody else."""

    root: Path
    namespace: str

    @property
    def via(self) -> str:
        return f"netns {self.namespace}"

    @property
    def way(self) -> Prefixed:
        return Prefixed(self.via, ("ip", "netns", "exec", self.namespace))

    @property
    def postfix(self) -> Path:
        return self.root / "postfix"

    @property
    def dovecot(self) -> Path:
        return self.root / "dovecot.conf"

    def run(self, *words: str, stdin: str = "") -> str:
        ran = self.way.run(words, stdin=stdin)
        assert ran.ok, f"{words}: {ran.stderr}{ran.why}"
        return ran.stdout

    def up(self) -> None:
        subprocess.run(["ip", "netns", "add", self.namespace], check=True)
        subprocess.run(["ip", "-n", self.namespace, "link", "set", "lo", "up"], check=True)
        self._write()
        self.run("nft", "-f", "-", stdin=FOREIGN)
        self.run("postfix", "-c", str(self.postfix), "start")
        self.run("dovecot", "-c", str(self.dovecot))
        until(lambda: "Hello" in self.greeting(143) and "220" in self.greeting(25), "the greeting of both servers")

    def _write(self) -> None:
        for name in ("postfix", "queue", "data"):
            (self.root / name).mkdir()
        shutil.chown(self.root / "data", "postfix")
        settings = {
            "compatibility_level": "3.6",
            "queue_directory": f"{self.root}/queue", "data_directory": f"{self.root}/data",
            "maillog_file": f"{self.root}/mail.log", "maillog_file_prefixes": str(self.root), "myhostname": HOST,
            "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4", "mydestination": "", "smtpd_banner": "old ESMTP",
            "smtpd_peername_lookup": "no", "alias_maps": "", "alias_database": "",
            "in_flow_delay": "0", "smtpd_error_sleep_time": "0",  # as in lab.realm
        }  # fmt: skip
        text = "".join(f"{name} = {value}\n" for name, value in settings.items())
        (self.root / "main.real").write_text(text)
        (self.postfix / "main.cf").symlink_to("../main.real")
        (self.postfix / "master.cf").write_text(DAEMONS.lstrip() + "smtp inet n - n - - smtpd\n")
        self.dovecot.write_text(
            f"base_dir = {self.root}/run\nlog_path = {self.root}/dovecot.log\nprotocols = imap\nlisten = 127.0.0.1\n"
            "ssl = no\nlogin_greeting = Hello\npassdb {\n  driver = static\n}\nuserdb {\n  driver = static\n}\n"
            "!include_try local.conf\n"
        )

    def down(self) -> None:
        found = (
            master(self.root / "queue/pid/master.pid", b"master"), master(self.root / "run/master.pid", b"dovecot")
        )  # fmt: skip
        stop(pid for pid in found if pid)
        subprocess.run(["ip", "netns", "del", self.namespace], check=False)

    def greeting(self, port: int, patience: float = 5) -> str:
        """Empty where nobody answers."""
        return self.way.run((sys.executable, "-c", GREETS, "127.0.0.1", str(port), str(patience))).stdout

    def snapshot(self) -> dict[str, object]:
        files = [self.root / "main.real", *self.postfix.iterdir(), *self.root.glob("*.conf")]
        names: dict[str, object] = {
            str(one): (one.is_symlink(), one.read_text(), one.stat().st_mode, one.stat().st_mtime_ns)
            for one in sorted(files)
        }
        return names | {"rules": self.rules()}

    def rules(self) -> object:
        """Without handles and counters."""
        text = self.run("nft", "-s", "-j", "list", "ruleset")

        def bare(value: object) -> object:
            if isinstance(value, dict):
                return {key: bare(one) for key, one in value.items() if key not in {"handle", "packets", "bytes"}}
            return [bare(one) for one in value] if isinstance(value, list) else value

        return bare(json.loads(text)["nftables"][1:])

    def apply(
        self,
        *steps: Step,
        look_again: Callable[[], str] = lambda: "",
        name: str = "p",
        within: float = 60,
        watch: Callable[[Moment], None] = lambda _: None,
    ) -> Applied:
        return apply(
            Plan(name, NOW, "gatepost.toml", steps),
            {HOST: self.way},
            look_again,
            state=self.root / "state",
            ways={HOST: self.via},
            terms=Terms("alice", within, within, backups=str(self.root / "lib")),
            watch=watch,
        )

    def settled(self) -> tuple[Applied, ...]:
        return settled(self.root / "state", lambda _: self.way, NOW)

    def setting(self, name: str, value: str) -> Step:
        """As the planner makes it."""
        where = ("-c", str(self.postfix))
        return Step(
            f"postfix:{name}", HOST, Kind.POSTFIX, f"set {name}", (), "a test", touches=(f"{self.postfix}/main.cf",),
            acts=(Act(("postconf", *where, "-e", f"{name}={value}")),), checks=(Act(("postfix", *where, "check")),),
            settles=(Act(("postfix", *where, "reload")),),
        )  # fmt: skip

    def include(self, text: str) -> Step:
        where = ("-c", str(self.dovecot))
        return Step(
            "dovecot:local", HOST, Kind.DOVECOT, "include", (), "a test",
            writes=(Written(f"{self.root}/local.conf", text),), checks=(Act(("doveconf", *where, "-n")),),
            settles=(Act(("doveadm", *where, "reload")),),
        )  # fmt: skip

    def firewall(self, *ports: int) -> Step:
        return Step(
            "firewall", HOST, Kind.FIREWALL, "our table", (), "a test",
            acts=(Act(("nft", "-j", "-f", "-"), table(*ports)),),
        )  # fmt: skip

    def listed(self) -> str:
        return self.way.run(LIST_TABLE).stdout


def table(*ports: int) -> str:
    """Our table, whole: only these ports are open."""
    ours = {"family": "inet", "table": "gatepost"}
    name = {"table": {"family": "inet", "name": "gatepost"}}
    dport = {"payload": {"protocol": "tcp", "field": "dport"}}
    match = {"match": {"op": "==", "left": dport, "right": {"set": list(ports)}}}
    hook = {"type": "filter", "hook": "input", "prio": 0, "policy": "accept"}
    objects = [
        {"add": name}, {"delete": name}, {"add": name},
        {"add": {"set": {**ours, "name": "inside", "type": "ipv4_addr", "flags": ["interval"],
                         "elem": [{"prefix": {"addr": "127.0.0.0", "len": 8}}, "192.0.2.1"]}}},
        {"add": {"chain": {**ours, "name": "input", **hook}}},
        {"add": {"rule": {**ours, "chain": "input", "comment": "mail", "expr": [
            match, {"limit": {"rate": 100, "per": "second", "burst": 50}}, {"counter": {"packets": 0, "bytes": 0}},
            {"accept": None}]}}},
        {"add": {"rule": {**ours, "chain": "input", "expr": [
            {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["new"]}},
            {"match": {"op": "==", "left": dport, "right": {"range": [1, 1023]}}},
            {"log": {"prefix": "closed "}}, {"drop": None}]}}},
    ]  # fmt: skip
    return json.dumps({"nftables": objects})


@pytest.fixture
def host() -> Iterator[Host]:
    """In a directory that the daemons' own users can enter: pytest's are closed to them."""
    with tempfile.TemporaryDirectory(prefix="gpap") as name:
        made = Host(Path(name), f"gpap{os.getpid()}")
        made.root.chmod(0o755)
        try:
            made.up()
            yield made
        finally:
            made.down()


def test_kept_and_taken_back(host: Host) -> None:
    before = host.snapshot()
    told = host.apply(
        host.setting("smtpd_banner", "new ESMTP"), host.setting("disable_vrfy_command", "yes"),
        host.include("login_greeting = Welcome\n"), host.firewall(25, 143),
        look_again=lambda: "" if "Welcome" in host.greeting(143) and "new ESMTP" in host.greeting(25) else "not served",
    )  # fmt: skip
    assert (told.ending, told.why) == (Ending.KEPT, "")
    assert (host.postfix / "main.cf").is_symlink(), "postconf replaces links; the apply does not"
    assert "smtpd_banner = new ESMTP\n" in (host.root / "main.real").read_text()
    assert '"inside"' in host.listed()
    back = roll_back(host.root / "state", told, lambda _: host.way, lambda: NOW)
    assert (back.ending, back.why) == (Ending.UNDONE, "taken back by the operator")
    assert host.snapshot() == before
    assert "old ESMTP" in host.greeting(25)
    until(lambda: "Hello" in host.greeting(143), "the old greeting")


def test_the_previous_table_comes_back_and_no_other_is_touched(host: Host) -> None:
    assert host.apply(host.firewall(25, 143), name="first").ending is Ending.KEPT
    before = host.snapshot()
    told = host.apply(host.firewall(25), name="second", look_again=lambda: "143 is closed")
    assert (told.ending, told.why) == (Ending.ROLLED_BACK, "143 is closed")
    assert host.snapshot() == before


def test_the_same_table_twice(host: Host) -> None:
    """As rendered from a declaration."""
    declared = estate()
    whole = matrix(declared)
    tables = [json.dumps(transaction(whole, one, declared)) for one in declared.hosts[:2]]
    first, other = (replace(host.firewall(), acts=(Act(LOAD, text),), checks=(Act(CHECK, text),)) for text in tables)
    assert host.apply(first).ending is Ending.KEPT
    before = host.listed()
    assert host.apply(first).done == ()
    assert host.listed() == before, "not even made anew: handles and counters are the same"
    assert host.apply(other).done == ("firewall",)
    assert host.listed() != before


def test_what_was_only_stopped_is_started_again(host: Host) -> None:
    before = host.snapshot()
    where = ("-c", str(host.postfix))
    fails = Act(("sh", "-c", "exit 1"))
    settles = (Act(("postfix", *where, "stop")), fails, Act(("postfix", *where, "start")))
    told = host.apply(replace(host.setting("smtpd_banner", "x"), settles=settles))
    assert (told.ending, host.snapshot()) == (Ending.ROLLED_BACK, before)
    until(lambda: "old ESMTP" in host.greeting(25), "Postfix")


def test_a_configuration_that_the_daemon_refuses(host: Host) -> None:
    before = host.snapshot()
    told = host.apply(host.setting("smtpd_banner", "new ESMTP"), host.include("login_greeting = Welcome\nssl = pe"))
    assert (told.ending, told.done) == (Ending.ROLLED_BACK, ("postfix:smtpd_banner",))
    assert "doveconf" in told.why
    assert host.snapshot() == before
    assert "Hello" in host.greeting(143)


def test_a_reload_that_is_refused(host: Host) -> None:
    before = host.snapshot()
    careless = replace(host.include("no_such_setting = 1\n"), checks=())
    told = host.apply(careless)
    assert told.ending is Ending.ROLLED_BACK
    assert "doveadm" in told.why
    assert told.why.count("failed with") == 0, "the old files were taken by the daemon"
    assert host.snapshot() == before
    assert "Hello" in host.greeting(143)


def test_a_daemon_that_dies_of_it_is_started_again(host: Host) -> None:
    """Postfix takes the reload, and its master ends on an address that is not there."""
    before = host.snapshot()
    pid_file = host.root / "queue/pid/master.pid"

    def look_again() -> str:
        until(lambda: master(pid_file, b"master") is None, "the end of Postfix")
        return "25 does not answer"

    service = "203.0.113.250:25 inet n - n - - smtpd"
    edit = Act(("postconf", "-c", str(host.postfix), "-M", f"203.0.113.250:25/inet={service}"))
    step = replace(host.setting("", ""), touches=(f"{host.postfix}/master.cf",), acts=(edit,))
    told = host.apply(step, look_again=look_again)
    assert (told.ending, told.why) == (Ending.ROLLED_BACK, "25 does not answer")
    assert host.snapshot() == before
    until(lambda: "old ESMTP" in host.greeting(25), "Postfix")


def test_locked_out_and_killed(host: Host) -> None:
    """A firewall step closes everything, and gatepost is killed before it can see that."""
    assert host.apply(host.firewall(25, 143), name="first").ending is Ending.KEPT
    before = host.snapshot()
    child = subprocess.Popen([sys.executable, "-c", _LOCKS_OUT, str(host.root), host.namespace], env=_ENVIRONMENT)
    try:
        until(lambda: not host.greeting(25, 0.3), "the lockout")
    finally:
        child.kill()
        child.wait()
    until(lambda: bool(host.greeting(25, 0.3)), "the guardian's undo")
    (told,) = host.settled()
    assert (told.ending, told.why) == (
        Ending.ROLLED_BACK, "gatepost was cut off; the guardian took everything back"
    )  # fmt: skip
    assert host.snapshot() == before


_ENVIRONMENT = os.environ | {"PYTHONPATH": "src:."}
_LOCKS_OUT = """
import signal, sys
from pathlib import Path
from tests.live.test_apply import Host
host = Host(Path(sys.argv[1]), sys.argv[2])
host.apply(host.firewall(1), look_again=lambda: signal.pause(), within=3)
"""


def test_killed_at_every_moment(host: Host) -> None:
    """With everything of ours killed: the next run finds the daemons as before, or as planned."""
    words = [sys.executable, "-c", _DIES, str(host.root), host.namespace]
    ran = subprocess.run(words, env=_ENVIRONMENT, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    endings = ran.stdout.split()
    assert set(endings) == {Ending.ROLLED_BACK, Ending.KEPT}
    assert endings == sorted(endings, reverse=True), "once it is kept, it is not taken back"
    assert len(endings) > 15


_DIES = """
import sys
from pathlib import Path
from tests.live.test_apply import Host, die_everywhere
print(*die_everywhere(Host(Path(sys.argv[1]), sys.argv[2])))
"""


def die_everywhere(host: Host) -> list[str]:
    """In a process without threads, which may fork."""
    main, banner = f"{host.postfix}/main.cf", host.setting("smtpd_banner", "x")
    aged = Act(("touch", "-d", "1 minute ago", main))  # Postfix waits till a new file is 2 s old
    banner = replace(banner, acts=(*banner.acts, aged), checks=(Act(("grep", "-q", "^smtpd_banner", main)),))
    steps = (host.firewall(25, 143), banner, host.include("login_greeting = Welcome\n"))
    endings: list[str] = []
    before = host.snapshot()
    for number in range(40):
        if (pid := os.fork()) == 0:
            host.apply(*steps, within=600, watch=killed_at(number))
            os._exit(0)
        if os.waitpid(pid, 0)[1] == 0:
            return endings
        _kill_guardians(host)
        for told in host.settled() or records(host.root / "state")[-1:]:
            endings.append(told.ending.value)
            if told.ending is Ending.KEPT:
                assert host.listed()
                roll_back(host.root / "state", told, lambda _: host.way, lambda: NOW)
        assert host.snapshot() == before, f"killed at {number}"
    raise AssertionError("an apply has fewer moments than that")


def _kill_guardians(host: Host) -> None:
    for written in host.root.glob("lib/*/*/guardian"):
        pid = int(written.read_text())
        with suppress(OSError):
            if str(written.parent).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("reload", "start"),
    [
        ("postfix -c /x reload", "postfix -c /x start"),
        ("doveadm -c /x/dovecot.conf reload", "dovecot -c /x/dovecot.conf"),
        ("systemctl reload postfix", "systemctl restart postfix"),
        ("service dovecot reload", "service dovecot restart"),
        ("supervisorctl signal HUP postfix", "supervisorctl signal HUP postfix"),
    ],
)
def test_what_starts_a_dead_daemon(reload: str, start: str) -> None:
    assert revived(tuple(reload.split())) == tuple(start.split())
