"""Applying over a real SSH connection: through quoting, a firewall that closes it, and its loss in the middle."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gatepost.edge.host.applying import Moment, Stage
from gatepost.edge.host.guardian import beat
from gatepost.edge.host.hand import Hand
from gatepost.edge.host.mending import settled
from gatepost.edge.host.runner import Runner, Ways
from gatepost.errors import CannotLook
from gatepost.model.bundle import Ran
from gatepost.model.plan import Act, Ending, Kind, Step, Written
from tests.edge.host.bench import HOST, NOW, Bench, only, until

NEEDED = ("ip", "nft", "sshd", "ssh", "ssh-keygen")
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        not all(map(shutil.which, NEEDED)) or os.geteuid() != 0, reason=f"needs root and {', '.join(NEEDED)}"
    ),
]
PORT = 2222


@dataclass(frozen=True, slots=True)
class Far:
    """A bench behind SSH, in a namespace."""

    bench: Bench
    namespace: str
    server: int
    ssh: tuple[str, ...]

    def ways(self) -> Ways:
        return Ways(self.ssh)

    def cut(self) -> None:
        """Every connection of the server, not the server itself."""
        for pid in _children(self.server):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def rules(self) -> str:
        words = ["ip", "netns", "exec", self.namespace, "nft", "list", "ruleset"]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    keys, namespace = tmp_path / "keys", f"gpas{os.getpid()}"
    keys.mkdir()
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", keys / name], check=True)
    (keys / "known").write_text(f"[127.0.0.1]:{PORT} {(keys / 'host.pub').read_text()}")
    (keys / "sshd_config").write_text(
        f"Port {PORT}\nListenAddress 127.0.0.1\nHostKey {keys}/host\nAuthorizedKeysFile {keys}/user.pub\n"
        "StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin prohibit-password\n"
    )
    (keys / "ssh_config").write_text(
        f"Host mx\n HostName 127.0.0.1\n Port {PORT}\n User root\n IdentityFile {keys}/user\n IdentitiesOnly yes\n"
        f" UserKnownHostsFile {keys}/known\n GlobalKnownHostsFile /dev/null\n"
    )
    inside = ("ip", "netns", "exec", namespace)
    subprocess.run(["ip", "netns", "add", namespace], check=True)
    subprocess.run(["ip", "-n", namespace, "link", "set", "lo", "up"], check=True)
    # sshd wants a directory in /run; `ip netns exec` gives a mount namespace of its own, so ours stays as it is.
    sshd = f"{shutil.which('sshd')} -D -e -f {keys}/sshd_config"
    start = f"mount -t tmpfs none /run && mkdir -m 755 /run/sshd && exec {sshd}"
    server = subprocess.Popen([*inside, "sh", "-c", start], stderr=subprocess.PIPE)
    try:
        assert server.stderr
        assert b"listening" in server.stderr.readline()
        yield Far(Bench(tmp_path).make(), namespace, server.pid, (*inside, "ssh", "-F", f"{keys}/ssh_config"))
    finally:
        server.terminate()
        server.communicate(timeout=30)
        subprocess.run(["ip", "netns", "del", namespace], check=False)


def closing() -> Step:
    """Our table lets nothing in at all, not even what is under way."""
    name = {"family": "inet", "name": "gatepost"}
    chain = {"family": "inet", "table": "gatepost", "name": "in", "type": "filter", "hook": "input", "prio": 0}
    made = [{"add": {"table": name}}, {"add": {"chain": {**chain, "policy": "drop"}}}]
    act = Act(("nft", "-j", "-f", "-"), json.dumps({"nftables": made}))
    return Step("firewall", HOST, Kind.FIREWALL, "close everything", (), "a test", acts=(act,))


def test_kept(far: Far) -> None:
    odd = far.bench.root / 'etc/it\'s $HOME; "odd".cf'
    plan = far.bench.plan()
    strange = replace(far.bench.written(), key="odd", writes=(Written(str(odd), "'a' \"b\" $c `d` \\ é\n"),))
    with far.ways() as ways, far.ways() as fresh:
        told = far.bench.apply(
            only(plan, *plan.steps, strange), runner=ways.to("ssh mx"), afresh=lambda _: fresh.to("ssh mx")
        )
    assert (told.ending, told.why) == (Ending.KEPT, "")
    assert odd.read_text() == "'a' \"b\" $c `d` \\ é\n"
    assert far.bench.main.is_symlink()
    assert far.bench.leftovers() == []


def test_a_firewall_that_closes_the_connection(far: Far) -> None:
    before = far.bench.snapshot()
    with far.ways() as ways:
        told = far.bench.apply(
            only(far.bench.plan(), far.bench.written(), closing()), runner=ways.to("ssh mx"), within=2
        )
    assert told.ending is Ending.ROLLED_BACK
    assert "taken back on the host meanwhile" in told.why
    assert far.bench.snapshot() == before
    assert far.rules() == ""


def test_a_connection_lost_in_the_middle(far: Far) -> None:
    before = far.bench.snapshot()
    with far.ways() as ways:
        way = Breaking(ways.to("ssh mx"))

        def watch(moment: Moment) -> None:
            if moment.stage is Stage.WRITTEN:
                beat(
                    Hand(HOST, way, "p1", str(far.bench.backups)), 2
                )  # seconds; until then it had all the time it needs
                far.cut()
                way.broken = True

        told = far.bench.apply(runner=way, watch=watch)
        assert told.ending is Ending.UNFINISHED
        assert far.bench.guardian() is not None, "it outlives the connection it was started over"
        assert far.bench.snapshot() != before
        until(lambda: far.bench.guardian() is None, "the guardian's end")
        assert far.bench.snapshot() == before
        (ended,) = settled(far.bench.state, lambda _: ways.to("ssh mx"), NOW)
    assert (ended.ending, ended.why) == (
        Ending.ROLLED_BACK, "gatepost was cut off; the guardian took everything back"
    )  # fmt: skip


@dataclass(slots=True)
class Breaking:
    """A way that opens no new connection once it broke."""

    way: Runner
    broken: bool = False

    @property
    def where(self) -> str:
        return self.way.where

    def run(self, argv: Sequence[str], *, stdin: str = "", patience: float = 30) -> Ran:
        if self.broken:
            raise CannotLook(f"{self.where}: no connection")
        return self.way.run(argv, stdin=stdin, patience=patience)
